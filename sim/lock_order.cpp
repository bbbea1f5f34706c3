#include "sim/lock_order.hpp"

#include "sim/machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace fenceline::sim::inline FENCELINE_MODE {

std::uint8_t LockOrder::look_up(const char* name) {
    auto known = std::find(names_.begin(), names_.end(), std::string_view(name));
    if (known == names_.end()) {
        assert(names_.size() < kClasses);
        known = names_.insert(names_.end(), name);
    }
    const auto number = static_cast<std::uint8_t>(known - names_.begin());
    cache_[reinterpret_cast<std::uintptr_t>(name) / 8 % kCache] = {name, number};
    return number;
}

void LockOrder::check(Machine& machine, const HeldLocks& held, bool in_interrupt,
                      std::string_view name) {
    const std::uint8_t taken = class_of(name.data());
    std::uint64_t above = 0;
    for (const char* const outer : held.held())
        above |= bit(class_of(outer));
    if ((taken_under_[taken] & above) != above ||
        (in_interrupt && (in_interrupts_ & bit(taken)) == 0))
        learn(machine, held, in_interrupt, taken);
}

/// Whether `to` has been taken with `from` held, perhaps with others in between.
bool LockOrder::reaches(std::uint8_t from, std::uint8_t to) const {
    std::uint64_t reached = bit(to);
    for (std::uint64_t before = 0; before != reached;) {
        before = reached;
        for (std::uint8_t number = 0; number < names_.size(); ++number)
            if ((reached & bit(number)) != 0)
                reached |= taken_under_[number];
    }
    return (reached & bit(from)) != 0;
}

void LockOrder::report(Machine& machine, std::uint8_t taken, std::string_view message) {
    if ((reported_ & bit(taken)) != 0)
        return;
    reported_ |= bit(taken);
    machine.report({.kind = &hazards::lock_order,
                    .subject = "lock",
                    .object = std::string(names_[taken]),
                    .message = std::string(message)});
}

/// A lock that interrupts take must not be held, nor wait for one that is held, by somebody whom an
/// interrupt can stop.
void LockOrder::check_interrupts(Machine& machine, const HeldLocks& held, std::uint8_t taken) {
    if ((in_interrupts_ & irq_unsafe_ & bit(taken)) != 0)
        report(machine, taken,
               fmt::format("{} is taken in interrupts, and elsewhere with interrupts enabled",
                           names_[taken]));
    for (std::uint8_t inner = 0; inner < names_.size(); ++inner)
        if ((in_interrupts_ & taken_under_[inner] & bit(taken) & -(irq_unsafe_ >> inner & 1)) != 0)
            report(machine, inner,
                   fmt::format("{}, which leaves interrupts enabled elsewhere, is taken with {} "
                               "held, which interrupts take",
                               names_[inner], names_[taken]));
    if ((irq_unsafe_ & bit(taken)) == 0)
        return;
    for (const char* const outer : held.held())
        if ((in_interrupts_ & bit(class_of(outer))) != 0)
            report(machine, taken,
                   fmt::format("{}, which leaves interrupts enabled elsewhere, is taken with {} "
                               "held, which interrupts take",
                               names_[taken], outer));
}

void LockOrder::learn(Machine& machine, const HeldLocks& held, bool in_interrupt,
                      std::uint8_t taken) {
    if (in_interrupt)
        in_interrupts_ |= bit(taken);
    for (const char* const name : held.held()) {
        const std::uint8_t outer = class_of(name);
        if (outer != taken && reaches(taken, outer)) {
            const auto first = first_.find({taken, outer});
            const std::string where = first == first_.end()
                                          ? std::string()
                                          : fmt::format(" (first by {} at {} ns)",
                                                        first->second.context, first->second.time);
            report(machine, taken,
                   fmt::format("{} is taken with {} held, and {} with {} held{}", names_[taken],
                               names_[outer], names_[outer], names_[taken], where));
        }
        taken_under_[taken] |= bit(outer);
        first_.try_emplace({outer, taken}, machine.here());
    }
    check_interrupts(machine, held, taken);
}

} // namespace fenceline::sim::inline FENCELINE_MODE
