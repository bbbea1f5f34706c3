// The objects of drm/sched: job, entity, run queue, scheduler. Data only; what happens to them is
// in gpu_sched.hpp and the files it names.
//
// All four live in the lifetime-checked heap and refer to each other by handles, as the kernel's do
// by pointers: nothing here keeps anything else alive. Names follow include/drm/gpu_scheduler.h.
#pragma once

#include "fences/fence.hpp"
#include "scheduler/run_queue_policy.hpp"
#include "scheduler/types.hpp"
#include "sim/atomic.hpp"
#include "sim/heap.hpp"
#include "sim/lock.hpp"
#include "sim/refcount.hpp"
#include "sim/time.hpp"
#include "sim/wait.hpp"
#include "sim/workqueue.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fenceline::scheduler::inline FENCELINE_MODE {

struct Job;
struct Entity;
struct RunQueue;
struct Scheduler;
class Driver;
class TreePolicy;
class RoundRobinPolicy;
struct RingSlot;
using JobRef = sim::Handle<Job>;
using EntityRef = sim::Handle<Entity>;
using RunQueueRef = sim::Handle<RunQueue>;
using SchedulerRef = sim::Handle<Scheduler>;

inline constexpr std::uint32_t kNoDependency = ~std::uint32_t{0};

/// One fence a job waits for; a node of Job's list.
struct Dependency {
    fences::FenceRef fence; ///< one reference of it
    std::uint32_t next = kNoDependency;
    std::uint32_t index = 0; ///< in drm_sched_job::dependencies
};

/// struct drm_sched_job, and what the bundled driver adds to it. Millions wait at once, so members
/// are ordered to leave no gaps.
struct Job {
    // What the submitter says.
    std::uint64_t id = 0;      ///< as the event log names it
    std::uint64_t ordinal = 0; ///< position in the order of submission
    sim::Time duration = 0;    ///< on the hardware; kForever: it never completes
    std::uint32_t credits = 1;
    std::uint32_t entity_index = 0; ///< for the log: job->entity is gone after the pop

    // drm_sched_job proper.
    sim::Time submit_ts = 0;
    EntityRef entity; ///< null once it is popped
    SchedulerRef sched;
    fences::FenceRef s_fence;  ///< names the pair by its finished half
    fences::FenceRef hardware; ///< the driver's fence where it exists before run_job
    fences::CallbackRef cb;    ///< on the hardware fence
    JobRef next;               ///< in the entity's queue, then in the pending list
    JobRef previous;           ///< in the pending list
    std::uint32_t first_dependency = kNoDependency; ///< drm_sched_job::dependencies, as slots
    std::uint32_t last_dependency = kNoDependency;
    std::uint32_t next_dependency = kNoDependency; ///< drm_sched_job::last_dependency
    RunJobKind run_job = RunJobKind::normal;
    Priority s_priority = Priority::normal;
    std::uint8_t karma = 0; ///< hangs it was blamed for; a job is run so few times that a byte does
    std::uint8_t runs = 0;  ///< the driver's count of its run_job calls
};
static_assert(sizeof(Job) == 112);

/// struct drm_sched_entity: the queue of one client on one or several schedulers.
struct Entity {
    EntityRef self;
    std::string id;
    std::uint32_t index = 0;
    Priority priority = Priority::normal;
    Priority rq_priority = Priority::normal; ///< mainline: the first one, by which it is queued
    std::vector<SchedulerRef> sched_list;    ///< empty when there is only one: nothing to choose
    RunQueueRef rq;
    EntityStatsRef stats; ///< null in 6.12
    QueueNode node; ///< the run queue's bookkeeping; node.listed is !list_empty(&entity->list)
    sim::SpinLock lock;

    JobRef head; ///< job_queue
    JobRef tail;
    sim::Atomic<std::uint32_t> job_count; ///< spsc_queue_count

    fences::FenceRef dependency;
    fences::CallbackRef cb;
    fences::FenceRef last_scheduled;
    std::uint32_t fence_context = 0; ///< scheduled's; finished has the next number
    sim::Atomic<std::uint32_t> fence_seq;
    sim::Completion entity_idle;
    bool stopped = false;
    bool has_guilty_flag = false;      ///< drm_sched_entity::guilty is set
    sim::Atomic<std::uint32_t> guilty; ///< what it points at; 1: its jobs are cancelled when popped
    std::uint32_t flushed_seq = 0;    ///< no push since its last user flushed it: last_user is NULL
    bool fini_done = false;           ///< drm_sched_entity_fini has returned (the model's own mark)
    std::int32_t kill_error = kEsrch; ///< what its queued jobs finish with when it ends
    fences::OwnerRef context;         ///< the driver's object for it, where there is one
};

/// struct drm_sched_rq: one per priority and scheduler; under fair one per scheduler.
struct RunQueue {
    sim::SpinLock lock;
    SchedulerRef sched;
    std::uint32_t level = 0; ///< its place in drm_gpu_scheduler::sched_rq
    std::unique_ptr<RunQueuePolicy> policy;
    // The policy once more, as what it is, for what every job passes: one of the two.
    TreePolicy* tree = nullptr;
    RoundRobinPolicy* round_robin = nullptr;
};

/// struct drm_gpu_scheduler.
struct Scheduler {
    std::string name;
    std::uint32_t ring_index = 0;
    SchedulerRef self;
    Driver* driver = nullptr;       ///< ops
    RingSlot* plain_ring = nullptr; ///< where the bundled driver runs jobs; null: another driver
    KernelVersion kernel = KernelVersion::v6_12;
    Policy policy = Policy::fifo;
    std::uint32_t credit_limit = 1;
    std::uint32_t hang_limit = 0;
    sim::Atomic<std::uint32_t> credit_count;
    sim::Atomic<std::int32_t> score;
    std::uint32_t num_rqs = kPriorityCount; ///< 1 under fair: sched_rq[0] takes all priorities
    std::array<RunQueueRef, kPriorityCount> sched_rq{};
    std::uint32_t ready_queues = 0; ///< bit i: sched_rq[i] has a ready entity
    MovingAverage avg_job_us;
    JobRef pending_head;
    JobRef pending_tail;
    sim::SpinLock job_list_lock;
    std::unique_ptr<sim::Workqueue> submit_wq;
    sim::Work work_run_job;
    sim::Work work_free_job;
    /// Null without a timeout. The kernel's default is system_wq, where an item runs beside all
    /// others but never beside itself: an ordered queue of its own comes to the same.
    std::unique_ptr<sim::Workqueue> timeout_wq;
    std::unique_ptr<sim::DelayedWork> work_tdr;
    sim::Time timeout = sim::kForever;
    sim::WaitQueue job_scheduled;
    JobRef blocked; ///< TimeoutProtection::block: its completion is put off, if it has come
    bool blocked_done = false;
    std::int32_t blocked_error = 0;
    bool pause_submit = false;
    bool free_guilty = false;   ///< the job that timed out was done: the handler frees it
    bool cancels_jobs = false;  ///< ops->cancel_job is set
    bool prepares_jobs = false; ///< ops->prepare_job is set
    bool ready = false;
    fences::OwnerRef name_owner; ///< what its fences find through their back pointer
    // What the lifetime policy may make of it.
    fences::OwnerRef ring_owner; ///< the driver's objects, whose locks its fences may borrow
    fences::OwnerRef device_owner;
    sim::RefCount references; ///< its creator's and its jobs', under `queue_refs: refcounted`
    bool fini_done = false;   ///< drm_sched_fini has run
    bool let_go = false;      ///< the driver has freed it; jobs still count it
    sim::Time let_go_at = 0;
};

} // namespace fenceline::scheduler::inline FENCELINE_MODE
