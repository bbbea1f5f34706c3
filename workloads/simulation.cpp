#include "workloads/simulation.hpp"

#include "fences/hazards.hpp"
#include "scheduler/hazards.hpp"
#include "sim/interleaver.hpp"
#include "workloads/findings.hpp"
#include "workloads/hazard_rules.hpp"
#include "workloads/input_error.hpp"
#include "workloads/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace fenceline::workloads {

std::string_view name_of(RunEnd end) {
    constexpr std::array<std::string_view, 5> names{"normal", "stuck", "until", "hazard",
                                                    "interrupted"};
    return names[static_cast<std::size_t>(end)];
}

namespace instrumented {
// The other form of run.hpp's function, compiled from the same source.
RunResult execute_run(const Config& config, const Workload& workload, JobSource& jobs,
                      const RunOptions& options, const std::vector<sim::Hazard>* explain);
} // namespace instrumented

namespace {

/// A third run is made of shorter runs only.
constexpr std::uint64_t kMostEventsForTimelines = 5'000'000;

/// Nor where there are very many: the first ones say it all.
constexpr std::size_t kMostWithTimelines = 50;

bool lacks_timeline(const std::vector<sim::Hazard>& hazards) {
    const std::size_t count = std::min(hazards.size(), kMostWithTimelines);
    for (std::size_t i = 0; i < count; ++i)
        if (hazards[i].fence_key != 0 && hazards[i].timeline.empty())
            return true;
    return false;
}

/// The run, and once more with histories if it met hazards.
RunResult run_and_explain(const Config& config, const Workload& workload, JobSource& jobs,
                          const RunOptions& options) {
    if (options.fibers_for_all)
        return instrumented::execute_run(config, workload, jobs, options, nullptr);
    RunResult result = options.schedule != nullptr
                           ? instrumented::execute_run(config, workload, jobs, options, nullptr)
                           : timed::execute_run(config, workload, jobs, options, nullptr);
    if (result.hazards.empty() || !options.explain_hazards || result.end == RunEnd::interrupted)
        return result;

    // The same again, this time with the histories of what the hazards were about.
    try {
        jobs.rewind();
    } catch (const InputError&) {
        return result; // standard input comes only once; the reports stay brief
    }
    RunOptions again;
    again.keep_going = options.keep_going;
    again.strict = options.strict;
    again.on_progress = options.on_progress;
    again.schedule = options.schedule;
    // The second run also finds out which fences they were about; the third has their timelines.
    for (int round = 0; round < 2; ++round) {
        if (round != 0)
            jobs.rewind();
        RunResult explained;
        try {
            explained = instrumented::execute_run(config, workload, jobs, again, &result.hazards);
        } catch (const sim::ScheduleError&) { // looking made it another run: the reports stay brief
            break;
        }
        if (explained.end != result.end || explained.hazards.size() != result.hazards.size())
            break;
        result.hazards = std::move(explained.hazards);
        if (result.events > kMostEventsForTimelines || !lacks_timeline(result.hazards))
            break;
    }
    return result;
}

} // namespace

RunResult simulate(const Config& config, const Workload& workload, JobSource& jobs,
                   const RunOptions& options) {
    RunResult result;
    try {
        result = run_and_explain(config, workload, jobs, options);
    } catch (const sim::ScheduleError& error) {
        throw InputError(
            fmt::format("{}: /steps/{}: {}", options.schedule->source, error.step(), error.what()));
    }
    for (sim::Hazard& hazard : result.hazards) {
        if (hazard.finding.empty())
            hazard.finding = finding_of(hazard, config.kernel);
        hazard.rule = rule_behind(hazard, config.lifetime);
    }
    return result;
}

std::vector<const sim::HazardClass*> hazard_classes() {
    namespace basic = sim::hazards;
    namespace fence = fences::hazards;
    return {&basic::use_after_free,
            &basic::double_free,
            &basic::refcount_underflow,
            &basic::leak,
            &basic::deadlock,
            &basic::atomic_sleep,
            &basic::lock_order,
            &fence::double_signal,
            &fence::private_escape,
            &fence::never_signalled,
            &fence::released_unsignalled,
            &fence::nested_container,
            &fence::slab_in_use,
            &fence::unsignalled_at_teardown,
            &fence::stack_overflow,
            &scheduler::hazards::score_drift,
            &scheduler::hazards::lost_wakeup,
            &scheduler::hazards::wrong_order,
            &scheduler::hazards::credit_drift,
            &scheduler::hazards::list_corruption};
}

} // namespace fenceline::workloads
