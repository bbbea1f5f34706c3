// FIFO: the entity whose oldest job has waited longest.
//
// The kernel keeps a red-black tree ordered by oldest_job_waiting in which equal keys go to the
// right, and puts an entity in anew whenever its oldest job changes. So the order is (key, order of
// the last insertion), and the first *ready* entity in it is the least of the ready ones: a heap
// does.

#include "scheduler/objects.hpp"
#include "scheduler/run_queue_policy.hpp"

#include <utility>
#include <vector>

namespace fenceline::scheduler::inline FENCELINE_MODE {

namespace {

class FifoPolicy final : public RunQueuePolicy {
  public:
    using RunQueuePolicy::RunQueuePolicy;

    void add(Entity& entity) override { entity.node.listed = true; }

    void remove(Entity& entity) override {
        set_ready(entity, false);
        entity.node.listed = false;
    }

    void set_oldest_job(Entity& entity, sim::Time submit_ts) override {
        QueueNode& node = entity.node;
        node.key = submit_ts;
        node.order = ++insertions_;
        // Its order is the greatest now, but its key may have moved either way.
        if (node.ready)
            settle(node.position);
    }

    void set_ready(Entity& entity, bool ready) override {
        QueueNode& node = entity.node;
        if (node.ready == ready)
            return;
        node.ready = ready;
        if (ready) {
            node.position = static_cast<std::uint32_t>(heap_.size());
            heap_.push_back(&entity);
            sift_up(node.position);
            note_ready(true);
            return;
        }
        const std::uint32_t hole = node.position;
        Entity* last = heap_.back();
        heap_.pop_back();
        note_ready(!heap_.empty());
        if (last == &entity)
            return;
        place(hole, last);
        settle(hole);
    }

    Entity* first_ready() override { return heap_.empty() ? nullptr : heap_.front(); }
    void picked(Entity&) override {}

  private:
    static constexpr std::uint32_t kArity = 4;

    static bool before(const Entity* a, const Entity* b) {
        return a->node.key != b->node.key ? a->node.key < b->node.key
                                          : a->node.order < b->node.order;
    }
    void place(std::uint32_t position, Entity* entity) {
        heap_[position] = entity;
        entity->node.position = position;
    }
    void settle(std::uint32_t position) {
        if (!sift_up(position))
            sift_down(position);
    }
    bool sift_up(std::uint32_t position) {
        Entity* moving = heap_[position];
        const std::uint32_t start = position;
        while (position > 0) {
            const std::uint32_t parent = (position - 1) / kArity;
            if (!before(moving, heap_[parent]))
                break;
            place(position, heap_[parent]);
            position = parent;
        }
        place(position, moving);
        return position != start;
    }
    void sift_down(std::uint32_t position) {
        Entity* moving = heap_[position];
        const auto size = static_cast<std::uint32_t>(heap_.size());
        for (;;) {
            const std::uint32_t first = position * kArity + 1;
            if (first >= size)
                break;
            std::uint32_t least = first;
            for (std::uint32_t child = first + 1; child < size && child < first + kArity; ++child)
                if (before(heap_[child], heap_[least]))
                    least = child;
            if (!before(heap_[least], moving))
                break;
            place(position, heap_[least]);
            position = least;
        }
        place(position, moving);
    }

    std::vector<Entity*> heap_; ///< the ready ones
    std::uint64_t insertions_ = 0;
};

} // namespace

std::unique_ptr<RunQueuePolicy> make_fifo_policy(std::uint32_t& ready_queues,
                                                 std::uint32_t own_bit) {
    return std::make_unique<FifoPolicy>(ready_queues, own_bit);
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
