// From what the user gave to something that can be simulated: the configuration with settings
// applied, its workload loaded, everything checked that can be checked before a run starts.
#pragma once

#include "workloads/config.hpp"
#include "workloads/json.hpp"
#include "workloads/read_workload.hpp"

#include <map>
#include <span>
#include <string>

namespace fenceline::tools {

/// A change to the configuration, and how the user wrote it, for messages.
struct GivenSetting {
    std::string key;
    std::string value;
    std::string typed; ///< `--policy rr`, `--set seed=2`
};

/// A configuration file as read, its own faults already excluded.
struct ConfigDocument {
    std::string name; ///< what messages call the file
    workloads::Json document;
};

/// Workloads by path, each read once. Loaded workloads are shared, not copied.
using WorkloadCache = std::map<std::string, workloads::LoadedWorkload>;

/// Everything a run needs. The configuration is resolved: see workloads::resolve_rings().
struct PreparedRun {
    workloads::Config config;
    workloads::LoadedWorkload loaded;
};

[[nodiscard]] ConfigDocument read_config_file(const std::string& path);

/// The configuration with the settings applied one after the other.
[[nodiscard]] workloads::Config configure(const ConfigDocument& file,
                                          std::span<const GivenSetting> settings);

/// Loads the workload of the configuration, refuses what this version does not run, and resolves
/// the rings.
[[nodiscard]] PreparedRun prepare(workloads::Config config, WorkloadCache& cache);

/// The same with a workload that is at hand already, whatever the configuration names.
[[nodiscard]] PreparedRun prepare(workloads::Config config, workloads::LoadedWorkload loaded);

} // namespace fenceline::tools
