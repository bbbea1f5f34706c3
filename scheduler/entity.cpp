// An entity: its queue, its place on a run queue, and the push.

#include "scheduler/gpu_sched.hpp"
#include "scheduler/round_robin_policy.hpp"
#include "scheduler/tree_policy.hpp"

#include <algorithm>
#include <utility>

namespace fenceline::scheduler::inline FENCELINE_MODE {

/// drm_sched_entity_init.
EntityRef GpuSched::entity_init(std::string id, std::uint32_t index, Priority priority,
                                std::span<const SchedulerRef> list, bool guilty_flag) {
    sim::Frame frame(machine, "drm_sched_entity_init");
    const EntityRef ref = entities.alloc();
    Entity& entity = entities.at(ref.index());
    entity.self = ref;
    entity.id = std::move(id);
    entity.index = index;
    figures.add_entity(index);
    entity.priority = priority;
    entity.has_guilty_flag = guilty_flag;
    entity.rq_priority = priority;
    if (list.size() > 1)
        entity.sched_list.assign(list.begin(), list.end());
    const Scheduler& sched = schedulers.get(list.front(), "scheduler");
    if (sched.kernel == KernelVersion::mainline)
        create_stats(entity);
    entity.rq = run_queue_for(sched, entity);
    entity.entity_idle.complete_all(machine); // an entity starts idle
    entity.fence_context = core.context_alloc(2);
    core.name_context(entity.fence_context, entity.id);
    core.name_context(entity.fence_context + 1, entity.id);
    return ref;
}

/// drm_sched_entity_set_priority.
void GpuSched::entity_set_priority(EntityRef ref, Priority priority) {
    sim::Frame frame(machine, "drm_sched_entity_set_priority");
    Entity& entity = entities.get(ref, "entity");
    sim::SpinGuard guard(machine, entity.lock, "entity->lock");
    entity.priority = priority;
}

/// drm_sched_entity_modify_sched.
void GpuSched::entity_modify_sched(EntityRef ref, std::span<const SchedulerRef> list) {
    sim::Frame frame(machine, "drm_sched_entity_modify_sched");
    Entity& entity = entities.get(ref, "entity");
    sim::SpinGuard guard(machine, entity.lock, "entity->lock");
    entity.sched_list.assign(list.begin(), list.end());
}

/// spsc_queue_push.
FENCELINE_HOT void GpuSched::spsc_push(Entity& entity, JobRef job, Job& memory) {
    memory.next = JobRef{};
    if (entity.tail)
        jobs.get(entity.tail, "job").next = job;
    else
        entity.head = job;
    entity.tail = job;
    entity.job_count.add(machine, 1);
}

/// spsc_queue_pop.
JobRef GpuSched::spsc_pop(Entity& entity) {
    const JobRef job = entity.head;
    if (job)
        spsc_pop(entity, jobs.get(job, "job"));
    return job;
}
FENCELINE_HOT void GpuSched::spsc_pop(Entity& entity, Job& head) {
    entity.head = std::exchange(head.next, JobRef{});
    if (!entity.head)
        entity.tail = JobRef{};
    entity.job_count.sub(machine, 1);
}

/// drm_sched_rq_add_entity.
[[gnu::noinline]] void GpuSched::rq_add_entity(RunQueue& rq, Entity& entity) {
    if (entity.node.listed)
        return;
    sim::SpinGuard guard(machine, rq.lock, "rq->lock");
    schedulers.get(rq.sched, "scheduler").score.add(machine, 1);
    rq.policy->add(entity);
}

/// drm_sched_rq_remove_entity.
void GpuSched::rq_remove_entity(RunQueueRef ref, Entity& entity) {
    if (!entity.node.listed)
        return;
    RunQueue& rq = run_queues.get(ref, "run queue");
    sim::SpinGuard guard(machine, rq.lock, "rq->lock");
    schedulers.get(rq.sched, "scheduler").score.sub(machine, 1);
    rq.policy->remove(entity);
}

/// sched->sched_rq[]: by the priority of now in 6.12, by the first one in mainline; under fair there
/// is only one (&sched->rq).
RunQueueRef GpuSched::run_queue_for(const Scheduler& sched, const Entity& entity) const {
    const Priority level =
        sched.kernel == KernelVersion::mainline ? entity.rq_priority : entity.priority;
    return sched.sched_rq[std::min(static_cast<std::uint32_t>(level), sched.num_rqs - 1)];
}

/// drm_sched_entity_select_rq: another scheduler is chosen only when nothing is queued or running.
void GpuSched::select_rq(Entity& entity) {
    if (entity.job_count.read(machine) != 0)
        return;
    sim::Frame frame(machine, "drm_sched_entity_select_rq");
    if (entity.last_scheduled && !core.is_signaled(entity.last_scheduled))
        return;
    sim::SpinGuard guard(machine, entity.lock, "entity->lock");
    const SchedulerRef best = pick_best(entity.sched_list);
    const RunQueueRef rq =
        best ? run_queue_for(schedulers.get(best, "scheduler"), entity) : RunQueueRef{};
    if (rq != entity.rq) {
        rq_remove_entity(entity.rq, entity);
        entity.rq = rq;
    }
    if (entity.sched_list.size() == 1) // bound for good
        entity.sched_list.clear();
}

/// drm_sched_wakeup.
FENCELINE_HOT void GpuSched::wakeup(Scheduler& sched) {
    run_job_queue(sched);
}

/// Quirk: drm_sched_wakeup before 440d52b370b0 (2024): first it asks whether the job at the
/// head of the queue would fit. That one may have been run, finished and freed by then.
void GpuSched::wakeup_if_head_fits(Scheduler& sched, Entity& entity) {
    const JobRef head = entity.head;
    sim::Frame frame(machine, "drm_sched_can_queue");
    if (head && can_queue(sched, jobs.get(head, "job")))
        run_job_queue(sched);
}

void GpuSched::refuse_push(const Entity& entity) {
    print("Trying to push to a killed entity (" + entity.id + ")");
}

void GpuSched::push_job(JobRef job_ref) {
    Job& job = jobs.get(job_ref, "job");
    Entity& entity = entities.get(job.entity, "entity");
    RunQueue& rq = run_queues.get(entity.rq, "run queue");
    push_job(job_ref, job, entity, rq, schedulers.get(rq.sched, "scheduler"));
}

/// drm_sched_entity_push_job. Only a push into an empty queue touches the run queue and wakes.
FENCELINE_HOT void GpuSched::push_job(JobRef job_ref, Job& job, Entity& entity, RunQueue& rq,
                                      Scheduler& sched) {
    sim::Frame frame(machine, "drm_sched_entity_push_job");
    log(JobEvent::queue, job, sched.ring_index);
    sched.score.add(machine, 1);
    const sim::Time submit_ts = machine.now();
    job.submit_ts = submit_ts; // before the push: afterwards the job may be gone
    const bool first = !entity.head;
    spsc_push(entity, job_ref, job);
    if (first)
        push_into_empty(sched, rq, entity, submit_ts);
}

/// Its end: onto the run queue, and the scheduler wakes up.
FENCELINE_HOT void GpuSched::push_into_empty(Scheduler& sched, RunQueue& rq, Entity& entity,
                                             sim::Time submit_ts) {
    {
        sim::SpinGuard guard(machine, entity.lock, "entity->lock");
        if (entity.stopped) [[unlikely]] {
            refuse_push(entity);
            return;
        }
        if (!entity.node.listed) [[unlikely]]
            rq_add_entity(rq, entity);
        sim::SpinGuard rq_guard(machine, rq.lock, "rq->lock");
        join(rq, entity, submit_ts);
    }
    if (quirks.push_peeks_queue) [[unlikely]]
        return wakeup_if_head_fits(sched, entity);
    wakeup(sched);
}

/// drm_sched_rq_update_fifo_locked, or what another policy has in its place. The entity is ready.
FENCELINE_HOT void GpuSched::join(RunQueue& rq, Entity& entity, sim::Time submit_ts) {
    if (rq.tree != nullptr) {
        rq.tree->join_tree(entity, submit_ts);
        rq.tree->set_ready(entity, true);
    } else { // its place in the list stays
        rq.round_robin->set_ready(entity, true);
    }
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
