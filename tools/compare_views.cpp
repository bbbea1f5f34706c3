#include "tools/compare_views.hpp"

#include "tools/human.hpp"
#include "tools/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace fenceline::tools {
namespace {

using workloads::ClientResult;
using workloads::RunResult;

/// Beyond these only the clients that used the GPU most are shown; --json has them all.
constexpr std::size_t kMostClients = 12;

bool interrupted(const ComparedRun& run) {
    return run.result.end == workloads::RunEnd::interrupted;
}

std::string title(const std::string& text, const Style& style) {
    return "\n" + style.paint(wrapped(text, 0, 2), Tone::strong);
}

Cell verdict_cell(const ComparedRun* run) {
    if (run == nullptr || !run->done) {
        return {"not run", Tone::faint};
    }
    if (run->result.violated()) {
        return {"FAILS " + first_failure(run->result), Tone::bad};
    }
    return interrupted(*run) ? Cell{"interrupted", Tone::faint} : Cell{"safe", Tone::good};
}

/// The longest of the waits in which an unload or unbind stood, those that never ended first.
const workloads::UnloadWait* longest_wait(const workloads::LifetimeResult& lifetime) {
    const auto longest = std::max_element(
        lifetime.unload_waits.begin(), lifetime.unload_waits.end(),
        [](const auto& a, const auto& b) {
            return std::pair{!a.finished, a.duration} < std::pair{!b.finished, b.duration};
        });
    return longest == lifetime.unload_waits.end() ? nullptr : &*longest;
}

Cell unload_cell(const workloads::LifetimeResult& lifetime) {
    const workloads::UnloadWait* const wait = longest_wait(lifetime);
    if (wait != nullptr && !wait->finished) {
        return {"never", Tone::bad};
    }
    return {lifetime.unload_time != 0 ? human_time(lifetime.unload_time)
            : wait != nullptr         ? human_time(wait->duration)
                                      : "-"};
}

/// What the unload waited for, below the table.
std::string unload_line(const std::string& variant, const workloads::LifetimeResult& lifetime) {
    const workloads::UnloadWait* const wait = longest_wait(lifetime);
    if (wait == nullptr) {
        return {};
    }
    return wrapped(fmt::format("{}: {} waits {} for {}{}", variant, wait->who,
                               human_time(wait->duration), wait->reason,
                               wait->finished ? "" : ", in vain"),
                   2, 4);
}

/// Figures of a run that ended early are not those of the whole run.
bool cut_short(const ComparedRun& run) {
    return run.result.end == workloads::RunEnd::hazard || interrupted(run);
}

std::vector<Cell> cost_row(const std::string& variant, const ComparedRun& run) {
    const workloads::LifetimeResult& lifetime = run.result.lifetime;
    const bool known = !lifetime.longest_what.empty();
    const std::string holder = known ? lifetime.longest_what + ", " + lifetime.longest_holder : "-";
    return {{variant + (cut_short(run) ? "*" : "")},
            {human_byte_seconds(lifetime.pinned_byte_seconds)},
            {human_bytes(static_cast<double>(lifetime.peak_pinned_bytes))},
            {human_time(lifetime.longest_pinned)},
            {holder},
            unload_cell(lifetime),
            {fmt::format("{:.1f}", lifetime.atomics_per_job)},
            {fmt::format("{:.1f}", lifetime.locks_per_job)}};
}

// --- side by side --------------------------------------------------------------------------------

/// One figure of a run.
struct Figure {
    std::string name;
    std::function<Cell(const RunResult&)> value;
};

const std::vector<std::pair<std::string, Cell (*)(const ClientResult&)>>& client_figures() {
    static const std::vector<std::pair<std::string, Cell (*)(const ClientResult&)>> figures{
        {"GPU time", [](const ClientResult& c) { return Cell{human_time(c.gpu_time)}; }},
        {"share", [](const ClientResult& c) { return Cell{human_percent(c.gpu_share)}; }},
        {"jobs/s", [](const ClientResult& c) { return Cell{human_number(c.jobs_per_second)}; }},
        {"queue delay p50",
         [](const ClientResult& c) { return Cell{human_time(c.queue_delay.p50)}; }},
        {"p95", [](const ClientResult& c) { return Cell{human_time(c.queue_delay.p95)}; }},
        {"p99", [](const ClientResult& c) { return Cell{human_time(c.queue_delay.p99)}; }},
        {"max", [](const ClientResult& c) { return Cell{human_time(c.queue_delay.max)}; }},
        {"completion p50",
         [](const ClientResult& c) { return Cell{human_time(c.completion.p50)}; }},
        {"p95", [](const ClientResult& c) { return Cell{human_time(c.completion.p95)}; }},
        {"p99", [](const ClientResult& c) { return Cell{human_time(c.completion.p99)}; }},
        {"max", [](const ClientResult& c) { return Cell{human_time(c.completion.max)}; }},
    };
    return figures;
}

using workloads::ProgramResult;

const std::vector<std::pair<std::string, std::string (*)(const ProgramResult&)>>&
program_figures() {
    static const std::vector<std::pair<std::string, std::string (*)(const ProgramResult&)>> figures{
        {"elapsed", [](const ProgramResult& p) { return human_time(p.elapsed); }},
        {"iterations", [](const ProgramResult& p) { return human_count(p.iterations); }},
        {"iterations/s",
         [](const ProgramResult& p) { return human_number(p.iterations_per_second); }},
        {"periods missed", [](const ProgramResult& p) { return human_count(p.period_misses); }},
        {"interval p50", [](const ProgramResult& p) { return human_time(p.interval.p50); }},
        {"p99", [](const ProgramResult& p) { return human_time(p.interval.p99); }},
        {"max", [](const ProgramResult& p) { return human_time(p.interval.max); }},
        {"st. dev.", [](const ProgramResult& p) { return human_mean(p.interval_deviation); }},
        {"cycle mean", [](const ProgramResult& p) { return human_mean(p.cycle.mean); }},
        {"cycle latency mean", [](const ProgramResult& p) { return human_mean(p.latency.mean); }},
        {"max", [](const ProgramResult& p) { return human_time(p.latency.max); }},
    };
    return figures;
}

const std::vector<Figure>& whole_figures() {
    static const std::vector<Figure> figures{
        {"jobs finished", [](const RunResult& r) { return Cell{human_count(r.jobs_finished)}; }},
        {"jobs unfinished",
         [](const RunResult& r) { return Cell{human_count(r.jobs_unfinished)}; }},
        {"makespan", [](const RunResult& r) { return Cell{human_time(r.makespan)}; }},
        {"Jain's fairness index",
         [](const RunResult& r) { return Cell{fmt::format("{:.4f}", r.fairness)}; }},
        {"pinned after signal",
         [](const RunResult& r) {
             return Cell{human_byte_seconds(r.lifetime.pinned_byte_seconds)};
         }},
        {"peak pinned",
         [](const RunResult& r) {
             return Cell{human_bytes(static_cast<double>(r.lifetime.peak_pinned_bytes))};
         }},
        {"longest unload",
         [](const RunResult& r) { return Cell{human_time(r.lifetime.unload_time)}; }},
        {"atomics a job",
         [](const RunResult& r) {
             return Cell{fmt::format("{:.1f}", r.lifetime.atomics_per_job)};
         }},
        {"locks a job",
         [](const RunResult& r) { return Cell{fmt::format("{:.1f}", r.lifetime.locks_per_job)}; }},
    };
    return figures;
}

/// The runs of one workload, in the order of the variants.
using Line = std::vector<const ComparedRun*>;

void add_row(Table& table, std::string subject, const Figure& figure, const Line& line) {
    std::vector<Cell> cells{{std::move(subject)}, {figure.name}};
    for (const ComparedRun* run : line) {
        cells.push_back(run != nullptr && run->done ? figure.value(run->result) : Cell{"-"});
    }
    table.row(std::move(cells));
}

/// The clients to show, by index: the same ones in all runs, since they share the workload.
std::vector<std::size_t> shown_clients(const RunResult& result) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < result.clients.size(); ++i) {
        order.push_back(i);
    }
    if (order.size() > kMostClients) {
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return result.clients[a].gpu_time > result.clients[b].gpu_time;
        });
        order.resize(kMostClients);
    }
    return order;
}

/// What became of the client's program, if it has one in any of the runs.
void add_program(Table& table, std::size_t index, const Line& line) {
    const auto program = [index](const RunResult& result) -> const ProgramResult* {
        const bool has = index < result.clients.size() && result.clients[index].program;
        return has ? &*result.clients[index].program : nullptr;
    };
    if (std::none_of(line.begin(), line.end(), [&](const ComparedRun* run) {
            return run != nullptr && program(run->result) != nullptr;
        })) {
        return;
    }
    for (const auto& [name, value] : program_figures()) {
        add_row(table, "",
                {name,
                 [&, value = value](const RunResult& result) {
                     const ProgramResult* const found = program(result);
                     return Cell{found == nullptr ? "-" : value(*found)};
                 }},
                line);
    }
}

void add_clients(Table& table, const RunResult& pattern, const Line& line) {
    for (const std::size_t index : shown_clients(pattern)) {
        bool first = true;
        for (const auto& [name, value] : client_figures()) {
            const Figure figure{name, [index, value = value](const RunResult& result) {
                                    return index < result.clients.size()
                                               ? value(result.clients[index])
                                               : Cell{"-"};
                                }};
            add_row(table, first ? pattern.clients[index].name : "", figure, line);
            first = false;
        }
        add_program(table, index, line);
    }
}

void add_rings(Table& table, const RunResult& pattern, const Line& line) {
    for (std::size_t index = 0; index < std::min(pattern.rings.size(), kMostClients); ++index) {
        const auto ring = [index](auto&& text) {
            return [index, text](const RunResult& result) {
                return index < result.rings.size() ? Cell{text(result.rings[index])} : Cell{"-"};
            };
        };
        using workloads::RingResult;
        add_row(
            table, "ring " + pattern.rings[index].name,
            {"utilisation", ring([](const RingResult& r) { return human_percent(r.utilisation); })},
            line);
        add_row(table, "", {"occupancy", ring([](const RingResult& r) {
                                return fmt::format("{:.3f}", r.occupancy);
                            })},
                line);
    }
}

} // namespace

std::string verdict_matrix(const Grid& grid, const Style& style) {
    std::vector<Column> columns{{"", Align::left, Overflow::wrap_name}};
    for (const std::string& variant : grid.variants) {
        columns.push_back({variant, Align::left, Overflow::wrap});
    }
    Table table(std::move(columns));
    for (std::size_t row = 0; row < grid.workloads.size(); ++row) {
        std::vector<Cell> cells{{grid.workloads[row]}};
        for (std::size_t column = 0; column < grid.variants.size(); ++column) {
            cells.push_back(verdict_cell(grid.at(row, column)));
        }
        table.row(std::move(cells));
    }
    return title("Verdicts", style) + table.text(style);
}

std::string cost_tables(const Grid& grid, const Style& style) {
    std::string out;
    bool any_cut_short = false;
    for (std::size_t row = 0; row < grid.workloads.size(); ++row) {
        Table table({{"", Align::left, Overflow::wrap_name},
                     {"pinned"},
                     {"peak\npinned"},
                     {"longest\npin"},
                     {"what, held by", Align::left, Overflow::wrap},
                     {"unload"},
                     {"atomics\n/job"},
                     {"locks\n/job"}});
        std::string waits;
        for (std::size_t column = 0; column < grid.variants.size(); ++column) {
            const ComparedRun* const run = grid.at(row, column);
            if (run != nullptr && run->done) {
                table.row(cost_row(grid.variants[column], *run));
                waits += unload_line(grid.variants[column], run->result.lifetime);
                any_cut_short = any_cut_short || cut_short(*run);
            }
        }
        if (!table.empty()) {
            out += title("Costs: " + grid.workloads[row], style) + table.text(style) + waits;
        }
    }
    if (any_cut_short) {
        out += "\n  * up to the point where the run ended early\n";
    }
    return out;
}

std::string side_by_side(const Grid& grid, const Comparison& comparison, const Style& style) {
    std::string axes;
    for (const workloads::VaryAxis& axis : comparison.axes) {
        if (axis.key != "workload") {
            axes += (axes.empty() ? "" : "\n") + axis.key;
        }
    }
    std::string out;
    for (std::size_t row = 0; row < grid.workloads.size(); ++row) {
        std::vector<Column> columns{{"", Align::left, Overflow::cut},
                                    {axes, Align::left, Overflow::wrap_name}};
        Line line;
        const ComparedRun* pattern = nullptr;
        for (std::size_t column = 0; column < grid.variants.size(); ++column) {
            columns.push_back({grid.variants[column], Align::right, Overflow::wrap_name});
            line.push_back(grid.at(row, column));
            if (pattern == nullptr && line.back() != nullptr && line.back()->done) {
                pattern = line.back();
            }
        }
        if (pattern == nullptr) {
            continue;
        }
        Table table(std::move(columns));
        add_clients(table, pattern->result, line);
        add_rings(table, pattern->result, line);
        bool first = true;
        for (const Figure& figure : whole_figures()) {
            add_row(table, first ? "whole run" : "", figure, line);
            first = false;
        }
        std::vector<Cell> verdicts{{""}, {"verdict"}};
        for (const ComparedRun* run : line) {
            verdicts.push_back(verdict_cell(run));
        }
        table.row(std::move(verdicts));
        out += title(grid.workloads[row], style) + table.text(style);
    }
    return out;
}

} // namespace fenceline::tools
