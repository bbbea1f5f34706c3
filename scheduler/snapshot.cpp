// Jobs, entities, schedulers, rings and the driver, and what they hold and point at, for a snapshot
// (fences/snapshot.hpp). Looks only, with no operation of the model.

#include "scheduler/gpu_sched.hpp"
#include "scheduler/ring_driver.hpp"

namespace fenceline::scheduler::inline FENCELINE_MODE {

using fences::FencePart;
using fences::FenceRef;
using fences::Hold;
using fences::node_of;
using fences::Place;
using fences::SnapshotBuilder;

namespace {

std::uint32_t node_of_job(SnapshotBuilder& out, JobRef job) {
    return out.number(Place::job, job.pack());
}

/// An unsignalled fence does not say since when it is there; its job does.
void say_since(SnapshotBuilder& out, FenceRef fence, sim::Time since) {
    fences::SnapshotNode& node = out.at(node_of(out, fence));
    if (node.since == sim::kForever)
        node.since = since;
}

} // namespace

void GpuSched::enumerate_job(SnapshotBuilder& out, JobRef ref, const Job& job) {
    const std::uint32_t number = node_of_job(out, ref);
    out.at(number).kind = "job";
    out.at(number).name = std::to_string(job.id);
    out.at(number).since = job.submit_ts;
    const fences::SchedFence* const pair =
        job.s_fence ? core.pairs.live(job.s_fence.memory<fences::SchedFence>()) : nullptr;
    if (pair != nullptr) {
        const bool armed = pair->finished.references.peek() != 0;
        out.edge(number, node_of(out, job.s_fence), "job->s_fence",
                 armed ? Hold::counted : Hold::owns);
        say_since(out, job.s_fence, job.submit_ts);
        if (pair->parent)
            say_since(out, pair->parent, pair->scheduled.timestamp);
    }
    if (job.hardware) {
        // One that is part of its job outlives the job's own reference, which free_job puts last.
        out.edge(number, node_of(out, job.hardware), "the driver's fence of the job",
                 job.s_fence ? Hold::counted : Hold::pointer);
        say_since(out, job.hardware, job.submit_ts);
    }
    // A list whose putting a fatal hazard has cut short ends where it was cut.
    for (std::uint32_t slot = job.first_dependency;
         slot != kNoDependency && (dependencies_.handle_at(slot).generation() & 1) != 0;
         slot = dependencies_.at(slot).next)
        out.edge(number, node_of(out, dependencies_.at(slot).fence), "job->dependencies",
                 Hold::counted);
    if (job.entity_index < stats_by_entity_.size() && pair != nullptr)
        out.edge(number, out.number(Place::stats, stats_by_entity_[job.entity_index].pack()),
                 "job->entity_stats", Hold::counted);
    if (job.sched)
        out.edge(number, out.number(Place::scheduler, job.sched.pack()), "job->sched",
                 Hold::pointer);
    if (job.entity)
        out.edge(number, out.number(Place::entity, job.entity.pack()), "job->entity",
                 Hold::pointer);
}

void GpuSched::enumerate_entity(SnapshotBuilder& out, EntityRef ref, const Entity& entity) {
    const std::uint32_t number = out.number(Place::entity, ref.pack());
    out.at(number).kind = "entity";
    out.at(number).name = entity.id;
    out.at(number).root = true;
    for (JobRef job = entity.head; job && jobs.alive(job); job = jobs.peek(job).next)
        out.edge(number, node_of_job(out, job), "job_queue", Hold::owns);
    if (entity.last_scheduled)
        out.edge(number, node_of(out, entity.last_scheduled), "last_scheduled", Hold::counted);
    if (entity.dependency)
        out.edge(number, node_of(out, entity.dependency), "dependency", Hold::counted);
    if (entity.stats && !entity.fini_done)
        out.edge(number, out.number(Place::stats, entity.stats.pack()), "entity->stats",
                 Hold::counted);
    if (const RunQueue* const rq = entity.rq ? run_queues.live(entity.rq) : nullptr)
        out.edge(number, out.number(Place::scheduler, rq->sched.pack()), "entity->rq",
                 Hold::pointer);
}

/// The scheduler's callbacks. The one that waits on behalf of a killed job is all that keeps it.
void GpuSched::enumerate_callbacks(SnapshotBuilder& out) {
    core.for_each_callback([&](FenceRef fence, fences::CallbackFn fn, std::uint64_t owner) {
        if (fn == nullptr) {
            out.edge(node_of(out, fence), out.number(Place::job, owner),
                     "callback: drm_sched_job_done_cb", Hold::pointer);
        } else if (fn == dependency_signalled) {
            out.edge(node_of(out, fence), out.number(Place::entity, owner),
                     "callback: drm_sched_entity_wakeup", Hold::pointer);
        } else if (fn == kill_jobs_cb) {
            out.edge(node_of(out, fence), out.number(Place::job, owner),
                     "callback: drm_sched_entity_kill_jobs_cb", Hold::owns);
            out.edge(out.number(Place::job, owner), node_of(out, fence), "killed, waits for",
                     Hold::counted);
        }
    });
    std::uint32_t queue = 0;
    bool any = false;
    system_wq_.for_each_pending([&](sim::EventFn fn, std::uint64_t job) {
        if (fn != kill_jobs_work)
            return;
        if (!std::exchange(any, true))
            queue = out.root("workqueue", "system_wq");
        out.edge(queue, out.number(Place::job, job), "drm_sched_entity_kill_jobs_work", Hold::owns);
    });
}

void GpuSched::enumerate(SnapshotBuilder& out) {
    schedulers.for_each_live([&](SchedulerRef ref, const Scheduler& sched) {
        const std::uint32_t number = out.number(Place::scheduler, ref.pack());
        out.at(number).kind = "drm_gpu_scheduler";
        out.at(number).name = sched.name;
        for (JobRef job = sched.pending_head; job && jobs.alive(job); job = jobs.peek(job).next)
            out.edge(number, node_of_job(out, job), "pending_list", Hold::owns);
        if (sched.name_owner)
            out.edge(number, node_of(out, sched.name_owner), "sched->name", Hold::owns);
    });
    entity_stats.for_each_live([&](EntityStatsRef ref, const EntityStats& stats) {
        fences::SnapshotNode& node = out.node(Place::stats, ref.pack());
        node.kind = "entity stats";
        node.checked = true;
        node.references = stats.references.peek();
    });
    entities.for_each_live(
        [&](EntityRef ref, const Entity& entity) { enumerate_entity(out, ref, entity); });
    jobs.for_each_live([&](JobRef ref, const Job& job) { enumerate_job(out, ref, job); });
    enumerate_callbacks(out);
}

void Ring::enumerate(SnapshotBuilder& out) {
    const std::uint32_t number = out.root("hardware", args_.name);
    if (executing_)
        out.edge(number, node_of(out, current_->fence), "on the ring", Hold::counted);
    for (const Item& item : waiting_)
        out.edge(number, node_of(out, item.fence), "on the ring", Hold::counted);
    for (const Completed& done : signalling_)
        out.edge(number, node_of(out, done.item.fence), "its interrupt is to come", Hold::counted);
}

void RingDriver::enumerate(SnapshotBuilder& out) {
    const std::uint32_t number = out.root("driver", name_);
    if (loaded_)
        out.edge(number, out.number(Place::module, fences_.module().pack()), "module", Hold::owns);
    for (const Device& device : devices_)
        if (device.owner)
            out.edge(number, node_of(out, device.owner), "devices", Hold::owns);
    const bool counted = core_.policy.hardware.context == fences::ContextRule::refcounted;
    for (const EntityState& state : entities_)
        if (state.timeline)
            out.edge(number, node_of(out, state.timeline), "contexts of entities",
                     counted ? Hold::counted : Hold::owns);
    for (RingSlot& slot : rings_) {
        if (slot.owner)
            out.edge(number, node_of(out, slot.owner), "rings", Hold::owns);
        if (slot.sched)
            out.edge(number, out.number(Place::scheduler, slot.sched.pack()), "schedulers",
                     Hold::owns);
        slot.ring->enumerate(out);
    }
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
