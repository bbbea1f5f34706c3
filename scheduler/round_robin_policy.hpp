// Round robin: the next ready entity after the current one, in the order in which entities joined.
//
// The kernel walks the list from behind current_entity to its end, then from its start up to and
// including current_entity; without one, from the start. Here an entity's position in the list is a
// number, the ready ones are bits, and the walk is a search for the next bit. An entity that leaves
// puts current_entity to none if it was the one. Numbers of those that left are reclaimed when half
// the range is unused, which keeps the order.
//
// What every job passes is here, for whoever knows that a run queue has this policy
// (RunQueue::round_robin).
#pragma once

#include "scheduler/objects.hpp"
#include "scheduler/run_queue_policy.hpp"

#include <bit>
#include <vector>

namespace fenceline::scheduler::inline FENCELINE_MODE {

/// A set of small numbers with "least member not below", in two levels of 64-bit words.
class BitSet {
  public:
    static constexpr std::uint32_t kNone = ~std::uint32_t{0};

    void reserve(std::uint32_t size) {
        words_.resize((size + 63) / 64);
        summary_.resize((words_.size() + 63) / 64);
    }
    void insert(std::uint32_t member) {
        words_[member / 64] |= std::uint64_t{1} << (member % 64);
        summary_[member / 4096] |= std::uint64_t{1} << (member / 64 % 64);
    }
    void erase(std::uint32_t member) {
        std::uint64_t& word = words_[member / 64];
        word &= ~(std::uint64_t{1} << (member % 64));
        if (word == 0)
            summary_[member / 4096] &= ~(std::uint64_t{1} << (member / 64 % 64));
    }
    void clear() {
        words_.clear();
        summary_.clear();
    }
    [[nodiscard]] std::uint32_t next(std::uint32_t from) const {
        const std::uint32_t word = from / 64;
        if (word >= words_.size())
            return kNone;
        if (const std::uint64_t rest = words_[word] >> (from % 64); rest != 0)
            return from + static_cast<std::uint32_t>(std::countr_zero(rest));
        const std::uint32_t following = word + 1;
        for (std::uint32_t top = following / 64; top < summary_.size(); ++top) {
            std::uint64_t bits = summary_[top];
            if (top == following / 64)
                bits &= ~std::uint64_t{0} << (following % 64);
            if (bits == 0)
                continue;
            const std::uint32_t found =
                top * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
            return found * 64 + static_cast<std::uint32_t>(std::countr_zero(words_[found]));
        }
        return kNone;
    }

  private:
    std::vector<std::uint64_t> words_;
    std::vector<std::uint64_t> summary_;
};

class RoundRobinPolicy final : public RunQueuePolicy {
  public:
    using RunQueuePolicy::RunQueuePolicy;

    void add(Entity& entity) override;
    void remove(Entity& entity) override;
    void join(Entity&, sim::Time) override {}
    void requeue(Entity&, sim::Time) override {}
    void leave(Entity& entity) override { set_ready(entity, false); }

    [[gnu::always_inline]] void set_ready(Entity& entity, bool ready) override {
        if (entity.node.ready == ready)
            return;
        entity.node.ready = ready;
        if (ready) {
            ready_.insert(entity.node.position);
            ++ready_count_;
        } else {
            ready_.erase(entity.node.position);
            --ready_count_;
        }
        note_ready(ready_count_ != 0);
    }

    Entity* first_ready() override {
        std::uint32_t found = BitSet::kNone;
        if (current_ != BitSet::kNone)
            found = ready_.next(current_ + 1);
        if (found == BitSet::kNone)
            found = ready_.next(0);
        return found == BitSet::kNone ? nullptr : list_[found];
    }

    void picked(Entity& entity) override { current_ = entity.node.position; }

  private:
    void renumber();

    std::vector<Entity*> list_; ///< by position; nullptr where somebody left
    std::size_t members_ = 0;
    BitSet ready_;
    std::size_t ready_count_ = 0;
    std::uint32_t current_ = BitSet::kNone; ///< position of rq->current_entity
};

} // namespace fenceline::scheduler::inline FENCELINE_MODE
