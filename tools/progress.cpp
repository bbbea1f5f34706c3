#include "tools/progress.hpp"

#include "tools/human.hpp"
#include "tools/table.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <unistd.h>

namespace fenceline::tools {
namespace {

constexpr auto kQuietStart = std::chrono::seconds(1);
constexpr auto kInterval = std::chrono::milliseconds(200);

} // namespace

ProgressLine::ProgressLine() : enabled_(isatty(STDERR_FILENO) == 1), next_(start_ + kQuietStart) {}

ProgressLine::~ProgressLine() {
    if (shown_) {
        std::fputs("\r\x1b[K", stderr);
        std::fflush(stderr);
    }
}

void ProgressLine::show(const std::function<std::string(double seconds)>& text) {
    if (!enabled_) {
        return;
    }
    const std::unique_lock guard(mutex_, std::try_to_lock);
    const Clock::time_point now = Clock::now();
    if (!guard.owns_lock() || now < next_) {
        return;
    }
    next_ = now + kInterval;
    shown_ = true;
    const std::chrono::duration<double> seconds = now - start_;
    const std::string line = cut_middle(text(seconds.count()), 79);
    std::fprintf(stderr, "\r\x1b[K%s", line.c_str());
    std::fflush(stderr);
}

std::string progress_text(const workloads::Progress& progress,
                          std::optional<std::uint64_t> total_jobs, double seconds) {
    const std::string total = total_jobs ? " of " + human_count(*total_jobs) : std::string();
    const double rate = static_cast<double>(progress.jobs_freed) / seconds;
    return fmt::format("at {} of virtual time, {}{} jobs done, {} jobs/s", human_time(progress.now),
                       human_count(progress.jobs_freed), total, human_number(rate));
}

} // namespace fenceline::tools
