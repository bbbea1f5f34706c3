// Single fixes of drm/sched, or departures of a driver from its rules, switched for one run: how a
// historical bug is brought back. By default everything is as it is in the modelled kernel.
//
// Each member is read at the place of the fix, where a comment names kernel function and fix. With
// any of them set no job takes the plain path (plain_job.cpp), so that those that are read on the
// path of a job cost a run without quirks next to nothing.
//
// Values without state; workloads/quirks.hpp gives each its name and its story.
#pragma once

#include <cstdint>

namespace fenceline::scheduler {

/// What keeps the job alive that drm_sched_job_timedout() hands to the driver.
enum class TimeoutProtection : std::uint8_t {
    unlink, ///< off the pending list: the kernel since 2019
    park,   ///< the scheduler's work is stopped meanwhile
    pin,    ///< a reference on its hardware fence, for drivers that embed the one in the other
    block,  ///< its completion is put off until the driver has looked at it
    none    ///< nothing: before 2019
};

struct Quirks {
    // The timeout.
    TimeoutProtection timeout_protection = TimeoutProtection::unlink;
    bool false_alarm_forgets_job = false;      ///< no re-insertion after "no hang"
    bool false_alarm_skips_free_work = false;  ///< re-inserted, and nobody looks at it
    bool free_guilty_excludes_no_hang = false; ///< what was freed is not re-inserted
    bool timer_not_pushed_back = false;        ///< queue_delayed_work instead of mod
    bool popped_job_keeps_entity = false;      ///< job->entity stays, and the handler reads it
    // The entity and its end.
    bool push_peeks_queue = false;                ///< the wake-up looks at the head of the queue
    bool clear_dependency_without_wakeup = false; ///< drm_sched_entity_clear_dep
    bool kill_skips_seen_dependencies = false;
    bool kill_leaks_dependencies = false;
    bool kill_leaks_previous = false;
    bool kill_callback_in_place = false;      ///< the loop over dependencies runs in the callback
    bool flush_trusts_any_user = false;       ///< last_user NULL counts as being the last user
    bool no_memory_for_dependencies = false;  ///< a job's list holds one fence, the next is -ENOMEM
    bool dependency_error_puts_twice = false; ///< the caller puts what the callee has put
    // The free work.
    bool free_any_finished = false; ///< whichever job is done, not only the head
    // The driver.
    bool no_hang_after_reset = false;        ///< stop, reset, start, then "no hang"
    bool wedge_on_timeout = false;           ///< all schedulers of the device are given up, last
    bool wedge_before_last_look = false;     ///< the same while the handler still needs the job
    bool drain_looks_once = false;           ///< later looks at the condition see the first value
    bool arm_then_fail = false;              ///< a submit fails between arm and push
    bool recovery_reclaims = false;          ///< recovery allocates under the lock of run_job
    bool interrupt_holds_fence_lock = false; ///< the ring's lock is held around dma_fence_signal
    bool stats_through_file = false;         ///< the interrupt reaches through job->file
    bool given_up_not_signalled = false;     ///< free_job drops a fence that it should signal
    bool keeps_last_fence = false;           ///< a reference per entity that nobody drops

    friend bool operator==(const Quirks&, const Quirks&) = default;
};

} // namespace fenceline::scheduler
