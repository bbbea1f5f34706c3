// A heap of entities, the least (key, order of insertion) in front: the part of the kernel's tree of
// entities that decides anything.
//
// The kernel keeps a red-black tree in which equal keys go to the right. An entity is put in anew
// whenever its key changes, so the tree's order is (key, order of the last insertion), and that is a
// strict order: the first of all, and the first among some, is the least one, whatever structure
// finds it. A heap of four children a node, addressed by positions kept in the entities, is smaller
// and faster than a tree; an entity may be in several heaps (all that are queued, and those of them
// that are ready), each with a position of its own.
#pragma once

#include "scheduler/objects.hpp"

#include <cstdint>
#include <vector>

namespace fenceline::scheduler::inline FENCELINE_MODE {

/// `Position` is where an entity keeps its place in this heap. Whoever changes the key or the order
/// of an entity that is in the heap calls settle().
template <std::uint32_t QueueNode::*Position>
class EntityHeap {
  public:
    [[nodiscard]] bool empty() const { return heap_.empty(); }
    /// REQUIRES: not empty.
    [[nodiscard]] Entity& front() const { return *heap_.front(); }

    /// REQUIRES: not in this heap.
    void insert(Entity& entity) {
        const auto position = static_cast<std::uint32_t>(heap_.size());
        entity.node.*Position = position;
        heap_.push_back(&entity);
        sift_up(position);
    }
    /// REQUIRES: in this heap.
    void erase(Entity& entity) {
        Entity* last = heap_.back();
        heap_.pop_back();
        if (last != &entity)
            fill(entity.node.*Position, last);
    }
    /// The entity's key or order has changed, either way.
    void settle(Entity& entity) {
        const std::uint32_t position = entity.node.*Position;
        if (!sift_up(position))
            sift_down(position);
    }

  private:
    static constexpr std::uint32_t kArity = 4;

    static bool before(const Entity* a, const Entity* b) {
        return a->node.key != b->node.key ? a->node.key < b->node.key
                                          : a->node.order < b->node.order;
    }
    [[gnu::noinline]] void fill(std::uint32_t hole, Entity* last) {
        place(hole, last);
        settle(*last);
    }
    void place(std::uint32_t position, Entity* entity) {
        heap_[position] = entity;
        entity->node.*Position = position;
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

    std::vector<Entity*> heap_;
};

} // namespace fenceline::scheduler::inline FENCELINE_MODE
