#include "sim/engine.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <stdexcept>

namespace fenceline::sim {

namespace {
constexpr std::size_t kFirstRoom = 64;
constexpr std::size_t kLeaveUnswept = 64;
constexpr std::uint64_t kNobody = ~std::uint64_t{0}; // the place of slot 0, which nothing has
} // namespace

Engine::Engine() : present_(std::make_unique_for_overwrite<Event[]>(kFirstRoom)) {
    head_ = tail_ = present_.get();
    end_ = head_ + kFirstRoom;
    slots_.push_back({{}, kNobody, 0, 0, kForever, kNoSlot, false});
}

/// Moves what is pending to the front, into twice the room if more than half of it is needed.
void Engine::make_room() {
    const auto pending = static_cast<std::size_t>(tail_ - head_);
    const auto room = static_cast<std::size_t>(end_ - present_.get());
    if (pending > room / 2) {
        auto bigger = std::make_unique_for_overwrite<Event[]>(room * 2);
        std::copy(head_, tail_, bigger.get());
        present_ = std::move(bigger);
        end_ = present_.get() + room * 2;
    } else {
        std::copy(head_, tail_, present_.get());
    }
    head_ = present_.get();
    tail_ = head_ + pending;
}

std::uint32_t Engine::take_slot(EventFn fn, void* self, std::uint64_t arg, bool once) {
    if (free_slot_ == kNoSlot) [[unlikely]]
        make_slot();
    const std::uint32_t index = free_slot_;
    Slot& slot = slots_[index];
    free_slot_ = slot.next_free;
    slot.event.fn = fn;
    slot.event.self = self;
    slot.event.arg = arg;
    slot.once = once;
    return index;
}

void Engine::make_slot() {
    // The queue packs a slot into 24 bits beside the place.
    if (slots_.size() >= (std::size_t{1} << EventQueue::kPayloadBits))
        throw std::length_error("more than 16.7 million timers are pending at once");
    slots_.push_back({{}, 0, 0, 0, kForever, kNoSlot, false});
    free_slot_ = static_cast<std::uint32_t>(slots_.size() - 1);
}

TimerHandle Engine::arm(Time when, EventFn fn, void* self, std::uint64_t arg) {
    if (when == kForever) // never: nothing to keep
        return {};
    const std::uint32_t index = take_slot(fn, self, arg, true);
    arm_slot(index, when);
    return {slots_[index].place};
}

/// Arming where it is not as simple as arm_slot() has it.
void Engine::arm_slot_otherwise(std::uint32_t index, Time when) {
    Slot& slot = slots_[index];
    if (when == kForever) {
        slot.place = 0;
        return;
    }
    slot.place = take_place(index);
    if (when == now_) { // behind all that is due already, but still to be cancelled
        slot.time = 0;  // an entry that it has in the queue does not concern it
        post(fire_due_now, this, slot.place);
        return;
    }
    slot.time = when;
    if (slot.entry_time <= when) // comes up first, and is queued again under the new place
        return;
    if (slot.entry_time != kForever)
        ++left_behind_;
    slot.entry = slot.place;
    slot.entry_time = when;
    queue_.push(when, slot.place);
    if (left_behind_ > kLeaveUnswept && left_behind_ > queue_.size() / 2) [[unlikely]]
        sweep();
}

/// Takes the entries that lead nowhere out of the queue. They are more than half of it, so this
/// costs each of them O(1) or, where the queue is larger than its window, a little more.
void Engine::sweep() {
    std::vector<EventQueue::Entry> kept;
    while (!queue_.empty()) {
        const EventQueue::Entry entry = queue_.pop();
        const Slot& slot = slots_[entry.payload()];
        if (slot.entry == entry.seq_payload && slot.entry_time != kForever)
            kept.push_back(entry);
    }
    for (auto entry = kept.rbegin(); entry != kept.rend(); ++entry)
        queue_.push(entry->time, entry->seq_payload);
    left_behind_ = 0;
}

void Engine::fire_due_now(void* engine, std::uint64_t place) {
    auto& self = *static_cast<Engine*>(engine);
    const std::uint32_t index = slot_of(place);
    Slot& slot = self.slots_[index];
    if (slot.place != place)
        return;
    slot.place = 0;
    const Event event = slot.event;
    if (slot.once)
        self.release_slot(index);
    event.fn(event.self, event.arg);
}

bool Engine::rearm(TimerHandle& timer, Time when) {
    if (!armed(timer))
        return false;
    if (when == kForever) {
        cancel(timer);
        timer = {};
        return true;
    }
    const std::uint32_t index = slot_of(timer.place);
    arm_slot_otherwise(index, when);
    timer.place = slots_[index].place;
    return true;
}

bool Engine::cancel(TimerHandle timer) {
    if (!armed(timer))
        return false;
    const std::uint32_t index = slot_of(timer.place);
    cancel_slot(index);
    release_slot(index);
    return true;
}

/// Runs the timer of the queue's first entry. REQUIRES: it is due, and the entry is its own.
inline void Engine::fire_first() {
    const std::uint32_t index = queue_.first().payload();
    Slot& slot = slots_[index];
    queue_.drop_first();
    queue_.fetch(); // now, when what the handler does can go on beside it
    slot.place = 0;
    slot.entry_time = kForever;
    const Event event = slot.event;
    if (slot.once)
        release_slot(index);
    event.fn(event.self, event.arg);
}

/// The first entry of the queue is not that of an armed timer in its place: none is at hand, or its
/// timer was moved, cancelled, or goes by another entry. Returns false if there are no more.
bool Engine::retire_first() {
    const EventQueue::Entry entry = queue_.first();
    if (entry.seq_payload == 0) {
        queue_.fetch();
        return !queue_.empty();
    }
    queue_.drop_first();
    Slot& slot = slots_[entry.payload()];
    if (slot.entry != entry.seq_payload || slot.entry_time == kForever) {
        --left_behind_;
        return true;
    }
    slot.entry_time = kForever;
    if (slot.place != 0 ? slot.time >= entry.time : slot.time > entry.time) {
        // Moved. A cancelled one is followed, too, to when it would have been due: see pending().
        if (slot.place != 0)
            slot.entry = slot.place;
        slot.entry_time = slot.time;
        queue_.push(slot.time, slot.entry);
    }
    return true;
}

/// The time of the next timer that is to fire, kForever if there is none.
inline Time Engine::settle_first() {
    for (;;) {
        const EventQueue::Entry& first = queue_.first();
        if (slots_[first.payload()].place == first.seq_payload) [[likely]]
            return first.time;
        if (!retire_first())
            return kForever;
    }
}

/// The budget does not suffice. Out of line, so that taking from it is one instruction in memory.
bool Engine::give_back() {
    ++left_;
    return false;
}

/// Returns false when the budget does not suffice.
inline bool Engine::run_due_timers() {
    while (queue_.first().time <= now_) {
        if (--left_ < 0) [[unlikely]]
            return give_back();
        const EventQueue::Entry& first = queue_.first();
        if (slots_[first.payload()].place == first.seq_payload) [[likely]] {
            fire_first();
        } else {
            give_back();
            retire_first();
        }
    }
    return true;
}

/// Returns false when the budget does not suffice.
inline bool Engine::run_present() {
    if (head_ == tail_)
        return true;
    while (head_ != tail_) {
        if (--left_ < 0) [[unlikely]]
            return give_back();
        const Event* event = head_++;
        event->fn(event->self, event->arg);
    }
    head_ = tail_ = present_.get();
    return true;
}

inline void Engine::grant(std::uint64_t budget) {
    const std::uint64_t executed = this->executed();
    left_ = static_cast<std::int64_t>(
        std::min(budget, std::uint64_t{std::numeric_limits<std::int64_t>::max()}));
    limit_ = executed + static_cast<std::uint64_t>(left_);
}

bool Engine::run(InputSource* input, std::uint64_t budget, Time until) {
    grant(budget);
    const Time last = std::min(until, kForever - 1);
    Time next_input = input != nullptr ? input->next_time() : kForever;
    if (left_ <= 0)
        return true;
    for (;;) {
        // The input of now, also what is left of it after an item that threw.
        while (next_input == now_) {
            --left_;
            next_input = input->fire();
        }
        // Timers that are due now were armed before now, so they are ahead of the whole list; a
        // timer that is armed for the present goes to the list itself.
        if (!run_due_timers() || !run_present() || left_ <= 0)
            return true;
        Time next = queue_.first().time;
        if (next <= next_input) // it decides, so it had better be a live one
            next = settle_first();
        const bool by_timer = next < next_input;
        if (!by_timer)
            next = next_input;
        if (next > last) {
            stop();
            return false;
        }
        now_ = next;
        if (by_timer) {
            --left_;
            fire_first();
        }
    }
}

} // namespace fenceline::sim
