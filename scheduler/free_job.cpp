// The end of a job: off the pending list, and freed by the driver.

#include "scheduler/gpu_sched.hpp"

namespace fenceline::scheduler::inline FENCELINE_MODE {

/// drm_sched_free_job_work: in 6.12 one run frees at most one job, then looks for more of either
/// work; in mainline it frees all that have finished.
void GpuSched::free_job_work(void* self, std::uint64_t packed) {
    auto& gpu_sched = *static_cast<GpuSched*>(self);
    sim::Frame frame(gpu_sched.machine, "drm_sched_free_job_work");
    Scheduler& sched = gpu_sched.schedulers.get(SchedulerRef::unpack(packed), "scheduler");
    if (sched.pause_submit)
        return gpu_sched.check_stopped(sched);
    if (sim::kInstrumented || sched.plain_ring == nullptr || !gpu_sched.free_plain_job(sched))
        gpu_sched.free_finished_jobs(sched);
    gpu_sched.run_job_queue_last(sched, sched.work_free_job);
}

void GpuSched::free_finished_jobs(Scheduler& sched) {
    if (sched.kernel == KernelVersion::mainline) {
        while (const JobRef job = get_finished_job(sched)) {
            account_gpu_time(sched, jobs.get(job, "job"));
            put_job(sched, job);
        }
        return;
    }
    if (const JobRef job = get_finished_job(sched))
        put_job(sched, job);
    run_free_queue(sched);
}

/// drm_sched_get_finished_job: only ever the head of the pending list, however many are done.
FENCELINE_HOT JobRef GpuSched::get_finished_job(Scheduler& sched) {
    sim::SpinGuard guard(machine, sched.job_list_lock, "job_list_lock");
    if (quirks.free_any_finished) [[unlikely]]
        return finished_job_anywhere(sched);
    const JobRef job_ref = sched.pending_head;
    if (!job_ref)
        return {};
    Job& job = jobs.get(job_ref, "job");
    fences::SchedFence& pair = s_fences.pair(job.s_fence);
    if (!core.is_signaled(job.s_fence, pair.finished))
        return {};
    const JobRef next_ref = job.next;
    pending_remove(sched, job);
    if (sched.work_tdr)
        sched.work_tdr->cancel();
    if (!next_ref)
        return job_ref;
    Job& next = jobs.get(next_ref, "job");
    // The next job has the hardware to itself only from now on: its start is moved accordingly.
    fences::Fence& scheduled = core.get(next.s_fence.sibling(fences::FencePart::scheduled));
    if (scheduled.flags.test_bit(machine, fences::flag::timestamp))
        scheduled.timestamp = pair.finished.timestamp;
    start_timeout(sched);
    return job_ref;
}

/// Quirk: a free work that does not stop at a head which is still busy. The timeout, which is about
/// the head, goes on where it is about another job.
JobRef GpuSched::finished_job_anywhere(Scheduler& sched) {
    for (JobRef ref = sched.pending_head; ref; ref = jobs.get(ref, "job").next) {
        Job& job = jobs.get(ref, "job");
        if (!core.is_signaled(job.s_fence))
            continue;
        const bool was_head = ref == sched.pending_head;
        pending_remove(sched, job);
        if (was_head && sched.work_tdr) {
            sched.work_tdr->cancel();
            start_timeout(sched);
        }
        return ref;
    }
    return {};
}

/// drm_sched_run_free_queue: the free work once more if the next head is finished already.
FENCELINE_HOT void GpuSched::run_free_queue(Scheduler& sched) {
    sim::SpinGuard guard(machine, sched.job_list_lock, "job_list_lock");
    if (quirks.free_any_finished) [[unlikely]] {
        for (JobRef ref = sched.pending_head; ref; ref = jobs.get(ref, "job").next)
            if (core.is_signaled(jobs.get(ref, "job").s_fence))
                return run_free_queue_unconditionally(sched);
        return;
    }
    if (sched.pending_head && core.is_signaled(jobs.get(sched.pending_head, "job").s_fence))
        run_free_queue_unconditionally(sched);
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
