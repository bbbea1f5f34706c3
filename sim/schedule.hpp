// A schedule: which context makes which operation, in which order, where it matters.
//
// A step names a context ("irq gfx" is written "irq:gfx") and an operation that it is about to make
// ("unlock fence.lock", "call drm_sched_job_done"). Steps happen in the order in which they
// stand; what is not listed happens in timed order. A plain value: no ownership, safe to share.
#pragma once

#include <string>
#include <vector>

namespace fenceline::sim {

struct ScheduleStep {
    std::string context;   ///< "kind:name", kinds as in context.hpp
    std::string operation; ///< "verb what" or "verb what in function"; what may be left out

    friend bool operator==(const ScheduleStep&, const ScheduleStep&) = default;
};

struct Schedule {
    std::string source; ///< where it was read from, for messages; not compared
    std::vector<ScheduleStep> steps;

    friend bool operator==(const Schedule& a, const Schedule& b) { return a.steps == b.steps; }
};

} // namespace fenceline::sim
