// Which job is next: the entity by policy, its head job once its dependencies have signalled.

#include "scheduler/gpu_sched.hpp"

#include <bit>
#include <utility>

namespace fenceline::scheduler::inline FENCELINE_MODE {

using fences::FenceRef;
using fences::Holder;

/// drm_sched_can_queue: enough credits for this job? One that asks for more than there are is cut
/// down to the limit, or it would never run.
bool GpuSched::can_queue(Scheduler& sched, Job& job) {
    if (job.credits > sched.credit_limit) {
        print("Jobs may not exceed the credit limit, truncate (job " + std::to_string(job.id) +
              ")");
        job.credits = sched.credit_limit;
    }
    return sched.credit_limit - sched.credit_count.read(machine) >= job.credits;
}

/// drm_sched_select_entity: the most urgent run queue with a ready entity decides. If its job lacks
/// credits nobody runs: there is no way past it, not even for less urgent queues. The kernel takes
/// the lock of each queue on its way; queues in which nobody is ready are only counted here.
EntityRef GpuSched::select_entity(Scheduler& sched) {
    sim::Frame frame(machine, "drm_sched_select_entity");
    const auto first =
        static_cast<std::size_t>(std::countr_zero(sched.ready_queues | (1u << kPriorityCount)));
    if constexpr (sim::kInstrumented)
        for (std::size_t i = 0; i < first; ++i)
            sim::SpinGuard(machine, run_queues.get(sched.sched_rq[i]).lock, "rq->lock");
    else
        machine.counters.locks += first;
    if (first == kPriorityCount)
        return {};
    RunQueue& rq = run_queues.get(sched.sched_rq[first], "run queue");
    sim::SpinGuard guard(machine, rq.lock, "rq->lock");
    Entity& entity = *rq.policy->first_ready();
    const EntityRef ref = jobs.get(entity.head, "job").entity;
    if (!can_queue(sched, jobs.at(entity.head.index)))
        return {};
    rq.policy->picked(entity);
    entity.entity_idle.reinit(machine);
    return ref;
}

/// drm_sched_job_dependency: the next fence of the list, then whatever the driver asks for. The
/// list keeps its reference, because a kill has to wait for all of it again.
FenceRef GpuSched::next_dependency(Job& job, JobRef self, Scheduler& sched) {
    if (job.next_dependency != kNoDependency) {
        const Dependency& entry = dependencies_.at(job.next_dependency);
        job.next_dependency = entry.next;
        return core.take(entry.fence);
    }
    return sched.driver->prepare_job(*this, self);
}

/// drm_sched_entity_add_dependency_cb: true when the entity has to wait. Own fences are ignored,
/// and within one scheduler it is enough that the other job has been handed to the hardware.
bool GpuSched::add_dependency_cb(Entity& entity, EntityRef self) {
    const fences::Fence& fence = core.get(entity.dependency);
    if (fence.context == entity.fence_context || fence.context == entity.fence_context + 1) {
        core.put(entity.dependency, Holder::dependency);
        return false;
    }
    const bool of_scheduler = entity.dependency.part() == fences::FencePart::finished ||
                              entity.dependency.part() == fences::FencePart::scheduled;
    if (of_scheduler && fence.error == 0 &&
        (fence.flags.peek() & fences::flag::dont_pipeline) == 0 &&
        s_fences.pair(entity.dependency).sched == sched_of(entity).name_owner) {
        const FenceRef scheduled =
            core.take(entity.dependency.sibling(fences::FencePart::scheduled));
        core.put(std::exchange(entity.dependency, scheduled), Holder::dependency);
    }
    if (const auto callback =
            core.add_callback(entity.dependency, dependency_signalled, this, self.pack())) {
        entity.cb = *callback;
        return true;
    }
    core.put(entity.dependency, Holder::dependency);
    return false;
}

/// drm_sched_entity_wakeup: the callback on the dependency, in whatever context signals it.
void GpuSched::dependency_signalled(void* env, FenceRef fence, std::uint64_t packed) {
    auto& self = *static_cast<GpuSched*>(env);
    sim::Frame frame(self.machine, "drm_sched_entity_wakeup");
    Entity& entity = self.entities.get(EntityRef::unpack(packed), "entity");
    entity.dependency = FenceRef{};
    self.core.put(fence, Holder::dependency);
    RunQueue& rq = self.run_queues.get(entity.rq, "run queue");
    if (entity.node.listed && entity.head)
        rq.policy->set_ready(entity, true);
    self.wakeup(self.schedulers.get(rq.sched, "scheduler"));
}

/// drm_sched_entity_pop_job: the head job, or none while it waits for a dependency.
JobRef GpuSched::pop_job(Entity& entity, EntityRef self) {
    sim::Frame frame(machine, "drm_sched_entity_pop_job");
    const JobRef job_ref = entity.head;
    Job& job = jobs.get(job_ref, "job");
    RunQueue& rq = run_queues.get(entity.rq, "run queue");
    Scheduler& sched = schedulers.get(job.sched, "scheduler");
    while ((entity.dependency = next_dependency(job, job_ref, sched))) {
        // Not ready while it waits; said before the callback is armed, which may say otherwise.
        rq.policy->set_ready(entity, false);
        if (add_dependency_cb(entity, self))
            return {};
        entity.dependency = FenceRef{};
        rq.policy->set_ready(entity, true);
    }
    core.put(entity.last_scheduled, Holder::last_scheduled);
    entity.last_scheduled = core.take(job.s_fence);

    spsc_pop(entity);
    if (!entity.head) {
        rq.policy->set_ready(entity, false);
    } else if (sched.policy == Policy::fifo) {
        sim::SpinGuard guard(machine, entity.lock, "entity->lock");
        sim::SpinGuard rq_guard(machine, rq.lock, "rq->lock");
        rq.policy->set_oldest_job(entity, jobs.get(entity.head, "job").submit_ts);
    }
    job.entity = EntityRef{};
    return job_ref;
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
