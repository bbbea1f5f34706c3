// fenceline compare: the same workload under several values of some settings.
//
// Everything is read and checked before the first run starts. The runs are independent of each
// other and are spread over threads; each result has its place, so that the output is the same
// however many threads there are.
#include "tools/command_line.hpp"
#include "tools/commands.hpp"
#include "tools/compare_summary.hpp"
#include "tools/human.hpp"
#include "tools/interrupt.hpp"
#include "tools/output_file.hpp"
#include "tools/progress.hpp"
#include "tools/usage_error.hpp"
#include "tools/vary.hpp"
#include "workloads/read_ahead.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <optional>
#include <thread>

namespace fenceline::tools {
namespace {

/// More combinations than anyone reads, or waits for.
constexpr std::size_t kMostRuns = 10'000;

std::size_t count_runs(const std::vector<workloads::VaryAxis>& axes) {
    std::size_t count = 1;
    for (const workloads::VaryAxis& axis : axes) {
        count *= axis.values.size();
        if (count > kMostRuns) {
            throw UsageError("the values make more than " + human_count(kMostRuns) +
                             " combinations");
        }
    }
    return count;
}

/// Every combination, prepared, the last axis changing fastest.
std::vector<ComparedRun> prepare_runs(const ConfigDocument& file,
                                      const std::vector<GivenSetting>& settings,
                                      const std::vector<workloads::VaryAxis>& axes) {
    std::vector<ComparedRun> runs;
    WorkloadCache cache;
    const std::size_t count = count_runs(axes);
    for (std::size_t index = 0; index < count; ++index) {
        ComparedRun run;
        std::vector<GivenSetting> all = settings;
        std::size_t rest = index;
        std::size_t block = count;
        for (const workloads::VaryAxis& axis : axes) {
            block /= axis.values.size();
            const std::string& value = axis.values[rest / block];
            rest %= block;
            run.values.push_back(value);
            all.push_back({axis.key, value, "--vary " + axis.key + "=" + value});
        }
        workloads::Config config = configure(file, all);
        config.vary.clear(); // this run has one value of each
        run.prepared = prepare(std::move(config), cache);
        runs.push_back(std::move(run));
    }
    return runs;
}

/// Executes the runs on threads that take one after the other.
class Crew {
  public:
    explicit Crew(Comparison& comparison)
        : comparison_(comparison), errors_(comparison.runs.size()) {}

    void work(unsigned threads) {
        spdlog::info("running {} on {}", human_plural(comparison_.runs.size(), "run"),
                     human_plural(threads, "thread"));
        processors_ = workloads::available_processors() / threads;
        std::vector<std::thread> others;
        for (unsigned i = 1; i < threads; ++i) {
            others.emplace_back([this] { take_runs(); });
        }
        take_runs();
        for (std::thread& thread : others) {
            thread.join();
        }
        // The first in the order of the runs, whichever happened first.
        for (const std::exception_ptr& error : errors_) {
            if (error != nullptr) {
                std::rethrow_exception(error);
            }
        }
        comparison_.interrupted = std::any_of(
            comparison_.runs.begin(), comparison_.runs.end(), [](const ComparedRun& run) {
                return !run.done || run.result.end == workloads::RunEnd::interrupted;
            });
    }

  private:
    void take_runs() {
        for (std::size_t index = next_++; index < errors_.size(); index = next_++) {
            if (interrupter_.requested() || failed_) {
                return;
            }
            try {
                execute(comparison_.runs[index]);
            } catch (...) {
                errors_[index] = std::current_exception();
                failed_ = true;
            }
            ++finished_;
        }
    }

    void execute(ComparedRun& run) {
        workloads::RunOptions options;
        options.keep_going = comparison_.flags.keep_going;
        options.strict = comparison_.flags.strict;
        options.on_progress = [this](const workloads::Progress& progress) {
            line_.show([&](double) {
                return human_count(finished_) + " of " +
                       human_plural(comparison_.runs.size(), "run") + " done, one is at " +
                       human_time(progress.now) + " of virtual time";
            });
            return !interrupter_.requested();
        };
        const std::unique_ptr<workloads::JobSource> jobs = run.prepared.loaded.open_jobs();
        jobs->read_ahead(processors_);
        run.result = simulate(run.prepared.config, *run.prepared.loaded.workload, *jobs, options);
        run.done = true;
    }

    Comparison& comparison_;
    std::vector<std::exception_ptr> errors_; ///< one for each run; each written by one thread
    std::atomic<std::size_t> next_{0};
    std::atomic<std::size_t> finished_{0};
    std::atomic<bool> failed_{false};
    unsigned processors_ = 1; ///< for each thread, that is, each run
    const Interrupter interrupter_;
    ProgressLine line_;
};

unsigned thread_count(unsigned wanted, std::size_t runs) {
    const unsigned available = std::max(1U, std::thread::hardware_concurrency());
    const std::size_t threads = wanted == 0 ? available : wanted;
    return static_cast<unsigned>(std::min(threads, runs));
}

} // namespace

int compare_command(const CompareArguments& arguments) {
    const ConfigDocument file = read_config_file(arguments.config);
    Comparison comparison;
    comparison.config_name = file.name;
    comparison.flags.keep_going = arguments.keep_going;
    comparison.flags.strict = arguments.strict;
    comparison.axes = choose_axes(arguments.vary, configure(file, arguments.settings));
    if (arguments.vary.empty() && file.document.contains("matrix")) {
        const workloads::Source source{file.name};
        const workloads::Cursor root(file.document, source);
        comparison.matrix = workloads::read_matrix(root.member("matrix"));
        comparison.flags.keep_going = true; // a row is about one failure among several
    }
    comparison.runs = prepare_runs(file, arguments.settings, comparison.axes);
    std::optional<OutputFile> json;
    if (arguments.json) {
        json.emplace(*arguments.json);
    }
    const unsigned threads = thread_count(arguments.jobs, comparison.runs.size());
    Crew(comparison).work(threads);
    if (json) {
        json->write(json_text(comparison_json(comparison)));
        json->commit();
    }
    if (arguments.json != "-") {
        write_standard_output(comparison_summary(comparison, Style::for_standard_output()));
    }
    if (comparison.interrupted) {
        return kInterrupted;
    }
    const bool violated = std::any_of(comparison.runs.begin(), comparison.runs.end(),
                                      [](const ComparedRun& run) { return run.result.violated(); });
    return violated && arguments.fail_on_hazard ? kViolation : kDone;
}

} // namespace fenceline::tools
