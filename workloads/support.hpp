// What a document may ask for and this version does not run yet.
//
// The formats are validated in whole; a valid part that cannot be run is refused before the run
// starts, with a message that says so.
#pragma once

#include "workloads/config.hpp"
#include "workloads/workload.hpp"

#include <string>
#include <vector>

namespace fenceline::workloads {

/// One line for each part that is not run yet, in document order, the workload's before the
/// configuration's. Empty when all of it can be run. Listed jobs all run. Pass the configuration
/// as it was read, before resolve_rings(), so that pointers to its rings are right.
[[nodiscard]] std::vector<std::string> unsupported(const Workload& workload, const Config& config);

} // namespace fenceline::workloads
