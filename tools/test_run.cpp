#include "tools/test_run.hpp"

#include "workloads/input_error.hpp"

namespace fenceline::tools {
namespace {

void run_and_check(const PlannedCase& one, const CaseOptions& how, CaseOutcome& outcome) {
    const PreparedRun& prepared = *one.prepared;
    EventRecord record(prepared, one.matchers.counts);
    workloads::RunOptions options;
    options.events = &record;
    options.keep_going = one.flags.keep_going;
    options.strict = one.flags.strict;
    options.schedule = one.schedule ? &*one.schedule : nullptr;
    options.on_progress = how.on_progress;
    const std::unique_ptr<workloads::JobSource> jobs = prepared.loaded.open_jobs();
    jobs->read_ahead(how.processors);
    const workloads::RunResult result =
        simulate(prepared.config, *prepared.loaded.workload, *jobs, options);
    if (result.end == workloads::RunEnd::interrupted) {
        return;
    }
    outcome.end_time = result.end_time;
    outcome.failures = check(one.expect, one.matchers, {prepared, result, record, one.flags});
    outcome.status = outcome.failures.empty() ? TestStatus::passed : TestStatus::failed;
    for (std::size_t i = 0; how.reports && i < result.hazards.size(); ++i) {
        outcome.reports.push_back(report_text(result.hazards[i]));
    }
}

} // namespace

CaseOutcome run_case(const PlannedCase& one, const CaseOptions& options) {
    CaseOutcome outcome;
    if (!one.error.empty()) {
        outcome.status = TestStatus::error;
        outcome.error = one.error;
        return outcome;
    }
    try {
        run_and_check(one, options, outcome);
    } catch (const workloads::InputError& error) { // in a stream of jobs, say
        outcome.status = TestStatus::error;
        outcome.error = error.what();
    }
    return outcome;
}

} // namespace fenceline::tools
