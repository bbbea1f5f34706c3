// The event log of one run, kept for the expectations of a scenario to be held against.
//
// An entry takes 32 bytes. At most kMostEntries are kept, 256 MiB for each run that is under way;
// what comes later is counted but not kept (complete() says so), and expectations that are about
// single events cannot be told then. Counts are taken as the events come and need no entries.
#pragma once

#include "scheduler/event_log.hpp"
#include "tools/prepare.hpp"
#include "workloads/expectations.hpp"

#include <cstdint>
#include <deque>
#include <limits>
#include <string>
#include <vector>

namespace fenceline::tools {

/// A pattern whose names have become indices of one run.
class EventMatcher {
  public:
    /// Throws InputError, in which `file` stands for the scenario's, where the run has no such name.
    EventMatcher(workloads::EventPattern pattern, const PreparedRun& run, const std::string& file);

    [[nodiscard]] bool matches(const scheduler::LoggedEvent& event) const;
    [[nodiscard]] const workloads::EventPattern& pattern() const { return pattern_; }

  private:
    static constexpr std::uint32_t kAny = std::numeric_limits<std::uint32_t>::max();

    workloads::EventPattern pattern_;
    std::uint32_t entity_ = kAny;
    std::uint32_t ring_ = kAny;
};

/// What a scenario says about events, for one run.
struct EventMatchers {
    EventMatchers() = default;
    EventMatchers(const workloads::Expectations& expect, const PreparedRun& run,
                  const std::string& file);

    std::vector<EventMatcher> order;
    std::vector<EventMatcher> never;
    std::vector<EventMatcher> events;
    std::vector<EventMatcher> counts; ///< the same indices as Expectations::counts
};

class EventRecord final : public scheduler::EventSink {
  public:
    static constexpr std::size_t kMostEntries = std::size_t{1} << 23U;

    /// The run and the matchers outlive the record.
    EventRecord(const PreparedRun& run, const std::vector<EventMatcher>& counted,
                std::size_t most = kMostEntries);

    void on_event(const scheduler::LoggedEvent& event) override;

    /// Entries kept.
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    [[nodiscard]] bool complete() const { return total_ == entries_.size(); }
    [[nodiscard]] std::uint64_t total() const { return total_; }
    [[nodiscard]] scheduler::LoggedEvent event(std::size_t index) const;
    /// The first event from `begin` on that matches, or size().
    [[nodiscard]] std::size_t find(const EventMatcher& matcher, std::size_t begin = 0) const;
    /// How many entries there are up to and including this time.
    [[nodiscard]] std::size_t count_until(sim::Time time) const;
    /// How many events have matched counted[index].
    [[nodiscard]] std::uint64_t counted(std::size_t index) const { return counts_[index]; }

    /// The line that --events writes.
    [[nodiscard]] std::string line(std::size_t index) const;
    /// These lines (indices from 0) and `context` lines on either side of each, numbered from 1, the
    /// lines themselves marked; without any, the end of the log.
    [[nodiscard]] std::vector<std::string> excerpt(std::vector<std::size_t> lines,
                                                   std::size_t context) const;

  private:
    struct Entry {
        sim::Time time;
        std::uint64_t job;
        std::uint32_t entity;
        std::uint32_t ring;
        std::int32_t error;
        scheduler::JobEvent event;
    };
    static_assert(sizeof(Entry) == 32);

    const PreparedRun& run_;
    const std::vector<EventMatcher>& counted_;
    std::vector<std::uint64_t> counts_;
    std::deque<Entry> entries_; ///< grows without copying
    std::size_t most_;
    std::uint64_t total_ = 0;
};

} // namespace fenceline::tools
