#include "workloads/client_program.hpp"

#include "workloads/input_error.hpp"

#include <fmt/format.h>

#include <utility>

namespace fenceline::workloads::inline FENCELINE_MODE {

using fences::FenceRef;
using fences::Holder;

namespace {
/// A program that repeats for ever and has gone round this often at one instant never leaves it.
constexpr std::uint64_t kMostTimelessRounds = 100'000;
} // namespace

ClientProgram::ClientProgram(const ClientSpec& spec, const Surroundings& around)
    : spec_(spec), around_(around), random_(around.seed, spec.name) {}

void ClientProgram::start() {
    if (state_ != State::to_start)
        return;
    state_ = State::running;
    around_.machine.start_task(spec_.name, [this] { run(); });
}

/// The task. What is unwound when the machine goes (neither exception) leaves everything as it is.
void ClientProgram::run() {
    task_ = &around_.machine.current();
    record_.begin(now());
    levels_.push_back({&spec_.program, 0, spec_.repeat, now()});
    try {
        while (!levels_.empty())
            advance();
    } catch (const sim::Interrupted&) {
        levels_.clear();
    } catch (const sim::FatalHazard&) { // its references stay, as those of a task that died do
        task_ = nullptr;
        state_ = State::ended;
        around_.host.program_ended();
        throw;
    }
    end();
}

/// The next step, or the end of a round.
void ClientProgram::advance() {
    Level& level = levels_.back();
    if (level.next == level.steps->size())
        return end_round();
    const Step& step = (*level.steps)[level.next++];
    std::visit([this](const auto& what) { perform(what); }, step.what);
}

void ClientProgram::end_round() {
    Level& level = levels_.back();
    if (levels_.size() == 1) {
        check_progress();
        record_.end_iteration(now());
    }
    if (level.left != kRepeatForever && --level.left == 0) {
        levels_.pop_back();
        return;
    }
    level.next = 0;
    level.since = now();
}

void ClientProgram::check_progress() {
    if (levels_.front().left != kRepeatForever || levels_.front().since != now()) {
        timeless_rounds_ = 0;
    } else if (++timeless_rounds_ == kMostTimelessRounds) {
        throw InputError(fmt::format("client '{}' repeats for ever and went through its program "
                                     "{} times at {} ns: its steps let no time pass there",
                                     printable(spec_.name, 60), timeless_rounds_, now()));
    }
}

void ClientProgram::end() {
    task_ = nullptr;
    state_ = State::ended;
    if (!cut_short_)
        record_.end(now());
    release_labels();
    around_.host.program_ended();
}

void ClientProgram::release_labels() {
    for (auto& [name, label] : std::exchange(labels_, {}))
        around_.core.put(label.fence, Holder::workload);
}

void ClientProgram::stop(bool cut_short) {
    cut_short_ = cut_short;
    switch (state_) {
    case State::to_start:
        state_ = State::ended;
        around_.host.program_ended();
        break;
    case State::running:
        around_.machine.interrupt(*task_);
        break;
    case State::exiting:
        break;
    case State::ended: // perhaps by a hazard
        release_labels();
        break;
    }
}

void ClientProgram::sleep_until(sim::Time when) {
    if (when > now())
        around_.machine.sleep_until(when, "a sleep to end");
}

std::string ClientProgram::waiting_text() const {
    if (task_ == nullptr || task_->waiting_for.empty())
        return {};
    const std::string what = waited_for_ ? around_.core.describe(waited_for_) + " to signal"
                                         : std::string(task_->waiting_for);
    return fmt::format("{} waits for {} since {} ns", sim::describe(*task_), what,
                       task_->waiting_since);
}

} // namespace fenceline::workloads::inline FENCELINE_MODE
