#include "tools/compare_summary.hpp"

#include "tools/compare_views.hpp"
#include "tools/human.hpp"
#include "tools/matrix.hpp"
#include "tools/verdict.hpp"
#include "workloads/input_error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fenceline::tools {
namespace {

constexpr std::size_t kNoAxis = ~std::size_t{0};

std::size_t find_axis(const Comparison& comparison, std::string_view key) {
    for (std::size_t i = 0; i < comparison.axes.size(); ++i) {
        if (comparison.axes[i].key == key) {
            return i;
        }
    }
    return kNoAxis;
}

/// The values of all axes but that of the workload, one a line.
std::string variant_of(const Comparison& comparison, const ComparedRun& run) {
    std::string text;
    for (std::size_t i = 0; i < comparison.axes.size(); ++i) {
        if (comparison.axes[i].key != "workload") {
            text += (text.empty() ? "" : "\n") + run.values[i];
        }
    }
    return text;
}

/// On one line.
std::string flat(std::string variant) {
    for (std::size_t at = 0; (at = variant.find('\n', at)) != std::string::npos;) {
        variant.replace(at, 1, ", ");
    }
    return workloads::printable(variant);
}

/// Sorts the runs into workloads and variants; both in the order in which they first stand.
Grid make_grid(const Comparison& comparison) {
    Grid grid;
    const std::size_t workload_axis = find_axis(comparison, "workload");
    std::vector<std::string> paths;
    for (const ComparedRun& run : comparison.runs) {
        const std::string path =
            workload_axis == kNoAxis ? std::string() : run.values[workload_axis];
        const std::string variant = variant_of(comparison, run);
        auto row = std::find(paths.begin(), paths.end(), path);
        if (row == paths.end()) {
            row = paths.insert(row, path);
            grid.workloads.push_back(run.prepared.loaded.workload->name);
        }
        auto column = std::find(grid.variants.begin(), grid.variants.end(), variant);
        if (column == grid.variants.end()) {
            column = grid.variants.insert(column, variant);
        }
        grid.runs[{static_cast<std::size_t>(row - paths.begin()),
                   static_cast<std::size_t>(column - grid.variants.begin())}] = &run;
    }
    const std::vector<std::string> names = grid.workloads;
    for (std::size_t i = 0; i < paths.size(); ++i) {
        // Two files may give their workloads one name.
        if (std::count(names.begin(), names.end(), names[i]) > 1) {
            grid.workloads[i] += " (" + paths[i] + ")";
        }
    }
    return grid;
}

/// A composition of rules is called by its name, where that tells it from the others.
void name_compositions(Grid& grid) {
    std::vector<std::string> names;
    for (std::size_t column = 0; column < grid.variants.size(); ++column) {
        names.push_back(grid.at(0, column)->prepared.config.lifetime.name);
    }
    for (std::size_t column = 0; column < names.size(); ++column) {
        if (!names[column].empty() && std::count(names.begin(), names.end(), names[column]) == 1) {
            grid.variants[column] = names[column];
        }
    }
}

/// Whether it is lifetime policies that are compared, and nothing else but the workload.
bool is_about_lifetimes(const Comparison& comparison) {
    std::size_t lifetimes = 0;
    for (const workloads::VaryAxis& axis : comparison.axes) {
        if (axis.key == "lifetime" || axis.key.starts_with("lifetime.")) {
            ++lifetimes;
        } else if (axis.key != "workload") {
            return false;
        }
    }
    return lifetimes == 1;
}

std::string header(const Comparison& comparison, const Style& style) {
    std::string axes;
    for (const workloads::VaryAxis& axis : comparison.axes) {
        axes += fmt::format("{}{} ({})", axes.empty() ? "" : " x ", axis.key, axis.values.size());
    }
    const std::string text = fmt::format("{}: {} over {}", comparison.config_name,
                                         human_plural(comparison.runs.size(), "run"), axes);
    std::string out = style.paint(wrapped(text, 0, 2), Tone::strong);
    if (comparison.interrupted) {
        const auto done = std::count_if(
            comparison.runs.begin(), comparison.runs.end(), [](const ComparedRun& run) {
                return run.done && run.result.end != workloads::RunEnd::interrupted;
            });
        out += style.paint(wrapped(fmt::format("INTERRUPTED: the results are partial, {} of {} "
                                               "complete",
                                               done, human_plural(comparison.runs.size(), "run")),
                                   0, 2),
                           Tone::bad);
    }
    return out;
}

/// Whether something broke, and if not, what can be said about that.
bool broke(const ComparedRun* run) {
    return run != nullptr && run->done && run->result.violated();
}

bool complete(const ComparedRun* run) {
    return run != nullptr && run->done && run->result.end != workloads::RunEnd::interrupted;
}

/// What is to be said of one variant, in one line: in how much it broke, and where and how first.
/// The matrix and `run` have the rest.
std::string failures_of(const Grid& grid, std::size_t column, const Style& style) {
    const std::string variant = flat(grid.variants[column]);
    std::size_t failed = 0;
    std::size_t first = 0;
    bool all = true;
    for (std::size_t row = 0; row < grid.workloads.size(); ++row) {
        const ComparedRun* const run = grid.at(row, column);
        all = all && complete(run);
        if (broke(run) && failed++ == 0) {
            first = row;
        }
    }
    if (failed == 0) {
        const std::string verdict = all ? "nothing broke" : "nothing broke so far";
        return "  " + variant + ": " + style.paint(verdict, Tone::good) + "\n";
    }
    const std::string story = failure_story(grid.at(first, column)->result);
    if (grid.workloads.size() == 1) {
        return wrapped(variant + ": " + story, 2, 6);
    }
    return wrapped(fmt::format("{}: broke in {} of {}, first in {}: {}", variant, failed,
                               human_plural(grid.workloads.size(), "workload"),
                               grid.workloads[first], story),
                   2, 6);
}

/// For each variant what broke first and why.
std::string failure_lines(const Grid& grid, const Style& style) {
    std::string out = "\n" + style.paint("What broke first, and why", Tone::strong) + "\n";
    for (std::size_t column = 0; column < grid.variants.size(); ++column) {
        out += failures_of(grid, column, style);
    }
    return out;
}

} // namespace

std::string comparison_summary(const Comparison& comparison, const Style& style) {
    Grid grid = make_grid(comparison);
    std::string out = header(comparison, style);
    if (!comparison.matrix.empty()) {
        return out + matrix_summary(comparison, style);
    }
    if (is_about_lifetimes(comparison)) {
        name_compositions(grid);
        out += verdict_matrix(grid, style) + failure_lines(grid, style) + cost_tables(grid, style);
    } else {
        out += side_by_side(grid, comparison, style) + failure_lines(grid, style);
    }
    return out;
}

} // namespace fenceline::tools
