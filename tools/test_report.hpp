// What `fenceline test` says: lines for people, KTAP for the kernel's tools, JUnit XML for CI.
//
// The first two are written as the cases end, in the order of the plan; the third when all is over.
// Nothing in them depends on how many threads there were or how long they took: the only times are
// virtual ones.
#pragma once

#include "tools/table.hpp"
#include "tools/test_plan.hpp"
#include "tools/test_run.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace fenceline::tools {

/// The same indices as PlannedScenario::cases.
using ScenarioOutcomes = std::vector<CaseOutcome>;

struct TestTotals {
    std::uint64_t passed = 0;
    std::uint64_t failed = 0;
    std::uint64_t errors = 0;
    std::uint64_t interrupted = 0;
    std::uint64_t scenarios = 0;

    void add(TestStatus status);
    [[nodiscard]] std::uint64_t cases() const { return passed + failed + errors + interrupted; }
};

/// The parts of a report, in the order in which they are called for.
class TestReporter {
  public:
    virtual ~TestReporter() = default;
    virtual std::string begin(std::size_t scenarios) = 0;
    virtual std::string begin_scenario(const PlannedScenario& scenario) = 0;
    virtual std::string end_case(const PlannedCase& one, const CaseOutcome& outcome) = 0;
    virtual std::string end_scenario(const PlannedScenario& scenario,
                                     const ScenarioOutcomes& outcomes) = 0;
    virtual std::string end(const TestTotals& totals) = 0;
};

/// `ok      FILE/SCENARIO/CASE (ends at 3ms)`.
class TextReporter final : public TestReporter {
  public:
    explicit TextReporter(const Style& style) : style_(style) {}

    std::string begin(std::size_t scenarios) override;
    std::string begin_scenario(const PlannedScenario& scenario) override;
    std::string end_case(const PlannedCase& one, const CaseOutcome& outcome) override;
    std::string end_scenario(const PlannedScenario& scenario,
                             const ScenarioOutcomes& outcomes) override;
    std::string end(const TestTotals& totals) override;

  private:
    Style style_;
};

/// KTAP version 1: a test for each scenario, with a subtest for each case.
class KtapReporter final : public TestReporter {
  public:
    std::string begin(std::size_t scenarios) override;
    std::string begin_scenario(const PlannedScenario& scenario) override;
    std::string end_case(const PlannedCase& one, const CaseOutcome& outcome) override;
    std::string end_scenario(const PlannedScenario& scenario,
                             const ScenarioOutcomes& outcomes) override;
    std::string end(const TestTotals& totals) override;

  private:
    std::size_t scenario_ = 0; ///< numbers count from 1
    std::size_t case_ = 0;
};

/// JUnit XML: a suite for each scenario.
[[nodiscard]] std::string junit_text(const std::vector<PlannedScenario>& plan,
                                     const std::vector<ScenarioOutcomes>& outcomes);

/// Why a case did not pass, and the reports of its hazards: lines without indentation.
[[nodiscard]] std::vector<std::string> reason_lines(const CaseOutcome& outcome);

/// `3 passed, 1 failed`.
[[nodiscard]] std::string totals_text(const TestTotals& totals);

} // namespace fenceline::tools
