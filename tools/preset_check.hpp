// Which lifetime presets do not have the hazards of a run: the same workload under each of them.
#pragma once

#include "tools/json_report.hpp"

namespace fenceline::tools {

/// Longer runs are not repeated under other presets.
inline constexpr std::uint64_t kMostEventsForPresets = 500'000;

/// Enters into each hazard of the result how the same run fares under every other preset that this
/// version can run. Does nothing where there are no hazards, where the run was interrupted or too
/// long, or where its jobs can be read only once.
void check_presets(const PreparedRun& prepared, RunFlags flags, workloads::RunResult& result);

} // namespace fenceline::tools
