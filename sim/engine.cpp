#include "sim/engine.hpp"

#include <algorithm>
#include <cassert>
#include <stdexcept>

namespace fenceline::sim {

namespace {
constexpr std::size_t kFirstRoom = 64;
}

Engine::Engine() : present_(std::make_unique_for_overwrite<Event[]>(kFirstRoom)) {
    head_ = tail_ = present_.get();
    end_ = head_ + kFirstRoom;
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

inline std::uint32_t Engine::take_slot() {
    if (free_slot_ != kNoSlot) {
        const std::uint32_t index = free_slot_;
        free_slot_ = slots_[index].next_free;
        return index;
    }
    // The queue packs a slot into 24 bits beside the place.
    if (slots_.size() >= (std::size_t{1} << 24))
        throw std::length_error("more than 16.7 million timers are pending at once");
    slots_.push_back(Slot{{}, 0, 0, 1, kNoSlot, false});
    return static_cast<std::uint32_t>(slots_.size() - 1);
}

inline void Engine::release_slot(std::uint32_t index) {
    Slot& slot = slots_[index];
    slot.seq = 0;
    slot.next_free = free_slot_;
    free_slot_ = index;
}

TimerHandle Engine::arm(Time when, EventFn fn, void* self, std::uint64_t arg) {
    assert(when >= now_);
    if (when == kForever) // never: nothing to keep
        return {};
    const std::uint32_t index = take_slot();
    Slot& slot = slots_[index];
    slot.event = Event{fn, self, arg};
    slot.time = when;
    slot.seq = ++seq_;
    slot.queued = when != now_;
    const TimerHandle handle{index, slot.generation};
    if (slot.queued) {
        queue_.push(when, slot.seq, index);
        if (when < next_timer_)
            next_timer_ = when;
    } else // due now: behind all that is due already, but still to be cancelled by its handle
        post(fire_due_now, this, (std::uint64_t{handle.generation} << 32) | index);
    return handle;
}

void Engine::fire_due_now(void* engine, std::uint64_t packed) {
    auto& self = *static_cast<Engine*>(engine);
    const auto index = static_cast<std::uint32_t>(packed);
    Slot& slot = self.slots_[index];
    if (slot.generation != packed >> 32)
        return;
    const Event event = slot.event;
    ++slot.generation;
    self.release_slot(index);
    event.fn(event.self, event.arg);
}

bool Engine::armed(TimerHandle timer) const {
    return timer.generation != 0 && timer.slot < slots_.size() &&
           slots_[timer.slot].generation == timer.generation && slots_[timer.slot].seq != 0;
}

bool Engine::rearm(TimerHandle& timer, Time when) {
    if (!armed(timer))
        return false;
    Slot& slot = slots_[timer.slot];
    if (slot.queued && when >= slot.time && when > now_ && when != kForever) {
        // The entry that is queued comes up first and is queued again under the new place.
        slot.time = when;
        slot.seq = ++seq_;
        return true;
    }
    const Event event = slot.event;
    cancel(timer);
    timer = arm(when, event.fn, event.self, event.arg);
    return true;
}

bool Engine::cancel(TimerHandle timer) {
    if (!armed(timer))
        return false;
    Slot& slot = slots_[timer.slot];
    ++slot.generation;
    if (slot.queued)
        slot.seq = 0; // dead; free once its queue entry has come up
    else
        release_slot(timer.slot);
    return true;
}

inline void Engine::settle_top() {
    while (!queue_.empty()) {
        const EventQueue::Entry& top = queue_.top();
        const std::uint32_t index = top.payload();
        Slot& slot = slots_[index];
        if (slot.seq == top.seq()) [[likely]]
            break;
        queue_.pop();
        retire_entry(index);
    }
    note_next_timer();
}

inline void Engine::run_present() {
    while (head_ != tail_) {
        if (executed_ >= limit_)
            return;
        const Event event = *head_++;
        ++executed_;
        event.fn(event.self, event.arg);
    }
    head_ = tail_ = present_.get();
}

inline void Engine::run_due_timers() {
    while (next_timer_ <= now_ && executed_ < limit_) {
        const EventQueue::Entry entry = queue_.pop();
        note_next_timer();
        const std::uint32_t index = entry.payload();
        Slot& slot = slots_[index];
        if (slot.seq != entry.seq()) [[unlikely]] {
            retire_entry(index);
            continue;
        }
        const Event event = slot.event;
        ++slot.generation;
        release_slot(index);
        ++executed_;
        event.fn(event.self, event.arg);
    }
}

void Engine::retire_entry(std::uint32_t index) {
    const Slot& slot = slots_[index];
    if (slot.seq == 0) {
        release_slot(index);
        return;
    }
    queue_.push(slot.time, slot.seq, index);
    if (slot.time < next_timer_)
        next_timer_ = slot.time;
}

bool Engine::run(InputSource* input, std::uint64_t budget, Time until) {
    limit_ = add_saturating(executed_, budget);
    Time next_input = input != nullptr ? input->next_time() : kForever;
    while (executed_ < limit_) {
        // The input of now, also what is left of it after an item that threw.
        while (next_input == now_ && input != nullptr) {
            ++executed_;
            input->fire();
            next_input = input->next_time();
        }
        // Timers that are due now were armed before now, so they are ahead of the whole ring; a
        // timer that is armed for the present goes to the ring itself.
        run_due_timers();
        run_present();
        if (executed_ >= limit_)
            break;
        if (next_timer_ <= next_input) // it decides, so it had better be a live one
            settle_top();
        const Time next = next_input < next_timer_ ? next_input : next_timer_;
        if (next == kForever || next > until)
            return false;
        now_ = next;
    }
    return true;
}

} // namespace fenceline::sim
