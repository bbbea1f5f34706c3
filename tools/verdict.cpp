#include "tools/verdict.hpp"

#include "tools/human.hpp"

#include <fmt/format.h>

namespace fenceline::tools {
namespace {

/// The context, and the innermost modelled function.
std::string where(const sim::Incident& incident) {
    return incident.frames.empty()
               ? incident.context
               : fmt::format("{} ({})", incident.context, incident.frames.back());
}

} // namespace

std::string first_failure(const workloads::RunResult& result) {
    const sim::Hazard& first = result.hazards.front();
    return fmt::format("{}/{}", first.kind->name, first.subject);
}

std::string failure_story(const workloads::RunResult& result) {
    return hazard_story(result.hazards.front());
}

std::string hazard_story(const sim::Hazard& first) {
    std::string story = headline(first);
    if (first.access.known) {
        story += fmt::format("; at {} in {}", human_time(first.access.time), where(first.access));
    }
    if (first.freed.known) {
        story +=
            fmt::format("; freed at {} by {}", human_time(first.freed.time), where(first.freed));
    }
    return story;
}

std::string end_text(workloads::RunEnd end) {
    switch (end) {
    case workloads::RunEnd::normal:
        return "ended normally";
    case workloads::RunEnd::stuck:
        return "stuck: nothing left to happen although jobs remain";
    case workloads::RunEnd::until:
        return "stopped at `until`, before everything had ended";
    case workloads::RunEnd::hazard:
        return "stopped by a fatal hazard";
    case workloads::RunEnd::interrupted:
        return "INTERRUPTED: the results are partial";
    }
    return {};
}

} // namespace fenceline::tools
