// From `expect` to Expectations.
#include "workloads/expectations.hpp"
#include "workloads/json_reader.hpp"

#include <array>

namespace fenceline::workloads {
namespace {

using scheduler::JobEvent;

/// A count by this name is of the jobs that finished with an error.
constexpr std::string_view kFailed = "failed";

constexpr std::array kEvents{JobEvent::queue,    JobEvent::run_job,  JobEvent::scheduled,
                             JobEvent::hw_done,  JobEvent::finished, JobEvent::free_job,
                             JobEvent::timedout, JobEvent::reset,    JobEvent::cancel_job};

std::vector<std::string_view> event_names() {
    std::vector<std::string_view> names;
    for (const JobEvent event : kEvents) {
        names.push_back(name_of(event));
    }
    return names;
}

std::string text_of(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// -3 and the like; 0 is no error.
std::int32_t read_error(const Cursor& value) {
    const Json& json = value.json();
    const std::int64_t number = json.is_number_integer() ? json.get<std::int64_t>() : 1;
    if (number > 0 || number < -4095) {
        value.fail("an error number from -4095 to -1, or 0 for none");
    }
    return static_cast<std::int32_t>(number);
}

/// An event's object; with `count` it may also say how often.
EventPattern read_pattern(const Cursor& value, CountExpectation* counted = nullptr) {
    EventPattern pattern;
    bool with_count = false;
    const auto event = [&](const Cursor& v) { pattern.event = kEvents[v.choice(event_names())]; };
    const auto time = [&](const Cursor& v) { pattern.time = Bound::read_time(v); };
    const auto job = [&](const Cursor& v) { pattern.job = v.integer(); };
    const auto entity = [&](const Cursor& v) { pattern.entity = v.name(); };
    const auto ring = [&](const Cursor& v) { pattern.ring = v.name(); };
    const auto error = [&](const Cursor& v) { pattern.error = read_error(v); };
    if (counted == nullptr) {
        value.members({{"ev", Need::optional, event},
                       {"t", Need::optional, time},
                       {"job", Need::optional, job},
                       {"entity", Need::optional, entity},
                       {"ring", Need::optional, ring},
                       {"err", Need::optional, error}});
    } else {
        const auto count = [&](const Cursor& v) {
            counted->count = Bound::read_count(v);
            with_count = true;
        };
        value.members({{"ev", Need::optional, event},
                       {"t", Need::optional, time},
                       {"job", Need::optional, job},
                       {"entity", Need::optional, entity},
                       {"ring", Need::optional, ring},
                       {"err", Need::optional, error},
                       {"count", Need::required, count}});
    }
    if (value.json().size() == (with_count ? 1U : 0U)) {
        value.fail("at least one of 'ev', 't', 'job', 'entity', 'ring', 'err'");
    }
    pattern.text = text_of(value.json());
    pattern.where = value.pointer();
    return pattern;
}

std::vector<EventPattern> read_patterns(const Cursor& list) {
    std::vector<EventPattern> patterns;
    list.elements([&](const Cursor& value) { patterns.push_back(read_pattern(value)); }, 1);
    return patterns;
}

/// A whole line of the log: what it does not say is not there.
EventPattern read_line(const Cursor& value) {
    EventPattern line = read_pattern(value);
    const auto need = [&](std::string_view key) {
        if (!value.has(key)) {
            value.fail_missing(key);
        }
    };
    need("t");
    need("ev");
    need("ring");
    if (line.event != JobEvent::reset) {
        need("job");
        need("entity");
    }
    if (!line.error) {
        line.error = 0;
    }
    return line;
}

std::vector<CountExpectation> read_counts(const Cursor& value) {
    std::vector<CountExpectation> counts;
    if (!value.is_object()) {
        value.elements(
            [&](const Cursor& element) {
                CountExpectation count;
                count.pattern = read_pattern(element, &count);
                counts.push_back(std::move(count));
            },
            1);
        return counts;
    }
    std::vector<std::string_view> names = event_names();
    names.push_back(kFailed);
    value.each_member([&](std::string_view name, const Cursor& element) {
        const auto it = std::find(names.begin(), names.end(), name);
        if (it == names.end()) {
            value.fail_unknown(name, "one of " + quoted_list(names), did_you_mean(name, names));
        }
        CountExpectation count;
        count.count = Bound::read_count(element);
        count.pattern.any_error = name == kFailed;
        count.pattern.event = count.pattern.any_error
                                  ? JobEvent::finished
                                  : kEvents[static_cast<std::size_t>(it - names.begin())];
        count.pattern.text = name;
        count.pattern.where = element.pointer();
        counts.push_back(std::move(count));
    });
    return counts;
}

HazardsExpectation read_hazards(const Cursor& value) {
    HazardsExpectation hazards;
    hazards.where = value.pointer();
    const auto add = [&](const Cursor& one) {
        hazards.list.push_back(read_hazard_expectation(one));
    };
    if (value.json() == "none") {
        return hazards;
    }
    if (value.is_object()) {
        hazards.exactly = false;
        value.members(
            {{"at_least", Need::required, [&](const Cursor& list) { list.elements(add); }}});
    } else if (value.json().is_array()) {
        value.elements(add);
    } else {
        value.fail("\"none\", a list of hazards, or {\"at_least\": [...]}");
    }
    return hazards;
}

RunEnd read_end(const Cursor& value) {
    constexpr std::array ends{RunEnd::normal, RunEnd::stuck, RunEnd::until, RunEnd::hazard};
    std::vector<std::string_view> names;
    for (const RunEnd end : ends) {
        names.push_back(name_of(end));
    }
    return ends[value.choice(names)];
}

void read_figures(const Cursor& value, std::vector<FigureExpectation>& figures) {
    value.each_member([&](std::string_view pointer, const Cursor& bound) {
        try {
            (void)Json::json_pointer(std::string(pointer));
        } catch (const Json::exception&) {
            bound.fail_found("the key \"" + printable(pointer, 60) + "\"",
                             "a JSON pointer into the result, such as \"/makespan\"");
        }
        figures.push_back({std::string(pointer), {}, Bound::read(bound), bound.pointer()});
    });
}

/// What stands behind a short name.
struct Shorthand {
    std::string_view key;
    std::string_view pointer;
};
constexpr std::array kLatency{
    Shorthand{"p50", "/completion_latency/p50"}, Shorthand{"p95", "/completion_latency/p95"},
    Shorthand{"p99", "/completion_latency/p99"}, Shorthand{"max", "/completion_latency/max"},
    Shorthand{"mean", "/completion_latency/mean"}};
constexpr std::array kPinned{Shorthand{"peak_bytes", "/lifetime/pinned/peak_bytes"},
                             Shorthand{"byte_seconds", "/lifetime/pinned/byte_seconds"},
                             Shorthand{"longest", "/lifetime/pinned/longest/duration"},
                             Shorthand{"unreleased", "/lifetime/pinned/unreleased"}};

void read_short(const Cursor& value, std::span<const Shorthand> table,
                const std::optional<std::string>& client, std::vector<FigureExpectation>& figures) {
    std::vector<std::string_view> names;
    for (const Shorthand& entry : table) {
        names.push_back(entry.key);
    }
    value.each_member([&](std::string_view key, const Cursor& bound) {
        const auto it = std::find(names.begin(), names.end(), key);
        if (it == names.end()) {
            value.fail_unknown(key, "one of " + quoted_list(names), did_you_mean(key, names));
        }
        const Shorthand& entry = table[static_cast<std::size_t>(it - names.begin())];
        figures.push_back(
            {std::string(entry.pointer), client, Bound::read(bound), bound.pointer()});
    });
}

std::vector<LineExpectation> read_lines(const Cursor& list) {
    std::vector<LineExpectation> lines;
    list.elements(
        [&](const Cursor& value) {
            lines.push_back({value.name(), value.pointer()});
        },
        1);
    return lines;
}

} // namespace

Expectations read_expectations(const Cursor& value) {
    Expectations expect;
    std::vector<FigureExpectation>& figures = expect.figures;
    value.members({
        {"hazards", Need::optional, [&](const Cursor& v) { expect.hazards = read_hazards(v); }},
        {"end", Need::optional,
         [&](const Cursor& v) {
             expect.end = read_end(v);
             expect.end_where = v.pointer();
         }},
        {"order", Need::optional, [&](const Cursor& v) { expect.order = read_patterns(v); }},
        {"never", Need::optional, [&](const Cursor& v) { expect.never = read_patterns(v); }},
        {"events", Need::optional,
         [&](const Cursor& v) {
             expect.events.emplace();
             expect.events_where = v.pointer();
             v.elements([&](const Cursor& line) { expect.events->push_back(read_line(line)); });
         }},
        {"counts", Need::optional, [&](const Cursor& v) { expect.counts = read_counts(v); }},
        {"figures", Need::optional, [&](const Cursor& v) { read_figures(v, figures); }},
        {"latency", Need::optional,
         [&](const Cursor& v) {
             v.each_member([&](std::string_view client, const Cursor& bounds) {
                 read_short(bounds, kLatency, std::string(client), figures);
             });
         }},
        {"share", Need::optional,
         [&](const Cursor& v) {
             v.each_member([&](std::string_view client, const Cursor& bound) {
                 figures.push_back(
                     {"/gpu_share", std::string(client), Bound::read(bound), bound.pointer()});
             });
         }},
        {"pinned", Need::optional, [&](const Cursor& v) { read_short(v, kPinned, {}, figures); }},
        {"unload_time", Need::optional,
         [&](const Cursor& v) {
             figures.push_back({"/lifetime/unload/longest", {}, Bound::read(v), v.pointer()});
         }},
        {"observations", Need::optional,
         [&](const Cursor& v) { expect.observations = read_lines(v); }},
        {"warnings", Need::optional, [&](const Cursor& v) { expect.warnings = read_lines(v); }},
    });
    if (value.json().empty()) {
        value.fail("at least one expectation");
    }
    return expect;
}

HazardExpectation read_hazard_expectation(const Cursor& value) {
    HazardExpectation hazard;
    std::vector<std::string_view> classes;
    for (const sim::HazardClass* const kind : hazard_classes()) {
        classes.push_back(kind->name);
    }
    value.members({
        {"class", Need::required,
         [&](const Cursor& v) { hazard.kind = classes[v.choice(classes)]; }},
        {"subject", Need::optional, [&](const Cursor& v) { hazard.subject = v.name(); }},
        {"object", Need::optional, [&](const Cursor& v) { hazard.object = v.name(); }},
        {"message", Need::optional, [&](const Cursor& v) { hazard.message = v.name(); }},
        {"at", Need::optional, [&](const Cursor& v) { hazard.at = Bound::read_time(v); }},
        {"count", Need::optional, [&](const Cursor& v) { hazard.count = Bound::read_count(v); }},
    });
    hazard.text = text_of(value.json());
    hazard.where = value.pointer();
    return hazard;
}

} // namespace fenceline::workloads
