// fenceline run: one simulation and its summary.
#include "tools/command_line.hpp"
#include "tools/commands.hpp"
#include "tools/event_log_writer.hpp"
#include "tools/interrupt.hpp"
#include "tools/preset_check.hpp"
#include "tools/progress.hpp"
#include "tools/run_summary.hpp"
#include "tools/usage_error.hpp"
#include "workloads/duration.hpp"
#include "workloads/input_error.hpp"
#include "workloads/read_ahead.hpp"
#include "workloads/schedule.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <optional>

namespace fenceline::tools {
namespace {

/// Where the results go. Opened before the run, so that it does not run in vain.
struct Outputs {
    explicit Outputs(const RunArguments& arguments) {
        if (arguments.json == "-" && arguments.events == "-") {
            throw UsageError("--json and --events cannot both go to standard output");
        }
        if (arguments.json) {
            json.emplace(*arguments.json);
        }
        if (arguments.save) {
            schedule.emplace(*arguments.save);
        }
        if (arguments.events) {
            events.emplace(*arguments.events);
        }
        refuse_same(json, "--json", events, "--events");
        refuse_same(json, "--json", schedule, "--save");
        refuse_same(events, "--events", schedule, "--save");
        if (arguments.save == "-" && (arguments.json == "-" || arguments.events == "-")) {
            throw UsageError("--save and another output cannot both go to standard output");
        }
        // Two documents in one stream would be neither.
        summary = arguments.json != "-" && arguments.events != "-" && arguments.save != "-";
    }

    static void refuse_same(const std::optional<OutputFile>& a, std::string_view a_name,
                            const std::optional<OutputFile>& b, std::string_view b_name) {
        if (a && b && !a->target().empty() && a->target() == b->target()) {
            throw UsageError(fmt::format("{} and {} name the same file", a_name, b_name));
        }
    }

    std::optional<OutputFile> json;
    std::optional<OutputFile> events;
    std::optional<OutputFile> schedule; ///< --save
    bool summary = true;
};

std::unique_ptr<EventLogWriter> make_event_log(Outputs& outputs, const PreparedRun& prepared) {
    if (!outputs.events) {
        return nullptr;
    }
    std::vector<std::string> entities;
    for (const workloads::EntitySpec& entity : prepared.loaded.workload->entities) {
        entities.push_back(entity.id);
    }
    std::vector<std::string> rings;
    for (const workloads::RingConfig& ring : prepared.config.rings) {
        rings.push_back(ring.name);
    }
    return std::make_unique<EventLogWriter>(*outputs.events, entities, rings);
}

/// The time of `--ledger=TIME`; kForever: the end.
std::optional<sim::Time> ledger_time(const std::string& text) {
    if (text.empty()) {
        return std::nullopt;
    }
    if (text == "end") {
        return sim::kForever;
    }
    const bool plain = text.find_first_not_of("0123456789") == std::string::npos;
    const workloads::ParsedDuration time = workloads::parse_duration(plain ? text + "ns" : text);
    if (time.fault != workloads::DurationFault::none) {
        throw UsageError("--ledger=" + workloads::printable(text, 80) +
                         ": expected a time, such as 5ms, or nothing for the end of the run");
    }
    return time.value;
}

/// How contexts interleave: timed order, unless `follow` is set.
struct Interleaving {
    std::optional<sim::Schedule> follow;
    std::optional<sim::Schedule> taken;
};

workloads::RunResult execute(const PreparedRun& prepared, EventLogWriter* log, RunFlags flags,
                             Interleaving& interleaving, std::optional<sim::Time> ledger) {
    const std::unique_ptr<workloads::JobSource> jobs = prepared.loaded.open_jobs();
    const std::optional<std::uint64_t> total = jobs->count_hint();
    jobs->read_ahead(workloads::available_processors());
    const Interrupter interrupter;
    spdlog::info("running '{}' ({})", workloads::printable(prepared.loaded.workload->name),
                 workloads::printable(prepared.loaded.workload->source_path));
    ProgressLine line;
    workloads::RunOptions options;
    options.events = log;
    options.keep_going = flags.keep_going;
    options.strict = flags.strict;
    options.schedule = interleaving.follow ? &*interleaving.follow : nullptr;
    options.record = interleaving.taken ? &*interleaving.taken : nullptr;
    options.ledger = ledger;
    options.on_progress = [&](const workloads::Progress& progress) {
        line.show([&](double seconds) { return progress_text(progress, total, seconds); });
        return !interrupter.requested() && (log == nullptr || !log->failed());
    };
    return simulate(prepared.config, *prepared.loaded.workload, *jobs, options);
}

void write_results(const PreparedRun& prepared, const workloads::RunResult& result,
                   Outputs& outputs, EventLogWriter* log, RunFlags flags) {
    if (log != nullptr) {
        log->finish();
        outputs.events->commit();
    }
    if (outputs.json) {
        outputs.json->write(json_text(result_json(prepared, result, flags)));
        outputs.json->commit();
    }
    if (outputs.summary) {
        write_standard_output(run_summary(prepared, result, Style::for_standard_output()));
    } else if (result.violated()) {
        spdlog::warn("{} found, the first: {}",
                     result.hazards.size() == 1 ? "a hazard was" : "hazards were",
                     workloads::printable(headline(result.hazards.front()), 1000));
    }
}

} // namespace

namespace {

int run_once(const RunArguments& arguments, Interleaving& interleaving) {
    WorkloadCache cache;
    const std::optional<sim::Time> ledger = ledger_time(arguments.ledger);
    const ConfigDocument file = read_config_file(arguments.config);
    const PreparedRun prepared = prepare(configure(file, arguments.settings), cache);
    Outputs outputs(arguments);
    const std::unique_ptr<EventLogWriter> log = make_event_log(outputs, prepared);
    const RunFlags flags{arguments.keep_going, arguments.strict};
    workloads::RunResult result = execute(prepared, log.get(), flags, interleaving, ledger);
    spdlog::info("{} events", result.events);
    if (outputs.schedule) {
        outputs.schedule->write(workloads::schedule_text(*interleaving.taken));
        outputs.schedule->commit();
    }
    // Another policy takes other steps: a schedule would not fit it.
    if (!arguments.no_presets && !interleaving.follow) {
        check_presets(prepared, flags, result);
    }
    write_results(prepared, result, outputs, log.get(), flags);
    if (result.end == workloads::RunEnd::interrupted) {
        return kInterrupted;
    }
    return result.violated() ? kViolation : kDone;
}

} // namespace

int run_command(const RunArguments& arguments) {
    Interleaving timed;
    return run_once(arguments, timed);
}

int check_command(const RunArguments& arguments) {
    Interleaving interleaving;
    interleaving.follow =
        arguments.replay ? workloads::read_schedule(*arguments.replay) : sim::Schedule();
    if (arguments.save) {
        interleaving.taken.emplace();
    }
    return run_once(arguments, interleaving);
}

} // namespace fenceline::tools
