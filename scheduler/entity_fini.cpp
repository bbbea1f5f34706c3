// The ways an entity ends: flush (wait until its queue is empty), kill (its jobs fail), fini (kill
// what is left and let go), destroy (flush, then fini).

#include "scheduler/gpu_sched.hpp"

#include <utility>

namespace fenceline::scheduler::inline FENCELINE_MODE {

using fences::FenceRef;
using fences::Holder;

/// drm_sched_entity_is_idle.
bool GpuSched::entity_is_idle(const Entity& entity) const {
    return !entity.node.listed || entity.job_count.peek() == 0 || entity.stopped;
}

/// drm_sched_entity_flush: waits for the queue to be empty; a killed process drops the rest
/// instead.
void GpuSched::entity_flush(EntityRef ref, bool exiting, bool wait, bool killed) {
    sim::Frame frame(machine, "drm_sched_entity_flush");
    Entity& entity = entities.get(ref, "entity");
    if (!entity.rq)
        return;
    Scheduler& sched = sched_of(entity); // looked up before anything else, needed or not
    if (!exiting || wait) {
        sched.job_scheduled.wait_event(machine, "drm_sched_entity_flush: the entity's queue",
                                       [&] { return entity_is_idle(entity); });
    }
    if (exiting && killed)
        entity_kill(ref);
}

/// drm_sched_entity_kill: off the run queue, then every queued job fails, in order: each waits for
/// the one before it and for all its dependencies.
void GpuSched::entity_kill(EntityRef ref) {
    sim::Frame frame(machine, "drm_sched_entity_kill");
    Entity& entity = entities.get(ref, "entity");
    if (!entity.rq)
        return;
    {
        sim::SpinGuard guard(machine, entity.lock, "entity->lock");
        entity.stopped = true;
        rq_remove_entity(entity.rq, entity);
    }
    entity.entity_idle.wait(machine, "entity_idle: the scheduler lets go of the entity");

    FenceRef previous = entity.last_scheduled;
    if (previous)
        core.take(previous);
    while (const JobRef job_ref = spsc_pop(entity)) {
        const FenceRef finished = core.take(jobs.get(job_ref, "job").s_fence);
        if (!previous || !core.add_callback(previous, kill_jobs_cb, this, job_ref.pack())) {
            core.put(previous, Holder::last_scheduled);
            kill_jobs_cb(this, FenceRef{}, job_ref.pack());
        }
        previous = finished;
    }
    core.put(previous, Holder::last_scheduled);
}

/// drm_sched_entity_kill_jobs_cb: the fence before it has signalled; the rest needs process
/// context.
void GpuSched::kill_jobs_cb(void* env, FenceRef fence, std::uint64_t packed) {
    auto& self = *static_cast<GpuSched*>(env);
    self.core.put(fence, Holder::dependency);
    (void)self.jobs.get(JobRef::unpack(packed), "job"); // INIT_WORK writes into it
    self.system_wq_.schedule(kill_jobs_work, env, packed);
}

/// drm_sched_entity_kill_jobs_work.
void GpuSched::kill_jobs_work(void* self, std::uint64_t packed) {
    auto& gpu_sched = *static_cast<GpuSched*>(self);
    sim::Frame frame(gpu_sched.machine, "drm_sched_entity_kill_jobs_work");
    gpu_sched.kill_one_job(JobRef::unpack(packed));
}

void GpuSched::kill_one_job(JobRef job_ref) {
    Job& job = jobs.get(job_ref, "job");
    // All dependencies, also those that were waited for already: the memory they guard may be in
    // use.
    while (job.first_dependency != kNoDependency) {
        const Dependency entry = dependencies_.at(job.first_dependency);
        dependencies_.free(dependencies_.handle_at(job.first_dependency));
        job.first_dependency = entry.next;
        FenceRef fence = entry.fence;
        if (fence.part() == fences::FencePart::scheduled) {
            // The list held `scheduled` only; the count of `finished` may be zero by now.
            fence = core.take_rcu(fence.sibling(fences::FencePart::finished));
            core.put(entry.fence, Holder::dependency);
        }
        xarray_erased(entry, false);
        if (fence && core.add_callback(fence, kill_jobs_cb, this, job_ref.pack()))
            return;
        core.put(fence, Holder::dependency);
    }
    job.last_dependency = job.next_dependency = kNoDependency;

    Scheduler& sched = schedulers.get(job.sched, "scheduler");
    const std::int32_t error = entities.peek(job.entity).kill_error;
    log_scheduled(job, sched.ring_index);
    s_fences.scheduled(job.s_fence, FenceRef{});
    log(JobEvent::finished, job, sched.ring_index, error);
    s_fences.finished(job.s_fence, error);
    put_job(sched, job_ref);
}

/// drm_sched_entity_fini.
void GpuSched::entity_fini(EntityRef ref) {
    sim::Frame frame(machine, "drm_sched_entity_fini");
    entity_kill(ref);
    Entity& entity = entities.get(ref, "entity");
    if (entity.dependency) {
        core.remove_callback(entity.dependency, entity.cb);
        core.put(std::exchange(entity.dependency, FenceRef{}), Holder::dependency);
    }
    core.put(std::exchange(entity.last_scheduled, FenceRef{}), Holder::last_scheduled);
    if (entity.stats)
        put_stats(entity.index);
    entity.fini_done = true;
}

/// drm_sched_entity_destroy.
void GpuSched::entity_destroy(EntityRef ref) {
    sim::Frame frame(machine, "drm_sched_entity_destroy");
    entity_flush(ref, false, true, false);
    entity_fini(ref);
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
