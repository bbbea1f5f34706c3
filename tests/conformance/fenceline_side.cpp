// Stands in until the simulator is there to be linked.
#include "fenceline_side.hpp"

#include <stdexcept>

namespace conformance {

std::string run_fenceline(const std::string& workload_json, const std::string& config_json) {
    static_cast<void>(workload_json);
    static_cast<void>(config_json);
    throw std::runtime_error("the simulator is not linked into this build");
}

} // namespace conformance
