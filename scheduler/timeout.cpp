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
    if (!sched.work_tdr || !sched.pending_head)
        return;
    if (quirks.timer_not_pushed_back)
        [[unlikely]] // queue_delayed_work: nothing while it is pending
        sched.work_tdr->queue(sched.timeout);
    else
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
            if (gpu.quirks.timeout_protection == TimeoutProtection::unlink)
                gpu.pending_remove(sched, gpu.jobs.get(job, "job"));
        }
    }
    TimeoutVerdict verdict = TimeoutVerdict::reset;
    if (job) {
        const fences::FenceRef pinned = gpu.protect_listed(sched, job);
        verdict = sched.driver->timedout_job(gpu, job);
        gpu.unprotect_listed(sched, pinned);
        const bool freed = std::exchange(sched.free_guilty, false);
        if (freed)
            gpu.put_job(sched, job);
        if (verdict == TimeoutVerdict::no_hang && sched.kernel == KernelVersion::mainline &&
            !(freed && gpu.quirks.free_guilty_excludes_no_hang))
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
    // Quirk: before 0b1217bfdfdd (6.17) there was no such status, and nobody put the job back.
    if (quirks.false_alarm_forgets_job ||
        quirks.timeout_protection != TimeoutProtection::unlink) // it never was off the list
        return;
    sim::SpinGuard guard(machine, sched.job_list_lock, "job_list_lock");
    pending_add_head(sched, job, jobs.get(job, "job"));
    if (!quirks.false_alarm_skips_free_work)
        run_free_queue_unconditionally(sched);
}

/// What the discussion of 2021 about reverting 135517d3565b proposed in place of taking the job off
/// the list: kthread_park() around the handler; a reference on the hardware fence, for drivers that
/// have it inside the job; keeping the fence from completing while the driver looks at the job. And
/// what there was before: nothing. Returns the fence that is pinned, if one is.
fences::FenceRef GpuSched::protect_listed(Scheduler& sched, JobRef job) {
    switch (quirks.timeout_protection) {
    case TimeoutProtection::park:
        wqueue_stop(sched);
        break;
    case TimeoutProtection::pin:
        if (const fences::FenceRef parent = s_fences.pair(jobs.get(job, "job").s_fence).parent)
            return core.take(parent);
        break;
    case TimeoutProtection::block:
        sched.blocked = job;
        break;
    case TimeoutProtection::unlink:
    case TimeoutProtection::none:
        break;
    }
    return {};
}

void GpuSched::timeout_looked_at(SchedulerRef ref) {
    Scheduler& sched = schedulers.get(ref, "scheduler");
    const JobRef job = std::exchange(sched.blocked, JobRef{});
    if (job && std::exchange(sched.blocked_done, false))
        job_done(job, sched.blocked_error);
}

void GpuSched::unprotect_listed(Scheduler& sched, fences::FenceRef pinned) {
    core.put(pinned, fences::Holder::driver);
    if (quirks.timeout_protection == TimeoutProtection::park && sched.pause_submit)
        wqueue_start(sched);
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
