// From the queue to the hardware, and the interrupt that says it is done.

#include "scheduler/gpu_sched.hpp"

namespace fenceline::scheduler::inline FENCELINE_MODE {

using fences::FenceRef;
using fences::Holder;

/// drm_sched_run_job_queue.
FENCELINE_HOT void GpuSched::run_job_queue(Scheduler& sched) {
    if (!sched.pause_submit)
        sched.submit_wq->queue(sched.work_run_job);
}

/// The same as the last thing that a work item does. Most often nobody is ready then and the run
/// would come to nothing but the locks that it takes on its way.
FENCELINE_HOT void GpuSched::run_job_queue_last(Scheduler& sched, const sim::Work& running) {
    if (sched.ready_queues == 0 && !sched.pause_submit &&
        sched.submit_wq->pass_over(sched.work_run_job, running)) {
        machine.counters.locks += sched.num_rqs;
        return;
    }
    run_job_queue(sched);
}

/// __drm_sched_run_free_queue.
FENCELINE_HOT void GpuSched::run_free_queue_unconditionally(Scheduler& sched) {
    if (!sched.pause_submit)
        sched.submit_wq->queue(sched.work_free_job);
}

/// Somebody who saw pause_submit before it was set queued the work after it had been cancelled. In the
/// time of a reset that does no harm; after drm_sched_fini the queue is gone.
void GpuSched::check_stopped(const Scheduler& sched) {
    if (!sched.ready)
        machine.report({.kind = &sim::hazards::use_after_free,
                        .subject = "submit_wq",
                        .object = "submit_wq of scheduler " + sched.name,
                        .message = "work of scheduler " + sched.name +
                                   " runs after drm_sched_fini destroyed its submit_wq"});
}

/// drm_sched_run_job_work: one run of the work item starts at most one job.
void GpuSched::run_job_work(void* self, std::uint64_t packed) {
    auto& gpu_sched = *static_cast<GpuSched*>(self);
    sim::Frame frame(gpu_sched.machine, "drm_sched_run_job_work");
    Scheduler& sched = gpu_sched.schedulers.get(SchedulerRef::unpack(packed), "scheduler");
    if (sched.pause_submit)
        return gpu_sched.check_stopped(sched);
    RunQueue* const rq = gpu_sched.first_ready_queue(sched);
    if (rq == nullptr)
        return;
    if (sim::kInstrumented || sched.plain_ring == nullptr || !gpu_sched.run_plain_job(sched, *rq))
        gpu_sched.run_one_job(sched, *rq);
}

void GpuSched::run_one_job(Scheduler& sched, RunQueue& rq) {
    Entity* const entity = select_entity(sched, rq);
    if (entity == nullptr)
        return; // there are no credits: a completion will queue the work again
    const EntityRef entity_ref = entity->self;
    const JobRef job_ref = entity->head;
    const SchedulerRef sched_ref = sched.self;
    Job& job = jobs.at(job_ref.index());       // select_entity has just looked at it
    if (!pop_job(*entity, rq, job_ref, job)) { // it waits for a dependency now; others may be ready
        entity->entity_idle.complete_all(machine);
        run_job_queue_last(sched, sched.work_run_job);
        return;
    }
    get_job(job_ref); // what was the queue's reference is the pending list's from here on
    sched.credit_count.add(machine, job.credits);
    job_begin(sched, job_ref, job);

    const FenceRef s_fence = job.s_fence;
    fences::SchedFence& pair = s_fences.pair(s_fence);
    const RunResult result = sched.driver->run_job(*this, job_ref);
    entities.get(entity_ref, "entity").entity_idle.complete_all(machine);
    log_scheduled(job, sched.ring_index);
    s_fences.scheduled(s_fence, pair, result.fence);

    if (result.fence) {
        fences::Fence& parent = core.get(result.fence);
        core.put(result.fence, parent, Holder::driver); // run_job's reference; the pair's stays
        job.cb = core.add_own_callback(result.fence, parent, job_ref.pack());
        if (!job.cb)
            job_done(job_ref, core.get(result.fence).error);
    } else {
        job_done(job_ref, result.error);
    }
    put_job_after_use(sched_ref, job_ref);
    sched.job_scheduled.wake_up(machine);
    run_job_queue_last(sched, sched.work_run_job);
}

/// drm_sched_job_begin: to the tail of the pending list; the timeout starts anew with every job.
FENCELINE_HOT void GpuSched::job_begin(Scheduler& sched, JobRef job_ref, Job& job) {
    sim::SpinGuard guard(machine, sched.job_list_lock, "job_list_lock");
    pending_add_tail(sched, job_ref, job);
    start_timeout(sched);
}

/// drm_sched_job_done_cb: in the context of whoever signals the hardware fence, its lock held.
void GpuSched::job_done_cb(void* env, FenceRef, fences::Fence& fence, std::uint64_t packed) {
    auto& self = *static_cast<GpuSched*>(env);
    sim::Frame frame(self.machine, "drm_sched_job_done_cb");
    Job& job = self.jobs.get(JobRef::unpack(packed), "job");
    if (self.odd) [[unlikely]] {
        Scheduler& sched = self.schedulers.get(job.sched, "scheduler");
        if (sched.blocked == JobRef::unpack(packed)) { // the timeout handler is looking at it
            sched.blocked_done = true;
            sched.blocked_error = fence.error;
            return;
        }
    }
    self.job_done(job, fence.error);
}

/// drm_sched_job_done: credits and score go back before `finished` signals; then the free work is
/// queued, and only that.
FENCELINE_HOT void GpuSched::job_done(Job& job, std::int32_t result) {
    sim::Frame frame(machine, "drm_sched_job_done");
    Scheduler& sched = schedulers.get(job.sched, "scheduler");
    sched.credit_count.sub(machine, job.credits);
    sched.score.sub(machine, 1);

    fences::SchedFence& pair = s_fences.pair(job.s_fence);
    if (!sim::kInstrumented && result == 0 && s_fences.finishes_plainly(pair)) {
        log(JobEvent::finished, job, sched.ring_index);
        s_fences.finished_plainly(pair);
    } else {
        finish_job(sched, job, result);
    }
    run_free_queue_unconditionally(sched);
}

/// What drm_sched_job_done does with the public fence.
void GpuSched::finish_job(Scheduler& sched, Job& job, std::int32_t result) {
    const FenceRef finished = job.s_fence;
    fences::SchedFence& pair = s_fences.pair(finished);
    pair.finished.references.get(machine, "fence");
    log(JobEvent::finished, job, sched.ring_index, result != 0 ? result : pair.finished.error);
    s_fences.finished(finished, pair, result);
    core.put(finished, pair.finished, Holder::job);
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
