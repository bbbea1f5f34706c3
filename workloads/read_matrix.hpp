// The rows of a matrix of failures: what a configuration says of a comparison beyond what varies.
//
// A row is a workload, and the subjects of the hazards that it is about ("lock", "names"): in a run
// that breaks in several ways only those count. A row without subjects is about what is pinned. A row
// may be about a kernel that still has some bug: then its runs are those with just these quirks.
#pragma once

#include "workloads/json_reader.hpp"

#include <string>
#include <vector>

namespace fenceline::workloads {

struct MatrixRow {
    std::string workload; ///< as in the axis `workload` that is varied
    std::vector<std::string> subjects;
    std::vector<std::string> quirks; ///< as in one value of the axis `quirks`
};

/// Reads the value of `matrix`. Throws InputError.
[[nodiscard]] std::vector<MatrixRow> read_matrix(const Cursor& value);

} // namespace fenceline::workloads
