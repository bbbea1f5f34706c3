// FIFO: the entity whose oldest job has waited longest. And mainline's round robin, which is the
// same with made-up times. An entity is put into the tree anew whenever its oldest job changes.

#include "scheduler/tree_policy.hpp"

namespace fenceline::scheduler::inline FENCELINE_MODE {

namespace {

class FifoPolicy : public TreePolicy {
  public:
    FifoPolicy(std::uint32_t& ready_queues, std::uint32_t own_bit, bool by_time = true)
        : TreePolicy(ready_queues, own_bit, by_time) {}

    void add(Entity& entity) final { entity.node.listed = true; }

    void remove(Entity& entity) final {
        set_ready(entity, false);
        entity.node.listed = false;
    }

    void join(Entity& entity, sim::Time submit_ts) override { put(entity, submit_ts); }
    void requeue(Entity& entity, sim::Time submit_ts) override { put(entity, submit_ts); }
    void leave(Entity& entity) final { set_ready(entity, false); }

  private:
    /// drm_sched_rq_update_fifo_locked.
    void put(Entity& entity, sim::Time submit_ts) {
        set_key(entity, static_cast<std::int64_t>(submit_ts));
    }
};

/// Each pop that leaves a job behind gets the next turn, and with it goes behind all others. An
/// entity that joins goes where its last turn was; one that never had a job left is always in front.
class RoundRobinTreePolicy final : public FifoPolicy {
  public:
    RoundRobinTreePolicy(std::uint32_t& ready_queues, std::uint32_t own_bit)
        : FifoPolicy(ready_queues, own_bit, false) {}

    void join(Entity& entity, sim::Time) override { set_key(entity, entity.node.rr_ts); }
    /// drm_sched_rq_next_rr_ts.
    void requeue(Entity& entity, sim::Time) override {
        entity.node.rr_ts = ++rr_ts_;
        set_key(entity, rr_ts_);
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
