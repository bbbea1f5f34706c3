#include "sim/machine.hpp"

#include "sim/heap.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace fenceline::sim::inline FENCELINE_MODE {

std::string_view name_of(Op op) {
    constexpr std::string_view names[] = {"call",
                                          "lock",
                                          "unlock",
                                          "read",
                                          "write",
                                          "rmw",
                                          "get",
                                          "put",
                                          "access",
                                          "alloc",
                                          "free",
                                          "rcu_read_lock",
                                          "rcu_read_unlock",
                                          "call_rcu",
                                          "queue_work",
                                          "wait",
                                          "wake"};
    return names[static_cast<std::size_t>(op)];
}

Machine::Machine() : idle_(ContextKind::task, "set-up", 0), current_(&idle_) {}

Machine::~Machine() = default;

void Machine::abandon_blocked() {
    for (Context* context : std::exchange(blocked_, {}))
        context->fiber.reset();
    tasks_.clear();
}

void Machine::enter(Context& context, bool may_block, std::function<void()> body,
                    std::function<void()> ended) {
    if (!may_block && !(kInstrumented && fibers_for_all)) {
        const auto end = [&] {
            if (ended)
                ended();
        };
        try {
            ContextScope scope(*this, context);
            body();
        } catch (const FatalHazard&) { // it died, which is an end too
            end();
            throw;
        }
        end();
        return;
    }
    context.fiber = std::make_unique<Fiber>(stacks_, std::move(body));
    context.when_ended = std::move(ended);
    resume(context);
}

void Machine::enter_in_turn(Context& context, std::function<void()> body) {
    context.in_turn.push_back(std::move(body));
    ++turns_waiting_;
    if (!context.fiber && context.in_turn.size() == 1)
        next_in_turn(context);
}

/// The first of what waits its turn. The rest follow in places of their own.
void Machine::next_in_turn(Context& context) {
    enter(
        context, false, [&context] { context.in_turn.front()(); },
        [this, &context] {
            context.in_turn.pop_front();
            --turns_waiting_;
            if (!context.in_turn.empty())
                engine.post(
                    [](void* self, std::uint64_t arg) {
                        static_cast<Machine*>(self)->next_in_turn(*reinterpret_cast<Context*>(arg));
                    },
                    this, reinterpret_cast<std::uintptr_t>(&context));
        });
}

/// Whether the object that an operation is made on still lives, by its address alone: whoever has
/// looked it up may have been overtaken since.
void Machine::check_alive(const void* object, std::string_view what) {
    const auto* const address = static_cast<const std::byte*>(object);
    const std::size_t distance = static_cast<std::size_t>(address - arena.base());
    if (address < arena.base() || chunks_.empty())
        return; // no object of the heap
    const std::size_t granule = distance / Arena::kGranule;
    const auto after =
        std::upper_bound(chunks_.begin(), chunks_.end(), granule,
                         [](std::size_t place, const Chunk& chunk) { return place < chunk.first; });
    if (after == chunks_.begin())
        return;
    const Chunk& chunk = *(after - 1);
    const std::size_t slot = (granule - chunk.first) / chunk.granules;
    if (slot >= chunk.slots)
        return;
    const auto index = static_cast<std::uint32_t>(chunk.first + slot * chunk.granules);
    const auto& header = *static_cast<const SlotHeader*>(arena.at(index));
    if ((header.generation & 1) == 0)
        chunk.history->bad(hazards::use_after_free,
                           std::uint64_t{header.generation - 1} << 32 | index, what,
                           "is accessed after its death");
}

void Machine::start_task(std::string name, std::function<void()> body,
                         std::vector<WaitRecord>* waits, ContextKind kind,
                         std::function<void(const Context&)> when_blocked) {
    tasks_.push_back(std::make_unique<Context>(kind, std::move(name), next_context_id()));
    Context& task = *tasks_.back();
    task.waits = waits;
    task.when_blocked = std::move(when_blocked);
    enter(task, true, std::move(body), [this, &task] {
        std::erase_if(tasks_, [&](const auto& owned) { return owned.get() == &task; });
    });
}

void Machine::resume(Context& context) {
    const auto end = [](Context& ended) {
        ended.fiber.reset();
        // Taken out first: for a task it ends the context itself.
        if (auto when_ended = std::move(ended.when_ended))
            when_ended();
    };
    try {
        ContextScope scope(*this, context);
        if (!context.fiber->resume()) {
            if (context.when_blocked) [[unlikely]]
                context.when_blocked(context);
            return;
        }
    } catch (...) { // it died of a hazard
        end(context);
        throw;
    }
    end(context);
}

void Machine::block(std::string_view reason) {
    Context& context = *current_;
    if (!context.fiber)
        report({.kind = &hazards::atomic_sleep,
                .subject = "context",
                .object = describe(context),
                .message = fmt::format("{} blocked on {}", describe(context), reason)});
    if (held_locks().depth != 0)
        report({.kind = &hazards::atomic_sleep,
                .subject = "lock",
                .object = describe(context),
                .message = fmt::format("{} blocked on {} with a spinlock held", describe(context),
                                       reason)});
    context.about_to_block = true;
    point(Op::wait, &context, reason);
    context.about_to_block = false;
    if (interleaved && context.interrupted) [[unlikely]] { // while it was about to
        context.woken_early = false;
        throw Interrupted();
    }
    if (std::exchange(context.woken_early, false)) [[unlikely]]
        return;
    ++counters.blocking_waits;
    context.waiting_for = reason;
    context.waiting_since = now();
    blocked_.push_back(&context);
    context.fiber->suspend();
    if (context.waits != nullptr)
        context.waits->push_back({reason, context.waiting_since, now()});
    context.waiting_for = {};
    if (context.interrupted) [[unlikely]]
        throw Interrupted();
}

void Machine::sleep_until(Time when, std::string_view reason) {
    const TimerHandle timer =
        engine.arm(when, wake_sleeper, this, reinterpret_cast<std::uintptr_t>(current_));
    try {
        block(reason);
    } catch (const Interrupted&) {
        engine.cancel(timer);
        throw;
    }
}

void Machine::wake_sleeper(void* self, std::uint64_t arg) {
    auto& machine = *static_cast<Machine*>(self);
    auto& context = *reinterpret_cast<Context*>(arg);
    machine.point(Op::wake, &context, context.name);
    if (std::erase(machine.blocked_, &context) != 0)
        machine.resume(context);
    else if (context.about_to_block) // else it is on its way to give up
        context.woken_early = true;
}

void Machine::interrupt(Context& context) {
    context.interrupted = true;
    if (std::find(blocked_.begin(), blocked_.end(), &context) != blocked_.end())
        wake(context);
}

void Machine::wake(Context& context) {
    point(Op::wake, &context, context.name);
    if (std::erase(blocked_, &context) == 0) {
        context.woken_early = context.about_to_block; // else it was interrupted, and is on its way
        return;
    }
    engine.post(
        [](void* self, std::uint64_t arg) {
            static_cast<Machine*>(self)->resume(*reinterpret_cast<Context*>(arg));
        },
        this, reinterpret_cast<std::uintptr_t>(&context));
}

Incident Machine::here() {
    std::string who = describe(*current_);
    if (current_ == &idle_ && engine.executed() > 0)
        who = "the end of the run";
    return {now(), std::move(who), current_->frames, true};
}

void Machine::report(Hazard hazard) {
    hazard.access = here();
    hazard.event = engine.executed();
    if (kInstrumented && witness_ != nullptr)
        add_evidence(hazard);
    const bool fatal = hazard.kind->fatal;
    hazards_.push_back(std::move(hazard));
    if (fatal)
        throw FatalHazard();
}

void Machine::check_deadlock() {
    if (blocked_.empty())
        return;
    std::string waits;
    for (const Context* context : blocked_)
        fmt::format_to(std::back_inserter(waits), "{}{} waits for {} since {} ns",
                       waits.empty() ? "" : "; ", describe(*context), context->waiting_for,
                       context->waiting_since);
    report({.kind = &hazards::deadlock,
            .subject = "machine",
            .object = describe(*blocked_.front()),
            .message = "nothing can run any more: " + waits});
}

} // namespace fenceline::sim::inline FENCELINE_MODE
