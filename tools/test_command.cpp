// fenceline test: scenarios against what they expect.
//
// Cases are independent of each other and run on a pool of threads; their outcomes are reported in
// the order of the plan as soon as all before them have been, so that the output is the same however
// many threads there are.
#include "tools/command_line.hpp"
#include "tools/commands.hpp"
#include "tools/human.hpp"
#include "tools/interrupt.hpp"
#include "tools/messages.hpp"
#include "tools/output_file.hpp"
#include "tools/progress.hpp"
#include "tools/test_report.hpp"
#include "tools/usage_error.hpp"
#include "workloads/input_error.hpp"
#include "workloads/read_ahead.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <thread>

namespace fenceline::tools {
namespace {

using workloads::InputError;

/// Runs cases on threads of its own.
class TestPool {
  public:
    TestPool(unsigned threads, std::size_t cases, bool verbose)
        : pool_(threads), cases_(cases), verbose_(verbose),
          processors_(workloads::available_processors() / threads) {}
    ~TestPool() {
        // After an exception: what has not begun never does.
        pool_.stop();
        pool_.join();
    }
    TestPool(const TestPool&) = delete;
    TestPool& operator=(const TestPool&) = delete;

    /// The case outlives the pool.
    std::future<CaseOutcome> start(const PlannedCase& one) {
        const auto task =
            std::make_shared<std::packaged_task<CaseOutcome()>>([this, &one] { return run(one); });
        boost::asio::post(pool_, [task] { (*task)(); });
        return task->get_future();
    }

  private:
    CaseOutcome run(const PlannedCase& one) {
        CaseOutcome outcome;
        if (!interrupter_.requested()) {
            const auto on_progress = [this](const workloads::Progress& progress) {
                line_.show([&](double) {
                    return human_count(finished_) + " of " + human_plural(cases_, "case") +
                           " done, one is at " + human_time(progress.now) + " of virtual time";
                });
                return !interrupter_.requested();
            };
            outcome = run_case(one, {on_progress, processors_, verbose_});
        }
        ++finished_;
        return outcome;
    }

    const Interrupter interrupter_;
    ProgressLine line_;
    std::atomic<std::size_t> finished_{0};
    boost::asio::thread_pool pool_;
    const std::size_t cases_;
    const bool verbose_;
    const unsigned processors_; ///< for each case
};

/// Everything that was found, or an error: nothing to run is no success.
std::vector<PlannedScenario> make_plan(const TestArguments& arguments) {
    const std::vector<FoundScenario> found = find_scenarios(arguments.paths);
    if (found.empty()) {
        throw InputError("found no scenarios in " +
                         workloads::printable(fmt::format("{}", fmt::join(arguments.paths, ", "))) +
                         ", expected *.json files of the format \"fenceline/scenario\"");
    }
    std::vector<PlannedScenario> plan = plan_tests(found, arguments.filter);
    if (plan.empty()) {
        throw UsageError("no case is called '" + workloads::printable(arguments.filter) +
                         "': see --list");
    }
    return plan;
}

std::size_t count_cases(const std::vector<PlannedScenario>& plan) {
    std::size_t count = 0;
    for (const PlannedScenario& scenario : plan) {
        count += scenario.cases.size();
    }
    return count;
}

/// What is wrong with the input, also on standard error.
int list_plan(const std::vector<PlannedScenario>& plan) {
    int code = kDone;
    const auto complain = [&](const std::string& error) {
        if (!error.empty()) {
            write_error_line(error);
            code = kBadInput;
        }
    };
    for (const PlannedScenario& scenario : plan) {
        complain(scenario.error);
        for (const PlannedCase& one : scenario.cases) {
            complain(one.error);
            write_standard_output(workloads::printable(one.full_name, 1000) + "\n");
        }
    }
    return code;
}

unsigned thread_count(unsigned wanted, std::size_t cases) {
    const unsigned available = std::max(1U, std::thread::hardware_concurrency());
    const std::size_t threads = wanted == 0 ? available : wanted;
    return static_cast<unsigned>(std::max<std::size_t>(1, std::min(threads, cases)));
}

/// Runs the plan and writes the report as it goes.
std::vector<ScenarioOutcomes> run_plan(const std::vector<PlannedScenario>& plan,
                                       const TestArguments& arguments, TestReporter* reporter,
                                       TestTotals& totals) {
    const std::size_t cases = count_cases(plan);
    const unsigned threads = thread_count(arguments.jobs, cases);
    spdlog::info("running {} on {}", human_plural(cases, "case"), human_plural(threads, "thread"));
    TestPool pool(threads, cases, arguments.verbose);
    std::vector<std::vector<std::future<CaseOutcome>>> futures(plan.size());
    for (std::size_t i = 0; i < plan.size(); ++i) {
        for (const PlannedCase& one : plan[i].cases) {
            futures[i].push_back(pool.start(one));
        }
    }
    const auto write = [&](auto&& part) {
        if (reporter != nullptr) {
            write_standard_output(part(*reporter));
        }
    };
    std::vector<ScenarioOutcomes> outcomes(plan.size());
    totals.scenarios = plan.size();
    write([&](TestReporter& to) { return to.begin(plan.size()); });
    for (std::size_t i = 0; i < plan.size(); ++i) {
        if (!plan[i].error.empty()) {
            totals.add(TestStatus::error);
        }
        write([&](TestReporter& to) { return to.begin_scenario(plan[i]); });
        for (std::size_t j = 0; j < futures[i].size(); ++j) {
            outcomes[i].push_back(futures[i][j].get());
            totals.add(outcomes[i].back().status);
            write([&](TestReporter& to) {
                return to.end_case(plan[i].cases[j], outcomes[i].back());
            });
        }
        write([&](TestReporter& to) { return to.end_scenario(plan[i], outcomes[i]); });
    }
    write([&](TestReporter& to) { return to.end(totals); });
    return outcomes;
}

/// Bad input also goes to standard error, as it does in every command.
void report_errors(const std::vector<PlannedScenario>& plan,
                   const std::vector<ScenarioOutcomes>& outcomes) {
    for (std::size_t i = 0; i < plan.size(); ++i) {
        if (!plan[i].error.empty()) {
            write_error_line(plan[i].error);
        }
        for (const CaseOutcome& outcome : outcomes[i]) {
            if (!outcome.error.empty()) {
                write_error_line(outcome.error);
            }
        }
    }
}

} // namespace

int test_command(const TestArguments& arguments) {
    if (arguments.ktap && arguments.junit == "-") {
        throw UsageError("--ktap and --junit cannot both go to standard output");
    }
    const std::vector<PlannedScenario> plan = make_plan(arguments);
    if (arguments.list) {
        return list_plan(plan);
    }
    std::optional<OutputFile> junit;
    if (arguments.junit) {
        junit.emplace(*arguments.junit);
    }
    std::unique_ptr<TestReporter> reporter;
    if (arguments.ktap) {
        reporter = std::make_unique<KtapReporter>();
    } else if (arguments.junit != "-") {
        reporter = std::make_unique<TextReporter>(Style::for_standard_output());
    }
    TestTotals totals;
    const std::vector<ScenarioOutcomes> outcomes =
        run_plan(plan, arguments, reporter.get(), totals);
    if (junit) {
        junit->write(junit_text(plan, outcomes));
        junit->commit();
    }
    report_errors(plan, outcomes);
    if (totals.interrupted != 0) {
        return kInterrupted;
    }
    if (totals.errors != 0) {
        return kBadInput;
    }
    return totals.failed != 0 ? kViolation : kDone;
}

} // namespace fenceline::tools
