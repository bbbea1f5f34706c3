// What the policies have in common that order entities in a tree (fifo, mainline's rr, fair): the
// heap of those that are ready.
//
// An entity is put into the kernel's tree anew whenever its key changes; those that are not ready
// are skipped by the kernel's walk. So a heap of the ready ones by (key, order of insertion) finds
// what the walk finds. These functions are on the path of every job: whoever knows that a run queue
// has such a policy (RunQueue::tree) calls them directly.
#pragma once

#include "scheduler/entity_heap.hpp"
#include "scheduler/objects.hpp"
#include "scheduler/run_queue_policy.hpp"

namespace fenceline::scheduler::inline FENCELINE_MODE {

class TreePolicy : public RunQueuePolicy {
  public:
    /// `by_time`: join() and requeue() put an entity where its oldest job's time says.
    TreePolicy(std::uint32_t& ready_queues, std::uint32_t own_bit, bool by_time)
        : RunQueuePolicy(ready_queues, own_bit), by_time_(by_time) {}

    /// join(), without a call where it is by time.
    [[gnu::always_inline]] void join_tree(Entity& entity, sim::Time submit_ts) {
        if (by_time_)
            set_key(entity, static_cast<std::int64_t>(submit_ts));
        else
            join(entity, submit_ts);
    }

    [[gnu::always_inline]] void set_ready(Entity& entity, bool ready) final {
        if (entity.node.ready == ready)
            return;
        entity.node.ready = ready;
        if (ready)
            ready_.insert(entity);
        else
            ready_.erase(entity);
        note_ready(!ready_.empty());
    }
    [[gnu::always_inline]] Entity* first_ready() final {
        return ready_.empty() ? nullptr : &ready_.front();
    }
    void picked(Entity&) final {}

  protected:
    /// The entity is in the tree under this key from now on, behind all others of the same key.
    [[gnu::always_inline]] void set_key(Entity& entity, std::int64_t key) {
        entity.node.key = key;
        entity.node.order = ++insertions_;
        if (entity.node.ready)
            ready_.settle(entity);
    }

  private:
    EntityHeap<&QueueNode::position> ready_;
    std::uint64_t insertions_ = 0;
    bool by_time_;
};

} // namespace fenceline::scheduler::inline FENCELINE_MODE
