// The engine: one virtual clock and one total order of everything that happens.
//
// DOC: order. Two classes of happenings exist at any instant. Class 0 is the input: what the
// workload lists (jobs, then actions), handed over by an InputSource in its order; all of it runs
// before anything that was created during the run. Class 1 is what the run itself creates: every
// such event takes a *place* (a sequence number) at the moment of its creation, and events of one
// instant run in the order of their places. An event for the present instant is therefore behind
// everything that is already due, and a first-in-first-out ring holds it; only events of the future
// need the EventQueue. This split is what makes zero-delay work (the bulk of a run) cheap.
//
// Invariants: the clock never goes back; no event runs before its time; two runs with the same
// input execute the same events in the same order. Nothing here allocates in a steady state.
//
// Ownership: an event is a function pointer, an object and a number. The engine never owns the
// object: whoever posts an event keeps it valid, or puts a generation-checked handle in the number.
#pragma once

#include "sim/event_queue.hpp"
#include "sim/time.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace fenceline::sim {

using EventFn = void (*)(void* self, std::uint64_t arg);

/// Names an armed timer; stale handles are harmless.
struct TimerHandle {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0; ///< 0: no timer
};

/// Class 0 of the order: what the workload lists.
class InputSource {
  public:
    virtual ~InputSource() = default;
    /// The time of the next item, kForever when there is none. Never decreases; changes in fire()
    /// only.
    [[nodiscard]] virtual Time next_time() = 0;
    /// Runs the next item. REQUIRES: next_time() is the engine's present.
    virtual void fire() = 0;
};

class Engine {
  public:
    Engine();

    [[nodiscard]] Time now() const { return now_; }
    /// Events executed so far, input included. Used by progress and reports.
    [[nodiscard]] std::uint64_t executed() const { return executed_; }

    /// Runs `fn` at this instant, behind everything that already has a place. O(1).
    [[gnu::always_inline]] void post(EventFn fn, void* self, std::uint64_t arg) {
        if (tail_ == end_) [[unlikely]]
            make_room();
        *tail_++ = Event{fn, self, arg};
    }

    /// Runs `fn` at `when` (>= now; for now itself the same as post(); at kForever never, and then
    /// the handle names nothing). Amortised O(1).
    TimerHandle arm(Time when, EventFn fn, void* self, std::uint64_t arg);
    /// Moves an armed timer: it keeps what it runs and takes a new place. A timer moved to a later
    /// time costs O(1), which is what re-arming a timeout for every job comes to.
    /// At kForever it is armed no more. Returns false (and does nothing) when the timer was not
    /// armed.
    bool rearm(TimerHandle& timer, Time when);
    /// True when the timer was armed and now will not fire. O(1).
    bool cancel(TimerHandle timer);
    [[nodiscard]] bool armed(TimerHandle timer) const;

    /// Executes up to `budget` events that are due up to and including `until`. Returns false when
    /// nothing is left up to then (the clock stays at the last event).
    bool run(InputSource* input, std::uint64_t budget, Time until = kForever);
    /// Nothing is due at this instant but what is posted now: that would run right after the present
    /// event. For whoever knows that it would do nothing, and counts it instead.
    [[nodiscard]] bool next_to_run() const { return head_ == tail_ && executed_ < limit_; }
    void count_skipped() { ++executed_; }
    /// Ends the run() that is going on after the present event.
    void stop() { limit_ = 0; }
    /// Moves the clock on. REQUIRES: run() has returned false for this time, and it is not in the
    /// past.
    void advance_to(Time when) { now_ = when; }

    [[nodiscard]] bool idle() const { return head_ == tail_ && queue_.empty(); }
    [[nodiscard]] std::size_t pending() const {
        return static_cast<std::size_t>(tail_ - head_) + queue_.size();
    }

  private:
    struct Event {
        EventFn fn;
        void* self;
        std::uint64_t arg;
    };
    struct Slot {
        Event event;
        Time time; ///< when it is due; later than its queue entry says after rearm()
        std::uint64_t
            seq; ///< its place; 0: free, or cancelled with its queue entry still to come up
        std::uint32_t generation;
        std::uint32_t next_free;
        bool queued; ///< an entry of the queue refers to this slot
    };

    [[gnu::cold, gnu::noinline]] void make_room();
    static void fire_due_now(void* engine, std::uint64_t packed);
    std::uint32_t take_slot();
    void release_slot(std::uint32_t index);
    /// Drops cancelled entries and re-queues moved ones until the top is a live timer.
    void settle_top();
    void note_next_timer() { next_timer_ = queue_.next_time_or(kForever); }
    void run_due_timers();
    /// After an entry that no longer holds came up: its timer was cancelled, or moved and is queued
    /// again under its new place.
    [[gnu::noinline]] void retire_entry(std::uint32_t slot);
    void run_present();

    Time now_ = 0;
    std::uint64_t seq_ = 0;
    std::uint64_t executed_ = 0;
    std::uint64_t limit_ = 0; ///< the present run() ends when so many have been executed
    // Events of the present, first in, first out: [head_, tail_) in [present_, end_). It runs empty
    // at the end of every instant and begins at the front again.
    Event* head_;
    Event* tail_;
    Event* end_;
    std::unique_ptr<Event[]> present_;
    EventQueue queue_;
    /// No timer is due before this; kForever when none is pending. May be early, when the first
    /// entry of the queue belongs to a timer that was cancelled or moved.
    Time next_timer_ = kForever;
    std::vector<Slot> slots_;
    std::uint32_t free_slot_ = kNoSlot;

    static constexpr std::uint32_t kNoSlot = ~std::uint32_t{0};
};

} // namespace fenceline::sim
