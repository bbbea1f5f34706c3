#include "sim/interleaver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace fenceline::sim::inline FENCELINE_MODE {

namespace {

std::string operation_text(Op op, std::string_view what) {
    return what.empty() ? std::string(name_of(op)) : fmt::format("{} {}", name_of(op), what);
}

/// What handles an exception must get through with it: exceptions are the thread's.
bool can_suspend(const Context& context) {
    return context.fiber != nullptr && std::uncaught_exceptions() == 0 &&
           std::current_exception() == nullptr;
}

} // namespace

Interleaver::Interleaver(Machine& machine, const Schedule& schedule)
    : machine_(machine), schedule_(schedule) {
    machine_.fibers_for_all = machine_.interleaved = true;
    machine_.observe(this);
}

const std::string& Interleaver::name_of_context(const Context& context) {
    std::string& name = names_[context.id];
    if (name.empty())
        name = fmt::format("{}:{}", name_of(context.kind), context.name);
    return name;
}

/// The first step of that context which has not happened yet, or the end.
std::size_t Interleaver::next_step_of(const Context& context) {
    const std::string& name = name_of_context(context);
    std::size_t step = next_;
    while (step < schedule_.steps.size() && schedule_.steps[step].context != name)
        ++step;
    return step;
}

bool Interleaver::matches(const ScheduleStep& step, Op op, std::string_view what) const {
    const std::string text = operation_text(op, what);
    if (step.operation == text || step.operation == name_of(op))
        return true;
    const auto& frames = machine_.current().frames;
    return !frames.empty() && step.operation == fmt::format("{} in {}", text, frames.back());
}

void Interleaver::operation(Op op, const void* object, std::string_view what) {
    Context& context = machine_.current();
    if (!abandoned_ && can_suspend(context))
        take_step(context, op, what);
    if (op == Op::unlock)
        let_waiters_try(object);
}

/// Contexts can share a name (two items of system_wq, say): then the first that comes makes the step,
/// and the other looks for its next one.
void Interleaver::take_step(Context& context, Op op, std::string_view what) {
    for (;;) {
        const std::size_t step = next_step_of(context);
        if (step == schedule_.steps.size() || !matches(schedule_.steps[step], op, what))
            break;
        if (step == next_) {
            step_done();
            break;
        }
        held_.push_back({&context, step});
        suspend();
    }
    if (record_ != nullptr)
        record_->steps.push_back({name_of_context(context), operation_text(op, what)});
}

/// It gets a place in the order of events.
void Interleaver::release(Context* context) {
    released_.push_back(context);
    machine_.engine.post(resume, this, reinterpret_cast<std::uintptr_t>(context));
}

/// The lock is released as soon as whoever holds it goes on.
void Interleaver::let_waiters_try(const void* lock) {
    std::erase_if(spinning_, [&](const Spinning& waiter) {
        if (waiter.lock != lock)
            return false;
        release(waiter.context);
        return true;
    });
}

/// The step at next_ happens now; whoever waits to make the one behind it may.
void Interleaver::step_done() {
    ++next_;
    std::erase_if(held_, [&](const Held& entry) {
        if (entry.step > next_)
            return false;
        release(entry.context);
        return true;
    });
}

bool Interleaver::contended(const void* lock, std::string_view name) {
    Context& context = machine_.current();
    if (abandoned_ || !can_suspend(context))
        return false;
    spinning_.push_back({&context, lock, name});
    suspend();
    return true;
}

void Interleaver::suspend() {
    machine_.current().fiber->suspend();
}

void Interleaver::resume(void* self, std::uint64_t context) {
    auto& interleaver = *static_cast<Interleaver*>(self);
    auto* const released = reinterpret_cast<Context*>(context);
    if (std::erase(interleaver.released_, released) != 0)
        interleaver.machine_.resume(*released);
}

std::string Interleaver::where() const {
    std::string text = fmt::format("at {} ns", machine_.now());
    for (const Held& held : held_)
        fmt::format_to(std::back_inserter(text), "; {} is held at step {} ({})",
                       describe(*held.context), held.step, schedule_.steps[held.step].operation);
    for (const Context* context : machine_.blocked())
        fmt::format_to(std::back_inserter(text), "; {} waits for {}", describe(*context),
                       context->waiting_for);
    return text;
}

void Interleaver::stalled() {
    if (!held_.empty())
        finish();
    if (spinning_.empty())
        return;
    std::string waits;
    for (const Spinning& waiter : spinning_)
        fmt::format_to(std::back_inserter(waits), "{}{} waits for spinlock {}",
                       waits.empty() ? "" : "; ", describe(*waiter.context), waiter.name);
    const std::string name(spinning_.front().name);
    for (const Spinning& waiter : std::exchange(spinning_, {}))
        stuck_.push_back(waiter.context);
    machine_.report({.kind = &hazards::deadlock,
                     .subject = "lock",
                     .object = name,
                     .message = "nothing can run any more: " + waits});
}

void Interleaver::finish() const {
    if (next_ == schedule_.steps.size())
        return;
    const ScheduleStep& step = schedule_.steps[next_];
    throw ScheduleError(fmt::format("{} never came to \"{}\" (the run was {})", step.context,
                                    step.operation, where()),
                        next_);
}

void Interleaver::abandon() {
    if (std::exchange(abandoned_, true))
        return;
    machine_.observe(nullptr);
    for (const Held& held : std::exchange(held_, {}))
        held.context->fiber.reset();
    for (const Spinning& waiter : std::exchange(spinning_, {}))
        waiter.context->fiber.reset();
    for (std::vector<Context*>* contexts : {&released_, &stuck_})
        for (Context* context : std::exchange(*contexts, {}))
            context->fiber.reset();
}

} // namespace fenceline::sim::inline FENCELINE_MODE
