// Fenceline as one of the two implementations that are compared.
#pragma once

#include <string>

namespace conformance {

struct FencelineRun {
    std::string log;    // the event log, as JSON Lines, and what queries found
    std::string hazard; // the fatal one that ended the run, in one line; empty if none did
};

// Runs a workload and a configuration in the project's formats. Throws where they are refused.
FencelineRun run_fenceline(const std::string& workload_json, const std::string& config_json);

} // namespace conformance
