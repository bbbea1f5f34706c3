#include "sim/hazard.hpp"

#include <fmt/format.h>

#include <utility>

namespace fenceline::sim {

namespace {

void append_incident(std::string& out, std::string_view what, const Incident& incident) {
    if (!incident.known)
        return;
    fmt::format_to(std::back_inserter(out), "  {} at {} ns by {}\n", what, incident.time,
                   incident.context);
    for (auto frame = incident.frames.rbegin(); frame != incident.frames.rend(); ++frame)
        fmt::format_to(std::back_inserter(out), "    {}\n", *frame);
}

void append_entry(std::string& out, const TimelineEntry& entry) {
    fmt::format_to(std::back_inserter(out), "    {} ns: {} by {}{}{}\n", entry.time, entry.what,
                   entry.context, entry.function.empty() ? "" : " in ", entry.function);
}

void append_timeline(std::string& out, const Hazard& hazard) {
    if (hazard.timeline.empty())
        return;
    fmt::format_to(std::back_inserter(out), "  timeline of {}\n", hazard.fence);
    for (const TimelineEntry& entry : hazard.timeline.first())
        append_entry(out, entry);
    if (hazard.timeline.left_out() != 0)
        fmt::format_to(std::back_inserter(out), "    ... {} more ...\n",
                       hazard.timeline.left_out());
    for (const TimelineEntry& entry : hazard.timeline.last())
        append_entry(out, entry);
}

void append_holders(std::string& out, const Hazard& hazard) {
    if (hazard.holders.empty())
        return;
    out += hazard.freed.known ? "  who referred to it when it was freed\n" : "  who refers to it\n";
    for (const std::string& holder : hazard.holders)
        fmt::format_to(std::back_inserter(out), "    {}\n", holder);
}

void append_presets(std::string& out, const std::vector<PresetVerdict>& presets) {
    std::string safe;
    std::string same;
    std::string other;
    std::string unknown;
    for (const PresetVerdict& verdict : presets) {
        std::string& list = !verdict.known          ? unknown
                            : verdict.has_it        ? same
                            : verdict.first.empty() ? safe
                                                    : other;
        list += (list.empty() ? "" : ", ") + verdict.preset;
        if (&list == &other)
            list += " (" + verdict.first + ")";
    }
    for (const auto& [title, list] :
         {std::pair("presets under which this workload is safe", &safe),
          std::pair("presets that fail otherwise", &other),
          std::pair("presets that fail as well", &same), std::pair("presets not known", &unknown)})
        if (!list->empty())
            fmt::format_to(std::back_inserter(out), "  {}: {}\n", title, *list);
}

} // namespace

void Timeline::add(TimelineEntry entry) {
    if (first_.size() < kFirst) {
        first_.push_back(std::move(entry));
        return;
    }
    last_.push_back(std::move(entry));
    if (last_.size() > kLast) {
        last_.pop_front();
        ++left_out_;
    }
}

std::string headline(const Hazard& hazard) {
    return fmt::format("{} of {}: {}", hazard.kind->name, hazard.subject, hazard.message);
}

std::string report_text(const Hazard& hazard) {
    std::string out = fmt::format("HAZARD: {}\n", headline(hazard));
    fmt::format_to(std::back_inserter(out), "  object: {}\n", hazard.object);
    append_incident(out, hazard.kind->verb, hazard.access);
    append_incident(out, "allocated", hazard.allocated);
    append_incident(out, "freed", hazard.freed);
    append_holders(out, hazard);
    append_timeline(out, hazard);
    if (!hazard.rule.rule.empty())
        fmt::format_to(std::back_inserter(out), "  rule: {}: {}: {}\n", hazard.rule.rule,
                       hazard.rule.value, hazard.rule.about);
    append_presets(out, hazard.presets);
    if (!hazard.finding.empty())
        fmt::format_to(std::back_inserter(out), "  known: {}\n", hazard.finding);
    return out;
}

} // namespace fenceline::sim
