// A scheduler's beginning and end, and what concerns all of them.

#include "fences/sizes.hpp"
#include "scheduler/gpu_sched.hpp"
#include "scheduler/round_robin_policy.hpp"
#include "scheduler/tree_policy.hpp"

#include <limits>

namespace fenceline::scheduler::inline FENCELINE_MODE {

namespace {

std::string describe_job(const Job& job) {
    return "job " + std::to_string(job.id);
}
std::string describe_entity(const Entity& entity) {
    return "entity " + entity.id;
}
std::string describe_rq(const RunQueue&) {
    return "run queue";
}
std::string describe_sched(const Scheduler& sched) {
    return "scheduler " + sched.name;
}
std::string describe_stats(const EntityStats&) {
    return "entity stats";
}
std::string describe_dependency(const Dependency&) {
    return "dependency";
}

} // namespace

GpuSched::GpuSched(sim::Machine& m, fences::FenceCore& fence_core, sim::Time wakeup_cost,
                   const Quirks& q, bool any_quirk)
    : machine(m), core(fence_core), quirks(q), odd(any_quirk || !(q == Quirks{})),
      jobs(m, "job", describe_job), entities(m, "entity", describe_entity),
      run_queues(m, "run queue", describe_rq), schedulers(m, "scheduler", describe_sched),
      entity_stats(m, "entity stats", describe_stats),
      module(fence_core.modules.alloc(fences::Module{"gpu_sched", 0})),
      s_fences(fence_core, module), dependencies_(m, "dependency", describe_dependency),
      only_finished_(core.policy.public_fence == fences::PublicFence::finished_only),
      counts_jobs_(core.policy.job_refs == fences::RefsRule::refcounted),
      counts_queues_(core.policy.queue_refs == fences::RefsRule::refcounted),
      pair_borrows_(core.policy.pair_rules().lock != fences::LockRule::shared &&
                    core.policy.pair_rules().lock != fences::LockRule::in_fence),
      counts_callbacks_(core.policy.pair_rules().callbacks == fences::CallbacksRule::counted ||
                        core.policy.hardware.callbacks == fences::CallbacksRule::counted),
      system_wq_(m, wakeup_cost), wakeup_cost_(wakeup_cost) {
    core.set_own_callback(job_done_cb, this);
    // Taken with spin_lock; fence.lock with spin_lock_irqsave.
    for (const std::string_view name : {"entity->lock", "rq->lock", "job_list_lock", "stats->lock"})
        machine.lock_order.declare_irq_unsafe(name);
}

/// drm_sched_init.
SchedulerRef GpuSched::sched_init(const SchedulerArgs& args) {
    sim::Frame frame(machine, "drm_sched_init");
    const SchedulerRef ref = schedulers.alloc();
    Scheduler& sched = schedulers.at(ref.index());
    sched.self = ref;
    sched.name = args.name;
    sched.ring_index = args.ring_index;
    sched.driver = args.driver;
    sched.policy = args.policy;
    sched.kernel = args.kernel;
    sched.credit_limit = args.credit_limit;
    sched.hang_limit = args.hang_limit;
    sched.cancels_jobs = args.cancels_jobs;
    sched.prepares_jobs = args.prepares_jobs;
    sched.num_rqs = args.policy == Policy::fair ? 1 : kPriorityCount;
    for (std::uint32_t i = 0; i < sched.num_rqs; ++i) {
        sched.sched_rq[i] = run_queues.alloc();
        RunQueue& rq = run_queues.at(sched.sched_rq[i].index());
        rq.sched = ref;
        rq.policy = make_policy(sched, 1u << i, args.fair);
        rq.tree = dynamic_cast<TreePolicy*>(rq.policy.get());
        rq.round_robin = dynamic_cast<RoundRobinPolicy*>(rq.policy.get());
        rq.level = i;
    }
    sched.submit_wq = std::make_unique<sim::Workqueue>(machine, args.name, wakeup_cost_);
    // The driver's run_job may have to wait for its lock.
    sched.work_run_job =
        sim::Work(run_job_work, this, ref.pack(), args.run_job_cost, quirks.recovery_reclaims);
    sched.work_free_job = sim::Work(free_job_work, this, ref.pack(), args.free_job_cost);
    sched.timeout = args.timeout;
    if (args.timeout != sim::kForever) {
        sched.timeout_wq =
            std::make_unique<sim::Workqueue>(machine, args.name + " timeout", wakeup_cost_);
        sched.work_tdr = std::make_unique<sim::DelayedWork>(
            machine, *sched.timeout_wq, job_timedout, this, ref.pack(), 0, true);
    }
    sched.name_owner = core.owners.alloc();
    fences::Owner& owner = core.owners.at(sched.name_owner.index());
    owner.kind = fences::OwnerKind::scheduler;
    owner.name = args.name;
    owner.references.init();
    if (core.policy.pair_rules().module == fences::ModuleRule::pinned_by_context) {
        owner.pinned = module;
        core.pin_module(module);
    }
    sched.references.init();
    sched.ready = true;
    return ref;
}

std::unique_ptr<RunQueuePolicy> GpuSched::make_policy(Scheduler& sched, std::uint32_t bit,
                                                      const FairRules& fair) {
    switch (sched.policy) {
    case Policy::fair:
        return make_fair_policy(sched.ready_queues, bit,
                                {machine, entity_stats, sched.avg_job_us, fair});
    case Policy::rr:
        return sched.kernel == KernelVersion::mainline
                   ? make_rr_tree_policy(sched.ready_queues, bit)
                   : make_rr_policy(sched.ready_queues, bit);
    case Policy::fifo:
        break;
    }
    return make_fifo_policy(sched.ready_queues, bit);
}

/// drm_sched_wqueue_stop.
void GpuSched::wqueue_stop(Scheduler& sched) {
    sched.pause_submit = true;
    sched.submit_wq->cancel_sync(sched.work_run_job);
    sched.submit_wq->cancel_sync(sched.work_free_job);
}

/// drm_sched_fini: entities that are still on a run queue are stopped but stay linked to it, and
/// the queue is freed under them. That is 6.12's use after free, left as it is; under fair the
/// queue is part of the scheduler and goes with it.
void GpuSched::sched_fini(SchedulerRef ref) {
    sim::Frame frame(machine, "drm_sched_fini");
    Scheduler& sched = schedulers.get(ref, "scheduler");
    wqueue_stop(sched);
    for (std::uint32_t i = 0; i < sched.num_rqs; ++i) {
        const RunQueueRef rq_ref = sched.sched_rq[i];
        RunQueue& rq = run_queues.get(rq_ref, "run queue");
        {
            sim::SpinGuard guard(machine, rq.lock, "rq->lock");
            entities.for_each_live([&](EntityRef, Entity& entity) {
                if (entity.node.listed && entity.rq == rq_ref)
                    entity.stopped = true;
            });
        }
        if (counts_callbacks_)
            remove_callbacks(sched, rq_ref);
        if (sched.policy != Policy::fair)
            run_queues.free(rq_ref);
    }
    sched.job_scheduled.wake_up(machine); // whoever is stuck in drm_sched_entity_flush
    if (sched.work_tdr)
        sched.work_tdr->cancel_sync();
    if (sched.cancels_jobs)
        cancel_remaining_jobs(sched);
    sched.ready = false;
    sched.fini_done = true;
    if (sched.kernel == KernelVersion::mainline && sched.pending_head)
        print("Tearing down scheduler " + sched.name + " while jobs are pending!");
}

/// drm_sched_cancel_remaining_jobs (mainline): the latest first.
void GpuSched::cancel_remaining_jobs(Scheduler& sched) {
    sim::Frame frame(machine, "drm_sched_cancel_remaining_jobs");
    for (JobRef job_ref = sched.pending_tail; job_ref;) {
        Job& job = jobs.get(job_ref, "job");
        const JobRef previous = job.previous;
        sched.driver->cancel_job(*this, job_ref);
        pending_remove(sched, job);
        put_job(sched, job_ref);
        job_ref = previous;
    }
}

void GpuSched::free_scheduler(SchedulerRef ref) {
    sim::Frame frame(machine, "driver: free the scheduler");
    Scheduler& sched = schedulers.get(ref, "scheduler");
    if (counts_queues_ && !sched.fini_done) { // whoever drops the last reference will free it
        sched.let_go = true;
        sched.let_go_at = machine.now();
        core.ledger.pinned(fences::sizes::kScheduler);
        return;
    }
    free_memory_of(ref, sched);
}

void GpuSched::free_memory_of(SchedulerRef ref, Scheduler& sched) {
    note_pending_jobs(sched);
    if (core.policy.pair_rules().context == fences::ContextRule::refcounted)
        core.abandon_context(sched.name_owner);
    else
        core.owners.free(sched.name_owner);
    retired_queues_.push_back(std::move(sched.submit_wq));
    sched.work_tdr.reset();
    if (sched.timeout_wq)
        retired_queues_.push_back(std::move(sched.timeout_wq));
    if (sched.policy == Policy::fair)
        run_queues.free(sched.sched_rq[0]);
    schedulers.free(ref);
}

/// drm_sched_pick_best.
SchedulerRef GpuSched::pick_best(std::span<const SchedulerRef> list) {
    SchedulerRef best;
    auto least = std::numeric_limits<std::uint32_t>::max();
    for (const SchedulerRef ref : list) {
        Scheduler& sched = schedulers.get(ref, "scheduler");
        if (!sched.ready) {
            print("scheduler " + sched.name + " is not ready, skipping");
            continue;
        }
        const auto score = static_cast<std::uint32_t>(sched.score.read(machine));
        if (score < least) {
            least = score;
            best = ref;
        }
    }
    return best;
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
