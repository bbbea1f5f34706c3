// drm/sched (gpu_sched.ko) of Linux 6.12 as a model; where mainline differs, it says so.
//
// DOC: the life of a job, and where to read it.
//
//   job_init, add_dependency, job_arm   job.cpp          the driver's submit ioctl makes it
//   push_job                            entity.cpp       into the entity's queue; wakes the worker
//   select_entity, pop_job              select.cpp       run_job work picks the next one, or waits
//                                                        for its dependencies
//   run_job_work                        run_job.cpp      onto the hardware: run_job, `scheduled`
//   job_done                            run_job.cpp      the interrupt: credits back, `finished`
//   free_job_work                       free_job.cpp     off the pending list, free_job
//   job_timedout                        timeout.cpp      the head of the pending list is late
//   sched_stop, _start, resubmit_jobs   recovery.cpp     what a driver does about it
//   account_gpu_time                    fair_stats.cpp   mainline: what it cost its entity
//   entity_kill, _flush, _fini          entity_fini.cpp  the ways an entity ends
//   sched_init, sched_fini              sched_main.cpp   the life of a scheduler
//   report_leaked_jobs                  leftovers.cpp    what is left at the end, and why
//
// The files above follow the kernel function by function. plain_job.cpp does the same for jobs to
// which nothing out of the ordinary happens, an event at a time and faster: nothing is to be learnt
// from it about the scheduler.
//
// One run_job work item starts at most one job; one free_job work item frees at most one; both run
// on the scheduler's ordered workqueue, so never at the same time. A completion queues the free
// work only, and the free work queues the run work: a job that waited for credits starts after the
// free_job of the one before it.
//
// Invariants: credits in use never exceed the limit; an armed job's `finished` signals exactly
// once; a job is in exactly one of: an entity's queue, a pending list, the hands of run_job_work or
// of a kill work. Where 6.12 is wrong, so is this, and the heap says so.
//
// Ownership: GpuSched owns the memory of jobs, entities, run queues and schedulers. Who frees
// which, and when, is the kernel's: free_job frees jobs, sched_fini frees run queues, the driver
// frees the rest. Single threaded, like the machine it runs on.
#pragma once

#include "fences/fence_core.hpp"
#include "fences/resv.hpp"
#include "fences/sched_fence.hpp"
#include "scheduler/driver.hpp"
#include "scheduler/event_log.hpp"
#include "scheduler/job_figures.hpp"
#include "scheduler/objects.hpp"
#include "scheduler/quirks.hpp"
#include "sim/machine.hpp"
#include "sim/rcu.hpp"

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace fenceline::scheduler::inline FENCELINE_MODE {

/// struct drm_sched_init_args, as far as it is modelled.
struct SchedulerArgs {
    std::string name;
    std::uint32_t ring_index = 0; ///< for the event log
    Driver* driver = nullptr;
    Policy policy = Policy::fifo; ///< fair: with kernel mainline only
    KernelVersion kernel = KernelVersion::v6_12;
    FairRules fair;
    std::uint32_t credit_limit = 1;
    std::uint32_t hang_limit = 0;      ///< a job with more karma than this is guilty
    sim::Time timeout = sim::kForever; ///< kForever: none
    bool cancels_jobs = false;         ///< the driver has cancel_job (mainline)
    bool prepares_jobs = false;        ///< the driver has prepare_job
    sim::Time run_job_cost = 0;
    sim::Time free_job_cost = 0;
    sim::Time timedout_job_cost = 0; ///< how long the driver looks at a job that is late
};

class GpuSched {
  public:
    /// `wakeup_cost`: from queueing work on an idle worker to its start.
    /// `odd`: of whatever layer, somebody asked for quirks. No job takes the plain path then.
    GpuSched(sim::Machine& machine, fences::FenceCore& fence_core, sim::Time wakeup_cost,
             const Quirks& quirks = {}, bool odd = false);
    GpuSched(const GpuSched&) = delete;
    GpuSched& operator=(const GpuSched&) = delete;

    sim::Machine& machine;
    fences::FenceCore& core;
    const Quirks quirks;
    const bool odd;
    bool strict = false; ///< what is only printed otherwise is a hazard
    sim::Pool<Job> jobs;
    sim::Pool<Entity> entities;
    sim::Pool<RunQueue> run_queues;
    sim::Pool<Scheduler> schedulers;
    sim::Pool<EntityStats> entity_stats;
    fences::ModuleRef module; ///< gpu_sched's text and slab
    fences::SchedFences s_fences;
    EventSink* sink = nullptr; ///< the event log: hears every job event, if there is one
    JobFigures figures;
    std::function<void(const std::string&)> warn; ///< what the kernel would print

    // Schedulers (sched_main.cpp).
    SchedulerRef sched_init(const SchedulerArgs& args);
    /// drm_sched_fini: stops the work, frees the run queues, wakes flushers. Signals nothing. The
    /// scheduler's own memory stays until free_scheduler(). May block.
    void sched_fini(SchedulerRef sched);
    /// The driver frees the structure: what its fences find through their pointer is gone.
    void free_scheduler(SchedulerRef sched);
    /// drm_sched_pick_best: the least score among those that are ready, the first of equals.
    SchedulerRef pick_best(std::span<const SchedulerRef> list);

    // Recovery (recovery.cpp): what a driver does between the hang and the restart. May block.
    /// drm_sched_stop: no more work; jobs that are done are freed, the others lose their hardware
    /// fence. `bad` is the job that timed out, back at the head of the list; null if there is none.
    void sched_stop(SchedulerRef sched, JobRef bad);
    /// The driver has looked at the job that is late, and begins to act: with
    /// TimeoutProtection::block a completion that was put off comes now.
    void timeout_looked_at(SchedulerRef sched);
    /// drm_sched_increase_karma: blames the job, and marks its entity guilty.
    void increase_karma(JobRef bad);
    /// drm_sched_resubmit_jobs: run_job once more for everything that is pending. Deprecated, and
    /// what most drivers of 6.12 do.
    void resubmit_jobs(SchedulerRef sched);
    /// drm_sched_start: pending jobs without a hardware fence finish with `error` (0: -ECANCELED).
    void sched_start(SchedulerRef sched, std::int32_t error = 0);

    // Entities (entity.cpp, entity_fini.cpp).
    /// drm_sched_entity_init. REQUIRES: at least one scheduler; an `index` of its own.
    /// `guilty_flag`: the driver gives it a flag that a hang sets (drm_sched_entity::guilty).
    EntityRef entity_init(std::string id, std::uint32_t index, Priority priority,
                          std::span<const SchedulerRef> list, bool guilty_flag = false);
    /// drm_sched_entity_set_priority: in 6.12 where the entity is queued changes when it is bound
    /// anew, which only happens to entities with several schedulers. In mainline the run queue stays
    /// the first one's; fair reads the priority whenever it computes a key.
    void entity_set_priority(EntityRef entity, Priority priority);
    /// drm_sched_entity_modify_sched: takes effect when the entity is bound the next time.
    /// REQUIRES: at least one scheduler.
    void entity_modify_sched(EntityRef entity, std::span<const SchedulerRef> list);
    /// drm_sched_entity_push_job. REQUIRES: armed. The job may be gone when this returns.
    void push_job(JobRef job);
    /// drm_sched_entity_flush. An exiting task passes whether it waits; others always do. Blocks.
    /// `last_user`: whoever flushes is the process that pushed last, if anybody has.
    void entity_flush(EntityRef entity, bool exiting, bool wait, bool killed,
                      bool last_user = true);
    /// drm_sched_entity_fini: kills what is queued. May block.
    void entity_fini(EntityRef entity);
    /// drm_sched_entity_destroy: flush, then fini. Blocks.
    void entity_destroy(EntityRef entity);

    // Jobs (job.cpp).
    /// A submit ioctl for a job that waits for nothing, of a driver that needs nothing in between:
    /// job_init(), job_arm() and push_job(). `made` is the job from before the push on; false, and
    /// nothing made, where job_init() gives null.
    /// REQUIRES: !odd.
    bool submit(EntityRef entity, const JobSpec& spec, std::uint64_t ordinal, JobRef& made);
    /// The same together with the turn of the run_job work that comes next, where that takes the job
    /// to the hardware. False, and nothing done, where it is not that simple. REQUIRES: !odd, the
    /// input submits it, and lists nothing else for this instant.
    bool submit_and_run(EntityRef entity, const JobSpec& spec, std::uint64_t ordinal, JobRef& made);
    /// drm_sched_job_init; null when the entity has no run queue (-ENOENT) or credits are 0
    /// (-EINVAL).
    JobRef job_init(EntityRef entity, std::uint32_t credits);
    /// drm_sched_job_add_dependency: takes over the reference, also when it fails. One per fence
    /// context, the latest. Returns 0 or -ENOMEM (Quirks::no_memory_for_dependencies).
    std::int32_t add_dependency(JobRef job, fences::FenceRef fence);
    /// drm_sched_job_add_resv_dependencies: one by one. REQUIRES: the dma_resv is locked.
    std::int32_t add_resv_dependencies(JobRef job, fences::Resv& resv, fences::ResvUsage usage);
    /// drm_sched_job_arm: chooses the run queue, initialises the fences. No way back.
    void job_arm(JobRef job);
    /// drm_sched_job_cleanup: gives back fences and dependencies; part of free_job.
    void job_cleanup(JobRef job);

    // Counted jobs and queues, and who gives up on them (references.cpp). Without such rules a job
    // is freed by whoever takes it off its list, and a scheduler by its driver.
    /// kref_get of a job that somebody is at work on. Nothing where jobs are not counted.
    void get_job(JobRef job) {
        if (counts_jobs_) [[unlikely]]
            job_references_[job.pack()].get(machine, "job");
    }
    /// kref_put; the last one frees the job, by way of the driver's free_job. Where jobs are not
    /// counted that is what happens at once.
    void put_job(Scheduler& sched, JobRef job);
    /// The end of get_job().
    void put_job_after_use(SchedulerRef sched, JobRef job) {
        if (counts_jobs_) [[unlikely]]
            put_job(schedulers.get(sched, "scheduler"), job);
    }
    /// The memory of a job goes, and with it what it holds of its queue.
    void free_job_memory(JobRef job);
    /// What a driver does in place of drm_sched_fini where queues are counted: it drops its
    /// reference, and the last one ends the scheduler.
    void put_scheduler(SchedulerRef sched);
    /// Jobs of the scheduler that nobody can finish any more finish with `error`
    /// (signal_on_drop).
    void drop_jobs(SchedulerRef sched, std::int32_t error);
    [[nodiscard]] bool counts_queues() const { return counts_queues_; }
    sim::WaitQueue queues_ended; ///< woken whenever a counted scheduler has ended

    // The end (leftovers.cpp).
    /// Reports schedulers that have a job they could run, and nobody to tell them. REQUIRES: nothing
    /// is left to happen.
    void report_lost_wakeups();
    /// Reports jobs that nobody can free any more, by what became of them.
    void report_leaked_jobs();
    /// Warns of schedulers whose score does not match their jobs; with `strict` it is a hazard.
    void check_scores();
    /// Reports schedulers that still count credits when every job has been freed.
    void check_credits();

    /// Enters jobs, entities and schedulers into a snapshot, and what they hold (snapshot.cpp).
    void enumerate(fences::SnapshotBuilder& out);

    /// Nobody hears of it where there is no such fence.
    void log_scheduled(const Job& job, std::uint32_t ring) {
        if (!only_finished_)
            log(JobEvent::scheduled, job, ring);
    }
    /// Tells the log, and counts. `finished` and `hw_done` carry the fence's error. The driver says
    /// what only it knows: run_job, hw_done and free_job.
    [[gnu::always_inline]] void log(JobEvent event, const Job& job, std::uint32_t ring,
                                    std::int32_t error = 0) {
        if (sink != nullptr) [[unlikely]]
            write_log(event, job, ring, error);
        count(event, job, error);
    }

    /// `reset` is about a ring, not about a job.
    void log_reset(std::uint32_t ring) {
        if (sink != nullptr)
            sink->on_event({machine.now(), JobEvent::reset, 0, 0, 0, ring, 0, 0});
    }

  private:
    /// What becomes of an event in the figures; `event` is known where this is called.
    [[gnu::always_inline]] void count(JobEvent event, const Job& job, std::int32_t error) {
        if (event == JobEvent::queue)
            figures.queued(job.entity_index, machine.now());
        else if (event == JobEvent::run_job)
            figures.ran(job.entity_index, machine.now() - job.submit_ts);
        else if (event == JobEvent::finished) {
            const std::uint32_t seqno = core.pairs.at(job.s_fence.index()).finished.seqno;
            if (!figures.completed(job.entity_index, seqno, machine.now(),
                                   machine.now() - job.submit_ts, error != 0)) [[unlikely]]
                report_out_of_order(job);
        } else if (event == JobEvent::free_job)
            figures.freed();
    }
    [[gnu::cold, gnu::noinline]] void report_out_of_order(const Job& job); // leftovers.cpp
    [[gnu::noinline]] void write_log(JobEvent event, const Job& job, std::uint32_t ring,
                                     std::int32_t error) {
        const bool before = event == JobEvent::queue || event == JobEvent::hw_done;
        sink->on_event({machine.now(), event, job.id, job.ordinal, job.entity_index, ring, error,
                        before ? 0 : job.submit_ts});
    }

    /// Several at once, where one step does what makes them.
    [[gnu::noinline]] void write_log(std::initializer_list<JobEvent> events, const Job& job,
                                     std::uint32_t ring) {
        for (const JobEvent event : events)
            write_log(event, job, ring, 0);
    }

    // job.cpp
    JobRef job_init(Entity& entity, std::uint32_t credits);
    [[gnu::noinline]] bool submit_in_steps(Entity& entity, const JobSpec& spec,
                                           std::uint64_t ordinal, JobRef& made);
    RunQueue& arm_for(Job& job, Entity& entity);
    [[gnu::cold, gnu::noinline]] void refuse_job(const Entity& entity);
    void release_dependencies(Job& job);
    void xarray_erased(const Dependency& entry, bool all);
    // fair_stats.cpp
    void create_stats(Entity& entity);
    void get_stats(const Job& job);
    void put_stats(std::uint32_t entity_index);
    void account_gpu_time(Scheduler& sched, const Job& job);
    // entity.cpp
    RunQueueRef run_queue_for(const Scheduler& sched, const Entity& entity) const;
    void push_job(JobRef ref, Job& job, Entity& entity, RunQueue& rq, Scheduler& sched);
    void push_into_empty(Scheduler& sched, RunQueue& rq, Entity& entity, sim::Time submit_ts);
    void join(RunQueue& rq, Entity& entity, sim::Time submit_ts);
    [[gnu::noinline]] void select_rq(Entity& entity);
    void rq_add_entity(RunQueue& rq, Entity& entity);
    void rq_remove_entity(RunQueueRef rq, Entity& entity);
    [[gnu::cold, gnu::noinline]] void refuse_push(const Entity& entity);
    void spsc_push(Entity& entity, JobRef job, Job& memory);
    JobRef spsc_pop(Entity& entity);
    void spsc_pop(Entity& entity, Job& head);
    void wakeup(Scheduler& sched);
    [[gnu::noinline]] void wakeup_if_head_fits(Scheduler& sched, Entity& entity);
    // select.cpp
    RunQueue* first_ready_queue(Scheduler& sched);
    Entity* select_entity(Scheduler& sched, RunQueue& rq);
    static void set_ready(RunQueue& rq, Entity& entity, bool ready);
    static Entity* first_ready(RunQueue& rq);
    bool can_queue(Scheduler& sched, Job& job);
    [[gnu::cold, gnu::noinline]] void truncate_credits(Scheduler& sched, Job& job);
    bool pop_job(Entity& entity, RunQueue& rq, JobRef head, Job& job);
    void rq_pop_entity(RunQueue& rq, Entity& entity);
    fences::FenceRef next_dependency(Job& job, JobRef self, Scheduler& sched);
    bool add_dependency_cb(Entity& entity);
    Entity& dependency_gone(fences::FenceRef fence, std::uint64_t entity);
    static void dependency_signalled(void* env, fences::FenceRef fence, std::uint64_t entity);
    static void dependency_cleared(void* env, fences::FenceRef fence, std::uint64_t entity);
    // run_job.cpp
    static void run_job_work(void* self, std::uint64_t sched);
    [[gnu::noinline]] void run_one_job(Scheduler& sched, RunQueue& rq);
    // plain_job.cpp
    bool submit_plainly(Entity& entity, const JobSpec& spec, std::uint64_t ordinal, JobRef& made);
    [[nodiscard]] bool runs_at_once(const Scheduler& sched, const Entity& entity,
                                    std::uint32_t credits) const;
    bool run_plain_job(Scheduler& sched, RunQueue& rq);
    bool free_plain_job(Scheduler& sched);
    bool free_plain_head(Scheduler& sched, Job& job, fences::SchedFence& pair);
    friend class Ring; // for the next one
    [[gnu::noinline]] bool complete_plainly(fences::FenceRef ref);
    [[nodiscard]] bool frees_at_once(const Scheduler& sched, JobRef done) const;
    void pop_plain_job(Scheduler& sched, RunQueue& rq, Entity& entity, Job& job,
                       fences::SchedFence& pair);
    // run_job.cpp
    void job_begin(Scheduler& sched, JobRef job, Job& memory);
    void job_done(JobRef job, std::int32_t result) { job_done(jobs.get(job, "job"), result); }
    void job_done(Job& job, std::int32_t result);
    [[gnu::noinline]] void finish_job(Scheduler& sched, Job& job, std::int32_t result);
    static void job_done_cb(void* env, fences::FenceRef ref, fences::Fence& fence,
                            std::uint64_t job);
    [[gnu::cold]] void check_stopped(const Scheduler& sched);
    void run_job_queue(Scheduler& sched);
    void run_job_queue_last(Scheduler& sched, const sim::Work& running);
    void queue_run_job_after(Scheduler& sched);
    void run_free_queue_unconditionally(Scheduler& sched);
    // pending_list.cpp
    void pending_add_head(Scheduler& sched, JobRef job, Job& memory);
    void pending_add_tail(Scheduler& sched, JobRef job, Job& memory);
    void pending_remove(Scheduler& sched, Job& memory);
    // timeout.cpp
    void start_timeout(Scheduler& sched);
    static void job_timedout(void* self, std::uint64_t sched);
    void reinsert_on_false_timeout(Scheduler& sched, JobRef job);
    fences::FenceRef protect_listed(Scheduler& sched, JobRef job);
    void unprotect_listed(Scheduler& sched, fences::FenceRef pinned);
    // recovery.cpp
    void wqueue_start(Scheduler& sched);
    bool detach_from_hardware(Scheduler& sched, Job& job);
    EntityRef listed_entity_of(Scheduler& sched, const Job& job);
    // free_job.cpp
    static void free_job_work(void* self, std::uint64_t sched);
    [[gnu::noinline]] void free_finished_jobs(Scheduler& sched);
    JobRef get_finished_job(Scheduler& sched);
    JobRef finished_job_anywhere(Scheduler& sched);
    void run_free_queue(Scheduler& sched);
    // entity_fini.cpp
    bool entity_is_idle(const Entity& entity) const;
    void entity_kill(EntityRef entity);
    static void kill_jobs_cb(void* env, fences::FenceRef fence, std::uint64_t job);
    static void kill_jobs_work(void* self, std::uint64_t job);
    void kill_one_job(JobRef job);
    bool kill_waits(JobRef job_ref, Job& job);
    void drop_seen_dependencies(Job& job);
    // sched_main.cpp
    std::unique_ptr<RunQueuePolicy> make_policy(Scheduler& sched, std::uint32_t bit,
                                                const FairRules& fair);
    void wqueue_stop(Scheduler& sched);
    void cancel_remaining_jobs(Scheduler& sched);
    // references.cpp
    void count_new_job(JobRef job);
    [[nodiscard]] fences::OwnerRef borrowed_lock(const Scheduler& sched,
                                                 const Entity& entity) const;
    void remove_callbacks(Scheduler& sched, RunQueueRef rq);
    static void end_counted_scheduler(void* self, std::uint64_t sched);
    void free_memory_of(SchedulerRef ref, Scheduler& sched);
    // leftovers.cpp
    void note_pending_jobs(const Scheduler& sched);
    std::int64_t score_drift(const Scheduler& sched, SchedulerRef ref);
    // snapshot.cpp
    void enumerate_job(fences::SnapshotBuilder& out, JobRef ref, const Job& job);
    void enumerate_entity(fences::SnapshotBuilder& out, EntityRef ref, const Entity& entity);
    void enumerate_callbacks(fences::SnapshotBuilder& out);

    /// The scheduler behind an entity: entity->rq->sched.
    [[gnu::always_inline]] Scheduler& sched_of(const Entity& entity) {
        return schedulers.get(run_queues.get(entity.rq, "run queue").sched, "scheduler");
    }
    [[gnu::cold]] void print(const std::string& message) {
        if (warn)
            warn(message);
    }

    sim::Pool<Dependency> dependencies_;
    /// By entity index; empty in 6.12. A job outlives its entity and has no room for a handle.
    std::vector<EntityStatsRef> stats_by_entity_;
    bool counts_gpu_time_ = false; ///< mainline
    // The lifetime policy, as decisions.
    bool only_finished_; ///< nobody hears of `scheduled`
    bool counts_jobs_;   ///< and of a counted queue a job holds a reference
    bool counts_queues_;
    bool pair_borrows_; ///< the public fences' lock is somebody else's
    bool counts_callbacks_;
    std::unordered_map<std::uint64_t, sim::RefCount> job_references_; ///< where jobs are counted
    std::vector<JobRef> left_pending_; ///< on the pending list of a scheduler that is freed
    sim::SystemWorkqueue system_wq_;
    /// Queues of freed schedulers: cancelled items may still have a turn in the engine.
    std::vector<std::unique_ptr<sim::Workqueue>> retired_queues_;
    sim::Time wakeup_cost_;
};

} // namespace fenceline::scheduler::inline FENCELINE_MODE
