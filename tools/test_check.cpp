#include "tools/test_check.hpp"

#include "tools/human.hpp"
#include "tools/verdict.hpp"
#include "workloads/duration.hpp"
#include "workloads/input_error.hpp"
#include "workloads/json_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace fenceline::tools {
namespace {

using workloads::Bound;
using workloads::FigureExpectation;
using workloads::Json;
using workloads::LineExpectation;

void check_end(const workloads::Expectations& expect, const FinishedRun& run,
               std::vector<Failure>& failures) {
    if (!expect.end || run.result.end == *expect.end) {
        return;
    }
    failures.push_back(
        {expect.end_where, "the end '" + std::string(name_of(*expect.end)) + "'",
         fmt::format("'{}' ({}) at {}", name_of(run.result.end), end_text(run.result.end),
                     workloads::format_duration(run.result.end_time)),
         run.record.excerpt({}, 0)});
}

std::string value_text(const Json& value, const Bound& bound) {
    std::string text = workloads::describe(value);
    if (bound.is_time() && value.is_number_unsigned()) {
        text += " (" + workloads::format_duration(value.get<std::uint64_t>()) + ")";
    }
    return text;
}

/// What the pointer leads to, if anything.
std::optional<Json> value_at(const Json& document, const std::string& pointer) {
    try {
        return document.at(Json::json_pointer(pointer));
    } catch (const Json::exception&) { // no such key, no such element, no such index at all
        return std::nullopt;
    }
}

/// The whole pointer: into the client's part of the result where it is about a client.
std::string pointer_of(const FigureExpectation& figure, const workloads::RunResult& result) {
    if (!figure.client) {
        return figure.pointer;
    }
    const auto it = std::find_if(
        result.clients.begin(), result.clients.end(),
        [&](const workloads::ClientResult& client) { return client.name == *figure.client; });
    return fmt::format("/clients/{}{}", it - result.clients.begin(), figure.pointer);
}

} // namespace

void check_figures(const std::vector<FigureExpectation>& figures, const FinishedRun& run,
                   std::vector<Failure>& failures) {
    if (figures.empty()) {
        return;
    }
    const Json document = result_json(run.prepared, run.result, run.flags);
    for (const FigureExpectation& figure : figures) {
        const std::optional<Json> value = value_at(document, pointer_of(figure, run.result));
        if (value && figure.bound.admits(*value)) {
            continue;
        }
        const std::string who = figure.client ? " of client " + *figure.client : "";
        failures.push_back(
            {figure.where,
             figure.pointer + who + ": " + figure.bound.text(),
             value ? value_text(*value, figure.bound) : "nothing there in the result",
             {}});
    }
}

void check_lines(const std::vector<LineExpectation>& expect, const std::vector<std::string>& lines,
                 const std::string& what, std::vector<Failure>& failures) {
    constexpr std::size_t kMostShown = 20;
    std::size_t next = 0;
    for (const LineExpectation& line : expect) {
        const auto it = std::find_if(
            lines.begin() + static_cast<std::ptrdiff_t>(next), lines.end(),
            [&](const std::string& text) { return text.find(line.text) != std::string::npos; });
        if (it != lines.end()) {
            next = static_cast<std::size_t>(it - lines.begin()) + 1;
            continue;
        }
        Failure failure{line.where,
                        fmt::format("{} with {}{}", what, workloads::describe(Json(line.text)),
                                    next == 0 ? "" : fmt::format(" after number {}", next)),
                        lines.empty() ? "none at all" : "no such one; there are:",
                        {}};
        for (std::size_t i = 0; i < std::min(lines.size(), kMostShown); ++i) {
            failure.excerpt.push_back(
                fmt::format("{} {:>4}  {}", i + 1 == next ? '>' : ' ', i + 1, lines[i]));
        }
        if (lines.size() > kMostShown) {
            failure.excerpt.push_back(fmt::format("  ... and {} more", lines.size() - kMostShown));
        }
        failures.push_back(std::move(failure));
        return; // the others would only be looked for in the wrong place
    }
}

std::vector<Failure> check(const workloads::Expectations& expect, const EventMatchers& matchers,
                           const FinishedRun& run) {
    if (expect.need_events() && !run.record.complete()) {
        throw workloads::InputError(fmt::format(
            "the run has {} events, expected at most {}: 'order', 'never' and 'events' cannot be "
            "told of more; 'counts' and 'figures' can",
            human_count(run.record.total()), human_count(run.record.size())));
    }
    std::vector<Failure> failures;
    check_hazards(expect.hazards, run, failures);
    check_end(expect, run, failures);
    check_events(expect, matchers, run.record, failures);
    check_figures(expect.figures, run, failures);
    check_lines(expect.observations, run.result.observations, "an observation", failures);
    check_lines(expect.warnings, run.result.warnings, "a warning", failures);
    return failures;
}

} // namespace fenceline::tools
