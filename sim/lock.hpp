// A spinlock.
//
// In a timed run nothing runs beside a context that holds a spinlock, so a lock that is found taken
// can never be given back: taking it again is a deadlock, and so is giving back what one does not
// hold. Both are reported at once with the modelled call chain. The order in which locks are taken is
// watched as well (lock_order.hpp); locks are released in the reverse order.
//
// Size: 4 bytes, as in a kernel without debugging. Holds no pointer to anything.
#pragma once

#include "sim/machine.hpp"

#include <cstdint>
#include <exception>
#include <string_view>

namespace fenceline::sim::inline FENCELINE_MODE {

class SpinLock {
  public:
    [[gnu::always_inline]] void lock(Machine& machine, std::string_view name) {
        machine.point(Op::lock, this, name);
        ++machine.counters.locks;
        if constexpr (kInstrumented)
            while (holder_ != 0 && holder_ != holder_id(machine) && machine.contended(this, name)) {
            }
        if (holder_ != 0) [[unlikely]]
            misuse(machine, name, "is taken while it is held");
        machine.lock_order.taking(machine, machine.held_locks(),
                                  machine.current().kind == ContextKind::irq, name);
        holder_ = holder_id(machine);
    }
    [[gnu::always_inline]] void unlock(Machine& machine, std::string_view name) {
        announce_unlock(machine, name);
        if (holder_ != holder_id(machine)) [[unlikely]]
            misuse(machine, name, "is released by somebody who does not hold it");
        LockOrder::released(machine.held_locks());
        holder_ = 0;
    }
    /// lockdep_assert_held.
    [[nodiscard]] bool held_by_current(Machine& machine) const {
        return holder_ == holder_id(machine);
    }

  private:
    friend class SpinGuard;
    /// The lock may have died, or its holder be given up, right here; it is free all the same.
    void announce_unlock(Machine& machine, std::string_view name) {
        if constexpr (kInstrumented) {
            try {
                machine.point(Op::unlock, this, name);
            } catch (...) {
                if (held_by_current(machine))
                    drop(machine);
                throw;
            }
        }
    }
    /// What a guard has taken is held, so there is nothing to look at.
    void drop(Machine& machine) {
        LockOrder::released(machine.held_locks());
        holder_ = 0;
    }

    [[gnu::cold, gnu::noinline]] static void misuse(Machine& machine, std::string_view name,
                                                    std::string_view what) {
        machine.report({.kind = &hazards::deadlock,
                        .subject = "lock",
                        .object = std::string(name),
                        .message = "spinlock " + std::string(name) + " " + std::string(what)});
    }

    /// Who is recorded as the holder. In the timed form a lock never changes hands while it is
    /// held, so that it is held is all there is to know.
    [[nodiscard]] static std::uint32_t holder_id([[maybe_unused]] Machine& machine) {
        if constexpr (kInstrumented)
            return machine.current().id + 1;
        else
            return 1;
    }

    std::uint32_t holder_ = 0; ///< 0: free
};

/// Holds a spinlock for a scope. While a FatalHazard unwinds the run the lock is simply dropped.
class SpinGuard {
  public:
    [[gnu::always_inline]] SpinGuard(Machine& machine, SpinLock& lock, std::string_view name)
        : machine_(machine), lock_(lock), name_(name) {
        lock.lock(machine, name);
    }
    SpinGuard(const SpinGuard&) = delete;
    SpinGuard& operator=(const SpinGuard&) = delete;
    /// May throw where contexts are interleaved: it is a place where one can be suspended for good.
    [[gnu::always_inline]] ~SpinGuard() noexcept(!kInstrumented) {
        if constexpr (kInstrumented) {
            if (!lock_.held_by_current(machine_))
                return;
            if (std::uncaught_exceptions() == 0) [[likely]] {
                lock_.unlock(machine_, name_);
            } else { // no operation of the model: whoever unwinds must not fail again
                lock_.drop(machine_);
                machine_.lock_dropped(&lock_);
            }
        } else {
            lock_.drop(machine_);
        }
    }

  private:
    Machine& machine_;
    SpinLock& lock_;
    std::string_view name_;
};

} // namespace fenceline::sim::inline FENCELINE_MODE
