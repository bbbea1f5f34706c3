#include "tools/test_plan.hpp"

#include "workloads/input_error.hpp"
#include "workloads/input_file.hpp"
#include "workloads/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fnmatch.h>
#include <set>

namespace fenceline::tools {
namespace {

namespace fs = std::filesystem;
using workloads::InputError;
using workloads::Json;
using workloads::Scenario;
using workloads::ScenarioCase;

std::string format_of(const Json& document) {
    const auto it = document.is_object() ? document.find("format") : document.end();
    return document.is_object() && it != document.end() && it->is_string() ? it->get<std::string>()
                                                                           : std::string();
}

/// The *.json files below the folder, sorted.
std::vector<std::string> json_files(const std::string& folder) {
    std::vector<std::string> files;
    std::error_code error;
    for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
         it.increment(error)) {
        const std::string name = it->path().filename().string();
        std::error_code ignored; // of what cannot even be looked at; reading it would say so
        if (name.starts_with('.')) {
            if (it->is_directory(ignored)) {
                it.disable_recursion_pending();
            }
        } else if (name.ends_with(".json") && !it->is_directory(ignored)) {
            files.push_back(it->path().lexically_normal().string());
        }
    }
    if (error) {
        throw InputError(folder + ": cannot be searched: " + error.message());
    }
    std::sort(files.begin(), files.end());
    return files;
}

Json read_document(const std::string& path) {
    return workloads::parse_json(workloads::read_text(path), {path == "-" ? "<stdin>" : path});
}

/// A file that was named must be a scenario.
FoundScenario named_scenario(const std::string& path) {
    FoundScenario found{path, read_document(path), {}};
    const std::string format = format_of(found.document);
    if (format != workloads::kScenarioFormat) {
        const std::string name = path == "-" ? "<stdin>" : path;
        throw InputError(name +
                         (format.empty()
                              ? ": found no format"
                              : ": /format: found \"" + workloads::printable(format, 60) + "\"") +
                         ", expected \"fenceline/scenario\"");
    }
    return found;
}

/// Other documents stand in folders as well, but one that cannot be read may be a scenario.
void add_from_folder(const std::string& path, std::vector<FoundScenario>& list) {
    FoundScenario found{path, {}, {}};
    try {
        found.document = read_document(path);
    } catch (const InputError& error) {
        found.error = error.what();
    }
    if (!found.error.empty() || format_of(found.document) == workloads::kScenarioFormat) {
        list.push_back(std::move(found));
    }
}

/// Standard input cannot be a run's workload: cases run side by side, and twice where hazards are.
void refuse_standard_input(const workloads::Config& config) {
    if (config.workload == "-") {
        throw InputError(config.source_path +
                         ": /workload: found \"-\", expected a file's path in a scenario");
    }
}

/// The clients that expectations name must be clients of the workload.
void check_clients(const Scenario& scenario, const ScenarioCase& one, const PreparedRun& prepared) {
    std::vector<std::string_view> known;
    for (const workloads::EntitySpec& entity : prepared.loaded.workload->entities) {
        known.push_back(entity.client);
    }
    for (const workloads::ClientSpec& client : prepared.loaded.workload->clients) {
        known.push_back(client.name);
    }
    for (const workloads::FigureExpectation& figure : one.expect.figures) {
        if (figure.client && std::find(known.begin(), known.end(), *figure.client) == known.end()) {
            throw InputError(fmt::format("{}: {}: found {}, expected a client of the "
                                         "workload{}",
                                         scenario.source_path, figure.where,
                                         workloads::describe(Json(*figure.client)),
                                         workloads::did_you_mean(*figure.client, known)));
        }
    }
}

PreparedRun prepare_case(const Scenario& scenario, const ScenarioCase& one, WorkloadCache& cache) {
    workloads::Config config = config_of(one, scenario);
    if (const auto* const own = std::get_if<workloads::LoadedWorkload>(&one.workload)) {
        config.workload.clear();
        return prepare(std::move(config), *own);
    }
    if (const auto* const path = std::get_if<std::string>(&one.workload)) {
        config.workload = *path;
    }
    if (config.workload.empty()) {
        throw InputError(scenario.source_path + ": " + one.pointer +
                         "/workload: found none, expected a workload, or a configuration that "
                         "names one");
    }
    refuse_standard_input(config);
    return prepare(std::move(config), cache);
}

/// The schedule that the case is run under, if any.
std::optional<sim::Schedule> schedule_of(const ScenarioCase& one) {
    if (const auto* const path = std::get_if<std::string>(&one.schedule)) {
        return workloads::read_schedule(*path);
    }
    if (const auto* const given = std::get_if<workloads::InlineDocument>(&one.schedule)) {
        return workloads::interpret_schedule(given->document, given->source);
    }
    return std::nullopt;
}

std::string full_name_of(const Scenario& scenario, const ScenarioCase& one) {
    return scenario.source_path + "/" + scenario.name + (one.name.empty() ? "" : "/" + one.name);
}

PlannedCase named_case(const Scenario& scenario, const ScenarioCase& one) {
    PlannedCase planned;
    planned.name = one.name.empty() ? scenario.name : one.name;
    planned.full_name = full_name_of(scenario, one);
    return planned;
}

/// Its cases, unless none passes the filter.
PlannedScenario plan_scenario(const Scenario& scenario, const std::string& filter,
                              WorkloadCache& cache) {
    PlannedScenario planned{scenario.source_path, scenario.name, {}, {}};
    for (const ScenarioCase& one : scenario.cases) {
        if (!passes_filter(full_name_of(scenario, one), filter)) {
            continue;
        }
        try {
            planned.cases.push_back(plan_case(scenario, one, cache));
        } catch (const InputError& error) {
            planned.cases.push_back(named_case(scenario, one));
            planned.cases.back().error = error.what();
        }
    }
    return planned;
}

} // namespace

std::vector<FoundScenario> find_scenarios(const std::vector<std::string>& paths) {
    std::vector<FoundScenario> found;
    std::set<std::string> seen; // a file that two paths lead to runs once
    const auto is_new = [&](const std::string& path) {
        std::error_code error;
        const fs::path canonical = fs::canonical(path, error);
        return seen.insert(error ? path : canonical.string()).second;
    };
    for (const std::string& path : paths) {
        std::error_code error;
        if (!fs::is_directory(path, error)) {
            FoundScenario named =
                named_scenario(path); // refused also where a folder passes it over
            if (is_new(path)) {
                found.push_back(std::move(named));
            }
            continue;
        }
        for (const std::string& file : json_files(path)) {
            if (is_new(file)) {
                add_from_folder(file, found);
            }
        }
    }
    return found;
}

bool passes_filter(const std::string& full_name, const std::string& filter) {
    if (filter.find_first_of("*?[") == std::string::npos) {
        return full_name.find(filter) != std::string::npos;
    }
    return fnmatch(filter.c_str(), full_name.c_str(), 0) == 0;
}

PlannedCase plan_case(const Scenario& scenario, const ScenarioCase& one, WorkloadCache& cache) {
    PlannedCase planned = named_case(scenario, one);
    PreparedRun& prepared = planned.prepared.emplace(prepare_case(scenario, one, cache));
    planned.schedule = schedule_of(one);
    check_clients(scenario, one, prepared);
    planned.flags = {one.keep_going, one.strict};
    planned.expect = one.expect;
    planned.matchers = EventMatchers(one.expect, prepared, scenario.source_path);
    return planned;
}

std::vector<PlannedScenario> plan_tests(const std::vector<FoundScenario>& found,
                                        const std::string& filter) {
    std::vector<PlannedScenario> plan;
    WorkloadCache cache;
    for (const FoundScenario& file : found) {
        try {
            if (!file.error.empty()) {
                throw InputError(file.error);
            }
            PlannedScenario scenario = plan_scenario(
                workloads::interpret_scenario(file.document, file.path), filter, cache);
            if (!scenario.cases.empty()) {
                plan.push_back(std::move(scenario));
            }
        } catch (const InputError& error) {
            plan.push_back({file.path, fs::path(file.path).stem().string(), error.what(), {}});
        }
    }
    return plan;
}

} // namespace fenceline::tools
