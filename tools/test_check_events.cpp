// Expectations about the event log.
#include "tools/test_check.hpp"

#include "tools/human.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fenceline::tools {
namespace {

using workloads::CountExpectation;
using workloads::EventPattern;

constexpr std::size_t kContext = 3;
/// Lines that are shown of those that a failure is about.
constexpr std::size_t kMostMarked = 8;

/// What there is of the job that a pattern names, to tell why it does not match.
void add_lines_of_job(const EventPattern& pattern, const EventRecord& record,
                      std::vector<std::size_t>& lines) {
    for (std::size_t i = 0; pattern.job && i < record.size() && lines.size() < kMostMarked; ++i) {
        const scheduler::LoggedEvent event = record.event(i);
        if (event.event != scheduler::JobEvent::reset && event.job == *pattern.job) {
            lines.push_back(i);
        }
    }
}

/// The first pattern that does not come after the one before it; what follows it is not looked for.
void check_order(const std::vector<EventMatcher>& order, const EventRecord& record,
                 std::vector<Failure>& failures) {
    std::size_t next = 0; // behind the line of the last pattern
    for (const EventMatcher& matcher : order) {
        const std::size_t at = record.find(matcher, next);
        if (at != record.size()) {
            next = at + 1;
            continue;
        }
        const EventPattern& pattern = matcher.pattern();
        Failure failure{pattern.where, pattern.text, "no such event", {}};
        std::vector<std::size_t> lines;
        if (next != 0) {
            failure.expected += fmt::format(" after line {}", next);
            lines.push_back(next - 1);
        }
        const std::size_t earlier = record.find(matcher);
        if (earlier != record.size()) {
            failure.found = fmt::format("it only before that, in line {}", earlier + 1);
            lines.push_back(earlier);
        } else {
            add_lines_of_job(pattern, record, lines);
        }
        failure.excerpt = record.excerpt(lines, earlier != record.size() ? kContext : 1);
        failures.push_back(std::move(failure));
        return;
    }
}

void check_never(const std::vector<EventMatcher>& never, const EventRecord& record,
                 std::vector<Failure>& failures) {
    for (const EventMatcher& matcher : never) {
        const std::size_t at = record.find(matcher);
        if (at != record.size()) {
            failures.push_back({matcher.pattern().where, "never " + matcher.pattern().text,
                                fmt::format("it in line {}", at + 1),
                                record.excerpt({at}, kContext)});
        }
    }
}

void check_whole_log(const std::vector<EventMatcher>& events, const std::string& where,
                     const EventRecord& record, std::vector<Failure>& failures) {
    std::size_t at = 0;
    while (at < events.size() && at < record.size() && events[at].matches(record.event(at))) {
        ++at;
    }
    if (at == events.size() && at == record.size()) {
        return;
    }
    const std::string expected = at < events.size()
                                     ? events[at].pattern().text
                                     : fmt::format("the end of the log after line {}", at);
    const std::string found =
        at < record.size() ? record.line(at) : fmt::format("the end of the log after line {}", at);
    failures.push_back(
        {at < events.size() ? events[at].pattern().where : where,
         fmt::format("as line {}: {}", at + 1, expected), found,
         record.excerpt(at < record.size() ? std::vector{at} : std::vector<std::size_t>{},
                        kContext)});
}

/// Some of the events that were counted; of many, the first.
std::vector<std::string> counted_lines(const EventMatcher& matcher, const EventRecord& record) {
    std::vector<std::size_t> lines;
    for (std::size_t at = record.find(matcher); at < record.size() && lines.size() < kMostMarked;
         at = record.find(matcher, at + 1)) {
        lines.push_back(at);
    }
    if (lines.empty()) {
        add_lines_of_job(matcher.pattern(), record, lines);
    }
    return record.excerpt(lines, 0);
}

void check_counts(const std::vector<CountExpectation>& counts,
                  const std::vector<EventMatcher>& matchers, const EventRecord& record,
                  std::vector<Failure>& failures) {
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const std::uint64_t count = record.counted(i);
        if (!counts[i].count.admits(workloads::Json(count))) {
            const EventPattern& pattern = counts[i].pattern;
            failures.push_back({pattern.where, pattern.text + ": " + counts[i].count.text(),
                                human_count(count), counted_lines(matchers[i], record)});
        }
    }
}

} // namespace

void check_events(const workloads::Expectations& expect, const EventMatchers& matchers,
                  const EventRecord& record, std::vector<Failure>& failures) {
    check_order(matchers.order, record, failures);
    check_never(matchers.never, record, failures);
    if (expect.events) {
        check_whole_log(matchers.events, expect.events_where, record, failures);
    }
    check_counts(expect.counts, matchers.counts, record, failures);
}

} // namespace fenceline::tools
