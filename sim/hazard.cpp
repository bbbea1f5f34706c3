#include "sim/hazard.hpp"

#include <fmt/format.h>

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

} // namespace

std::string headline(const Hazard& hazard) {
    return fmt::format("{} of {}: {}", hazard.kind->name, hazard.subject, hazard.message);
}

std::string report_text(const Hazard& hazard) {
    std::string out = fmt::format("HAZARD: {}\n", headline(hazard));
    fmt::format_to(std::back_inserter(out), "  object: {}\n", hazard.object);
    append_incident(out, hazard.kind->verb, hazard.access);
    append_incident(out, "allocated", hazard.allocated);
    append_incident(out, "freed", hazard.freed);
    if (!hazard.finding.empty())
        fmt::format_to(std::back_inserter(out), "  known: {}\n", hazard.finding);
    return out;
}

} // namespace fenceline::sim
