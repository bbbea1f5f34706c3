// What a document may ask for and this version does not run yet.
//
// The formats are validated in whole; a valid part that cannot be run is refused before the run
// starts, with a message that says so. Workloads run in whole; of configurations, lifetime rules
// are what is left.
#pragma once

#include "workloads/config.hpp"

#include <string>
#include <vector>

namespace fenceline::workloads {

/// One line for each part that is not run yet. Empty when all of it can be run.
[[nodiscard]] std::vector<std::string> unsupported(const Config& config);

} // namespace fenceline::workloads
