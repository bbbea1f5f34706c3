// Comparison of two implementations on one workload, and the reduction of a workload on which
// they differ to the smallest one that still does.
#pragma once

#include "workload.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace conformance {

// Runs a workload and returns its event log as JSON Lines.
using Implementation = std::function<std::string(const Workload&)>;
using Predicate = std::function<bool(const Workload&)>;

// The number (from 0) of the first line in which the logs differ.
std::optional<std::size_t> first_difference(const std::string& left, const std::string& right);

// Removes and simplifies greedily as long as the predicate holds; it must hold for `workload`.
// Deterministic; the result is valid, and no single step of the shrinker makes it smaller.
Workload shrink(Workload workload, const Predicate& still_fails);

// The two logs in two columns, the first difference marked.
std::string side_by_side(const std::string& left_title, const std::string& left,
                         const std::string& right_title, const std::string& right);

// Everything a reader needs of a workload on which two implementations differ.
std::string report_difference(const Workload& workload, const std::string& left_title,
                              const std::string& left, const std::string& right_title,
                              const std::string& right);

} // namespace conformance
