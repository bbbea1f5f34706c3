// What `fenceline test` is to run: scenario files found, read and made ready, case by case.
//
// Everything is read and checked before the first run starts. What is wrong with one file or one
// case is kept with it as `error` and keeps nothing else from running. The order is that of the
// paths as they were given, in a folder that of the names; nothing depends on the file system.
#pragma once

#include "sim/schedule.hpp"
#include "tools/json_report.hpp"
#include "tools/test_record.hpp"
#include "workloads/scenario.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fenceline::tools {

/// A case that is ready to run, or what is wrong with it.
struct PlannedCase {
    std::string name;      ///< for lists below the scenario's name
    std::string full_name; ///< FILE/SCENARIO/CASE, what --filter goes by
    std::string error;     ///< not empty: cannot be run
    std::optional<PreparedRun> prepared;
    std::optional<sim::Schedule> schedule; ///< nothing: timed order
    RunFlags flags;
    workloads::Expectations expect;
    EventMatchers matchers;
};

struct PlannedScenario {
    std::string file;
    std::string name;
    std::string error; ///< not empty: the file is no valid scenario, and there are no cases
    std::vector<PlannedCase> cases;
};

/// A scenario's file that has been found, with its document.
struct FoundScenario {
    std::string path;
    workloads::Json document;
    std::string error; ///< not empty: what is there is not even JSON
};

/// Files are scenarios; folders are searched for *.json with that format, hidden ones left out.
/// Throws InputError where a path is neither.
[[nodiscard]] std::vector<FoundScenario> find_scenarios(const std::vector<std::string>& paths);

/// Whether a case's full name is meant: with any of `*?[` the filter is a pattern for the whole
/// name, else a part of it.
[[nodiscard]] bool passes_filter(const std::string& full_name, const std::string& filter);

/// Reads and prepares the cases that pass the filter; scenarios without any are left out.
[[nodiscard]] std::vector<PlannedScenario> plan_tests(const std::vector<FoundScenario>& found,
                                                      const std::string& filter);

/// Makes one case ready. Throws InputError.
[[nodiscard]] PlannedCase plan_case(const workloads::Scenario& scenario,
                                    const workloads::ScenarioCase& one, WorkloadCache& cache);

} // namespace fenceline::tools
