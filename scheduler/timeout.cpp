// The timeout: one timer per scheduler, for whichever job is at the head of the pending list.
//
// DOC: when it is armed. Each job that is handed to the hardware arms it anew, and so does the
// free_job of the job before; it does not follow a job. While other jobs keep starting, a hung job
// is found late.

#include "scheduler/gpu_sched.hpp"

#include <utility>

namespace fenceline::scheduler::inline FENCELINE_MODE {

/// drm_sched_start_timeout. REQUIRES: job_list_lock held.
FENCELINE_HOT void GpuSched::start_timeout(Scheduler& sched) {
    if (sched.work_tdr && sched.pending_head)
        sched.work_tdr->mod(sched.timeout);
}

/// drm_sched_job_timedout: the head is taken off the list, so that nobody frees it meanwhile, and
/// handed to the driver. If the driver found that it was done after all, it is freed here.
void GpuSched::job_timedout(void* self, std::uint64_t packed) {
    auto& gpu = *static_cast<GpuSched*>(self);
    sim::Machine& machine = gpu.machine;
    sim::Frame frame(machine, "drm_sched_job_timedout");
    const SchedulerRef sched_ref = SchedulerRef::unpack(packed);
    Scheduler& sched = gpu.schedulers.get(sched_ref, "scheduler");
    JobRef job;
    {
        sim::SpinGuard guard(machine, sched.job_list_lock, "job_list_lock");
        job = sched.pending_head;
        if (job) {
            gpu.get_job(job); // whatever becomes of it, the handler is at work on it
            gpu.pending_remove(sched, gpu.jobs.get(job, "job"));
        }
    }
    TimeoutVerdict verdict = TimeoutVerdict::reset;
    if (job) {
        verdict = sched.driver->timedout_job(gpu, job);
        if (std::exchange(sched.free_guilty, false))
            gpu.put_job(sched, job);
        if (verdict == TimeoutVerdict::no_hang && sched.kernel == KernelVersion::mainline)
            gpu.reinsert_on_false_timeout(sched, job);
        gpu.put_job_after_use(sched_ref, job);
    }
    if (verdict != TimeoutVerdict::no_device) {
        sim::SpinGuard guard(machine, sched.job_list_lock, "job_list_lock");
        gpu.start_timeout(sched);
    }
}

/// drm_sched_job_reinsert_on_false_timeout (mainline). It may have finished while it was off the
/// list, and then nobody else would look at it.
void GpuSched::reinsert_on_false_timeout(Scheduler& sched, JobRef job) {
    sim::Frame frame(machine, "drm_sched_job_reinsert_on_false_timeout");
    sim::SpinGuard guard(machine, sched.job_list_lock, "job_list_lock");
    pending_add_head(sched, job, jobs.get(job, "job"));
    run_free_queue_unconditionally(sched);
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
