// How a run queue chooses the next entity: one small class per policy.
//
// DOC: ready entities only. The kernel's selection walks the entities of a run queue and skips
// those that are not ready (empty queue, or waiting for a dependency), so it costs more the more of
// them there are. The decision depends only on the ready ones and on their order, so a policy here
// is told about readiness and keeps just those: same decision, cost independent of the others. What
// the kernel's order depends on is kept for entities that are not ready, too.
//
// 6.12 and mainline tell a policy different things. 6.12 leaves an entity where it is when its
// queue runs empty and requeues it at a pop for fifo only; mainline takes it out then (leave) and
// requeues it at every pop, whatever the policy.
//
// A policy object belongs to its run queue, and refers to entities that are on it by their nodes;
// an entity is removed before it dies.
#pragma once

#include "scheduler/fair_stats.hpp"
#include "scheduler/types.hpp"
#include "sim/time.hpp"

#include <cstdint>
#include <memory>

namespace fenceline::scheduler::inline FENCELINE_MODE {

struct Entity;

/// What a run queue keeps in an entity.
struct QueueNode {
    static constexpr std::uint32_t kNotInTree = ~std::uint32_t{0};

    bool listed = false;        ///< on the run queue's list (drm_sched_rq::entities)
    bool ready = false;         ///< has a job and waits for nothing
    std::uint32_t position = 0; ///< policy's own: place among the ready ones, or in the list
    std::uint32_t tree_position = kNotInTree; ///< fair: place among all that have a job
    std::int64_t key = 0;                     ///< oldest_job_waiting: what the tree is ordered by
    std::uint64_t order = 0;                  ///< ties go in the order of insertion
    std::int64_t rr_ts = 0;                   ///< mainline's rr: the turn it got last
};

class RunQueuePolicy {
  public:
    /// `ready_queues` is the scheduler's set of run queues that have a ready entity, one bit each;
    /// the policy keeps the bit `own_bit` of it.
    RunQueuePolicy(std::uint32_t& ready_queues, std::uint32_t own_bit)
        : ready_queues_(ready_queues), own_bit_(own_bit) {}
    RunQueuePolicy(const RunQueuePolicy&) = delete;
    RunQueuePolicy& operator=(const RunQueuePolicy&) = delete;
    virtual ~RunQueuePolicy() = default;

    /// The entity joins the list, at its tail. REQUIRES: not listed.
    virtual void add(Entity& entity) = 0;
    /// The entity leaves list and tree. REQUIRES: listed.
    virtual void remove(Entity& entity) = 0;
    /// A job was pushed at `submit_ts` into the entity's empty queue: into the tree.
    virtual void join(Entity& entity, sim::Time submit_ts) = 0;
    /// A job was popped and the one behind it was pushed at `submit_ts`: into the tree anew.
    virtual void requeue(Entity& entity, sim::Time submit_ts) = 0;
    /// Mainline: the last job was popped: out of the tree.
    virtual void leave(Entity& entity) = 0;
    /// The entity became, or ceased to be, drm_sched_entity_is_ready().
    virtual void set_ready(Entity& entity, bool ready) = 0;
    /// The first ready entity in the policy's order, or nullptr. Does not change the order.
    virtual Entity* first_ready() = 0;
    /// The entity that first_ready() gave is taken (rq->current_entity).
    virtual void picked(Entity& entity) = 0;

  protected:
    void note_ready(bool any) {
        ready_queues_ = any ? ready_queues_ | own_bit_ : ready_queues_ & ~own_bit_;
    }

  private:
    std::uint32_t& ready_queues_;
    std::uint32_t own_bit_;
};

/// drm_sched_rq_select_entity_fifo: the oldest waiting job first. Mainline's fifo decides the same.
[[nodiscard]] std::unique_ptr<RunQueuePolicy> make_fifo_policy(std::uint32_t& ready_queues,
                                                               std::uint32_t own_bit);
/// drm_sched_rq_select_entity_rr: each in turn, in the order of the list.
[[nodiscard]] std::unique_ptr<RunQueuePolicy> make_rr_policy(std::uint32_t& ready_queues,
                                                             std::uint32_t own_bit);
/// Mainline's rr until its removal: the tree of fifo, ordered by turns instead of times.
[[nodiscard]] std::unique_ptr<RunQueuePolicy> make_rr_tree_policy(std::uint32_t& ready_queues,
                                                                  std::uint32_t own_bit);

/// What `fair` looks at beyond the run queue; outlives the policy.
struct FairContext {
    sim::Machine& machine;
    sim::Pool<EntityStats>& entity_stats;
    const MovingAverage& sched_avg_job_us;
    FairRules rules;
};
/// Mainline's fair: the least virtual runtime first. For one run queue that takes all priorities.
[[nodiscard]] std::unique_ptr<RunQueuePolicy>
make_fair_policy(std::uint32_t& ready_queues, std::uint32_t own_bit, const FairContext& context);

} // namespace fenceline::scheduler::inline FENCELINE_MODE
