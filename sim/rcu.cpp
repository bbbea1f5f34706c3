#include "sim/rcu.hpp"

#include <algorithm>

namespace fenceline::sim::inline FENCELINE_MODE {

Rcu::Rcu(Machine& machine, Time grace_period)
    : machine_(machine), grace_period_(grace_period),
      period_(
          machine.engine, [](void* self, std::uint64_t) { static_cast<Rcu*>(self)->end_period(); },
          this),
      context_(ContextKind::rcu, "callbacks", machine.next_context_id()) {}

void Rcu::Batch::grow() {
    const std::size_t used = size();
    const std::size_t room = used == 0 ? 64 : used * 2;
    auto bigger = std::make_unique_for_overwrite<Callback[]>(room);
    std::copy(begin(), end(), bigger.get());
    room_ = std::move(bigger);
    end_ = room_.get() + used;
    limit_ = room_.get() + room;
}

void Rcu::start_with(const Callback& first) {
    waiting_.push(first);
    start_period();
}

void Rcu::start_period() {
    period_running_ = true;
    ++machine_.counters.grace_periods;
    period_.arm(add_saturating(machine_.now(), grace_period_));
}

void Rcu::end_period() {
    running_.clear();
    next_to_run_ = 0;
    running_.swap(waiting_);
    waiting_.swap(next_);
    period_running_ = false;
    if (!waiting_.empty())
        start_period();
    run_callbacks();
}

void Rcu::run_callbacks() {
    ContextScope scope(machine_, context_);
    const Callback* next = running_.begin() + next_to_run_;
    const Callback* const end = running_.end();
    try {
        while (next != end) {
            const Callback& callback = *next++;
            callback.fn(callback.self, callback.arg);
        }
    } catch (const FatalHazard&) { // one died; where the run keeps going, the others still run
        next_to_run_ = static_cast<std::size_t>(next - running_.begin());
        machine_.engine.post(
            [](void* self, std::uint64_t) { static_cast<Rcu*>(self)->run_callbacks(); }, this, 0);
        throw;
    }
}

Rcu::Callback Rcu::wake_current() {
    return {[](void* self, std::uint64_t arg) {
                static_cast<Machine*>(self)->wake(*reinterpret_cast<Context*>(arg));
            },
            &machine_, reinterpret_cast<std::uintptr_t>(&machine_.current())};
}

void Rcu::synchronize() {
    Frame frame(machine_, "synchronize_rcu");
    const Callback wake = wake_current();
    call(wake.fn, wake.self, wake.arg);
    machine_.block("synchronize_rcu");
}

void Rcu::barrier() {
    Frame frame(machine_, "rcu_barrier");
    if (pending() == 0)
        return;
    // Behind the last callback that is queued now, in its grace period.
    (next_.empty() ? waiting_ : next_).push(wake_current());
    machine_.block("rcu_barrier");
}

} // namespace fenceline::sim::inline FENCELINE_MODE
