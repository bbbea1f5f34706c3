// fenceline validate: are these files what they say they are, and can this version run them?
#include "tools/command_line.hpp"
#include "tools/commands.hpp"
#include "tools/human.hpp"
#include "tools/messages.hpp"
#include "tools/output_file.hpp"
#include "tools/test_plan.hpp"
#include "workloads/input_error.hpp"
#include "workloads/input_file.hpp"
#include "workloads/json_reader.hpp"
#include "workloads/names.hpp"
#include "workloads/read_config.hpp"
#include "workloads/schedule.hpp"
#include "workloads/support.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string_view>

namespace fenceline::tools {
namespace {

using workloads::InputError;
using workloads::Json;
using workloads::LoadedWorkload;
using workloads::printable;

/// More notes than this are counted, not shown: they tend to be the same for every job.
constexpr std::size_t kMostNotes = 5;

/// Formats that are known and belong to later versions.
constexpr std::array<std::string_view, 1> kLaterFormats{"fenceline/sweep"};
constexpr std::array<std::string_view, 4> kFormats{"fenceline/workload", "fenceline/config",
                                                   "fenceline/scenario", "fenceline/schedule"};
constexpr std::string_view kExpectedFormats = "\"fenceline/workload\", \"fenceline/config\", "
                                              "\"fenceline/scenario\" or \"fenceline/schedule\"";

/// What there is to say about a valid file beside that it is valid.
class Notes {
  public:
    void add(std::string note) {
        if (std::find(notes_.begin(), notes_.end(), note) != notes_.end()) {
            return;
        }
        if (count_++ < kMostNotes) {
            notes_.push_back(std::move(note));
        }
    }
    [[nodiscard]] std::string text() const {
        std::string out;
        for (const std::string& note : notes_) {
            out += "  note: " + printable(note, 1000) + "\n";
        }
        if (count_ > notes_.size()) {
            out += "  and " + human_plural(count_ - notes_.size(), "more note") + "\n";
        }
        return out;
    }

  private:
    std::vector<std::string> notes_;
    std::size_t count_ = 0;
};

/// Reads every job, which checks it.
std::uint64_t count_jobs(const LoadedWorkload& loaded) {
    const std::unique_ptr<workloads::JobSource> jobs = loaded.open_jobs();
    workloads::JobRecord job;
    std::uint64_t count = 0;
    while (jobs->next(job)) {
        ++count;
    }
    return count;
}

std::string report_workload(const std::string& name, const LoadedWorkload& loaded) {
    const workloads::Workload& workload = *loaded.workload;
    const std::uint64_t jobs = count_jobs(loaded);
    std::string parts = fmt::format("{}, {}",
                                    workload.entities.size() == 1
                                        ? "1 entity"
                                        : human_count(workload.entities.size()) + " entities",
                                    human_plural(jobs, "job"));
    if (!workload.clients.empty()) {
        parts += ", " + human_plural(workload.clients.size(), "client");
    }
    if (!workload.actions.empty()) {
        parts += ", " + human_plural(workload.actions.size(), "action");
    }
    return fmt::format("{}: valid workload: {}\n", printable(name, 1000), parts);
}

/// A configuration may be written before its workload is: that is worth a note, not an error.
void look_at_workload(const workloads::Config& config, const std::string& path, Notes& notes) {
    try {
        const LoadedWorkload loaded = workloads::load_workload(path);
        (void)workloads::resolve_rings(config, *loaded.workload);
    } catch (const InputError& error) {
        notes.add(std::string("its workload cannot be run: ") + error.what());
    }
}

std::string report_config(const std::string& name, const Json& document) {
    const workloads::Config config = workloads::interpret_config(document, name);
    Notes notes;
    std::vector<std::string> paths;
    if (!config.workload.empty()) {
        paths.push_back(config.workload);
    }
    std::string parts =
        fmt::format("kernel {}, {}, lifetime {}", workloads::name_of(config.kernel),
                    human_plural(config.rings.size(), "ring"),
                    config.lifetime.name.empty() ? "composed" : config.lifetime.name);
    for (const workloads::VaryAxis& axis : config.vary) {
        parts += fmt::format(", varies {} ({})", axis.key, axis.values.size());
        if (axis.key == "workload") {
            paths = axis.values;
        }
    }
    for (const std::string& path : paths) {
        look_at_workload(config, path, notes);
    }
    for (std::string& missing : workloads::unsupported(config)) {
        notes.add(std::move(missing));
    }
    return fmt::format("{}: valid config: {}\n{}", printable(name, 1000), printable(parts, 1000),
                       notes.text());
}

/// Whether a case can be run. Files that it names may be written later: what is wrong with them is a
/// note, what is wrong with the scenario itself is thrown.
void look_at_case(const workloads::Scenario& scenario, const workloads::ScenarioCase& one,
                  WorkloadCache& cache, Notes& notes) {
    try {
        const std::vector<std::string> missing =
            workloads::unsupported(workloads::config_of(one, scenario));
        if (!missing.empty()) {
            notes.add(missing.front());
            return;
        }
        (void)plan_case(scenario, one, cache);
    } catch (const InputError& error) {
        if (std::string_view(error.what()).starts_with(scenario.source_path + ":")) {
            throw;
        }
        notes.add(std::string("cannot be run: ") + error.what());
    }
}

std::string report_scenario(const std::string& name, const Json& document,
                            const std::string& path) {
    const workloads::Scenario scenario = workloads::interpret_scenario(document, path);
    Notes notes;
    WorkloadCache cache;
    for (const workloads::ScenarioCase& one : scenario.cases) {
        look_at_case(scenario, one, cache, notes);
    }
    return fmt::format("{}: valid scenario: {}\n{}", printable(name, 1000),
                       human_plural(scenario.cases.size(), "case"), notes.text());
}

/// The document's `format`, which must be one that this version validates.
std::string_view known_format(const Json& document, const std::string& name) {
    const auto it = document.is_object() ? document.find("format") : document.end();
    if (!document.is_object() || it == document.end() || !it->is_string()) {
        throw InputError(name +
                         ": found no format, expected a document that starts with "
                         "\"format\": " +
                         std::string(kExpectedFormats));
    }
    const std::string& format = it->get_ref<const std::string&>();
    for (const std::string_view known : kFormats) {
        if (format == known) {
            return known;
        }
    }
    for (const std::string_view later : kLaterFormats) {
        if (format == later) {
            throw InputError(name + ": /format: \"" + format +
                             "\" is not validated by this version of Fenceline");
        }
    }
    throw InputError(name + ": /format: found \"" + printable(format, 60) + "\", expected " +
                     std::string(kExpectedFormats) + workloads::did_you_mean(format, kFormats));
}

/// The report on a valid file. Throws InputError where it is not.
std::string report(const std::string& path) {
    if (workloads::is_named_as_lines(path)) {
        return report_workload(path, workloads::load_workload(path));
    }
    const std::string name = path == "-" ? "<stdin>" : path;
    const std::string text = workloads::read_text(path);
    Json document = workloads::parse_json(text, {name});
    const std::string_view format = known_format(document, name);
    if (format == workloads::kScenarioFormat) {
        return report_scenario(name, document, path);
    }
    if (format == "fenceline/schedule") {
        const sim::Schedule schedule = workloads::interpret_schedule(document, {name});
        return fmt::format("{}: valid schedule: {}\n", printable(name, 1000),
                           human_plural(schedule.steps.size(), "step"));
    }
    if (format == "fenceline/workload") {
        document = nullptr; // both in memory at once would be too much of a large one
        return report_workload(name, workloads::parse_workload(text, name));
    }
    // Paths in a file are relative to it; what came through a pipe stands nowhere.
    std::error_code error;
    if (path != "-" && std::filesystem::is_regular_file(path, error)) {
        document = workloads::read_config_document(path);
    }
    return report_config(name, document);
}

} // namespace

int validate_command(const ValidateArguments& arguments) {
    int code = kDone;
    for (const std::string& path : arguments.files) {
        try {
            write_standard_output(report(path));
        } catch (const InputError& error) {
            write_error_line(error.what());
            code = kBadInput;
        }
    }
    return code;
}

} // namespace fenceline::tools
