// A reference count (struct kref on refcount_t): counts are atomics, and a count that was zero is
// never touched again. Taking or dropping a reference on zero is a hazard, not a wrap-around.
#pragma once

#include "sim/machine.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace fenceline::sim::inline FENCELINE_MODE {

class RefCount {
  public:
    constexpr RefCount() = default;
    constexpr explicit RefCount(std::uint32_t count) : count_(count) {}

    /// kref_init.
    void init() { count_ = 1; }
    /// kref_read, without an operation.
    [[nodiscard]] std::uint32_t peek() const { return count_; }

    /// Sets it without an operation: for whoever does the sum of several at once and counts them.
    void poke(std::uint32_t count) { count_ = count; }

    /// kref_get. REQUIRES: the caller holds a reference, or the count is known to be positive.
    [[gnu::always_inline]] void get(Machine& machine, std::string_view what) {
        rmw(machine, Op::get, what);
        if (count_ == 0) [[unlikely]]
            return underflow(machine, what, "taken");
        ++count_;
    }
    /// kref_get_unless_zero: the only get that is allowed under RCU without a reference.
    bool get_unless_zero(Machine& machine) {
        rmw(machine, Op::get);
        if (count_ == 0)
            return false;
        ++count_;
        return true;
    }
    /// kref_put: true for whoever dropped the last reference and has to release.
    [[gnu::always_inline]] bool put(Machine& machine, std::string_view what) {
        rmw(machine, Op::put, what);
        if (count_ == 0) [[unlikely]] {
            underflow(machine, what, "dropped");
            return false;
        }
        return --count_ == 0;
    }

  private:
    [[gnu::always_inline]] void rmw(Machine& machine, Op op, std::string_view what = {}) {
        machine.point(op, this, what);
        ++machine.counters.atomics;
    }
    [[gnu::cold, gnu::noinline]] static void underflow(Machine& machine, std::string_view what,
                                                       std::string_view how) {
        machine.report({.kind = &hazards::refcount_underflow,
                        .subject = std::string(what),
                        .object = std::string(what),
                        .message = "a reference was " + std::string(how) + " on a count of zero"});
    }

    std::uint32_t count_ = 0;
};

} // namespace fenceline::sim::inline FENCELINE_MODE
