// The plain job's way to the hardware, in one step.
//
// DOC: what this is. Nearly every job of nearly every workload goes the same way: it waits for
// nothing, is run once by the bundled driver, and nobody asks about its fences meanwhile. What the
// functions of the long way (run_job.cpp and what it calls) do then is known in advance: the locks
// are free, and references that are taken and dropped within one event cancel out. run_plain_job()
// does the sum of it.
//
// Invariants: it looks first and changes nothing until it knows that all is plain; if anything is
// not (an object that should live is dead, an error, a guilty entity, a log that wants to hear
// every event) it returns false and the long way is taken, which reports what there is to report.
// Afterwards the state, the counters and the order of events are those of the long way. The
// instrumented form has only the long way, and tests hold the two forms to the same results.
//
// The numbers of atomics and locks are those of the functions named beside them.

#include "scheduler/gpu_sched.hpp"
#include "scheduler/ring_driver.hpp"
#include "scheduler/tree_policy.hpp"

#include <utility>

namespace fenceline::scheduler::inline FENCELINE_MODE {

using fences::FenceRef;
using fences::Holder;

namespace {

/// Waits for nothing (any more), and the driver is to run it for the first time.
[[gnu::always_inline]] inline bool is_plain(const Job& job) {
    return job.first_dependency == kNoDependency && job.run_job == RunJobKind::normal &&
           job.runs == 0 && !job.hardware;
}

/// Has not been touched since the job was armed.
[[gnu::always_inline]] inline bool is_plain(const fences::SchedFence& pair) {
    constexpr std::uint16_t odd = fences::flag::signaled | fences::flag::has_deadline;
    return pair.finished.error == 0 && (pair.finished.flags.peek() & odd) == 0 &&
           (pair.scheduled.flags.peek() & odd) == 0;
}

} // namespace

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
bool GpuSched::run_plain_job(Scheduler& sched, RunQueue& rq) {
    Entity& entity = rq.tree != nullptr ? *rq.tree->first_ready() : *rq.policy->first_ready();
    const JobRef job_ref = entity.head;
    Job* const job = jobs.live(job_ref);
    if (job == nullptr || !is_plain(*job) || job->sched != sched.self || entity.has_guilty_flag ||
        sched.credit_limit - sched.credit_count.peek() < job->credits || sink != nullptr)
        return false;
    fences::SchedFence* const pair = core.pairs.live(job->s_fence.memory<fences::SchedFence>());
    Job* const tail = sched.pending_tail ? jobs.live(sched.pending_tail) : nullptr;
    if (pair == nullptr || !is_plain(*pair) || (tail == nullptr && sched.pending_tail) ||
        !sched.plain_ring->driver->runs_plainly(*sched.plain_ring, *job))
        return false;

    ++machine.counters.locks; // rq->lock
    if (rq.tree == nullptr)
        rq.policy->picked(entity);
    entity.entity_idle.reinit(machine);
    pop_plain_job(sched, rq, entity, *job, *pair);

    sched.credit_count.poke(sched.credit_count.peek() + job->credits);
    job->previous = sched.pending_tail;
    (tail != nullptr ? tail->next : sched.pending_head) = job_ref;
    sched.pending_tail = job_ref;
    start_timeout(sched);

    figures.ran(job->entity_index, machine.now() - job->submit_ts);
    job->cb = fences::kOwnCallback;
    s_fences.scheduled_plainly(
        job->s_fence, *pair, sched.plain_ring->driver->run_plainly(*sched.plain_ring, job_ref, *job));
    entity.entity_idle.complete_all(machine);

    // The credits, run_job's flag and its two references, which the pair's take and put join, the
    // callback's flag; job_list_lock, the hardware fence's.
    machine.counters.atomics += 6;
    machine.counters.locks += 2;
    sched.job_scheduled.wake_up(machine);
    run_job_queue_last(sched, sched.work_run_job);
    return true;
}

/// drm_sched_free_job_work of 6.12 but for its last line: get_finished_job, the driver's free_job,
/// run_free_queue.
bool GpuSched::free_plain_job(Scheduler& sched) {
    const JobRef job_ref = sched.pending_head;
    Job* const job = jobs.live(job_ref);
    if (job == nullptr || job->hardware || job->first_dependency != kNoDependency ||
        sched.kernel != KernelVersion::v6_12 || sink != nullptr)
        return false;
    fences::SchedFence* const pair = core.pairs.live(job->s_fence.memory<fences::SchedFence>());
    Job* const next = job->next ? jobs.live(job->next) : nullptr;
    if (pair == nullptr || !fences::SchedFences::outlives_job(*pair) ||
        (next == nullptr && job->next))
        return false;
    fences::SchedFence* const its =
        next != nullptr ? core.pairs.live(next->s_fence.memory<fences::SchedFence>()) : nullptr;
    if (next != nullptr && its == nullptr)
        return false;

    sched.pending_head = job->next;
    if (next == nullptr)
        sched.pending_tail = JobRef{};
    else
        next->previous = JobRef{};
    if (sched.work_tdr)
        sched.work_tdr->cancel();
    if (next != nullptr) {
        if ((its->scheduled.flags.peek() & fences::flag::timestamp) != 0)
            its->scheduled.timestamp = pair->finished.timestamp;
        start_timeout(sched);
    }
    figures.freed();
    pair->finished.references.poke(pair->finished.references.peek() - 1);
    jobs.free(job_ref);
    ++machine.counters.atomics;   // the fence put
    machine.counters.locks += 2; // job_list_lock, twice
    if (next != nullptr && its->finished.is_signaled_bit())
        run_free_queue_unconditionally(sched);
    return true;
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
