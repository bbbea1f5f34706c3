// Wait queues and completions.
//
// A waiter leaves the queue when it is woken (as autoremove_wake_function does), so a second
// wake-up before it runs does not take a second place. Woken contexts look at their condition
// again.
//
// Ownership: a queue refers to contexts that wait and must outlive their waits; a queue that dies
// with waiters (a freed scheduler, say) leaves them blocked for ever, which the machine reports.
#pragma once

#include "sim/machine.hpp"

#include <string_view>
#include <vector>

namespace fenceline::sim::inline FENCELINE_MODE {

class WaitQueue {
  public:
    /// wait_event: blocks until `condition()` holds. `reason` must be a literal or outlive the
    /// wait.
    template <class Condition>
    void wait_event(Machine& machine, std::string_view reason, Condition condition) {
        while (!condition()) {
            waiters_.push_back(&machine.current());
            try {
                machine.block(reason);
            } catch (const Interrupted&) { // finish_wait: nobody is to wake it any more
                std::erase(waiters_, &machine.current());
                throw;
            }
        }
    }
    /// wake_up, wake_up_all: every waiter is woken, each wake-up takes a place. The newest waiter
    /// comes first, since add_wait_queue puts waiters at the head.
    void wake_up(Machine& machine) {
        if (!waiters_.empty()) [[unlikely]]
            wake_all(machine);
    }
    [[nodiscard]] bool has_waiters() const { return !waiters_.empty(); }

  private:
    [[gnu::noinline]] void wake_all(Machine& machine) {
        std::vector<Context*> woken;
        woken.swap(waiters_);
        for (auto context = woken.rbegin(); context != woken.rend(); ++context)
            machine.wake(**context);
    }

    std::vector<Context*> waiters_;
};

/// struct completion, in the form drm/sched uses it: complete_all and reinit. Its waiters queue up
/// first in, first out (a simple wait queue, to whose tail they are added).
class Completion {
  public:
    void reinit(Machine& machine) {
        machine.point(Op::write, this);
        done_ = false;
    }
    void complete_all(Machine& machine) {
        machine.point(Op::write, this);
        done_ = true;
        if (!waiters_.empty()) [[unlikely]]
            wake_all(machine);
    }
    void wait(Machine& machine, std::string_view reason) {
        machine.point(Op::read, this);
        while (!done_) {
            waiters_.push_back(&machine.current());
            machine.block(reason);
            machine.point(Op::read, this);
        }
    }
    [[nodiscard]] bool done() const { return done_; }

  private:
    [[gnu::noinline]] void wake_all(Machine& machine) {
        std::vector<Context*> woken;
        woken.swap(waiters_);
        for (Context* context : woken)
            machine.wake(*context);
    }

    bool done_ = false;
    std::vector<Context*> waiters_;
};

} // namespace fenceline::sim::inline FENCELINE_MODE
