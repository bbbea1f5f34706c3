#include "tools/matrix.hpp"

#include "tools/human.hpp"
#include "tools/verdict.hpp"
#include "workloads/quirks.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fenceline::tools {
namespace {

using workloads::MatrixRow;

/// One cell: the run in which the driver keeps the contract, and the one in which it does not.
struct MatrixCell {
    const ComparedRun* kept = nullptr;
    const ComparedRun* broken = nullptr;
    const ComparedRun* shown_by = nullptr; ///< the run that fails
    const sim::Hazard* hazard = nullptr;   ///< the first of those that the row is about
};

std::string value_of(const Comparison& comparison, const ComparedRun& run, std::string_view key) {
    for (std::size_t i = 0; i < comparison.axes.size(); ++i) {
        if (comparison.axes[i].key == key) {
            return run.values[i];
        }
    }
    return {};
}

std::vector<std::string> lifetimes(const Comparison& comparison) {
    std::vector<std::string> names;
    for (const ComparedRun& run : comparison.runs) {
        const std::string& name = run.prepared.config.lifetime.name;
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            names.push_back(name);
        }
    }
    return names;
}

const sim::Hazard* find_hazard(const MatrixRow& row, const ComparedRun* run) {
    if (run == nullptr) {
        return nullptr;
    }
    for (const sim::Hazard& hazard : run->result.hazards) {
        // What is found at the end of a run (a leak, say) is what the failure left behind.
        if (hazard.kind->fatal && std::find(row.subjects.begin(), row.subjects.end(),
                                            hazard.subject) != row.subjects.end()) {
            return &hazard;
        }
    }
    return nullptr;
}

MatrixCell find_cell(const Comparison& comparison, const MatrixRow& row,
                     const std::string& lifetime) {
    MatrixCell cell;
    for (const ComparedRun& run : comparison.runs) {
        if (!run.done || run.prepared.config.lifetime.name != lifetime ||
            value_of(comparison, run, "workload") != row.workload) {
            continue;
        }
        const std::vector<std::string>& quirks = run.prepared.config.quirks;
        if (quirks == row.quirks) {
            cell.kept = &run;
        } else if (row.quirks.empty() && quirks.size() == 1 &&
                   quirks.front() == workloads::kBreakContract) {
            cell.broken = &run;
        }
    }
    for (const ComparedRun* run : {cell.kept, cell.broken}) {
        if (cell.hazard == nullptr && (cell.hazard = find_hazard(row, run)) != nullptr) {
            cell.shown_by = run;
        }
    }
    return cell;
}

std::string_view verdict_of(const MatrixCell& cell) {
    if (cell.kept == nullptr) {
        return "not run";
    }
    return cell.hazard == nullptr ? "safe" : cell.shown_by == cell.kept ? "fails" : "contract";
}

/// What the longest holder pinned all the time: bytes, averaged over that time.
std::uint64_t pinned_bytes(const workloads::LifetimeResult& lifetime) {
    if (lifetime.longest_pinned == 0) {
        return 0;
    }
    const double seconds = static_cast<double>(lifetime.longest_pinned) * 1e-9;
    return static_cast<std::uint64_t>(lifetime.pinned_byte_seconds / seconds + 0.5);
}

Cell table_cell(const MatrixRow& row, const MatrixCell& cell) {
    if (row.subjects.empty() && cell.kept != nullptr) {
        const workloads::LifetimeResult& lifetime = cell.kept->result.lifetime;
        return {fmt::format("{} ({})", human_bytes(static_cast<double>(pinned_bytes(lifetime))),
                            lifetime.longest_what)};
    }
    const std::string_view verdict = verdict_of(cell);
    return {std::string(verdict), verdict == "safe"      ? Tone::good
                                  : verdict == "not run" ? Tone::faint
                                                         : Tone::bad};
}

std::string row_name(const Comparison& comparison, const MatrixRow& row) {
    for (const ComparedRun& run : comparison.runs) {
        if (value_of(comparison, run, "workload") == row.workload) {
            return run.prepared.loaded.workload->name;
        }
    }
    return row.workload;
}

} // namespace

std::string matrix_summary(const Comparison& comparison, const Style& style) {
    const std::vector<std::string> policies = lifetimes(comparison);
    std::vector<Column> columns{{"", Align::left, Overflow::wrap}};
    for (const std::string& policy : policies) {
        columns.push_back({policy, Align::left, Overflow::wrap});
    }
    Table table(std::move(columns));
    std::string shown;
    for (const MatrixRow& row : comparison.matrix) {
        const std::string name = row_name(comparison, row);
        std::vector<Cell> cells{{name}};
        std::string lines;
        for (const std::string& policy : policies) {
            const MatrixCell cell = find_cell(comparison, row, policy);
            cells.push_back(table_cell(row, cell));
            if (cell.hazard != nullptr) {
                lines += wrapped(fmt::format("{}{}: {}", policy,
                                             cell.shown_by == cell.kept ? "" : " (contract broken)",
                                             hazard_story(*cell.hazard)),
                                 4, 8);
            }
        }
        table.row(std::move(cells));
        if (!lines.empty()) {
            shown += wrapped(name + " (" + row.workload + ")", 2, 4) + lines;
        }
    }
    return "\n" + style.paint("What can fail", Tone::strong) + "\n" + table.text(style) +
           "\n  contract: only where the driver does not do what the policy demands of it at "
           "teardown\n\n" +
           style.paint("What shows it", Tone::strong) + "\n" + shown;
}

workloads::Json matrix_json(const Comparison& comparison) {
    workloads::Json rows = workloads::Json::array();
    for (const MatrixRow& row : comparison.matrix) {
        workloads::Json entry = {{"row", row_name(comparison, row)},
                                 {"workload", row.workload},
                                 {"subjects", row.subjects},
                                 {"quirks", row.quirks}};
        workloads::Json& cells = entry["cells"] = workloads::Json::object();
        for (const std::string& policy : lifetimes(comparison)) {
            const MatrixCell cell = find_cell(comparison, row, policy);
            workloads::Json& out = cells[policy] = workloads::Json::object();
            if (!row.subjects.empty()) {
                out["verdict"] = verdict_of(cell);
            }
            if (cell.kept != nullptr) {
                const workloads::LifetimeResult& lifetime = cell.kept->result.lifetime;
                out["pinned"] = {{"bytes", pinned_bytes(lifetime)},
                                 {"for", lifetime.longest_pinned},
                                 {"what", lifetime.longest_what}};
            }
            if (cell.hazard != nullptr) {
                out["shown_by"] = {{"workload", row.workload},
                                   {"quirks", cell.shown_by->prepared.config.quirks},
                                   {"class", cell.hazard->kind->name},
                                   {"subject", cell.hazard->subject},
                                   {"object", cell.hazard->object},
                                   {"message", cell.hazard->message},
                                   {"time", cell.hazard->access.time},
                                   {"event", cell.hazard->event}};
            }
        }
        rows.push_back(std::move(entry));
    }
    return rows;
}

} // namespace fenceline::tools
