#include "tools/test_report.hpp"

#include "tools/human.hpp"
#include "tools/text_lines.hpp"
#include "workloads/duration.hpp"
#include "workloads/input_error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fenceline::tools {
namespace {

using workloads::printable;

constexpr std::size_t kLongestName = 1000;
constexpr std::size_t kLongestLine = 2000;

std::string indented(const std::vector<std::string>& lines, const std::string& before) {
    std::string out;
    for (const std::string& line : lines) {
        out += before + printable(line, kLongestLine);
        out.erase(out.find_last_not_of(' ') + 1); // of an empty line
        out += '\n';
    }
    return out;
}

/// KTAP ends a description at '#'.
std::string description(const std::string& text) {
    std::string out = printable(text, kLongestName);
    std::replace(out.begin(), out.end(), '#', '_');
    return out;
}

std::string title(const PlannedScenario& scenario) {
    return description(scenario.file + ": " + scenario.name);
}

std::string_view word_of(TestStatus status) {
    switch (status) {
    case TestStatus::passed:
        return "ok";
    case TestStatus::failed:
        return "FAILED";
    case TestStatus::error:
        return "error";
    case TestStatus::interrupted:
        break;
    }
    return "not run";
}

} // namespace

void TestTotals::add(TestStatus status) {
    switch (status) {
    case TestStatus::passed:
        ++passed;
        break;
    case TestStatus::failed:
        ++failed;
        break;
    case TestStatus::error:
        ++errors;
        break;
    case TestStatus::interrupted:
        ++interrupted;
        break;
    }
}

std::string totals_text(const TestTotals& totals) {
    std::string text =
        human_count(totals.passed) + " passed, " + human_count(totals.failed) + " failed";
    if (totals.errors != 0) {
        text += ", " + human_plural(totals.errors, "error");
    }
    if (totals.interrupted != 0) {
        text += ", " + human_count(totals.interrupted) + " not run";
    }
    return text;
}

std::vector<std::string> reason_lines(const CaseOutcome& outcome) {
    std::vector<std::string> lines;
    if (!outcome.error.empty()) {
        lines.push_back(outcome.error);
    }
    for (const Failure& failure : outcome.failures) {
        lines.push_back(failure.where.empty() ? "what always holds" : failure.where);
        lines.push_back("  expected  " + failure.expected);
        lines.push_back("  found     " + failure.found);
        for (const std::string& line : failure.excerpt) {
            lines.push_back("    " + line);
        }
    }
    for (const std::string& report : outcome.reports) {
        std::vector<std::string> more = split_lines(report); // the last is empty
        lines.insert(lines.end(), more.begin(), more.end() - 1);
    }
    return lines;
}

std::string TextReporter::begin(std::size_t /*scenarios*/) {
    return {};
}

std::string TextReporter::begin_scenario(const PlannedScenario& scenario) {
    if (scenario.error.empty()) {
        return {};
    }
    return style_.paint(fmt::format("{:<8}", word_of(TestStatus::error)), Tone::bad) +
           printable(scenario.file, kLongestName) + "\n" + indented({scenario.error}, "    ");
}

std::string TextReporter::end_case(const PlannedCase& one, const CaseOutcome& outcome) {
    const bool ran = outcome.status == TestStatus::passed || outcome.status == TestStatus::failed;
    std::string line = style_.paint(fmt::format("{:<8}", word_of(outcome.status)),
                                    outcome.status == TestStatus::passed ? Tone::good : Tone::bad);
    line += printable(one.full_name, kLongestName);
    if (ran) {
        line += " (" + workloads::format_duration(outcome.end_time) + ")";
    }
    return line + "\n" + indented(reason_lines(outcome), "    ");
}

std::string TextReporter::end_scenario(const PlannedScenario& /*scenario*/,
                                       const ScenarioOutcomes& /*outcomes*/) {
    return {};
}

std::string TextReporter::end(const TestTotals& totals) {
    const bool good = totals.passed == totals.cases();
    std::string text = human_plural(totals.cases(), "case") + " of " +
                       human_plural(totals.scenarios, "scenario") + ": " + totals_text(totals);
    if (totals.interrupted != 0) {
        text = "INTERRUPTED, the results are partial: " + text;
    }
    return "\n" + style_.paint(text, good ? Tone::good : Tone::bad) + "\n";
}

std::string KtapReporter::begin(std::size_t scenarios) {
    return fmt::format("KTAP version 1\n1..{}\n", scenarios);
}

std::string KtapReporter::begin_scenario(const PlannedScenario& scenario) {
    ++scenario_;
    case_ = 0;
    return scenario.error.empty() ? fmt::format("  KTAP version 1\n  # Subtest: {}\n  1..{}\n",
                                                title(scenario), scenario.cases.size())
                                  : std::string();
}

std::string KtapReporter::end_case(const PlannedCase& one, const CaseOutcome& outcome) {
    ++case_;
    const std::string name = fmt::format("{} {}", case_, description(one.name));
    switch (outcome.status) {
    case TestStatus::passed:
        return indented(reason_lines(outcome), "  # ") + "  ok " + name + "\n";
    case TestStatus::failed:
        return indented(reason_lines(outcome), "  # ") + "  not ok " + name + "\n";
    case TestStatus::error:
        return "  not ok " + name + " # ERROR " + description(outcome.error) + "\n";
    case TestStatus::interrupted:
        break;
    }
    return "  ok " + name + " # SKIP interrupted\n";
}

std::string KtapReporter::end_scenario(const PlannedScenario& scenario,
                                       const ScenarioOutcomes& outcomes) {
    const std::string name = fmt::format("{} {}", scenario_, title(scenario));
    if (!scenario.error.empty()) {
        return "not ok " + name + " # ERROR " + description(scenario.error) + "\n";
    }
    TestTotals totals;
    for (const CaseOutcome& outcome : outcomes) {
        totals.add(outcome.status);
    }
    if (totals.failed + totals.errors != 0) {
        return "not ok " + name + "\n";
    }
    return "ok " + name + (totals.interrupted != 0 ? " # SKIP interrupted\n" : "\n");
}

std::string KtapReporter::end(const TestTotals& totals) {
    return "# " + totals_text(totals) + "\n";
}

} // namespace fenceline::tools
