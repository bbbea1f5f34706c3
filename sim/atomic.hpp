// An atomic variable (atomic_t, and flag words with their bit operations).
//
// Every read-modify-write is counted, so that "atomics per job" in a report is what the model did.
// Reads and writes are scheduling points of an exploration but cost nothing to count.
#pragma once

#include "sim/machine.hpp"

#include <type_traits>

namespace fenceline::sim::inline FENCELINE_MODE {

template <class T>
class Atomic {
    static_assert(std::is_integral_v<T>);

  public:
    constexpr Atomic(T initial = 0) : value_(initial) {}

    [[nodiscard]] T read(Machine& machine) const {
        machine.point(Op::read, this);
        return value_;
    }
    /// The value without an operation: for reports and assertions, never for model decisions.
    [[nodiscard]] T peek() const { return value_; }
    void set(Machine& machine, T value) {
        machine.point(Op::write, this);
        value_ = value;
    }
    void add(Machine& machine, T amount) {
        rmw(machine);
        value_ = static_cast<T>(value_ + amount);
    }
    void sub(Machine& machine, T amount) {
        rmw(machine);
        value_ = static_cast<T>(value_ - amount);
    }
    T inc_return(Machine& machine) {
        add(machine, 1);
        return value_;
    }
    /// cmpxchg: stores `desired` if the value is `expected`; returns the value found.
    T compare_exchange(Machine& machine, T expected, T desired) {
        rmw(machine);
        const T found = value_;
        if (found == expected)
            value_ = desired;
        return found;
    }

    /// Sets the value without an operation: for marks of the model's own that share the word, and
    /// for whoever does the sum of several operations at once and counts them himself.
    void poke(T value) { value_ = value; }
    void mark(T mask) { poke(static_cast<T>(value_ | mask)); }
    void unmark(T mask) { poke(static_cast<T>(value_ & ~mask)); }

    // Bit operations, by mask.
    [[nodiscard]] bool test_bit(Machine& machine, T mask) const {
        machine.point(Op::read, this);
        return (value_ & mask) != 0;
    }
    void set_bit(Machine& machine, T mask) {
        rmw(machine);
        value_ = static_cast<T>(value_ | mask);
    }
    bool test_and_set_bit(Machine& machine, T mask) {
        rmw(machine);
        const bool was_set = (value_ & mask) != 0;
        value_ = static_cast<T>(value_ | mask);
        return was_set;
    }

  private:
    void rmw(Machine& machine) {
        machine.point(Op::rmw, this);
        ++machine.counters.atomics;
    }

    T value_;
};

} // namespace fenceline::sim::inline FENCELINE_MODE
