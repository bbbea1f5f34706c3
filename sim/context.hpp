// An execution context of the simulated machine: what the kernel would run something in.
//
// A context is a name for "who does it" in reports, the keeper of its modelled call chain, and,
// while it may block, the owner of a fiber. Contexts live with the object that runs in them: a
// workqueue owns its worker's, a ring its interrupt's, the machine those of tasks.
#pragma once

#include "sim/fiber.hpp"
#include "sim/lock_order.hpp"
#include "sim/time.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fenceline::sim {

enum class ContextKind : std::uint8_t { task, worker, timer, irq, rcu };

[[nodiscard]] constexpr std::string_view name_of(ContextKind kind) {
    constexpr std::string_view names[] = {"task", "worker", "timer", "irq", "rcu"};
    return names[static_cast<std::size_t>(kind)];
}

/// A wait that a context went through, kept for those whose waiting is a result (unload).
struct WaitRecord {
    std::string_view reason;
    Time from;
    Time to;
};

struct Context {
    Context(ContextKind context_kind, std::string context_name, std::uint32_t context_id)
        : kind(context_kind), id(context_id), name(std::move(context_name)) {}

    ContextKind kind;
    std::uint32_t id; ///< from 1, unique in the machine; 0 means nobody
    std::string name;

    std::vector<std::string_view> frames; ///< modelled call chain; in the instrumented form only
    /// While something that may block runs here. Stands behind `frames`, which its stack refers to
    /// when it is unwound.
    std::unique_ptr<Fiber> fiber;
    std::function<void()> when_ended; ///< runs after the fiber's body
    std::string_view waiting_for;     ///< why it is blocked; empty when it is not
    Time waiting_since = 0;
    bool interrupted = false; ///< a fatal signal is pending: what it waits for it gives up
    std::vector<WaitRecord>* waits = nullptr;         ///< where to record waits, or nowhere
    std::function<void(const Context&)> when_blocked; ///< hears of each of them, from outside

    // Where contexts are interleaved.
    HeldLocks locks;                           ///< see LockOrder
    std::deque<std::function<void()>> in_turn; ///< what it is to do when it is through with this
    std::uint32_t rcu_sections = 0;            ///< read-side sections that it is in
    std::uint8_t rcu_phase = 0;                ///< see Rcu
    bool about_to_block = false;
    bool woken_early = false; ///< between deciding to block and blocking
};

[[nodiscard]] inline std::string describe(const Context& context) {
    return std::string(name_of(context.kind)) + " " + context.name;
}

} // namespace fenceline::sim
