// RCU: grace periods, call_rcu, synchronize_rcu, rcu_barrier.
//
// DOC: grace periods. A callback runs when a grace period that began after it was queued ends.
// While none runs, the first callback starts one at once; what arrives while one runs waits for the
// next, which starts when the current one ends. So a callback waits one to two periods. In a timed
// run read-side sections never span an event, so nothing ever holds a period up; where contexts are
// interleaved, a section that began before the period did.
//
// Cost: a callback is 24 bytes in one of two batches that are reused; a period is one timer.
#pragma once

#include "sim/machine.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <utility>

namespace fenceline::sim::inline FENCELINE_MODE {

class Rcu {
  public:
    static constexpr Time kDefaultGracePeriod = 10 * kMicrosecond;

    explicit Rcu(Machine& machine, Time grace_period = kDefaultGracePeriod);

    void read_lock() {
        if constexpr (kInstrumented)
            enter_section();
    }
    void read_unlock() {
        if constexpr (kInstrumented)
            leave_section();
    }

    /// call_rcu, kfree_rcu: runs `fn(self, arg)` after a grace period, in RCU context.
    [[gnu::always_inline]] void call(EventFn fn, void* self, std::uint64_t arg) {
        machine_.point(Op::call_rcu, this);
        ++machine_.counters.rcu_callbacks;
        if (period_running_) [[likely]]
            next_.push({fn, self, arg});
        else
            start_with({fn, self, arg});
    }
    /// synchronize_rcu: blocks for one grace period. REQUIRES: the context may block.
    void synchronize();
    /// rcu_barrier: blocks until every callback queued so far has run.
    void barrier();

    /// A grace period runs: whatever is queued now waits for the same one, the next.
    [[nodiscard]] bool period_running() const { return period_running_; }
    /// Callbacks that wait now.
    [[nodiscard]] std::size_t pending() const { return waiting_.size() + next_.size(); }
    /// Visits them, in their order. For reports.
    template <class Visit>
    void for_each_pending(Visit visit) const {
        for (const Batch* batch : {&waiting_, &next_})
            for (const Callback& callback : *batch)
                visit(callback.fn, static_cast<const void*>(callback.self), callback.arg);
    }

  private:
    struct Callback {
        EventFn fn;
        void* self;
        std::uint64_t arg;
    };

    /// Callbacks in the order in which they came. A vector of which nothing but the end moves.
    class Batch {
      public:
        [[gnu::always_inline]] void push(const Callback& callback) {
            if (end_ == limit_) [[unlikely]]
                grow();
            *end_++ = callback;
        }
        [[nodiscard]] const Callback* begin() const { return room_.get(); }
        [[nodiscard]] const Callback* end() const { return end_; }
        [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(end_ - begin()); }
        [[nodiscard]] bool empty() const { return end_ == begin(); }
        void clear() { end_ = room_.get(); }
        void swap(Batch& other) { std::swap(*this, other); }

      private:
        [[gnu::noinline]] void grow();

        std::unique_ptr<Callback[]> room_;
        Callback* end_ = nullptr;
        Callback* limit_ = nullptr;
    };

    /// A callback that wakes the current context.
    Callback wake_current();
    void start_with(const Callback& first);
    void start_period();
    void end_period();
    void enter_section();
    void leave_section();
    void run_callbacks();
    void run_each_in_turn();
    void run_rest_later();

    Machine& machine_;
    Time grace_period_;
    Timer period_;
    Context context_;
    bool period_running_ = false;
    // Of the instrumented form: sections that began before the period that runs, and since.
    std::array<std::uint32_t, 2> readers_{};
    std::uint8_t phase_ = 0; ///< which of them counts the sections that begin now
    bool held_up_ = false;   ///< the period would be over, but somebody still reads
    Batch waiting_;          ///< for the period that runs
    Batch next_;             ///< for the one after it
    Batch running_;          ///< being run; kept for its room
    std::size_t next_to_run_ = 0;
};

/// A read-side section that ends with its scope.
class RcuReader {
  public:
    explicit RcuReader(Rcu& rcu) : rcu_(rcu) { rcu_.read_lock(); }
    RcuReader(const RcuReader&) = delete;
    RcuReader& operator=(const RcuReader&) = delete;
    /// May throw where contexts are interleaved, see SpinGuard.
    ~RcuReader() noexcept(!kInstrumented) { rcu_.read_unlock(); }

  private:
    Rcu& rcu_;
};

} // namespace fenceline::sim::inline FENCELINE_MODE
