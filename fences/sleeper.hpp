// A context that sleeps until somebody wakes it or its time is up (schedule_timeout), whichever
// comes first; what comes second finds nobody.
//
// Ownership: lives on the stack of the context that sleeps. Whoever may wake it has to be stopped
// (callback removed) before it goes.
#pragma once

#include "fences/fence.hpp"
#include "sim/machine.hpp"

#include <cstdint>
#include <string_view>

namespace fenceline::fences::inline FENCELINE_MODE {

class Sleeper {
  public:
    explicit Sleeper(sim::Machine& machine) : machine_(machine), context_(machine.current()) {}
    Sleeper(const Sleeper&) = delete;
    Sleeper& operator=(const Sleeper&) = delete;

    /// wake_up_state: the wake-up takes a place. Before sleep() it means that there is no sleep.
    void wake() {
        if (woken_ || timed_out_)
            return;
        woken_ = true;
        if (asleep_)
            machine_.wake(context_);
    }
    /// Blocks until woken (true) or until the clock says `until` (false). `reason` must be a
    /// literal or outlive the wait. When it is interrupted, its waker is to be stopped as ever.
    bool sleep(sim::Time until, std::string_view reason) {
        if (woken_)
            return true;
        const sim::TimerHandle timer = machine_.engine.arm(until, time_is_up, this, 0);
        asleep_ = true;
        try {
            machine_.block(reason);
        } catch (const sim::Interrupted&) {
            machine_.engine.cancel(timer);
            throw;
        }
        asleep_ = false;
        machine_.engine.cancel(timer);
        return woken_;
    }

    [[nodiscard]] std::uint64_t pack() { return reinterpret_cast<std::uintptr_t>(this); }
    /// A fence's callback with pack() as its owner.
    static void wake_by_fence(void*, FenceRef, std::uint64_t packed) {
        reinterpret_cast<Sleeper*>(packed)->wake();
    }

    /// Who sleeps, from pack()'s number: for reports.
    [[nodiscard]] static const sim::Context& context_of(std::uint64_t packed) {
        return reinterpret_cast<const Sleeper*>(packed)->context_;
    }

  private:
    static void time_is_up(void* self, std::uint64_t) {
        auto& sleeper = *static_cast<Sleeper*>(self);
        if (sleeper.woken_)
            return;
        sleeper.timed_out_ = true;
        sleeper.machine_.wake(sleeper.context_);
    }

    sim::Machine& machine_;
    sim::Context& context_;
    bool woken_ = false;
    bool timed_out_ = false;
    bool asleep_ = false;
};

} // namespace fenceline::fences::inline FENCELINE_MODE
