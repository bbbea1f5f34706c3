// Which rule of a lifetime policy made a hazard possible: a table from the class and the subject of
// the hazard, and what the policy says, to the rule, its value, and why.
#pragma once

#include "fences/lifetime.hpp"
#include "sim/hazard.hpp"

namespace fenceline::workloads {

/// The rule; empty where no rule of the policy has to do with it.
[[nodiscard]] sim::BrokenRule rule_behind(const sim::Hazard& hazard,
                                          const fences::LifetimePolicy& policy);

} // namespace fenceline::workloads
