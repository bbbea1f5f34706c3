// What is left when a run is over, and which rule of the kernel left it there.
//
// DOC: findings. drm/sched has ways to lose a job that are nobody's mistake but its own: jobs on the
// hardware when the scheduler ends, jobs pushed to an entity that has ended, jobs that a lost device
// had off the list. Reports say which it was.

#include "scheduler/gpu_sched.hpp"
#include "scheduler/hazards.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <unordered_set>

namespace fenceline::scheduler::inline FENCELINE_MODE {

namespace {

struct Cause {
    std::string_view what;
    std::string_view finding;
};
enum : std::size_t {
    pushed_to_dead,
    still_queued,
    scheduler_ended,
    killed_and_waits,
    on_hardware,
    off_the_list,
    kCauses
};
constexpr std::array<Cause, kCauses> kCause{{
    {"pushed to an entity that had ended",
     "drm_sched_entity_push_job only prints an error for an entity that was stopped: the job is "
     "queued, never runs, never signals, and nobody frees it."},
    {"still in the queue of its entity", ""},
    {"in the queue of its entity when its scheduler ended",
     "drm_sched_fini marks the entities as stopped and signals nothing for what they have queued."},
    {"killed, and waits for a fence that never signals", ""},
    {"on the hardware when drm_sched_fini ran",
     "drm_sched_fini of 6.12 does not free pending jobs (its documentation asks drivers to wait); "
     "mainline drivers with cancel_job have theirs cancelled."},
    {"off the pending list since its timeout",
     "drm_sched_job_timedout takes the job off the list, and a driver that says that the device is "
     "gone (-ENODEV) is expected never to come back."},
}};

/// Of a job in its entity's queue. Ending the entity empties the queue: what is there came later.
std::size_t where_queued(const Entity& entity) {
    if (entity.fini_done)
        return pushed_to_dead;
    return entity.stopped ? scheduler_ended : still_queued;
}

} // namespace

/// The scheduler's memory is about to go. What is on its pending list is told apart from what a
/// timeout took off it only as long as there is a list.
void GpuSched::note_pending_jobs(const Scheduler& sched) {
    for (JobRef job = sched.pending_head; job; job = jobs.peek(job).next)
        left_pending_.push_back(job);
}

/// The jobs that are alive, by what became of them.
void GpuSched::report_leaked_jobs() {
    schedulers.for_each_live(
        [&](SchedulerRef, const Scheduler& sched) { note_pending_jobs(sched); });
    std::unordered_set<std::uint64_t> pending;
    for (const JobRef job : left_pending_)
        pending.insert(job.pack());
    std::unordered_set<std::uint64_t> queued;
    entities.for_each_live([&](EntityRef, const Entity& entity) {
        for (JobRef job = entity.head; job && jobs.alive(job); job = jobs.peek(job).next)
            queued.insert(job.pack());
    });
    std::array<std::size_t, kCauses> counts{};
    std::array<JobRef, kCauses> first{};
    jobs.for_each_live([&](JobRef ref, const Job& job) {
        if (!job.s_fence) // the scheduler is done with it; its fence keeps it, and is reported
            return;
        std::size_t cause = off_the_list;
        if (pending.contains(ref.pack()))
            cause = on_hardware;
        else if (queued.contains(ref.pack()))
            cause = where_queued(entities.peek(job.entity));
        else if (job.entity) // killing takes it from the queue, and never pops it
            cause = killed_and_waits;
        if (counts[cause]++ == 0)
            first[cause] = ref;
    });
    for (std::size_t cause = 0; cause < kCauses; ++cause) {
        if (counts[cause] == 0)
            continue;
        const std::string name = fmt::format("job {}", jobs.peek(first[cause]).id);
        machine.report(
            {.kind = &sim::hazards::leak,
             .subject = "job",
             .object = name,
             .message = counts[cause] == 1
                            ? fmt::format("{} is never freed: {}", name, kCause[cause].what)
                            : fmt::format("{} jobs are never freed, {}; the first is {}",
                                          counts[cause], kCause[cause].what, name),
             .finding = std::string(kCause[cause].finding),
             .pool = jobs.type(),
             .key = first[cause].pack(),
             .fence_pool = core.pool_of(jobs.peek(first[cause]).s_fence),
             .fence_key = fences::FenceCore::key_of(jobs.peek(first[cause]).s_fence)});
    }
}

/// A scheduler at rest with ready entities, all of which have a head job that would fit (one that does
/// not fit rightly keeps the others from running).
void GpuSched::report_lost_wakeups() {
    schedulers.for_each_live([&](SchedulerRef ref, const Scheduler& sched) {
        if (!sched.ready || sched.pause_submit || sched.work_run_job.pending() ||
            sched.work_run_job.running())
            return;
        const Entity* first = nullptr;
        bool all_fit = true;
        entities.for_each_live([&](EntityRef, const Entity& entity) {
            if (!entity.node.listed || entity.stopped || !entity.head || entity.dependency ||
                !run_queues.alive(entity.rq) || run_queues.peek(entity.rq).sched != ref)
                return;
            const std::uint32_t credits = jobs.peek(entity.head).credits;
            if (sched.credit_limit - sched.credit_count.peek() < credits)
                all_fit = false;
            else if (first == nullptr)
                first = &entity;
        });
        if (first != nullptr && all_fit)
            machine.report(
                {.kind = &hazards::lost_wakeup,
                 .subject = "scheduler",
                 .object = "scheduler " + sched.name,
                 .message = fmt::format("entity {} is ready, scheduler {} has credits for its job "
                                        "{}, and nobody has queued the run work",
                                        first->id, sched.name, jobs.peek(first->head).id)});
    });
}

/// Jobs that were killed keep their score, so a scheduler may look loaded for good.
std::int64_t GpuSched::score_drift(const Scheduler& sched, SchedulerRef ref) {
    std::int64_t expected = 0;
    jobs.for_each_live([&](JobRef, const Job& job) {
        if (job.sched == ref && job.s_fence && !core.peek_signaled(job.s_fence))
            ++expected;
    });
    entities.for_each_live([&](EntityRef, const Entity& entity) {
        if (entity.node.listed && run_queues.alive(entity.rq) &&
            run_queues.peek(entity.rq).sched == ref)
            ++expected;
    });
    return sched.score.peek() - expected;
}

/// The fences of a context signal in the order of their numbers: whoever waits for one may forget
/// those before it (dma_fence_is_later). The kernel breaks that where run_job gives no fence, or an
/// error, while earlier jobs of the entity are on the hardware, and where cancel_job goes through the
/// pending list from its end; so it is a hazard only where that is asked for.
void GpuSched::report_out_of_order(const Job& job) {
    if (strict)
        machine.report(
            {.kind = &hazards::wrong_order,
             .subject = "fence",
             .object = core.describe(job.s_fence),
             .message = fmt::format("{} of job {} signals after a later one of its context",
                                    core.describe(job.s_fence), job.id)});
    else
        print("finished fences of a context signal out of order: a job that gets no fence, or is "
              "cancelled, does not wait for those before it");
}

void GpuSched::check_credits() {
    if (jobs.live() != 0)
        return;
    schedulers.for_each_live([&](SchedulerRef, const Scheduler& sched) {
        if (const std::uint32_t left = sched.credit_count.peek(); left != 0)
            machine.report(
                {.kind = &hazards::credit_drift,
                 .subject = "scheduler",
                 .object = "scheduler " + sched.name,
                 .message = fmt::format("{} credits of scheduler {} are taken, by no job", left,
                                        sched.name)});
    });
}

void GpuSched::check_scores() {
    schedulers.for_each_live([&](SchedulerRef ref, const Scheduler& sched) {
        const std::int64_t drift = score_drift(sched, ref);
        if (drift == 0)
            return;
        const std::string message =
            fmt::format("the score of scheduler {} is off by {} at the end, since jobs that are "
                        "killed keep theirs: load balancing {} it",
                        sched.name, drift, drift > 0 ? "avoids" : "prefers");
        if (strict)
            machine.report({.kind = &hazards::score_drift,
                            .subject = "scheduler",
                            .object = "scheduler " + sched.name,
                            .message = message,
                            .finding = "drm_sched_entity_kill_jobs_work does not take back what "
                                       "drm_sched_entity_push_job added to the score."});
        else
            print(message);
    });
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
