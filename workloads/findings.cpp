#include "workloads/findings.hpp"

namespace fenceline::workloads {

std::string_view finding_of(const sim::Hazard& hazard, scheduler::KernelVersion kernel) {
    if (kernel == scheduler::KernelVersion::v6_12 && hazard.kind == &sim::hazards::use_after_free &&
        hazard.subject == "run queue")
        return "drm_sched_fini of 6.12 frees its run queues while entities still refer to them; "
               "drm_sched_entity_flush, _fini and _push_job then read freed memory. In mainline "
               "the "
               "run queue is part of the scheduler.";
    return {};
}

} // namespace fenceline::workloads
