// The progress line: one line on standard error that is rewritten while a command runs.
//
// It appears only on a terminal and only once the command has taken a second, and it is gone when
// the object is. Any thread may call show().
#pragma once

#include "workloads/simulation.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

namespace fenceline::tools {

class ProgressLine {
  public:
    ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;
    ~ProgressLine();

    /// Shows what `text` says, given the seconds since the start, when it is time to.
    void show(const std::function<std::string(double seconds)>& text);

  private:
    using Clock = std::chrono::steady_clock;

    const bool enabled_;
    const Clock::time_point start_ = Clock::now();
    std::mutex mutex_;
    Clock::time_point next_; ///< when it is time again
    bool shown_ = false;
};

/// `at 1.2 s of virtual time, 120,000 of 1,000,000 jobs done, 1.1 M jobs/s`.
[[nodiscard]] std::string progress_text(const workloads::Progress& progress,
                                        std::optional<std::uint64_t> total_jobs, double seconds);

} // namespace fenceline::tools
