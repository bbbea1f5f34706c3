// Faults of the modelled kernel itself: hazards that neither the workload nor the driver is to
// blame for, because the kernel of that version does just this.
#pragma once

#include "scheduler/types.hpp"
#include "sim/hazard.hpp"

#include <string_view>

namespace fenceline::workloads {

/// What is known about the hazard; empty when it is not known to be the kernel's.
[[nodiscard]] std::string_view finding_of(const sim::Hazard& hazard,
                                          scheduler::KernelVersion kernel);

} // namespace fenceline::workloads
