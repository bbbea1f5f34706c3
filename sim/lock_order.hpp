// The order in which spinlocks are taken, as lockdep sees it: classes of locks, not single ones.
//
// DOC: what is a fault. Two classes that are taken in both orders, each while the other is held:
// two processors can wait for each other. A class that interrupts take, and that somebody else takes
// without disabling interrupts: the interrupt can come while it is held. And a class that is taken
// without disabling interrupts while one that interrupts take is held, since that comes to the same.
// All are found the first time that both halves have been seen, whether they met or not.
//
// A class is a lock's name. Locks are irq-safe (spin_lock_irqsave) unless declared otherwise. Locks
// of one class may nest here: which of them may in the kernel is a matter of their owners
// (fence.lock stands for as many classes as there are kinds of fences).
//
// Cost: a few instructions for each acquisition, some twenty while another lock is held or in an
// interrupt; a search of the graph of classes when a pair is new. Blocking with a spinlock held is found here as well: see Machine::block().
//
// Ownership: part of the machine. In the instrumented form what is held is each context's own, since
// there contexts are suspended while they hold locks; in the timed form nobody is.
#pragma once

#include "sim/hazard.hpp"
#include "sim/mode.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace fenceline::sim {

namespace hazards {
inline constexpr HazardClass lock_order{
    "lock-order",
    "locks were taken in both orders, or in interrupts and elsewhere with interrupts enabled",
    false, "taken"};
} // namespace hazards

/// The names of the locks that a context holds, innermost last. Deeper than this nobody nests them;
/// the outermost are forgotten then.
struct HeldLocks {
    static constexpr std::uint32_t kMost = 16;
    std::array<const char*, kMost> names{}; ///< literals
    std::uint32_t depth = 0;

    [[nodiscard]] std::span<const char* const> held() const {
        return {names.data(), std::min(depth, kMost)};
    }
};

inline namespace FENCELINE_MODE {

class Machine;

class LockOrder {
  public:
    // Names are literals, or live as long as the machine.

    /// Nobody disables interrupts to take locks of this class (spin_lock).
    void declare_irq_unsafe(std::string_view name) { irq_unsafe_ |= bit(class_of(name.data())); }

    [[gnu::always_inline]] void taking(Machine& machine, HeldLocks& held, bool in_interrupt,
                                       std::string_view name) {
        if (held.depth != 0 || in_interrupt) // else there is nothing to be learnt from it
            check(machine, held, in_interrupt, name);
        held.names[held.depth++ % HeldLocks::kMost] = name.data();
    }
    /// REQUIRES: one has been taken.
    [[gnu::always_inline]] static void released(HeldLocks& held) { --held.depth; }

  private:
    static constexpr std::size_t kClasses = 64;
    static constexpr std::size_t kCache = 16;
    struct Known {
        const char* text = nullptr;
        std::uint8_t number = 0;
    };

    [[gnu::noinline]] void check(Machine& machine, const HeldLocks& held, bool in_interrupt,
                                 std::string_view name);
    [[nodiscard]] static constexpr std::uint64_t bit(std::uint8_t number) {
        return std::uint64_t{1} << number;
    }
    /// By the address of its name, and only when that is new by the name.
    [[gnu::always_inline]] std::uint8_t class_of(const char* name) {
        const Known& known = cache_[reinterpret_cast<std::uintptr_t>(name) / 8 % kCache];
        return known.text == name ? known.number : look_up(name);
    }
    [[gnu::noinline]] std::uint8_t look_up(const char* name);
    [[gnu::noinline, gnu::cold]] void learn(Machine& machine, const HeldLocks& held,
                                            bool in_interrupt, std::uint8_t taken);
    [[nodiscard]] bool reaches(std::uint8_t from, std::uint8_t to) const;
    void report(Machine& machine, std::uint8_t taken, std::string_view message);
    void check_interrupts(Machine& machine, const HeldLocks& held, std::uint8_t taken);

    std::array<Known, kCache> cache_{};
    std::array<std::uint64_t, kClasses> taken_under_{}; ///< [c]: classes held when c was taken
    std::uint64_t in_interrupts_ = 0;                   ///< classes that interrupts have taken
    std::uint64_t irq_unsafe_ = 0;
    std::uint64_t reported_ = 0; ///< classes that have been reported, each once
    std::vector<std::string_view> names_;
    /// Where a class was first taken under another, for the report of the other half.
    std::map<std::pair<std::uint8_t, std::uint8_t>, Incident> first_;
};

} // namespace FENCELINE_MODE
} // namespace fenceline::sim
