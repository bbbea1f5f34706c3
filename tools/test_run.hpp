// One case of a scenario: its run, and the run held against what is expected of it.
#pragma once

#include "tools/test_check.hpp"
#include "tools/test_plan.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace fenceline::tools {

enum class TestStatus : std::uint8_t {
    passed,
    failed,
    error,      ///< bad input: it could not be run, or not to its end
    interrupted ///< not run to its end, or not at all
};

struct CaseOutcome {
    TestStatus status = TestStatus::interrupted;
    std::string error;
    sim::Time end_time = 0; ///< of the run, when it ran
    std::vector<Failure> failures;
    std::vector<std::string> reports; ///< of the hazards, when they are to be shown
};

struct CaseOptions {
    /// As RunOptions has it; returning false interrupts the run.
    std::function<bool(const workloads::Progress&)> on_progress;
    unsigned processors = 1; ///< that this run may use
    bool reports = false;    ///< keep the reports of hazards
};

/// Runs the case. Any thread. Bad input that only the run meets is an outcome as well.
[[nodiscard]] CaseOutcome run_case(const PlannedCase& one, const CaseOptions& options);

} // namespace fenceline::tools
