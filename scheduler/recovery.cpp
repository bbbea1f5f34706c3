// Recovery: what a driver calls between the hang and the restart.
//
// DOC: the recipe. timedout_job: sched_stop(bad), increase_karma(bad), the hardware is reset,
// resubmit_jobs, sched_start. Stopping takes the hardware fence away from every job that is not
// done; a job that has none when the scheduler starts again is finished with an error. So without
// resubmission everything that was pending on the ring is given up, however far the hardware had
// come.

#include "scheduler/gpu_sched.hpp"

#include <utility>

namespace fenceline::scheduler::inline FENCELINE_MODE {

using fences::FencePart;
using fences::FenceRef;
using fences::Holder;

/// drm_sched_wqueue_start: both items are queued, whatever there is to do, in this order. After
/// drm_sched_fini the queue is gone, and a driver that resets its ring all the same reaches for it.
void GpuSched::wqueue_start(Scheduler& sched) {
    if (!sched.ready)
        machine.report({.kind = &sim::hazards::use_after_free,
                        .subject = "submit_wq",
                        .object = "submit_wq of scheduler " + sched.name,
                        .message = "submit_wq of scheduler " + sched.name +
                                   " is used after drm_sched_fini destroyed it"});
    sched.pause_submit = false;
    sched.submit_wq->queue(sched.work_run_job);
    sched.submit_wq->queue(sched.work_free_job);
}

/// The part of drm_sched_stop that concerns one job: whether its completion could be called off, so
/// that it has no hardware fence now.
bool GpuSched::detach_from_hardware(Scheduler& sched, Job& job) {
    FenceRef& parent = s_fences.pair(job.s_fence).parent;
    if (!parent || !core.remove_callback(parent, job.cb))
        return false;
    core.put(std::exchange(parent, FenceRef{}), Holder::sched_fence);
    sched.credit_count.sub(machine, job.credits);
    return true;
}

/// drm_sched_stop. Walks the list from its end. A job that is done is freed here and now; only the
/// bad one is left to job_timedout(), since the driver may still want to look at it.
void GpuSched::sched_stop(SchedulerRef ref, JobRef bad) {
    sim::Frame frame(machine, "drm_sched_stop");
    Scheduler& sched = schedulers.get(ref, "scheduler");
    wqueue_stop(sched);
    if (bad && jobs.get(bad, "job").sched == ref &&
        quirks.timeout_protection == TimeoutProtection::unlink) // else it is on the list still
        pending_add_head(sched, bad, jobs.get(bad, "job"));
    for (JobRef job_ref = sched.pending_tail; job_ref;) {
        Job& job = jobs.get(job_ref, "job");
        const JobRef previous = job.previous;
        if (!detach_from_hardware(sched, job)) {
            {
                sim::SpinGuard guard(machine, sched.job_list_lock, "job_list_lock");
                pending_remove(sched, job);
            }
            core.wait(job.s_fence); // its completion may still be at it
            if (job_ref == bad)
                sched.free_guilty = true;
            else
                put_job(sched, job_ref);
        }
        job_ref = previous;
    }
    if (sched.work_tdr)
        sched.work_tdr->cancel();
}

/// The entity of a job that has been popped, if it is on one of the run queues whose entities can
/// be guilty: the only one of fair, else all but that of kernel priority.
EntityRef GpuSched::listed_entity_of(Scheduler& sched, const Job& job) {
    const std::uint32_t context = core.get(job.s_fence.sibling(FencePart::scheduled)).context;
    const std::size_t first = sched.num_rqs == 1 ? 0 : 1;
    EntityRef found;
    entities.for_each_live([&](EntityRef ref, Entity& entity) {
        if (!entity.node.listed || entity.fence_context != context)
            return;
        for (std::size_t i = first; i < sched.num_rqs; ++i)
            if (sched.sched_rq[i] == entity.rq)
                found = ref;
    });
    return found;
}

/// drm_sched_increase_karma. Jobs of kernel priority are always considered good. The kernel takes
/// the lock of every run queue until it has found the entity.
void GpuSched::increase_karma(JobRef bad) {
    sim::Frame frame(machine, "drm_sched_increase_karma");
    Job& job = jobs.get(bad, "job");
    if (job.s_priority == Priority::kernel)
        return;
    Scheduler& sched = schedulers.get(job.sched, "scheduler");
    if (job.karma < 0xff)
        ++job.karma;
    ++machine.counters.atomics;
    if (const EntityRef entity = listed_entity_of(sched, job)) {
        Entity& guilty = entities.get(entity, "entity");
        sim::SpinGuard guard(machine, run_queues.get(guilty.rq, "run queue").lock, "rq->lock");
        if (guilty.has_guilty_flag)
            guilty.guilty.set(machine, 1);
    } else {
        print("nobody is marked guilty of job " + std::to_string(job.id) +
              ": its entity is on no run queue any more");
    }
}

/// drm_sched_resubmit_jobs. From the first job with too much karma on, all pending jobs of the same
/// entity are marked before they are run again: the driver is expected to skip them.
void GpuSched::resubmit_jobs(SchedulerRef ref) {
    sim::Frame frame(machine, "drm_sched_resubmit_jobs");
    Scheduler& sched = schedulers.get(ref, "scheduler");
    std::uint32_t guilty_context = 0;
    bool found_guilty = false;
    for (JobRef job_ref = sched.pending_head; job_ref;) {
        Job& job = jobs.get(job_ref, "job");
        const JobRef next = job.next;
        const std::uint32_t context = core.get(job.s_fence.sibling(FencePart::scheduled)).context;
        if (!found_guilty && job.karma > sched.hang_limit) {
            found_guilty = true;
            guilty_context = context;
        }
        if (found_guilty && context == guilty_context)
            core.set_error(job.s_fence, kEcanceled);
        const RunResult result = sched.driver->run_job(*this, job_ref);
        if (!result.fence && result.error != 0)
            core.set_error(job.s_fence, result.error);
        s_fences.pair(job.s_fence).parent = result.fence; // run_job's reference becomes the pair's
        job_ref = next;
    }
}

/// drm_sched_start. Jobs that are finished here stay on the list for the free work.
void GpuSched::sched_start(SchedulerRef ref, std::int32_t error) {
    sim::Frame frame(machine, "drm_sched_start");
    Scheduler& sched = schedulers.get(ref, "scheduler");
    for (JobRef job_ref = sched.pending_head; job_ref;) {
        Job& job = jobs.get(job_ref, "job");
        const JobRef next = job.next;
        const FenceRef parent = s_fences.pair(job.s_fence).parent;
        sched.credit_count.add(machine, job.credits);
        if (!parent)
            job_done(job_ref, error != 0 ? error : kEcanceled);
        else if (const auto callback =
                     core.add_own_callback(parent, core.get(parent), job_ref.pack()))
            job.cb = callback;
        else
            job_done(job_ref, core.get(parent).error != 0 ? core.get(parent).error : error);
        job_ref = next;
    }
    {
        sim::SpinGuard guard(machine, sched.job_list_lock, "job_list_lock");
        start_timeout(sched);
    }
    wqueue_start(sched);
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
