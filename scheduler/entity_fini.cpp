// The ways an entity ends: flush (wait until its queue is empty), kill (its jobs fail), fini (kill
// what is left and let go), destroy (flush, then fini).

#include "scheduler/gpu_sched.hpp"
#include "scheduler/hazards.hpp"

#include <fmt/format.h>

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
void GpuSched::entity_flush(EntityRef ref, bool exiting, bool wait, bool killed, bool last_user) {
    sim::Frame frame(machine, "drm_sched_entity_flush");
    Entity& entity = entities.get(ref, "entity");
    if (!entity.rq)
        return;
    Scheduler& sched = sched_of(entity); // looked up before anything else, needed or not
    if (!exiting || wait) {
        sched.job_scheduled.wait_event(machine, "drm_sched_entity_flush: the entity's queue",
                                       [&] { return entity_is_idle(entity); });
    }
    // cmpxchg(&entity->last_user, current, NULL): each push makes its process the last user.
    const std::uint32_t pushed = entity.fence_seq.peek();
    const bool nobody = pushed == entity.flushed_seq;
    if (last_user)
        entity.flushed_seq = pushed;
    // Quirk: before 9e8b3201c730 (2025) NULL was as good as being the last user.
    if (exiting && killed && ((last_user && !nobody) || (nobody && quirks.flush_trusts_any_user)))
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
            // Quirk: once the reference was lost where adding the callback failed.
            if (!quirks.kill_leaks_previous)
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
    Job& job = self.jobs.get(JobRef::unpack(packed), "job"); // INIT_WORK writes into it
    // Quirk: before 487df8b69834 (2025) the loop over the dependencies was here, with the lock of
    // the fence that signals held.
    if (self.quirks.kill_callback_in_place && self.kill_waits(JobRef::unpack(packed), job))
        return;
    self.system_wq_.schedule(kill_jobs_work, env, packed);
}

/// drm_sched_entity_kill_jobs_work.
void GpuSched::kill_jobs_work(void* self, std::uint64_t packed) {
    auto& gpu_sched = *static_cast<GpuSched*>(self);
    sim::Frame frame(gpu_sched.machine, "drm_sched_entity_kill_jobs_work");
    gpu_sched.kill_one_job(JobRef::unpack(packed));
}

/// Whether there is another dependency to wait for; the callback is on it then.
bool GpuSched::kill_waits(JobRef job_ref, Job& job) {
    // Quirk: before e30cb0599799 (2023) the walk went on where the scheduler's own had got to.
    if (quirks.kill_skips_seen_dependencies) [[unlikely]]
        drop_seen_dependencies(job);
    // All dependencies, also those that were waited for already: the memory they guard may be in
    // use.
    while (job.first_dependency != kNoDependency) {
        const Dependency entry = dependencies_.at(job.first_dependency);
        dependencies_.free(dependencies_.handle_at(job.first_dependency));
        job.first_dependency = job.next_dependency = entry.next;
        FenceRef fence = entry.fence;
        if (fence.part() == fences::FencePart::scheduled) {
            // The list held `scheduled` only; the count of `finished` may be zero by now.
            fence = core.take_rcu(fence.sibling(fences::FencePart::finished));
            core.put(entry.fence, Holder::dependency);
        }
        xarray_erased(entry, false);
        // Quirk: b3af84383e7a (2022) put what had been leaked until then.
        if (quirks.kill_leaks_dependencies && fence)
            core.take(fence);
        if (fence && core.add_callback(fence, kill_jobs_cb, this, job_ref.pack()))
            return true;
        core.put(fence, Holder::dependency);
    }
    job.last_dependency = job.next_dependency = kNoDependency;
    return false;
}

/// Quirk kill_skips_seen_dependencies: drops what had been waited for when the job was killed, and
/// says what comes of it.
void GpuSched::drop_seen_dependencies(Job& job) {
    while (job.first_dependency != kNoDependency && job.first_dependency != job.next_dependency) {
        const Dependency entry = dependencies_.at(job.first_dependency);
        dependencies_.free(dependencies_.handle_at(job.first_dependency));
        job.first_dependency = entry.next;
        if (!core.peek_signaled(entry.fence))
            machine.report({.kind = &hazards::wrong_order,
                            .subject = "job",
                            .object = fmt::format("job {}", job.id),
                            .message = fmt::format("job {} is killed and finishes while {}, which "
                                                   "it depends on, has not signalled",
                                                   job.id, core.describe(entry.fence))});
        core.put(entry.fence, Holder::dependency);
    }
}

void GpuSched::kill_one_job(JobRef job_ref) {
    Job& job = jobs.get(job_ref, "job");
    if (kill_waits(job_ref, job))
        return;
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
