// The matrix of what can fail under which lifetime policy.
//
// A configuration with `matrix` varies `workload`, `lifetime` and, if it likes, `quirks`: none,
// `break-contract`, and what single rows ask for. Each row is a workload with the hazards that it is about. A cell says
// that those happen (fails), that they happen only where the driver breaks the policy's contract
// (contract), or neither (safe). A row that is about no hazard says what is pinned.
#pragma once

#include "tools/json_report.hpp"
#include "tools/table.hpp"

#include <string>

namespace fenceline::tools {

/// The matrix, and for each cell that fails the scenario and the event that shows it.
[[nodiscard]] std::string matrix_summary(const Comparison& comparison, const Style& style);
/// The same as JSON: a list of rows, each with `cells` by lifetime.
[[nodiscard]] workloads::Json matrix_json(const Comparison& comparison);

} // namespace fenceline::tools
