#include "sim/machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace fenceline::sim::inline FENCELINE_MODE {

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

void Machine::start_task(std::string name, std::function<void()> body,
                         std::vector<WaitRecord>* waits, ContextKind kind) {
    tasks_.push_back(std::make_unique<Context>(kind, std::move(name), next_context_id()));
    Context& task = *tasks_.back();
    task.waits = waits;
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
        if (!context.fiber->resume())
            return;
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
    point(Op::wait, &context);
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
    machine.point(Op::wake, &context);
    if (std::erase(machine.blocked_, &context) != 0) // else it is on its way to give up
        machine.resume(context);
}

void Machine::interrupt(Context& context) {
    context.interrupted = true;
    if (std::find(blocked_.begin(), blocked_.end(), &context) != blocked_.end())
        wake(context);
}

void Machine::wake(Context& context) {
    point(Op::wake, &context);
    if (std::erase(blocked_, &context) == 0)
        return; // it was interrupted, and is on its way already
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
