// The tables of a comparison. Not for use outside compare_summary.cpp.
#pragma once

#include "tools/json_report.hpp"
#include "tools/table.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace fenceline::tools {

/// The runs as rows (workloads) and columns (what else varies). Refers to the comparison.
struct Grid {
    std::vector<std::string> workloads; ///< their names
    std::vector<std::string> variants;  ///< values, one a line where several axes vary
    std::map<std::pair<std::size_t, std::size_t>, const ComparedRun*> runs;

    [[nodiscard]] const ComparedRun* at(std::size_t workload, std::size_t variant) const {
        const auto it = runs.find({workload, variant});
        return it == runs.end() ? nullptr : it->second;
    }
};

/// Which policy fails in which situation.
[[nodiscard]] std::string verdict_matrix(const Grid& grid, const Style& style);
/// What each policy costs, a table for each workload.
[[nodiscard]] std::string cost_tables(const Grid& grid, const Style& style);
/// Figures of clients and rings, the variants beside each other, a table for each workload.
[[nodiscard]] std::string side_by_side(const Grid& grid, const Comparison& comparison,
                                       const Style& style);

} // namespace fenceline::tools
