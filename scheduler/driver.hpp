// The driver's back end (struct drm_sched_backend_ops) as an interface.
//
// A driver author who wants to try a back end implements this and hands it to
// GpuSched::sched_init(). The rules are those of the kernel: run_job gives the scheduler a
// reference of its own; free_job ends the job's life and must call GpuSched::job_cleanup(). The
// driver tells the event log what only it knows: run_job, hw_done and free_job (GpuSched::log).
#pragma once

#include "fences/fence.hpp"
#include "scheduler/objects.hpp"

#include <cstdint>

namespace fenceline::scheduler::inline FENCELINE_MODE {

class GpuSched;

/// What run_job returns: a fence (with one reference for the scheduler), or none with an error, or
/// none without (NULL: nothing was put on the hardware).
struct RunResult {
    fences::FenceRef fence;
    std::int32_t error = 0;
};

class Driver {
  public:
    virtual ~Driver() = default;
    /// Hands the job to the hardware. Called from the run_job work item, in process context.
    virtual RunResult run_job(GpuSched& sched, JobRef job) = 0;
    /// The job is done and off every list: free it. Called from the free_job or kill work item.
    virtual void free_job(GpuSched& sched, JobRef job) = 0;
    /// The head of the pending list did not finish in time. It is off the list: sched_stop() puts it
    /// back, and so does the scheduler after `no_hang` (mainline). In process context; may block.
    virtual TimeoutVerdict timedout_job(GpuSched&, JobRef) { return TimeoutVerdict::reset; }
    /// The scheduler ends with this job on the hardware: take it off and signal its fence with an
    /// error; free_job follows. Called where SchedulerArgs::cancels_jobs says so (mainline).
    virtual void cancel_job(GpuSched&, JobRef) {}
    /// One more fence the head job has to wait for, or none; asked after its dependencies, where
    /// SchedulerArgs::prepares_jobs says so.
    virtual fences::FenceRef prepare_job(GpuSched&, JobRef) { return {}; }
};

} // namespace fenceline::scheduler::inline FENCELINE_MODE
