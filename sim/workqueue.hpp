// Workqueues: work items, ordered queues, the system's queue, delayed work.
//
// DOC: places. Queueing takes a place in the order of events; queueing what is pending does
// nothing. An ordered queue runs one item at a time, in order. An item whose turn comes while the
// worker is still busy (blocked on a fiber, or within the cost of the item before) is put aside and
// queued anew, with a new place, when the worker is free again. Two costs exist: `wakeup`, from
// queueing on an idle worker to the start, and a cost per item, the time it takes the worker (its
// effects stand at its start). Neither reorders items.
//
// Ownership: an item belongs to the object it works for and must not be pending when that dies
// (cancel_sync). Items that are queued refer to their owner by a number, which the owner should
// make a generation-checked handle.
#pragma once

#include "sim/machine.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace fenceline::sim::inline FENCELINE_MODE {

class Workqueue;

/// struct work_struct. Not movable while pending.
class Work {
  public:
    Work() = default;
    /// INIT_WORK: `fn(self, arg)` is the work; `cost` is the time it takes its worker.
    Work(EventFn fn, void* self, std::uint64_t arg, Time cost = 0, bool may_block = false)
        : fn_(fn), self_(self), arg_(arg), cost_(cost) {
        if (cost != 0)
            state_ |= kHasCost;
        if (may_block)
            state_ |= kMayBlock;
    }

    [[nodiscard]] bool pending() const { return (state_ & kPending) != 0; }
    [[nodiscard]] bool running() const { return (state_ & kRunning) != 0; }
    [[nodiscard]] bool costs() const { return (state_ & kHasCost) != 0; }

  private:
    friend class Workqueue;

    // What it is and what it is about to do, in one word: a turn that finds kPending and nothing
    // else has nothing else to ask.
    enum State : std::uint32_t { kPending = 1, kRunning = 2, kMayBlock = 4, kHasCost = 8 };

    EventFn fn_ = nullptr;
    void* self_ = nullptr;
    std::uint64_t arg_ = 0;
    Time cost_ = 0;
    Work* next_ = nullptr; ///< behind it in its queue
    std::uint32_t state_ = 0;
};

/// An ordered workqueue (alloc_ordered_workqueue) with one worker.
class Workqueue {
  public:
    Workqueue(Machine& machine, std::string name, Time wakeup_cost);
    Workqueue(const Workqueue&) = delete;
    Workqueue& operator=(const Workqueue&) = delete;

    /// queue_work. Returns false when the item was pending already. O(1).
    [[gnu::always_inline]] bool queue(Work& work) {
        machine_.point(Op::queue_work, &work, worker_.name);
        ++machine_.counters.atomics; // test_and_set of WORK_STRUCT_PENDING
        if (work.pending())
            return false;
        work.state_ |= Work::kPending;
        work.next_ = nullptr;
        if (wakeup_cost_ != 0) [[unlikely]] {
            take_later_turn(work);
            return true;
        }
        append(work);
        machine_.engine.post(turn, this, 0);
        return true;
    }
    /// For the last thing that the item `running` of this queue does, when it is to queue `work` and
    /// `work` would find nothing to do now. True: its turn would come next and take no time; it is counted
    /// and nothing is queued. False: queue it.
    [[nodiscard, gnu::always_inline]] bool pass_over(const Work& work, const Work& running) {
        if (kInstrumented || first_ != nullptr || state_ != kBusy || wakeup_cost_ != 0 ||
            ((work.state_ | running.state_) & Work::kHasCost) != 0 ||
            !machine_.engine.next_to_run())
            return false;
        count_turn();
        return true;
    }
    /// For the last thing that a timer does, or the input at an instant, when it is to queue `work`.
    /// True: its turn would come next, on an idle worker, and take no time. What it does may be done
    /// right away then, and is counted with count_turn().
    [[nodiscard, gnu::always_inline]] bool turn_comes_next(const Work& work) const {
        return !kInstrumented && first_ == nullptr && (state_ | work.state_) == 0 &&
               wakeup_cost_ == 0 && machine_.engine.next_to_run_after_timers();
    }
    /// pass_over() for whoever has taken a turn so: still nothing has been queued, then.
    [[nodiscard, gnu::always_inline]] bool pass_over_after(const Work& work) {
        if (first_ != nullptr || work.costs() || !machine_.engine.next_to_run())
            return false;
        count_turn();
        return true;
    }
    /// A turn was taken without being queued.
    void count_turn() {
        ++machine_.counters.atomics;
        machine_.engine.count_skipped();
    }
    /// cancel_work: takes a pending item out. Returns whether it was pending.
    bool cancel(Work& work);
    /// cancel_work_sync: takes a pending item out and waits for a running one (unless it is the
    /// caller itself). Returns whether it was pending.
    bool cancel_sync(Work& work);

  private:
    enum State : std::uint64_t { kBusy = 1, kWaitedFor = 2, kMissedTurn = 4 };

    static void turn(void* self, std::uint64_t);
    void append(Work& work) {
        (first_ != nullptr ? last_->next_ : first_) = &work;
        last_ = &work;
    }
    [[gnu::noinline]] void take_later_turn(Work& work);
    [[gnu::noinline]] void turn_otherwise();
    void run(Work& work, bool plain);
    void run_on_fiber(Work& work);
    [[gnu::noinline]] void finish_otherwise(Work& work);
    void become_free();
    [[nodiscard]] bool busy() const { return (state_ & kBusy) != 0; }

    Machine& machine_;
    Work* first_ = nullptr; ///< first in, first out
    Work* last_ = nullptr;
    /// kBusy, kWaitedFor (cancelling_ is not empty), and the number of turns that came while the
    /// worker was busy, times kMissedTurn: one word, so that the usual turn asks once.
    std::uint64_t state_ = 0;
    Time wakeup_cost_;
    Context worker_;
    Time last_start_ = 0;              ///< nothing queued later starts before this
    std::vector<Context*> cancelling_; ///< contexts that wait for the running item to end
    /// What stands in the queue for cancelled items: their turns still come, and nobody else's may
    /// be taken in their stead.
    std::vector<std::unique_ptr<Work>> tombstones_;
    std::vector<Work*> spare_; ///< tombstones that stand nowhere
};

/// struct delayed_work on an ordered queue: a timer that queues an item when it fires.
///
/// It takes one place when it is armed; when it fires it queues the item, which takes another. With
/// a delay of 0 it queues at once. It is pending while the timer is armed or the item is queued.
class DelayedWork {
  public:
    /// INIT_DELAYED_WORK. `queue` outlives it; see Work for the rest.
    DelayedWork(Machine& machine, Workqueue& queue, EventFn fn, void* self, std::uint64_t arg,
                Time cost = 0, bool may_block = false)
        : machine_(machine), queue_(queue), work_(fn, self, arg, cost, may_block),
          timer_(machine.engine, fire, this) {}
    DelayedWork(const DelayedWork&) = delete;
    DelayedWork& operator=(const DelayedWork&) = delete;

    [[nodiscard]] bool pending() const { return timer_.armed() || work_.pending(); }

    /// queue_delayed_work: does nothing, and returns false, when it is pending.
    bool queue(Time delay);
    /// mod_delayed_work: from now on it is due after `delay`, whether it was pending (then true) or
    /// not. O(1); armed and cancelled for every job it needs one entry of the engine's queue.
    bool mod(Time delay);
    /// cancel_delayed_work: takes it back, also when the item is queued already, but does not wait
    /// for one that runs. Returns whether it was pending.
    bool cancel();
    /// cancel_delayed_work_sync: and waits for one that runs.
    bool cancel_sync();

  private:
    void arm(Time delay);
    static void fire(void* self, std::uint64_t);

    Machine& machine_;
    Workqueue& queue_;
    Work work_;
    Timer timer_;
};

/// system_wq: items run side by side, each in a worker of its own, and are used once (INIT_WORK and
/// schedule_work at the same place), so there is nothing to be pending.
class SystemWorkqueue {
  public:
    SystemWorkqueue(Machine& machine, Time wakeup_cost);
    /// schedule_work: `fn(self, arg)` gets a place and a worker.
    void schedule(EventFn fn, void* self, std::uint64_t arg);
    /// Visits the items that have not run yet, in their order. For reports.
    template <class Visit>
    void for_each_pending(Visit visit) const {
        for (const Item& item : items_)
            visit(item.fn, item.arg);
    }

  private:
    struct Item {
        EventFn fn;
        void* self;
        std::uint64_t arg;
    };
    static void run(void* self, std::uint64_t arg);

    Machine& machine_;
    Context worker_;
    Time wakeup_cost_;
    std::deque<Item> items_; ///< the delay is the same for all, so they come up in this order
};

} // namespace fenceline::sim::inline FENCELINE_MODE
