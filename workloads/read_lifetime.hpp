// Lifetime policies in documents: a preset's name, or a composition of rules.
//
//     { "base": "split", "name": "mine", "retire": "rcu-barrier",
//       "lock": "inline", "public": { "names": "safe" }, "hardware": { "lock": "borrowed:ring" } }
//
// Without `base` the composition starts from the plainest policy (every rule's first choice as
// fences::LifetimePolicy has it). A rule about a fence holds for both fences where it stands at the
// top, for one where it stands in `public` or `hardware`, which win.
#pragma once

#include "fences/lifetime.hpp"
#include "workloads/json_reader.hpp"

namespace fenceline::workloads {

[[nodiscard]] fences::LifetimePolicy read_lifetime(const Cursor& value);

/// The preset's name where the policy is one, else the whole composition. Reading it gives an equal
/// policy.
[[nodiscard]] Json lifetime_json(const fences::LifetimePolicy& policy);

} // namespace fenceline::workloads
