#include "workloads/schedule.hpp"

#include "workloads/input_file.hpp"

#include <algorithm>
#include <array>

namespace fenceline::workloads {
namespace {

constexpr std::array<std::string_view, 5> kKinds{"task", "worker", "timer", "irq", "rcu"};

std::string read_context(const Cursor& value) {
    const std::string& text = value.name();
    const std::size_t colon = text.find(':');
    const std::string_view kind = std::string_view(text).substr(0, colon);
    if (colon == std::string::npos || colon + 1 == text.size() ||
        std::find(kKinds.begin(), kKinds.end(), kind) == kKinds.end())
        value.fail("a context as \"kind:name\", with one of the kinds " + quoted_list(kKinds));
    return text;
}

sim::ScheduleStep read_step(const Cursor& value) {
    sim::ScheduleStep step;
    if (!value.json().is_array() || value.json().size() != 2)
        value.fail("a step as [\"context\", \"operation\"]");
    std::size_t part = 0;
    value.elements([&](const Cursor& text) {
        if (part++ == 0)
            step.context = read_context(text);
        else
            step.operation = text.name();
    });
    return step;
}

} // namespace

sim::Schedule read_schedule(const std::string& path) {
    const Source source{path == "-" ? "<stdin>" : path};
    return interpret_schedule(parse_json(read_text(path), source), source);
}

sim::Schedule interpret_schedule(const Json& document, const Source& source) {
    const Cursor root(document, source);
    sim::Schedule schedule;
    schedule.source = source.file + (root.pointer().empty() ? "" : ": " + root.pointer());
    root.members({
        {"format", Need::required,
         [](const Cursor& value) {
             const std::string_view names[] = {"fenceline/schedule"};
             (void)value.choice(names);
         }},
        {"version", Need::required, [](const Cursor& value) { (void)value.integer(1, 1); }},
        {"about", Need::optional, [](const Cursor& value) { (void)value.text(); }},
        {"steps", Need::required,
         [&](const Cursor& value) {
             value.elements([&](const Cursor& step) { schedule.steps.push_back(read_step(step)); });
         }},
    });
    return schedule;
}

std::string schedule_text(const sim::Schedule& schedule) {
    std::string text = "{\"format\": \"fenceline/schedule\", \"version\": 1, \"steps\": [";
    std::string_view separator = "\n";
    for (const sim::ScheduleStep& step : schedule.steps) {
        text.append(separator).append("  ");
        text += Json::array({step.context, step.operation}).dump();
        separator = ",\n";
    }
    return text + "\n]}\n";
}

} // namespace fenceline::workloads
