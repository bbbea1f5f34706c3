// Fenceline as one of the two implementations that are compared.
#pragma once

#include <string>

namespace conformance {

// The event log, as JSON Lines, of a workload and configuration in the project's formats.
std::string run_fenceline(const std::string& workload_json, const std::string& config_json);

} // namespace conformance
