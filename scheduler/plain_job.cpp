// The plain job's life, each part of it in one step.
//
// DOC: what this is. Nearly every job of nearly every workload lives the same way: it waits for
// nothing, is run once by the bundled driver, finishes without an error, and nobody asks about its
// fences meanwhile. What the functions of the long way (job.cpp, entity.cpp, run_job.cpp,
// free_job.cpp and what they call) do then is known in advance: the locks are free, and references
// that are taken and dropped within one event cancel out. The functions here do the sum of it.
//
// Invariants: each looks first and changes nothing until it knows that all is plain; if anything is
// not (an object that should live is dead, an error, a guilty entity, somebody who waits) it
// returns false, and the long way is taken, which reports what there is to report. Afterwards the
// state, the counters of primitive operations, the event log and the order of events are those of
// the long way. The instrumented form has only the long way; tests hold both forms to the same
// results, and the conformance tests hold this form to the kernel's.
//
// To read how the scheduler works, read the long way.

#include "scheduler/gpu_sched.hpp"
#include "scheduler/ring_driver.hpp"
#include "scheduler/round_robin_policy.hpp"
#include "scheduler/tree_policy.hpp"

#include <utility>

namespace fenceline::scheduler::inline FENCELINE_MODE {

using fences::FenceRef;
using fences::Holder;

namespace {

/// Waits for nothing (any more), and the driver is to run it for the first time.
[[gnu::always_inline]] inline bool is_plain(const Job& job) {
    return job.next_dependency == kNoDependency && job.run_job == RunJobKind::normal &&
           job.runs == 0 && !job.hardware;
}

/// Has not been touched since the job was armed.
[[gnu::always_inline]] inline bool is_plain(const fences::SchedFence& pair) {
    constexpr std::uint16_t odd = fences::flag::signaled | fences::flag::has_deadline;
    return pair.finished.error == 0 && (pair.finished.flags.peek() & odd) == 0 &&
           (pair.scheduled.flags.peek() & odd) == 0;
}

} // namespace

/// drm_sched_job_init, drm_sched_job_arm and drm_sched_entity_push_job, for an entity of one
/// scheduler. Nothing is written twice: job and pair are made as they will be.
FENCELINE_HOT bool GpuSched::submit_plainly(Entity& entity, const JobSpec& spec,
                                            std::uint64_t ordinal, JobRef& made) {
    RunQueue* const rq = run_queues.live(entity.rq);
    Scheduler* const sched = rq != nullptr ? schedulers.live(rq->sched) : nullptr;
    Job* const tail = entity.tail ? jobs.live(entity.tail) : nullptr;
    if (sched == nullptr || spec.credits == 0 || !entity.sched_list.empty() ||
        (entity.stats && entity_stats.live(entity.stats) == nullptr) ||
        (tail == nullptr && entity.tail))
        return false;

    const std::uint32_t seqno = entity.fence_seq.peek() + 1;
    entity.fence_seq.poke(seqno);
    const FenceRef finished = s_fences.create(sched->name_owner, entity.fence_context, seqno);
    const JobRef ref =
        jobs.alloc(spec.id, ordinal, spec.duration, spec.credits, entity.index, machine.now(),
                   entity.self, rq->sched, finished, FenceRef{}, fences::CallbackRef{}, JobRef{},
                   JobRef{}, kNoDependency, kNoDependency, kNoDependency, spec.run_job,
                   entity.priority, std::uint8_t{0}, std::uint8_t{0});
    made = ref;
    if (entity.stats) [[unlikely]]
        get_stats(jobs.at(ref.index()));
    log(JobEvent::queue, jobs.at(ref.index()), sched->ring_index);
    sched->score.poke(sched->score.peek() + 1);
    const bool first = !entity.head;
    (tail != nullptr ? tail->next : entity.head) = ref;
    entity.tail = ref;
    entity.job_count.poke(entity.job_count.peek() + 1);
    machine.counters.atomics += 3; // fence_seq, the score, the queue's count
    if (!first)
        return true;
    if (entity.stopped || !entity.node.listed) [[unlikely]] {
        push_into_empty(*sched, *rq, entity, machine.now());
        return true;
    }
    machine.counters.locks += 2; // entity->lock, rq->lock
    join(*rq, entity, machine.now());
    wakeup(*sched);
    return true;
}

/// drm_sched_entity_pop_job of a job that waits for nothing, of an entity that is not guilty.
FENCELINE_HOT void GpuSched::pop_plain_job(Scheduler& sched, RunQueue& rq, Entity& entity, Job& job,
                                           fences::SchedFence& pair) {
    if (entity.last_scheduled)
        s_fences.put_last(entity.last_scheduled, Holder::last_scheduled);
    pair.finished.references.poke(pair.finished.references.peek() + 1);
    entity.last_scheduled = job.s_fence;
    entity.head = std::exchange(job.next, JobRef{});
    entity.job_count.poke(entity.job_count.peek() - 1);
    machine.counters.atomics += 2; // the fence taken, the queue's count
    if (!entity.head)
        entity.tail = JobRef{};
    if (sched.kernel == KernelVersion::mainline) [[unlikely]] {
        rq_pop_entity(rq, entity);
    } else if (!entity.head) {
        set_ready(rq, entity, false);
    } else if (sched.policy == Policy::fifo) {
        machine.counters.locks += 2; // entity->lock, rq->lock
        rq.policy->requeue(entity, jobs.get(entity.head, "job").submit_ts);
    }
    job.entity = EntityRef{};
}

/// drm_sched_run_job_work from the choice of the entity on: select, pop, job_begin, run_job, the
/// pair's `scheduled`, the callback on the hardware fence.
FENCELINE_HOT bool GpuSched::run_plain_job(Scheduler& sched, RunQueue& rq) {
    Entity& entity = *first_ready(rq);
    const JobRef job_ref = entity.head;
    Job* const job = jobs.live(job_ref);
    if (job == nullptr || !is_plain(*job) || job->sched != sched.self || entity.has_guilty_flag ||
        sched.credit_limit - sched.credit_count.peek() < job->credits)
        return false;
    fences::SchedFence* const pair = core.pairs.live(job->s_fence.memory<fences::SchedFence>());
    Job* const tail = sched.pending_tail ? jobs.live(sched.pending_tail) : nullptr;
    if (pair == nullptr || !is_plain(*pair) || (tail == nullptr && sched.pending_tail) ||
        !sched.plain_ring->driver->runs_plainly(*sched.plain_ring, job->entity_index))
        return false;

    ++machine.counters.locks; // rq->lock
    if (rq.tree == nullptr)
        rq.round_robin->picked(entity);
    entity.entity_idle.reinit(machine);
    pop_plain_job(sched, rq, entity, *job, *pair);

    sched.credit_count.poke(sched.credit_count.peek() + job->credits);
    job->previous = sched.pending_tail;
    (tail != nullptr ? tail->next : sched.pending_head) = job_ref;
    sched.pending_tail = job_ref;
    start_timeout(sched);

    log(JobEvent::run_job, *job, sched.ring_index);
    job->cb = fences::kOwnCallback;
    const FenceRef hardware =
        sched.plain_ring->driver->run_plainly(*sched.plain_ring, job_ref, *job);
    entity.entity_idle.complete_all(machine);
    log(JobEvent::scheduled, *job, sched.ring_index);
    s_fences.scheduled_plainly(job->s_fence, *pair, hardware);

    // The credits, run_job's flag and its two references, which the pair's take and put join, the
    // callback's flag; job_list_lock, the hardware fence's.
    machine.counters.atomics += 6;
    machine.counters.locks += 2;
    sched.job_scheduled.wake_up(machine);
    run_job_queue_last(sched, sched.work_run_job);
    return true;
}

/// Whether a job that waits for nothing, pushed to this entity by the input as the last thing of its
/// instant, is the next to be run: nobody else has a job that is ready, nothing keeps the run_job
/// work from taking its turn, and there are credits.
FENCELINE_HOT bool GpuSched::runs_at_once(const Scheduler& sched, const Entity& entity,
                                          std::uint32_t credits) const {
    return !entity.head && entity.node.listed && !entity.stopped && !entity.has_guilty_flag &&
           !entity.stats && entity.sched_list.empty() && sched.ready_queues == 0 &&
           !sched.pause_submit && sched.plain_ring != nullptr &&
           sched.kernel == KernelVersion::v6_12 && credits != 0 &&
           sched.credit_limit - sched.credit_count.peek() >= credits &&
           sched.submit_wq->turn_comes_next(sched.work_run_job);
}

/// submit_plainly(), and run_plain_job() in the turn that it queues. What the one writes and the
/// other takes back is not written at all: the entity's queue, its readiness, its place in the run
/// queue, which holds for as long as it has a job.
bool GpuSched::submit_and_run(EntityRef entity_ref, const JobSpec& spec, std::uint64_t ordinal,
                              JobRef& made) {
    Entity* const entity = entities.live(entity_ref);
    RunQueue* const rq = entity != nullptr ? run_queues.live(entity->rq) : nullptr;
    Scheduler* const sched = rq != nullptr ? schedulers.live(rq->sched) : nullptr;
    if (sched == nullptr || spec.run_job != RunJobKind::normal ||
        !runs_at_once(*sched, *entity, spec.credits))
        return false;
    RingSlot& ring = *sched->plain_ring;
    Job* const tail = sched->pending_tail ? jobs.live(sched->pending_tail) : nullptr;
    if ((tail == nullptr && sched->pending_tail) ||
        !ring.driver->runs_plainly(ring, entity->index) ||
        (entity->last_scheduled &&
         !s_fences.put_plainly(entity->last_scheduled, Holder::last_scheduled)))
        return false;

    // Nothing can go wrong from here on.
    const std::uint32_t seqno = entity->fence_seq.peek() + 1;
    entity->fence_seq.poke(seqno);
    const FenceRef finished =
        s_fences.create_scheduled(sched->name_owner, entity->fence_context, seqno);
    const JobRef ref =
        jobs.alloc(spec.id, ordinal, spec.duration, spec.credits, entity->index, machine.now(),
                   EntityRef{}, rq->sched, finished, FenceRef{}, fences::kOwnCallback, JobRef{},
                   sched->pending_tail, kNoDependency, kNoDependency, kNoDependency,
                   RunJobKind::normal, entity->priority, std::uint8_t{0}, std::uint8_t{0});
    Job& job = jobs.at(ref.index());
    made = ref;
    figures.queued(entity->index, machine.now());
    sched->score.poke(sched->score.peek() + 1);
    sched->submit_wq->count_turn();

    if (rq->tree == nullptr)
        rq->round_robin->picked(*entity);
    entity->last_scheduled = finished;
    sched->credit_count.poke(sched->credit_count.peek() + spec.credits);
    (tail != nullptr ? tail->next : sched->pending_head) = ref;
    sched->pending_tail = ref;
    start_timeout(*sched);
    if (sink != nullptr) [[unlikely]]
        write_log({JobEvent::queue, JobEvent::run_job, JobEvent::scheduled}, job,
                  sched->ring_index);
    figures.ran(entity->index, 0);
    core.pairs.at(finished.index()).parent = ring.driver->run_plainly(ring, ref, job);
    entity->entity_idle.complete_all(machine);

    // As in the two: fence_seq, the score, the queue's count twice, the fence taken, the credits,
    // run_job's flag and its two references, the callback's flag. entity->lock, rq->lock twice and
    // those of the run queues before it, job_list_lock, the hardware fence's.
    machine.counters.atomics += 11;
    machine.counters.locks += 5 + rq->level;
    sched->job_scheduled.wake_up(machine);
    queue_run_job_after(*sched);
    return true;
}

/// The free work, queued for the job that is done as the last thing of the present event, would come
/// next and find it at the head of the pending list.
FENCELINE_HOT bool GpuSched::frees_at_once(const Scheduler& sched, JobRef done) const {
    return sched.pending_head == done && !sched.pause_submit &&
           sched.submit_wq->turn_comes_next(sched.work_free_job);
}

/// The interrupt for a job, the last thing that its event does: dma_fence_signal of its hardware
/// fence, drm_sched_job_done_cb and drm_sched_job_done in it, and the ring's put of its reference.
/// Most often the turn of the free work is taken with it.
bool GpuSched::complete_plainly(fences::FenceRef ref) {
    using namespace fences;
    constexpr std::uint16_t odd = flag::signaled | flag::held_by_input | flag::off_ledger;
    HardwareFence* const hardware = core.hardware.live(ref.memory<HardwareFence>());
    if (hardware == nullptr)
        return false;
    Fence& fence = hardware->base;
    const std::uint16_t flags = fence.flags.peek();
    if ((flags & (odd | flag::own_callback)) != flag::own_callback || fence.error != 0 ||
        fence.references.peek() < 2 ||
        (fence.lock_owner && core.owners.live(fence.lock_owner) == nullptr))
        return false;
    const JobRef job_ref = JobRef::unpack(fence.callbacks.owner());
    Job* const job = jobs.live(job_ref);
    if (job == nullptr)
        return false;
    Scheduler* const sched = schedulers.live(job->sched);
    SchedFence* const pair = core.pairs.live(job->s_fence.memory<SchedFence>());
    if (sched == nullptr || pair == nullptr || !s_fences.finishes_plainly(*pair))
        return false;

    fence.flags.poke(static_cast<std::uint16_t>((flags ^ flag::own_callback) | flag::signaled |
                                                flag::timestamp));
    fence.timestamp = machine.now();
    fence.callbacks = {};
    fence.references.poke(fence.references.peek() - 1);
    sched->credit_count.poke(sched->credit_count.peek() - job->credits);
    sched->score.poke(sched->score.peek() - 1);
    if (sink != nullptr) [[unlikely]]
        write_log({JobEvent::hw_done, JobEvent::finished}, *job, sched->ring_index);
    count(JobEvent::finished, *job, 0);
    s_fences.finished_plainly(*pair, kFenceBytes);
    machine.counters.atomics += 5; // the fence's two flags and the put, credits and score
    ++machine.counters.locks;      // the fence's
    // Where dependencies are put, something may come to light that is the worker's to report.
    if (job->first_dependency != kNoDependency || !frees_at_once(*sched, job_ref) ||
        !free_plain_head(*sched, *job, *pair)) {
        run_free_queue_unconditionally(*sched);
        return true;
    }
    sched->submit_wq->count_turn();
    queue_run_job_after(*sched);
    return true;
}

/// The last line of a work item whose turn was taken without being queued: drm_sched_run_job_queue.
/// See run_job_queue_last().
FENCELINE_HOT void GpuSched::queue_run_job_after(Scheduler& sched) {
    if (sched.ready_queues == 0 && sched.submit_wq->pass_over_after(sched.work_run_job))
        machine.counters.locks += sched.num_rqs;
    else
        run_job_queue(sched);
}

/// drm_sched_free_job_work but for its last line: get_finished_job, the driver's free_job, and
/// run_free_queue, or mainline's next look at the list. `job` is the head of the pending list.
FENCELINE_HOT bool GpuSched::free_plain_head(Scheduler& sched, Job& job, fences::SchedFence& pair) {
    Job* const next = job.next ? jobs.live(job.next) : nullptr;
    if (job.hardware || !fences::SchedFences::outlives_job(pair) || (next == nullptr && job.next))
        return false;
    fences::SchedFence* const its =
        next != nullptr ? core.pairs.live(next->s_fence.memory<fences::SchedFence>()) : nullptr;
    if (next != nullptr && its == nullptr)
        return false;
    const bool mainline = sched.kernel == KernelVersion::mainline;
    if (mainline && (entity_stats.live(stats_by_entity_[job.entity_index]) == nullptr ||
                     (its != nullptr && its->finished.is_signaled_bit())))
        return false;

    const JobRef job_ref = std::exchange(sched.pending_head, job.next);
    if (next == nullptr)
        sched.pending_tail = JobRef{};
    else
        next->previous = JobRef{};
    if (sched.work_tdr)
        sched.work_tdr->cancel();
    if (next != nullptr) {
        if ((its->scheduled.flags.peek() & fences::flag::timestamp) != 0)
            its->scheduled.timestamp = pair.finished.timestamp;
        start_timeout(sched);
    }
    if (mainline) [[unlikely]] {
        account_gpu_time(sched, job);
        put_stats(job.entity_index);
    }
    log(JobEvent::free_job, job, sched.ring_index);
    pair.finished.references.poke(pair.finished.references.peek() - 1);
    ++machine.counters.atomics; // the fence put
    ++machine.counters.locks;   // job_list_lock
    if (job.first_dependency != kNoDependency) [[unlikely]]
        release_dependencies(job);
    jobs.free(job_ref);
    ++machine.counters.locks; // job_list_lock once more
    if (next != nullptr && its->finished.is_signaled_bit())
        run_free_queue_unconditionally(sched);
    return true;
}

/// The same as a turn of the free work.
FENCELINE_HOT bool GpuSched::free_plain_job(Scheduler& sched) {
    Job* const job = jobs.live(sched.pending_head);
    fences::SchedFence* const pair =
        job != nullptr ? core.pairs.live(job->s_fence.memory<fences::SchedFence>()) : nullptr;
    return pair != nullptr && free_plain_head(sched, *job, *pair);
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
