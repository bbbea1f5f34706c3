// The structures sim::EventQueue was measured against, kept short: just push, pop and size. All use
// the same 16-byte entries and the same branch-free 128-bit comparison, so that the benchmark
// compares structures and not comparisons.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <queue>
#include <utility>
#include <vector>

#include "sim/event_queue.hpp"

namespace fenceline::bench {

using sim::Time;
using Entry = sim::EventQueue::Entry;
using Payload = sim::EventQueue::Payload;

inline Entry make_entry(Time time, std::uint64_t seq, Payload payload) {
    return {time, seq << sim::EventQueue::kPayloadBits | payload};
}

inline bool before(const Entry& a, const Entry& b) {
    __extension__ typedef unsigned __int128 Key;
    return (Key{a.time} << 64 | a.seq_payload) < (Key{b.time} << 64 | b.seq_payload);
}

class StdPriorityQueue {
  public:
    void push(Time time, std::uint64_t seq, Payload payload) {
        heap_.push(make_entry(time, seq, payload));
    }
    Entry pop() {
        const Entry least = heap_.top();
        heap_.pop();
        return least;
    }
    std::size_t size() const { return heap_.size(); }

  private:
    struct After {
        bool operator()(const Entry& a, const Entry& b) const { return before(b, a); }
    };
    std::priority_queue<Entry, std::vector<Entry>, After> heap_;
};

// Implicit heap with the children of a node on one cache line (Arity 4) or two (Arity 8). The free
// places of the last family hold the greatest key, so the least child is found without branches.
template <std::size_t Arity>
class DaryHeap {
    static_assert(Arity == 4 || Arity == 8);

  public:
    void push(Time time, std::uint64_t seq, Payload payload) {
        // Families are whole: node i > 0 is member (i - 1) % Arity of family (i - 1) / Arity.
        if (size_ % Arity == 1)
            families_.push_back(kFreeFamily);
        sift_up(size_++, make_entry(time, seq, payload));
    }
    Entry pop() {
        const Entry least = root_;
        const Entry last = at(--size_);
        at(size_) = kFree;
        if (size_ % Arity == 1)
            families_.pop_back();
        if (size_ == 0)
            return least;
        // To the bottom without comparing `last`, which mostly belongs there, and back up.
        std::size_t hole = 0;
        for (std::size_t child; (child = hole * Arity + 1) < size_; hole = child) {
            // Without a branch nothing is fetched speculatively, so ask for all the grandchildren.
            for (std::size_t i = 0; i < Arity && child + i < families_.size(); ++i)
                __builtin_prefetch(&families_[child + i]);
            child += least_of(families_[hole].members);
            at(hole) = at(child);
        }
        sift_up(hole, last);
        return least;
    }
    std::size_t size() const { return size_; }

  private:
    struct alignas(Arity * sizeof(Entry)) Family {
        std::array<Entry, Arity> members;
    };
    static constexpr Entry kFree{std::numeric_limits<Time>::max(),
                                 std::numeric_limits<std::uint64_t>::max()};
    static constexpr Family make_free_family() {
        Family family{};
        family.members.fill(kFree);
        return family;
    }
    static constexpr Family kFreeFamily = make_free_family();

    Entry& at(std::size_t i) {
        return i == 0 ? root_ : families_[(i - 1) / Arity].members[(i - 1) % Arity];
    }
    static std::size_t least_of(const std::array<Entry, Arity>& members) {
        const auto least = [](const Entry* a, const Entry* b) { return before(*b, *a) ? b : a; };
        const Entry* m = members.data();
        const Entry* best = least(least(m, m + 1), least(m + 2, m + 3));
        if constexpr (Arity == 8) {
            best = least(best, least(least(m + 4, m + 5), least(m + 6, m + 7)));
        }
        return static_cast<std::size_t>(best - m);
    }
    void sift_up(std::size_t hole, const Entry& entry) {
        for (; hole > 0; hole = (hole - 1) / Arity) {
            const Entry& parent = at((hole - 1) / Arity);
            if (!before(entry, parent))
                break;
            at(hole) = parent;
        }
        at(hole) = entry;
    }

    Entry root_ = kFree;
    std::vector<Family> families_;
    std::size_t size_ = 0;
};

// Brown's calendar queue: sorted lists per day, the number of days kept within a factor of two of
// the size, the day's width set at a resize from the spacing of the soonest entries.
class CalendarQueue {
  public:
    CalendarQueue() : days_(2, kNone) {}

    void push(Time time, std::uint64_t seq, Payload payload) {
        std::uint32_t node = free_;
        if (node == kNone) {
            node = static_cast<std::uint32_t>(nodes_.size());
            nodes_.emplace_back();
        } else {
            free_ = nodes_[node].next;
        }
        nodes_[node].entry = make_entry(time, seq, payload);
        link(node);
        if (++size_ > 2 * days_.size())
            resize(2 * days_.size());
    }
    Entry pop() {
        const std::uint32_t node = unlink_least();
        const Entry least = nodes_[node].entry;
        nodes_[node].next = std::exchange(free_, node);
        if (--size_ < days_.size() / 2 && days_.size() > 2)
            resize(days_.size() / 2);
        return least;
    }
    std::size_t size() const { return size_; }

  private:
    static constexpr std::uint32_t kNone = ~0u;
    struct Node {
        Entry entry;
        std::uint32_t next;
    };

    std::size_t day_of(Time time) const { return (time >> width_log2_) & (days_.size() - 1); }

    void link(std::uint32_t node) {
        const Entry& entry = nodes_[node].entry;
        today_ = std::min(today_, entry.time >> width_log2_);
        std::uint32_t* at = &days_[day_of(entry.time)];
        while (*at != kNone && before(nodes_[*at].entry, entry))
            at = &nodes_[*at].next;
        nodes_[node].next = std::exchange(*at, node);
    }
    std::uint32_t unlink_least() {
        for (std::size_t step = 0; step < days_.size(); ++step, ++today_) {
            std::uint32_t& head = days_[today_ & (days_.size() - 1)];
            if (head != kNone && nodes_[head].entry.time >> width_log2_ == today_) {
                return std::exchange(head, nodes_[head].next);
            }
        }
        // Nothing within a year: compare the heads of all days.
        std::uint32_t* least = nullptr;
        for (std::uint32_t& head : days_) {
            if (head == kNone)
                continue;
            if (!least || before(nodes_[head].entry, nodes_[*least].entry))
                least = &head;
        }
        today_ = nodes_[*least].entry.time >> width_log2_;
        return std::exchange(*least, nodes_[*least].next);
    }
    void resize(std::size_t days) {
        std::vector<std::uint32_t> pending;
        for (std::uint32_t head : days_) {
            for (; head != kNone; head = nodes_[head].next)
                pending.push_back(head);
        }
        const auto sampled =
            pending.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(64, size_ / 2));
        const auto time = [&](std::uint32_t node) { return nodes_[node].entry.time; };
        std::nth_element(pending.begin(), sampled, pending.end(),
                         [&](auto a, auto b) { return before(nodes_[a].entry, nodes_[b].entry); });
        const Time least = time(*std::min_element(
            pending.begin(), sampled + 1, [&](auto a, auto b) { return time(a) < time(b); }));
        const Time spacing =
            (time(*sampled) - least) / static_cast<Time>(sampled - pending.begin() + 1);
        width_log2_ = 0;
        while (width_log2_ < 62 && (Time{1} << width_log2_) < 2 * spacing)
            ++width_log2_;
        days_.assign(days, kNone);
        today_ = least >> width_log2_;
        for (const std::uint32_t node : pending)
            link(node);
    }

    std::vector<Node> nodes_;
    std::vector<std::uint32_t> days_;
    std::uint32_t free_ = kNone;
    std::size_t size_ = 0;
    unsigned width_log2_ = 0;
    Time today_ = 0;
};

} // namespace fenceline::bench
