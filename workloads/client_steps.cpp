// The steps of a program, one function each.

#include "workloads/client_program.hpp"
#include "workloads/draw.hpp"

#include <utility>

namespace fenceline::workloads::inline FENCELINE_MODE {

using fences::FenceRef;
using fences::Holder;

Label* ClientProgram::find_label(const std::string& fence) {
    const auto found = labels_.find(fence);
    return found == labels_.end() ? nullptr : &found->second;
}

/// A reference to what the client calls by that name; null when it has closed it, or somebody else
/// has taken it away.
FenceRef ClientProgram::take_fence(const std::string& fence) {
    if (const Label* const label = find_label(fence))
        return label->fence ? around_.core.take(label->fence) : FenceRef{};
    if (open_.contains(fence) && around_.containers.exists(fence))
        return around_.containers.take_fence(fence);
    return {};
}

/// What a job depends on by that name: as with listed jobs, a finished fence, whichever fence it is
/// that escapes to user space.
FenceRef ClientProgram::take_dependency(const std::string& fence) {
    const Label* const label = find_label(fence);
    if (label == nullptr)
        return take_fence(fence);
    return label->fence ? around_.host.dependency_on(*label) : FenceRef{};
}

void ClientProgram::observe(const std::string& step, const std::string& fence,
                            const std::string& text) {
    around_.host.observe_step(spec_.name, step + " " + fence + ": " + text);
}

void ClientProgram::perform(const SubmitStep& step) {
    for (std::uint64_t i = 1; i <= step.count; ++i)
        submit_one(step, i == step.count && !step.as.empty());
}

/// The cost of submitting passes first: the push is what the ioctl ends with.
void ClientProgram::submit_one(const SubmitStep& step, bool labelled) {
    const sim::Time duration = draw(step.duration, random_);
    if (around_.submit_cost > 0)
        sleep_until(sim::add_saturating(now(), around_.submit_cost));
    after_.clear();
    for (const std::string& name : step.after)
        if (const FenceRef fence = take_dependency(name))
            after_.push_back(fence);
    const Label label = around_.host.submit({step, duration, after_, labelled});
    for (const FenceRef fence : after_)
        around_.core.put(fence, Holder::workload);
    record_.submitted(duration);
    if (!labelled)
        return;
    Label& bound = labels_[step.as];
    around_.core.put(bound.fence, Holder::workload);
    bound = label;
}

/// The wait ioctl looks the fence up and holds it meanwhile. An error ends a wait as success does.
void ClientProgram::perform(const WaitStep& step) {
    const FenceRef fence = take_fence(step.fence);
    if (!fence)
        return;
    waited_for_ = fence;
    try {
        around_.core.wait(fence);
    } catch (const sim::Interrupted&) {
        waited_for_ = {};
        around_.core.put(fence, Holder::workload);
        throw;
    }
    waited_for_ = {};
    around_.core.put(fence, Holder::workload);
}

void ClientProgram::perform(const SleepStep& step) {
    const sim::Time begin = now();
    sleep_until(sim::add_saturating(begin, draw(step.duration, random_)));
    record_.slept(now() - begin);
}

/// Who is late does not sleep, and does not catch up: the next round's period begins with it.
void ClientProgram::perform(const PeriodStep& step) {
    const sim::Time begin = now();
    const sim::Time due = sim::add_saturating(levels_.back().since, step.period);
    if (due < begin)
        record_.missed_period();
    sleep_until(due);
    record_.slept(now() - begin);
}

void ClientProgram::perform(const LoopStep& step) {
    levels_.push_back({&step.steps, 0, step.count, now()});
}

void ClientProgram::perform(const ExportStep& step) {
    const FenceRef fence = take_fence(step.fence);
    if (!fence)
        return observe("export", step.fence, "there is no fence");
    around_.host.export_fence(open_, step.to, step.as, fence);
    around_.core.put(fence, Holder::workload);
}

void ClientProgram::perform(const ImportStep& step) {
    around_.names.import(open_, step.name);
}

void ClientProgram::perform(const QueryStep& step) {
    if (open_.contains(step.fence) && around_.containers.exists(step.fence))
        return observe("query", step.fence, around_.host.query_name(step.fence));
    const Label* const label = find_label(step.fence);
    observe("query", step.fence,
            label != nullptr && label->fence ? around_.host.describe_status(label->fence)
                                             : "it has been closed");
}

void ClientProgram::perform(const PollStep& step) {
    bool done = false;
    if (open_.contains(step.fence) && around_.containers.exists(step.fence)) {
        done = around_.containers.poll(step.fence);
    } else {
        const Label* const label = find_label(step.fence);
        if (label == nullptr || !label->fence)
            return observe("poll", step.fence, "it has been closed");
        done = around_.core.is_signaled(label->fence);
    }
    observe("poll", step.fence, done ? "signalled" : "not signalled");
}

void ClientProgram::perform(const CloseStep& step) {
    if (Label* const label = find_label(step.fence))
        around_.core.put(std::exchange(*label, Label{}).fence, Holder::workload);
    else
        around_.names.close(open_, step.fence);
}

/// By label only: of a job behind an imported name the client knows nothing but the fence.
void ClientProgram::perform(const TerminateStep& step) {
    const Label* const label = find_label(step.fence);
    if (label != nullptr && label->job)
        around_.host.terminate_job(label->job);
}

void ClientProgram::perform(const SetPriorityStep& step) {
    around_.host.set_priority(step.entity, step.priority);
}

void ClientProgram::perform(const SetDeadlineStep& step) {
    const sim::Time deadline = sim::add_saturating(now(), step.in);
    if (open_.contains(step.fence) && around_.containers.exists(step.fence))
        return around_.containers.set_deadline(step.fence, deadline);
    const Label* const label = find_label(step.fence);
    if (label != nullptr && label->fence)
        around_.core.set_deadline(label->fence, deadline);
}

/// From here on nothing stops the client: it is closing its files.
void ClientProgram::perform(const ExitStep& step) {
    state_ = State::exiting;
    levels_.clear();
    around_.host.end_entities(spec_.name, step.how);
    close_names();
}

} // namespace fenceline::workloads::inline FENCELINE_MODE
