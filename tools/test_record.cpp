#include "tools/test_record.hpp"

#include "workloads/input_error.hpp"
#include "workloads/json_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fenceline::tools {
namespace {

using scheduler::JobEvent;
using scheduler::LoggedEvent;
using workloads::EventPattern;
using workloads::Json;

/// The index of a name that a pattern gives.
std::uint32_t index_of(const std::string& name, const std::vector<std::string_view>& known,
                       const std::string& place, const char* what) {
    const auto it = std::find(known.begin(), known.end(), name);
    if (it == known.end()) {
        throw workloads::InputError(fmt::format("{}: found {}, expected {} of the workload{}",
                                                place, workloads::describe(Json(name)), what,
                                                workloads::did_you_mean(name, known)));
    }
    return static_cast<std::uint32_t>(it - known.begin());
}

std::vector<EventMatcher> matchers(const std::vector<EventPattern>& patterns,
                                   const PreparedRun& run, const std::string& file) {
    std::vector<EventMatcher> list;
    for (const EventPattern& pattern : patterns) {
        list.emplace_back(pattern, run, file);
    }
    return list;
}

std::string quoted(const std::string& name) {
    return Json(name).dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace

EventMatcher::EventMatcher(EventPattern pattern, const PreparedRun& run, const std::string& file)
    : pattern_(std::move(pattern)) {
    const std::string place = file + ": " + pattern_.where;
    if (pattern_.entity) {
        std::vector<std::string_view> known;
        for (const workloads::EntitySpec& entity : run.loaded.workload->entities) {
            known.push_back(entity.id);
        }
        entity_ = index_of(*pattern_.entity, known, place + "/entity", "an entity");
    }
    if (pattern_.ring) {
        std::vector<std::string_view> known;
        for (const workloads::RingConfig& ring : run.config.rings) {
            known.push_back(ring.name);
        }
        ring_ = index_of(*pattern_.ring, known, place + "/ring", "a ring");
    }
}

bool EventMatcher::matches(const LoggedEvent& event) const {
    const bool of_ring = event.event == JobEvent::reset;
    const std::int32_t error = of_ring ? 0 : event.error;
    if (pattern_.event && *pattern_.event != event.event) {
        return false;
    }
    if (pattern_.job && (of_ring || *pattern_.job != event.job)) {
        return false;
    }
    if (entity_ != kAny && (of_ring || entity_ != event.entity)) {
        return false;
    }
    if ((ring_ != kAny && ring_ != event.ring) || (pattern_.error && *pattern_.error != error) ||
        (pattern_.any_error && error == 0)) {
        return false;
    }
    return !pattern_.time || pattern_.time->admits(Json(event.time));
}

EventMatchers::EventMatchers(const workloads::Expectations& expect, const PreparedRun& run,
                             const std::string& file)
    : order(matchers(expect.order, run, file)), never(matchers(expect.never, run, file)) {
    if (expect.events) {
        events = matchers(*expect.events, run, file);
    }
    for (const workloads::CountExpectation& count : expect.counts) {
        counts.emplace_back(count.pattern, run, file);
    }
}

EventRecord::EventRecord(const PreparedRun& run, const std::vector<EventMatcher>& counted,
                         std::size_t most)
    : run_(run), counted_(counted), counts_(counted.size()), most_(most) {}

void EventRecord::on_event(const LoggedEvent& event) {
    ++total_;
    for (std::size_t i = 0; i < counted_.size(); ++i) {
        counts_[i] += counted_[i].matches(event) ? 1 : 0;
    }
    if (entries_.size() < most_) {
        entries_.push_back(
            {event.time, event.job, event.entity, event.ring, event.error, event.event});
    }
}

LoggedEvent EventRecord::event(std::size_t index) const {
    const Entry& entry = entries_[index];
    LoggedEvent event{};
    event.time = entry.time;
    event.event = entry.event;
    event.job = entry.job;
    event.entity = entry.entity;
    event.ring = entry.ring;
    event.error = entry.error;
    return event;
}

std::size_t EventRecord::find(const EventMatcher& matcher, std::size_t begin) const {
    for (std::size_t i = begin; i < entries_.size(); ++i) {
        if (matcher.matches(event(i))) {
            return i;
        }
    }
    return entries_.size();
}

std::size_t EventRecord::count_until(sim::Time time) const {
    const auto it =
        std::upper_bound(entries_.begin(), entries_.end(), time,
                         [](sim::Time at, const Entry& entry) { return at < entry.time; });
    return static_cast<std::size_t>(it - entries_.begin());
}

std::string EventRecord::line(std::size_t index) const {
    const Entry& entry = entries_[index];
    std::string text = fmt::format("{{\"t\":{},\"ev\":\"{}\"", entry.time, name_of(entry.event));
    if (entry.event != JobEvent::reset) {
        text += fmt::format(",\"job\":{},\"entity\":{}", entry.job,
                            quoted(run_.loaded.workload->entities[entry.entity].id));
    }
    text += ",\"ring\":" + quoted(run_.config.rings[entry.ring].name);
    if (entry.error != 0 && entry.event != JobEvent::reset) {
        text += fmt::format(",\"err\":{}", entry.error);
    }
    return text + "}";
}

std::vector<std::string> EventRecord::excerpt(std::vector<std::size_t> lines,
                                              std::size_t context) const {
    constexpr std::size_t kTail = 5;
    if (entries_.empty()) {
        return {"(the event log is empty)"};
    }
    std::vector<std::size_t> marked = lines;
    if (lines.empty()) {
        lines.push_back(entries_.size() - 1);
        context = kTail - 1;
    }
    std::sort(lines.begin(), lines.end());
    std::vector<std::string> out;
    std::size_t next = 0; // the first line that is not shown yet
    for (const std::size_t line_index : lines) {
        const std::size_t from = std::max(next, line_index - std::min(line_index, context));
        const std::size_t to = std::min(entries_.size(), line_index + context + 1);
        if (from > next && !out.empty() && from < to) {
            out.emplace_back("  ...");
        }
        for (std::size_t i = from; i < to; ++i) {
            const bool is_marked = std::find(marked.begin(), marked.end(), i) != marked.end();
            out.push_back(fmt::format("{} {:>4}  {}", is_marked ? '>' : ' ', i + 1, line(i)));
        }
        next = std::max(next, to);
    }
    return out;
}

} // namespace fenceline::tools
