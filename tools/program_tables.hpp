// What became of clients' programs, as tables of the summary of a run.
#pragma once

#include "tools/table.hpp"
#include "workloads/simulation.hpp"

#include <string>
#include <vector>

namespace fenceline::tools {

/// The programs of these clients: rate and pacing, then cycles and their latency. Empty when none
/// of them has a program.
[[nodiscard]] std::string program_tables(const std::vector<const workloads::ClientResult*>& clients,
                                         const Style& style);

} // namespace fenceline::tools
