#include "scheduler/ring.hpp"

#include "scheduler/gpu_sched.hpp"
#include "scheduler/ring_driver.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace fenceline::scheduler::inline FENCELINE_MODE {

Ring::Ring(sim::Machine& machine, fences::FenceCore& core, const RingArgs& args)
    : machine_(machine), core_(core), args_(args),
      irq_(sim::ContextKind::irq, args.name, machine.next_context_id()), waiting_(8),
      signalling_(8), timer_(machine.engine, complete, this) {}

FENCELINE_HOT void Ring::account_occupancy() {
    const sim::Time now = machine_.now();
    occupancy_ += Wide{now - occupancy_at_} * on_ring();
    occupancy_at_ = now;
}

FENCELINE_HOT void Ring::submit(const Item& item) {
    if (!executing_) { // and nobody waits
        occupancy_at_ = machine_.now();
        start(item);
        return;
    }
    account_occupancy();
    if (waiting_.full()) [[unlikely]]
        waiting_.set_capacity(waiting_.capacity() * 2);
    waiting_.push_back(item);
}

void Ring::start_waiting() {
    const Item next = waiting_.front();
    waiting_.pop_front();
    start(next);
}

FENCELINE_HOT void Ring::start(const Item& item) {
    current_ = current_ == &places_[0] ? &places_[1] : &places_[0];
    // One by one: as a whole it would be put together elsewhere and copied.
    current_->fence = item.fence;
    current_->job = item.job;
    current_->ordinal = item.ordinal;
    current_->entity = item.entity;
    current_->duration = item.duration;
    executing_ = true;
    switching_ = 0;
    if (has_history_ && last_entity_ != item.entity) {
        ++switches_;
        switching_ = args_.context_switch;
    }
    const sim::Time cost = sim::add_saturating(item.duration, switching_);
    has_history_ = true;
    last_entity_ = item.entity;
    started_ = machine_.now();
    timer_.arm(sim::add_saturating(started_, cost));
}

void Ring::clear() {
    for (const Item& item : take_all())
        core_.put(item.fence, fences::Holder::driver);
    if (drained.has_waiters())
        drained.wake_up(machine_);
}

std::vector<Ring::Item> Ring::take_all() {
    account_occupancy();
    std::vector<Item> all;
    for (const Completed& done : signalling_)
        all.push_back(done.item);
    if (std::exchange(executing_, false)) {
        busy_ += machine_.now() - started_;
        timer_.cancel();
        all.push_back(*current_);
    }
    all.insert(all.end(), waiting_.begin(), waiting_.end());
    signalling_.clear();
    waiting_.clear();
    return all;
}

void Ring::drop(const std::vector<Item>& items, std::int32_t error) {
    for (const Item& item : items) {
        if (core_.peek_signaled(item.fence) || holds(item.fence)) {
            core_.put(item.fence, fences::Holder::driver);
            continue;
        }
        core_.set_error(item.fence, error);
        signal(item);
    }
    if (drained.has_waiters() && in_flight() == 0)
        drained.wake_up(machine_);
}

bool Ring::holds(fences::FenceRef fence) const {
    const auto is_it = [&](const Item& item) { return item.fence == fence; };
    return (executing_ && is_it(*current_)) ||
           std::any_of(waiting_.begin(), waiting_.end(), is_it) ||
           std::any_of(signalling_.begin(), signalling_.end(),
                       [&](const Completed& done) { return is_it(done.item); });
}

void Ring::cancel(std::uint64_t ordinal, std::int32_t error) {
    Item item;
    const auto done = std::find_if(signalling_.begin(), signalling_.end(),
                                   [&](const Completed& c) { return c.item.ordinal == ordinal; });
    if (done != signalling_.end()) {
        item = done->item;
        signalling_.erase(done);
    } else if (executing_ && current_->ordinal == ordinal) {
        account_occupancy();
        busy_ += machine_.now() - started_;
        timer_.cancel();
        item = *current_;
        start_next();
    } else {
        const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                        [&](const Item& i) { return i.ordinal == ordinal; });
        if (found == waiting_.end())
            return;
        account_occupancy();
        item = *found;
        waiting_.erase(found);
    }
    core_.set_error(item.fence, error);
    signal(item);
}

void Ring::terminate(std::uint64_t ordinal) {
    if (executing_ && current_->ordinal == ordinal) {
        terminate_current();
        return;
    }
    for (Item& item : waiting_) {
        if (item.ordinal == ordinal) {
            item.duration = 0;
            return;
        }
    }
}

void Ring::terminate_current() {
    if (!executing_)
        return;
    const sim::Time since = machine_.now() - started_;
    current_->duration = since > switching_ ? since - switching_ : 0;
    timer_.arm(machine_.now());
}

void Ring::complete(void* self, std::uint64_t) {
    auto& ring = *static_cast<Ring*>(self);
    ring.account_occupancy();
    ring.busy_ += ring.machine_.now() - ring.started_;
    const Item& done = *ring.current_;
    ++ring.completed_;
    if (ring.gpu_time_.size() <= done.entity)
        ring.add_entity(done.entity);
    ring.gpu_time_[done.entity] += done.duration;
    ring.start_next();
    if (ring.args_.interrupt_latency == 0) {
        ring.signal_from_interrupt(done);
        return;
    }
    if (ring.signalling_.full())
        ring.signalling_.set_capacity(ring.signalling_.capacity() * 2);
    ring.signalling_.push_back({done, ++ring.tickets_});
    if (ring.odd != nullptr) [[unlikely]]
        ring.core_.get(done.fence).flags.mark(fences::flag::hardware_done);
    ring.machine_.engine.arm(sim::add_saturating(ring.machine_.now(), ring.args_.interrupt_latency),
                             interrupt, self, ring.tickets_);
}

void Ring::interrupt(void* self, std::uint64_t ticket) {
    auto& ring = *static_cast<Ring*>(self);
    if (ring.signalling_.empty() || ring.signalling_.front().ticket != ticket)
        return; // the job was taken off the ring
    const Item done = ring.signalling_.front().item;
    ring.signalling_.pop_front();
    ring.signal_from_interrupt(done);
}

/// The last thing that its event does.
FENCELINE_HOT void Ring::signal_from_interrupt(const Item& item) {
    if (!sim::kInstrumented && gpu != nullptr && !drained.has_waiters() &&
        gpu->complete_plainly(item.fence)) [[likely]]
        return;
    signal_in_steps(item);
}

void Ring::signal_in_steps(Item item) {
    machine_.run_in(irq_, [this, item] {
        sim::Frame frame(machine_, "driver: interrupt handler");
        signal(item);
    });
}

void Ring::signal(const Item& item) {
    assert(item.fence.part() == fences::FencePart::hardware);
    fences::Fence& fence =
        core_.hardware.get(item.fence.memory<fences::HardwareFence>(), "fence").base;
    if (sink != nullptr) [[unlikely]]
        sink->on_event({machine_.now(), JobEvent::hw_done, item.job, item.ordinal, item.entity,
                        args_.index, fence.error, 0});
    if (odd != nullptr) [[unlikely]]
        odd->signal_oddly(*this, item.entity, item.fence);
    else
        core_.signal(item.fence, fence);
    core_.put(item.fence, fence, fences::Holder::driver);
    if (drained.has_waiters() && in_flight() == 0)
        drained.wake_up(machine_);
}

sim::Time Ring::busy_time() const {
    return executing_ ? busy_ + (machine_.now() - started_) : busy_;
}

double Ring::occupancy_time() const {
    return static_cast<double>(occupancy_ + Wide{machine_.now() - occupancy_at_} * on_ring());
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
