#include "sim/engine.hpp"

#include <cassert>
#include <stdexcept>

namespace fenceline::sim {

namespace {
constexpr std::size_t kFirstRing = 64;
}

Engine::Engine() : ring_(std::make_unique<Event[]>(kFirstRing)), mask_(kFirstRing - 1) {}

void Engine::grow() {
    const std::size_t size = mask_ + 1;
    auto bigger = std::make_unique<Event[]>(size * 2);
    for (std::size_t i = 0; i < size; ++i)
        bigger[i] = ring_[(head_ + i) & mask_];
    ring_ = std::move(bigger);
    mask_ = size * 2 - 1;
    head_ = 0;
    tail_ = size;
}

std::uint32_t Engine::take_slot() {
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

void Engine::release_slot(std::uint32_t index) {
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

void Engine::settle_top() {
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

void Engine::run_present() {
    while (head_ != tail_ && budget_ > 0) {
        const Event event = ring_[head_++ & mask_];
        ++executed_;
        --budget_;
        event.fn(event.self, event.arg);
    }
}

void Engine::run_due_timers() {
    while (next_timer_ <= now_ && budget_ > 0) {
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
        --budget_;
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
    budget_ = budget;
    Time next_input = input != nullptr ? input->next_time() : kForever;
    while (budget_ > 0) {
        while (input != nullptr &&
               next_input == now_) { // also what is left of them after one that threw
            ++executed_;
            budget_ -= budget_ > 0;
            input->fire();
            next_input = input->next_time();
        }
        // Timers that are due now were armed before now, so they are ahead of the whole ring; a
        // timer that is armed for the present goes to the ring itself.
        run_due_timers();
        run_present();
        if (budget_ == 0)
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
