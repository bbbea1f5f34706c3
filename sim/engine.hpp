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

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace fenceline::sim {

using EventFn = void (*)(void* self, std::uint64_t arg);

/// Names an armed one-shot timer; stale handles are harmless.
struct TimerHandle {
    std::uint64_t place = 0; ///< its place and slot; 0: no timer
};

/// Class 0 of the order: what the workload lists.
class InputSource {
  public:
    virtual ~InputSource() = default;
    /// The time of the next item, kForever when there is none. Never decreases; changes in fire()
    /// only.
    [[nodiscard]] virtual Time next_time() = 0;
    /// Runs the next item. REQUIRES: next_time() is the engine's present. Returns next_time().
    virtual Time fire() = 0;
};

class Engine {
  public:
    Engine();

    [[nodiscard]] Time now() const { return now_; }
    /// Events executed so far, input included. Used by progress and reports.
    [[nodiscard]] std::uint64_t executed() const {
        return limit_ - static_cast<std::uint64_t>(left_);
    }

    /// Runs `fn` at this instant, behind everything that already has a place. O(1).
    [[gnu::always_inline]] void post(EventFn fn, void* self, std::uint64_t arg) {
        if (tail_ == end_) [[unlikely]]
            make_room();
        *tail_++ = Event{fn, self, arg};
    }

    /// Runs `fn` at `when` (>= now; for now itself the same as post(); at kForever never, and then
    /// the handle names nothing), once. Amortised O(1). Who does so again and again has a Timer.
    TimerHandle arm(Time when, EventFn fn, void* self, std::uint64_t arg);
    /// Moves an armed timer: it keeps what it runs and takes a new place. At kForever it is armed
    /// no more. Returns false (and does nothing) when the timer was not armed.
    bool rearm(TimerHandle& timer, Time when);
    /// True when the timer was armed and now will not fire. O(1).
    bool cancel(TimerHandle timer);
    [[nodiscard]] bool armed(TimerHandle timer) const {
        return slots_[slot_of(timer.place)].place == timer.place;
    }

    /// Executes up to `budget` events that are due up to and including `until`. Returns false when
    /// nothing is left up to then (the clock stays at the last event).
    bool run(InputSource* input, std::uint64_t budget, Time until = kForever);
    /// Nothing is due at this instant but what is posted now: that would run right after the present
    /// event. For whoever knows that it would do nothing, and counts it instead.
    [[nodiscard]] bool next_to_run() const { return head_ == tail_ && left_ > 0; }
    /// The same, asked by a timer or by the input, behind which the timers of this instant come. Of
    /// what is still listed for it the input itself must know.
    [[nodiscard]] bool next_to_run_after_timers() const {
        return next_to_run() && queue_.first().time > now_;
    }
    void count_skipped() { --left_; }
    /// Ends the run() that is going on after the present event.
    void stop() {
        limit_ -= static_cast<std::uint64_t>(left_);
        left_ = 0;
    }
    /// Moves the clock on. REQUIRES: run() has returned false for this time, and it is not in the
    /// past.
    void advance_to(Time when) { now_ = when; }

    [[nodiscard]] bool idle() const { return head_ == tail_ && queue_.empty(); }
    /// Events to come. A timer that was cancelled counts until it would have been due.
    [[nodiscard]] std::size_t pending() const {
        return static_cast<std::size_t>(tail_ - head_) + queue_.size();
    }

    /// Visits what was posted for this instant and has not run yet. For reports.
    template <class Visit>
    void for_each_posted(Visit visit) const {
        for (const Event* event = head_; event != tail_; ++event)
            visit(event->fn, static_cast<const void*>(event->self), event->arg);
    }

  private:
    friend class Timer;
    struct Event {
        EventFn fn;
        void* self;
        std::uint64_t arg;
    };
    /// A timer: what it runs, when, and its entry in the queue.
    struct alignas(64) Slot {
        Event event;
        std::uint64_t place; ///< as the queue has it, with the slot's number; 0: not armed
        Time time;           ///< when it is due, or was to be; 0 for one in the list of the present
        std::uint64_t entry; ///< the entry of the queue that will lead here
        Time entry_time;     ///< and its time, which may be before `time`; kForever: there is none
        std::uint32_t next_free;
        bool once; ///< without an owner: free as soon as it has fired or is cancelled
    };
    static_assert(sizeof(Slot) == 64);

    static std::uint32_t slot_of(std::uint64_t place) {
        return static_cast<std::uint32_t>(place) & ((1u << EventQueue::kPayloadBits) - 1);
    }
    std::uint64_t take_place(std::uint32_t slot) {
        seq_ += std::uint64_t{1} << EventQueue::kPayloadBits;
        return seq_ | slot;
    }

    [[gnu::cold, gnu::noinline]] void make_room();
    static void fire_due_now(void* engine, std::uint64_t place);

    std::uint32_t take_slot(EventFn fn, void* self, std::uint64_t arg, bool once);
    [[gnu::cold, gnu::noinline]] void make_slot();
    /// REQUIRES: it is not armed. An entry that is still queued serves its next owner.
    void release_slot(std::uint32_t index) {
        slots_[index].next_free = free_slot_;
        free_slot_ = index;
    }
    void arm_slot(std::uint32_t index, Time when);
    [[gnu::noinline]] void arm_slot_otherwise(std::uint32_t index, Time when);
    bool cancel_slot(std::uint32_t index) { return std::exchange(slots_[index].place, 0) != 0; }
    [[gnu::cold, gnu::noinline]] void sweep();

    void grant(std::uint64_t budget);
    [[gnu::cold, gnu::noinline]] bool give_back();
    bool run_present();
    bool run_due_timers();
    void fire_first();
    Time settle_first();
    [[gnu::noinline]] bool retire_first();

    Time now_ = 0;
    std::uint64_t seq_ = 0; ///< the last place taken, as the queue has it
    // What has been executed is limit_ - left_. The present run() ends when nothing is left; below
    // zero when the input of one instant went on behind that.
    std::int64_t left_ = 0;
    std::uint64_t limit_ = 0;
    // Events of the present, first in, first out: [head_, tail_) in [present_, end_). It runs empty
    // at the end of every instant and begins at the front again.
    Event* head_;
    Event* tail_;
    Event* end_;
    std::unique_ptr<Event[]> present_;
    EventQueue queue_;
    std::vector<Slot> slots_; ///< the first one is nobody's: the queue's stand-in leads there
    std::uint32_t free_slot_ = kNoSlot;
    std::size_t left_behind_ = 0; ///< entries of the queue that lead nowhere

    static constexpr std::uint32_t kNoSlot = ~std::uint32_t{0};
};

/// A timer that lives as long as its owner: what it runs is said once, and it is armed and cancelled
/// as often as it takes. Not movable; goes before its engine.
///
/// DOC: entries. Arming takes a place at that moment, whatever went before. It puts an entry into
/// the queue unless an earlier one of this timer's is still there: cancelling leaves that, and a
/// timer armed for later, or the same time, goes on with it (when it comes up it is put back, in
/// the place that holds by then). So a timeout that is armed and cancelled for every job costs an
/// entry for each of its periods, and not for each job. Only where a timer is armed for earlier is
/// an entry left behind that leads nowhere; when those are the greater part of the queue they are
/// swept out, so that memory stays proportional to the timers that there are.
class Timer {
  public:
    Timer(Engine& engine, EventFn fn, void* self, std::uint64_t arg = 0)
        : engine_(engine), slot_(engine.take_slot(fn, self, arg, false)) {}
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    ~Timer() {
        cancel();
        engine_.release_slot(slot_);
    }

    /// It is due at `when` (>= now; see Engine::arm) from now on, whether it was armed or not.
    /// Amortised O(1).
    [[gnu::always_inline]] void arm(Time when) { engine_.arm_slot(slot_, when); }
    /// True when it was armed and now will not fire. O(1).
    bool cancel() { return engine_.cancel_slot(slot_); }
    [[nodiscard]] bool armed() const { return engine_.slots_[slot_].place != 0; }

  private:
    Engine& engine_;
    std::uint32_t slot_;
};

/// Inline is what nearly every arming comes to: nothing of this timer's is pending.
[[gnu::always_inline]] inline void Engine::arm_slot(std::uint32_t index, Time when) {
    assert(when >= now_);
    Slot& slot = slots_[index];
    if (when == now_ || slot.entry_time != kForever) [[unlikely]] {
        arm_slot_otherwise(index, when);
        return;
    }
    const bool first = queue_.takes_first(when);
    if (!first && when == kForever) [[unlikely]] {
        slot.place = 0;
        return;
    }
    const std::uint64_t place = take_place(index);
    slot.place = slot.entry = place;
    slot.time = slot.entry_time = when;
    if (first)
        queue_.push_first(when, place);
    else
        queue_.push_behind(when, place);
}

} // namespace fenceline::sim
