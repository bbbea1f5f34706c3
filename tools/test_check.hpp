// Whether a run was as a scenario expects it, and if not, why: what was expected, what was found,
// and the piece of the event log that shows it.
#pragma once

#include "tools/json_report.hpp"
#include "tools/test_record.hpp"
#include "workloads/expectations.hpp"
#include "workloads/simulation.hpp"

#include <string>
#include <vector>

namespace fenceline::tools {

struct Failure {
    std::string where; ///< JSON pointer of the expectation; empty: what holds without a word
    std::string expected;
    std::string found;
    std::vector<std::string> excerpt; ///< lines of the event log
};

/// A finished run with all that is known of it.
struct FinishedRun {
    const PreparedRun& prepared;
    const workloads::RunResult& result;
    const EventRecord& record;
    RunFlags flags;
};

/// All expectations; the failures in a fixed order. Throws InputError where the log was too long
/// for them to be told.
[[nodiscard]] std::vector<Failure> check(const workloads::Expectations& expect,
                                         const EventMatchers& matchers, const FinishedRun& run);

// The parts.

void check_hazards(const workloads::HazardsExpectation& expect, const FinishedRun& run,
                   std::vector<Failure>& failures);
void check_events(const workloads::Expectations& expect, const EventMatchers& matchers,
                  const EventRecord& record, std::vector<Failure>& failures);
void check_figures(const std::vector<workloads::FigureExpectation>& figures, const FinishedRun& run,
                   std::vector<Failure>& failures);
/// `what`: "an observation".
void check_lines(const std::vector<workloads::LineExpectation>& expect,
                 const std::vector<std::string>& lines, const std::string& what,
                 std::vector<Failure>& failures);

} // namespace fenceline::tools
