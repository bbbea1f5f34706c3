// FIFO: the entity whose oldest job has waited longest. And mainline's round robin, which is the
// same with made-up times.
//
// An entity is put into the tree anew whenever its oldest job changes. Entities that are not ready
// are skipped by the kernel's walk, and their keys mean nothing to anybody else, so a heap of the
// ready ones is all there is.

#include "scheduler/entity_heap.hpp"
#include "scheduler/objects.hpp"
#include "scheduler/run_queue_policy.hpp"

namespace fenceline::scheduler::inline FENCELINE_MODE {

namespace {

class FifoPolicy : public RunQueuePolicy {
  public:
    using RunQueuePolicy::RunQueuePolicy;

    void add(Entity& entity) final { entity.node.listed = true; }

    void remove(Entity& entity) final {
        set_ready(entity, false);
        entity.node.listed = false;
    }

    void join(Entity& entity, sim::Time submit_ts) override {
        put(entity, static_cast<std::int64_t>(submit_ts));
    }
    void requeue(Entity& entity, sim::Time submit_ts) override {
        put(entity, static_cast<std::int64_t>(submit_ts));
    }
    void leave(Entity& entity) final { set_ready(entity, false); }

    void set_ready(Entity& entity, bool ready) final {
        if (entity.node.ready == ready)
            return;
        entity.node.ready = ready;
        if (ready)
            ready_.insert(entity);
        else
            ready_.erase(entity);
        note_ready(!ready_.empty());
    }

    Entity* first_ready() final { return ready_.empty() ? nullptr : &ready_.front(); }
    void picked(Entity&) final {}

  protected:
    /// drm_sched_rq_update_fifo_locked.
    void put(Entity& entity, std::int64_t key) {
        entity.node.key = key;
        entity.node.order = ++insertions_;
        if (entity.node.ready)
            ready_.settle(entity);
    }

  private:
    EntityHeap<&QueueNode::position> ready_;
    std::uint64_t insertions_ = 0;
};

/// Each pop that leaves a job behind gets the next turn, and with it goes behind all others. An
/// entity that joins goes where its last turn was; one that never had a job left is always in front.
class RoundRobinTreePolicy final : public FifoPolicy {
  public:
    using FifoPolicy::FifoPolicy;

    void join(Entity& entity, sim::Time) override { put(entity, entity.node.rr_ts); }
    /// drm_sched_rq_next_rr_ts.
    void requeue(Entity& entity, sim::Time) override {
        entity.node.rr_ts = ++rr_ts_;
        put(entity, rr_ts_);
    }

  private:
    std::int64_t rr_ts_ = 0;
};

} // namespace

std::unique_ptr<RunQueuePolicy> make_fifo_policy(std::uint32_t& ready_queues,
                                                 std::uint32_t own_bit) {
    return std::make_unique<FifoPolicy>(ready_queues, own_bit);
}

std::unique_ptr<RunQueuePolicy> make_rr_tree_policy(std::uint32_t& ready_queues,
                                                    std::uint32_t own_bit) {
    return std::make_unique<RoundRobinTreePolicy>(ready_queues, own_bit);
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
