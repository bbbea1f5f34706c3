// Which job is next: the entity by policy, its head job once its dependencies have signalled.

#include "scheduler/gpu_sched.hpp"
#include "scheduler/round_robin_policy.hpp"
#include "scheduler/tree_policy.hpp"

#include <bit>
#include <utility>

namespace fenceline::scheduler::inline FENCELINE_MODE {

using fences::FenceRef;
using fences::Holder;

/// drm_sched_can_queue: enough credits for this job? One that asks for more than there are is cut
/// down to the limit, or it would never run.
FENCELINE_HOT bool GpuSched::can_queue(Scheduler& sched, Job& job) {
    if (job.credits > sched.credit_limit) [[unlikely]]
        truncate_credits(sched, job);
    return sched.credit_limit - sched.credit_count.read(machine) >= job.credits;
}

void GpuSched::truncate_credits(Scheduler& sched, Job& job) {
    print("Jobs may not exceed the credit limit, truncate (job " + std::to_string(job.id) + ")");
    job.credits = sched.credit_limit;
}

/// The first half of drm_sched_select_entity: the most urgent run queue in which anybody is ready,
/// or null. The kernel takes the lock of each queue on its way; those in which nobody is ready are
/// only counted here.
FENCELINE_HOT RunQueue* GpuSched::first_ready_queue(Scheduler& sched) {
    sim::Frame frame(machine, "drm_sched_select_entity");
    const auto first =
        static_cast<std::uint32_t>(std::countr_zero(sched.ready_queues | (1u << sched.num_rqs)));
    if constexpr (sim::kInstrumented)
        for (std::uint32_t i = 0; i < first; ++i)
            sim::SpinGuard(machine, run_queues.get(sched.sched_rq[i]).lock, "rq->lock");
    else
        machine.counters.locks += first;
    if (first == sched.num_rqs)
        return nullptr;
    return &run_queues.get(sched.sched_rq[first], "run queue");
}

/// The entity became, or ceased to be, drm_sched_entity_is_ready().
FENCELINE_HOT void GpuSched::set_ready(RunQueue& rq, Entity& entity, bool ready) {
    if (rq.tree != nullptr)
        rq.tree->set_ready(entity, ready);
    else
        rq.round_robin->set_ready(entity, ready);
}

/// The entity that the policy says, or null if nobody is ready.
FENCELINE_HOT Entity* GpuSched::first_ready(RunQueue& rq) {
    return rq.tree != nullptr ? rq.tree->first_ready() : rq.round_robin->first_ready();
}

/// The second half: the entity that the policy says. If its job lacks credits nobody runs: there is
/// no way past it, not even for less urgent queues.
FENCELINE_HOT Entity* GpuSched::select_entity(Scheduler& sched, RunQueue& rq) {
    sim::Frame frame(machine, "drm_sched_select_entity");
    sim::SpinGuard guard(machine, rq.lock, "rq->lock");
    Entity& entity = *first_ready(rq);
    if (!can_queue(sched, jobs.get(entity.head, "job")))
        return nullptr;
    if (rq.tree == nullptr)
        rq.round_robin->picked(entity);
    entity.entity_idle.reinit(machine);
    return &entity;
}

/// drm_sched_job_dependency: the next fence of the list, then whatever the driver asks for. The
/// list keeps its reference, because a kill has to wait for all of it again.
FENCELINE_HOT FenceRef GpuSched::next_dependency(Job& job, JobRef self, Scheduler& sched) {
    if (job.next_dependency != kNoDependency) {
        const Dependency& entry = dependencies_.at(job.next_dependency);
        job.next_dependency = entry.next;
        return core.take(entry.fence);
    }
    return sched.prepares_jobs ? sched.driver->prepare_job(*this, self) : FenceRef{};
}

/// drm_sched_entity_add_dependency_cb: true when the entity has to wait. Own fences are ignored,
/// and within one scheduler it is enough that the other job has been handed to the hardware.
bool GpuSched::add_dependency_cb(Entity& entity) {
    const fences::Fence& fence = core.get(entity.dependency);
    if (fence.context == entity.fence_context || fence.context == entity.fence_context + 1) {
        core.put(entity.dependency, Holder::dependency);
        return false;
    }
    const bool of_scheduler = entity.dependency.part() == fences::FencePart::finished ||
                              entity.dependency.part() == fences::FencePart::scheduled;
    if (of_scheduler && !only_finished_ && fence.error == 0 &&
        (fence.flags.peek() & fences::flag::dont_pipeline) == 0 &&
        s_fences.pair(entity.dependency).sched == sched_of(entity).name_owner) {
        const FenceRef scheduled =
            core.take(entity.dependency.sibling(fences::FencePart::scheduled));
        core.put(std::exchange(entity.dependency, scheduled), Holder::dependency);
        // Quirk: before 15f77764e90a (2025) `scheduled` only cleared the dependency, since running
        // the other job would wake the worker anyway.
        if (quirks.clear_dependency_without_wakeup) [[unlikely]] {
            if (const auto callback = core.add_callback(entity.dependency, dependency_cleared, this,
                                                        entity.self.pack())) {
                entity.cb = *callback;
                return true;
            }
            core.put(entity.dependency, Holder::dependency);
            return false;
        }
    }
    if (const auto callback =
            core.add_callback(entity.dependency, dependency_signalled, this, entity.self.pack())) {
        entity.cb = *callback;
        return true;
    }
    core.put(entity.dependency, Holder::dependency);
    return false;
}

/// What drm_sched_entity_clear_dep does: the entity waits for nothing any more.
Entity& GpuSched::dependency_gone(FenceRef fence, std::uint64_t packed) {
    Entity& entity = entities.get(EntityRef::unpack(packed), "entity");
    entity.dependency = FenceRef{};
    core.put(fence, Holder::dependency);
    RunQueue& rq = run_queues.get(entity.rq, "run queue");
    if (entity.node.listed && entity.head)
        set_ready(rq, entity, true);
    return entity;
}

/// drm_sched_entity_wakeup: the callback on the dependency, in whatever context signals it.
void GpuSched::dependency_signalled(void* env, FenceRef fence, std::uint64_t packed) {
    auto& self = *static_cast<GpuSched*>(env);
    sim::Frame frame(self.machine, "drm_sched_entity_wakeup");
    self.wakeup(self.sched_of(self.dependency_gone(fence, packed)));
}

/// drm_sched_entity_clear_dep as it was until then.
void GpuSched::dependency_cleared(void* env, FenceRef fence, std::uint64_t packed) {
    auto& self = *static_cast<GpuSched*>(env);
    sim::Frame frame(self.machine, "drm_sched_entity_clear_dep");
    (void)self.dependency_gone(fence, packed);
}

/// drm_sched_entity_pop_job: the head job; false while it waits for a dependency.
FENCELINE_HOT bool GpuSched::pop_job(Entity& entity, RunQueue& rq, JobRef job_ref, Job& job) {
    sim::Frame frame(machine, "drm_sched_entity_pop_job");
    Scheduler& sched = schedulers.get(job.sched, "scheduler");
    while ((entity.dependency = next_dependency(job, job_ref, sched))) {
        // Not ready while it waits; said before the callback is armed, which may say otherwise.
        set_ready(rq, entity, false);
        if (add_dependency_cb(entity))
            return false;
        entity.dependency = FenceRef{};
        set_ready(rq, entity, true);
    }
    if (entity.has_guilty_flag && entity.guilty.read(machine) != 0) [[unlikely]]
        core.set_error(job.s_fence, kEcanceled);

    core.put(entity.last_scheduled, Holder::last_scheduled);
    s_fences.pair(job.s_fence).finished.references.get(machine, "fence");
    entity.last_scheduled = job.s_fence;

    spsc_pop(entity, job);
    if (sched.kernel == KernelVersion::mainline) {
        rq_pop_entity(rq, entity);
    } else if (!entity.head) {
        set_ready(rq, entity, false);
    } else if (sched.policy == Policy::fifo) {
        sim::SpinGuard guard(machine, entity.lock, "entity->lock");
        sim::SpinGuard rq_guard(machine, rq.lock, "rq->lock");
        rq.policy->requeue(entity, jobs.get(entity.head, "job").submit_ts);
    }
    if (!quirks.popped_job_keeps_entity) // or it could be followed when the entity is gone
        job.entity = EntityRef{};
    return true;
}

/// drm_sched_rq_pop_entity of mainline: to its new place in the tree, or out of it.
void GpuSched::rq_pop_entity(RunQueue& rq, Entity& entity) {
    sim::SpinGuard guard(machine, entity.lock, "entity->lock");
    sim::SpinGuard rq_guard(machine, rq.lock, "rq->lock");
    if (entity.head)
        rq.policy->requeue(entity, jobs.get(entity.head, "job").submit_ts);
    else
        rq.policy->leave(entity);
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
