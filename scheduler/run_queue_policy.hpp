// How a run queue chooses the next entity: one small class per policy.
//
// DOC: ready entities only. The kernel's selection walks all entities of a run queue and skips
// those that are not ready (empty queue, or waiting for a dependency), so it costs more the more
// idle entities there are. The decision depends only on the ready ones and on their order, so a
// policy here is told about readiness and keeps just those: same decision, cost independent of idle
// entities. What the kernel's order depends on is kept for entities that are not ready, too.
//
// A policy object belongs to its run queue, and refers to entities that are on it by their nodes;
// an entity is removed before it dies.
#pragma once

#include "scheduler/types.hpp"
#include "sim/time.hpp"

#include <cstdint>
#include <memory>

namespace fenceline::scheduler::inline FENCELINE_MODE {

struct Entity;

/// What a run queue keeps in an entity.
struct QueueNode {
    bool listed = false;        ///< on the run queue's list (drm_sched_rq::entities)
    bool ready = false;         ///< has a job and waits for nothing
    std::uint32_t position = 0; ///< policy's own: place in the heap, or in the list
    sim::Time key = 0;          ///< fifo: oldest_job_waiting
    std::uint64_t order = 0;    ///< fifo: ties go in the order of insertion
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
    /// drm_sched_rq_update_fifo_locked: its oldest job was submitted at `submit_ts`.
    virtual void set_oldest_job(Entity& entity, sim::Time submit_ts) = 0;
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

/// drm_sched_rq_select_entity_fifo: the oldest waiting job first.
[[nodiscard]] std::unique_ptr<RunQueuePolicy> make_fifo_policy(std::uint32_t& ready_queues,
                                                               std::uint32_t own_bit);
/// drm_sched_rq_select_entity_rr: each in turn, in the order of the list.
[[nodiscard]] std::unique_ptr<RunQueuePolicy> make_rr_policy(std::uint32_t& ready_queues,
                                                             std::uint32_t own_bit);

} // namespace fenceline::scheduler::inline FENCELINE_MODE
