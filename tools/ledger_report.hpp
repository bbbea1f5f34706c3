// The ledger for readers and as JSON: what is alive, and the chains of references that keep it.
#pragma once

#include "tools/table.hpp"
#include "workloads/json.hpp"
#include "workloads/simulation.hpp"

#include <string>

namespace fenceline::tools {

/// The whole snapshot in at most so many nodes and edges; the totals are of all.
inline constexpr std::size_t kMostLedgerNodes = 10'000;
inline constexpr std::size_t kMostLedgerEdges = 20'000;

/// What `run --ledger` prints; empty without a snapshot. Groups of chains beyond the first twenty
/// are only counted.
[[nodiscard]] std::string ledger_section(const workloads::RunResult& result, const Style& style);
/// What was alive when a driver was unloaded or a device unbound; empty where none was.
[[nodiscard]] std::string unload_section(const workloads::RunResult& result, const Style& style);

[[nodiscard]] workloads::Json ledger_json(const fences::Snapshot& snapshot);
[[nodiscard]] workloads::Json
unload_moments_json(const std::vector<workloads::UnloadMoment>& moments);

} // namespace fenceline::tools
