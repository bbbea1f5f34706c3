#include "sim/rcu.hpp"

namespace fenceline::sim::inline FENCELINE_MODE {

Rcu::Rcu(Machine& machine, Time grace_period)
    : machine_(machine), grace_period_(grace_period),
      period_(
          machine.engine, [](void* self, std::uint64_t) { static_cast<Rcu*>(self)->end_period(); },
          this),
      context_(ContextKind::rcu, "callbacks", machine.next_context_id()) {}

void Rcu::start_with(const Callback& first) {
    waiting_.push_back(first);
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
    const Callback* next = running_.data() + next_to_run_;
    const Callback* const end = running_.data() + running_.size();
    try {
        while (next != end) {
            const Callback& callback = *next++;
            callback.fn(callback.self, callback.arg);
        }
    } catch (const FatalHazard&) { // one died; where the run keeps going, the others still run
        next_to_run_ = static_cast<std::size_t>(next - running_.data());
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
    (next_.empty() ? waiting_ : next_).push_back(wake_current());
    machine_.block("rcu_barrier");
}

} // namespace fenceline::sim::inline FENCELINE_MODE
