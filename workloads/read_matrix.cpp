#include "workloads/read_matrix.hpp"

namespace fenceline::workloads {

std::vector<MatrixRow> read_matrix(const Cursor& value) {
    std::vector<MatrixRow> rows;
    value.elements([&](const Cursor& element) {
        MatrixRow& row = rows.emplace_back();
        element.members({
            {"workload", Need::required, [&](const Cursor& v) { row.workload = v.name(); }},
            {"quirks", Need::optional,
             [&](const Cursor& v) {
                 v.elements([&](const Cursor& quirk) { row.quirks.push_back(quirk.name()); });
             }},
            {"subjects", Need::optional,
             [&](const Cursor& v) {
                 v.elements([&](const Cursor& subject) { row.subjects.push_back(subject.name()); });
             }},
        });
    });
    return rows;
}

} // namespace fenceline::workloads
