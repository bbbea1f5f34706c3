// Scenarios: a workload under a configuration and what is expected of the run; what `fenceline test`
// runs (docs/scenarios.md, docs/formats.md "Scenario").
//
//     { "format": "fenceline/scenario", "version": 1, "name": "...",
//       "config": "file" or {...}, "workload": "file" or {...},
//       "cases": [ { "name": "...", "set": {...}, "expect": {...} } ] }
//
// A scenario is read into its cases, each complete in itself: what a case does not say it has from
// the scenario; a scenario without cases is one case without a name. Documents that stand in the
// scenario itself are read as the files would be, by the same code, and messages point into the
// scenario's file; files that it names are not opened here. Paths are relative to the scenario's
// file and come out relative to the working directory.
//
// Everything that is wrong is thrown as InputError, the first fault in the document's order, except
// that defaults of the scenario are looked at before its cases.
#pragma once

#include "workloads/config.hpp"
#include "workloads/expectations.hpp"
#include "workloads/json_reader.hpp"
#include "workloads/read_workload.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fenceline::workloads {

/// A document inside the scenario, complete with format and version.
struct InlineDocument {
    Json document;
    Source source;
};

/// Nothing, a path, or the document itself.
using ConfigRef = std::variant<std::monostate, std::string, InlineDocument>;
using WorkloadRef = std::variant<std::monostate, std::string, LoadedWorkload>;
using ScheduleRef = std::variant<std::monostate, std::string, InlineDocument>;

/// A key of the configuration that a case sets.
struct CaseSetting {
    std::string key; ///< dotted, as for --set
    Json value;
    std::string label; ///< file and place, for messages
};

struct ScenarioCase {
    std::string name;     ///< unique in the scenario; empty: the only case of one without cases
    std::string pointer;  ///< where it stands in the file: `/cases/0`, or empty
    ConfigRef config;     ///< nothing: the defaults
    WorkloadRef workload; ///< nothing: the one that the configuration names
    ScheduleRef schedule;
    bool keep_going = false;
    bool strict = false;
    std::vector<CaseSetting> settings; ///< in the order in which they stand
    Expectations expect;
};

/// The bug that a scenario shows, for the reader.
struct ScenarioBug {
    std::string catalogue;
    std::vector<std::string> references;
    std::vector<std::string> steps;
    std::string fix;
};

struct Scenario {
    std::string source_path; ///< what messages call the file
    std::string name;        ///< the file's where it has none
    std::string about;
    std::optional<ScenarioBug> bug;
    std::vector<ScenarioCase> cases; ///< at least one
};

inline constexpr std::string_view kScenarioFormat = "fenceline/scenario";

/// `path`: `-` is standard input, whose paths are relative to the working directory.
[[nodiscard]] Scenario read_scenario(const std::string& path);

/// The same from a document already read from there.
[[nodiscard]] Scenario interpret_scenario(const Json& document, const std::string& path);

/// The configuration of a case, its settings applied; reads the file where it names one.
[[nodiscard]] Config config_of(const ScenarioCase& one, const Scenario& scenario);

} // namespace fenceline::workloads
