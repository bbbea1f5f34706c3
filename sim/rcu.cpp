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
    phase_ ^= 1;
    ++machine_.counters.grace_periods;
    period_.arm(add_saturating(machine_.now(), grace_period_));
}

/// rcu_read_lock.
void Rcu::enter_section() {
    machine_.point(Op::rcu_lock, this);
    Context& context = machine_.current();
    if (context.rcu_sections++ != 0)
        return;
    context.rcu_phase = phase_;
    ++readers_[phase_];
}

/// rcu_read_unlock. The last reader of the time before ends a period that is over.
void Rcu::leave_section() {
    machine_.point(Op::rcu_unlock, this);
    Context& context = machine_.current();
    if (--context.rcu_sections != 0)
        return;
    if (--readers_[context.rcu_phase] == 0 && held_up_ && context.rcu_phase != phase_) {
        held_up_ = false;
        period_.arm(machine_.now());
    }
}

void Rcu::end_period() {
    if (kInstrumented && readers_[phase_ ^ 1] != 0) {
        held_up_ = true;
        return;
    }
    running_.clear();
    next_to_run_ = 0;
    running_.swap(waiting_);
    waiting_.swap(next_);
    period_running_ = false;
    if (!waiting_.empty())
        start_period();
    run_callbacks();
}

/// One that is suspended does not keep the next period's from gathering.
void Rcu::run_each_in_turn() {
    Batch batch;
    batch.swap(running_);
    for (const Callback* next = batch.begin(); next != batch.end(); ++next)
        try {
            machine_.run_in(context_,
                            [callback = *next] { callback.fn(callback.self, callback.arg); });
        } catch (const FatalHazard&) {
            for (const Callback* rest = next + 1; rest != batch.end(); ++rest)
                running_.push(*rest);
            run_rest_later();
            throw;
        }
}

void Rcu::run_rest_later() {
    machine_.engine.post(
        [](void* self, std::uint64_t) { static_cast<Rcu*>(self)->run_callbacks(); }, this, 0);
}

void Rcu::run_callbacks() {
    if (kInstrumented && machine_.fibers_for_all) {
        run_each_in_turn();
        return;
    }
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
        run_rest_later();
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
    if (pending() == 0) {
        if (context_.in_turn.empty())
            return;
        // Where contexts are interleaved some may still be at it: behind those.
        const Callback wake = wake_current();
        machine_.run_in(context_, [wake] { wake.fn(wake.self, wake.arg); });
        machine_.block("rcu_barrier");
        return;
    }
    // Behind the last callback that is queued now, in its grace period.
    (next_.empty() ? waiting_ : next_).push(wake_current());
    machine_.block("rcu_barrier");
}

} // namespace fenceline::sim::inline FENCELINE_MODE
