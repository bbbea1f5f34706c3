// The hazards that only the scheduler knows.
#pragma once

#include "sim/hazard.hpp"

namespace fenceline::scheduler::hazards {

inline constexpr sim::HazardClass score_drift{
    "score-drift", "a scheduler's score no longer matches its jobs, and balancing goes by it",
    false, "found"};

inline constexpr sim::HazardClass lost_wakeup{
    "lost-wakeup", "there is work to do, nothing forbids it, and nobody is going to begin", false,
    "found"};
inline constexpr sim::HazardClass wrong_order{
    "wrong-order",
    "a job finished before something that it depends on, or that its context has "
    "before it",
    false, "signalled"};
inline constexpr sim::HazardClass credit_drift{
    "credit-drift", "all jobs are gone and a scheduler still counts credits of some", false,
    "found"};
inline constexpr sim::HazardClass list_corruption{
    "list-corruption", "something was added to a list that it is on already", true, "added"};

} // namespace fenceline::scheduler::hazards
