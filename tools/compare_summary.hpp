// A comparison for human readers: verdicts and costs of lifetime policies, or figures side by side.
#pragma once

#include "tools/json_report.hpp"
#include "tools/table.hpp"

#include <string>

namespace fenceline::tools {

[[nodiscard]] std::string comparison_summary(const Comparison& comparison, const Style& style);

} // namespace fenceline::tools
