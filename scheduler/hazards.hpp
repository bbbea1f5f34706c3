// The hazards that only the scheduler knows.
#pragma once

#include "sim/hazard.hpp"

namespace fenceline::scheduler::hazards {

inline constexpr sim::HazardClass score_drift{
    "score-drift", "a scheduler's score no longer matches its jobs, and balancing goes by it",
    false, "found"};

} // namespace fenceline::scheduler::hazards
