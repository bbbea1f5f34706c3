#include "tools/ledger_report.hpp"

#include "tools/human.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fenceline::tools {
namespace {

using fences::ChainGroup;
using fences::ChainReport;
using workloads::Json;

constexpr std::size_t kMostGroups = 20;
constexpr std::size_t kMostGroupsInJson = 1000;
constexpr std::size_t kMostMoments = 8;
constexpr std::size_t kMostGroupsOfAMoment = 4;

std::string title(const std::string& text, const Style& style) {
    return "\n" + style.paint(text, Tone::strong) + "\n";
}

/// "pinned for 2 ms, 64 B: ", as much of it as is known.
std::string about_object(const ChainGroup& group, sim::Time at) {
    const fences::ChainLink& object = group.links.back();
    std::string text;
    if (object.since <= at) {
        text = fmt::format("{} for {}", object.pinned ? "pinned" : "alive",
                           human_time(at - object.since));
    }
    if (object.bytes != 0) {
        text += (text.empty() ? "" : ", ") + human_bytes(static_cast<double>(object.bytes));
    }
    return text.empty() ? text : text + ": ";
}

std::string group_text(const ChainGroup& group, sim::Time at, std::size_t indent) {
    std::string text = wrapped(about_object(group, at) + chain_text(group), indent, indent + 4);
    if (group.count > 1) {
        const std::string sums = group.bytes == 0
                                     ? ""
                                     : fmt::format(": {} in all, {} pinned",
                                                   human_bytes(static_cast<double>(group.bytes)),
                                                   human_count(group.pinned));
        text += wrapped(
            fmt::format("... and {} more of the same kind{}", human_count(group.count - 1), sums),
            indent + 4, indent + 8);
    }
    return text;
}

std::string groups_text(const ChainReport& report, std::size_t most, std::size_t indent) {
    std::string text;
    const std::size_t shown = std::min(most, report.groups.size());
    for (std::size_t i = 0; i < shown; ++i) {
        text += group_text(report.groups[i], report.at, indent);
    }
    const std::uint64_t more = report.groups.size() - shown + report.more_groups;
    if (more != 0) {
        text += wrapped(fmt::format("... and {} of other kinds", human_plural(more, "group")),
                        indent, indent + 4);
    }
    return text;
}

std::string totals_text(const ChainReport& report) {
    std::string text =
        wrapped(fmt::format("{} of {}, {} of them ({}) pinned after they had done their duty; {}{}",
                            human_plural(report.objects, "object"),
                            human_bytes(static_cast<double>(report.bytes)),
                            human_count(report.pinned_objects),
                            human_bytes(static_cast<double>(report.pinned_bytes)),
                            human_plural(report.references, "counted reference"),
                            report.unaccounted_objects == 0 ? ", all accounted for" : ""),
                2, 4);
    for (const std::string& line : report.unaccounted) {
        text += wrapped(line, 2, 4);
    }
    return text;
}

Json time_or_null(sim::Time time) {
    return time == sim::kForever ? Json() : Json(time);
}

Json groups_json(const std::vector<ChainGroup>& groups) {
    Json list = Json::array();
    for (const ChainGroup& group : groups) {
        Json links = Json::array();
        for (const fences::ChainLink& link : group.links) {
            links.push_back({{"by", link.what.empty() ? Json() : Json(link.what)},
                             {"hold", name_of(link.hold)},
                             {"kind", link.kind},
                             {"name", link.name},
                             {"bytes", link.bytes},
                             {"since", time_or_null(link.since)},
                             {"pinned", link.pinned}});
        }
        list.push_back({{"chain", chain_text(group)},
                        {"links", links},
                        {"left_out", group.left_out},
                        {"count", group.count},
                        {"bytes", group.bytes},
                        {"pinned", group.pinned},
                        {"since", time_or_null(group.since)}});
    }
    return list;
}

Json totals_json(const ChainReport& report) {
    return {{"objects", report.objects},
            {"bytes", report.bytes},
            {"pinned_objects", report.pinned_objects},
            {"pinned_bytes", report.pinned_bytes},
            {"references", report.references},
            {"unaccounted", report.unaccounted_objects}};
}

Json nodes_json(const fences::Snapshot& snapshot) {
    Json list = Json::array();
    for (std::size_t i = 0; i < std::min(snapshot.nodes.size(), kMostLedgerNodes); ++i) {
        const fences::SnapshotNode& node = snapshot.nodes[i];
        list.push_back({{"kind", node.kind},
                        {"name", node.name},
                        {"bytes", node.bytes},
                        {"since", time_or_null(node.since)},
                        {"pinned", node.pinned},
                        {"root", node.root},
                        {"references", node.checked ? Json(node.references) : Json()},
                        {"found", node.counted_in}});
    }
    return list;
}

Json edges_json(const fences::Snapshot& snapshot) {
    Json list = Json::array();
    for (const fences::SnapshotEdge& edge : snapshot.edges) {
        if (list.size() == kMostLedgerEdges) {
            break;
        }
        if (edge.from < kMostLedgerNodes && edge.to < kMostLedgerNodes) {
            list.push_back({{"from", edge.from},
                            {"to", edge.to},
                            {"what", edge.what},
                            {"hold", name_of(edge.hold)}});
        }
    }
    return list;
}

} // namespace

std::string ledger_section(const workloads::RunResult& result, const Style& style) {
    if (!result.ledger) {
        return {};
    }
    const ChainReport report = chains_of(*result.ledger, kMostGroups);
    return title("Ledger at " + human_time(report.at), style) + totals_text(report) +
           groups_text(report, kMostGroups, 2);
}

std::string unload_section(const workloads::RunResult& result, const Style& style) {
    if (result.unload_moments.empty()) {
        return {};
    }
    std::string text = title("Unloading", style);
    const std::size_t shown = std::min(result.unload_moments.size(), kMostMoments);
    for (std::size_t i = 0; i < shown; ++i) {
        const workloads::UnloadMoment& moment = result.unload_moments[i];
        text += wrapped(fmt::format("{} {} at {}{}", moment.who, moment.moment,
                                    human_time(moment.chains.at),
                                    moment.chains.groups.empty() ? "; nothing is alive" : ":"),
                        2, 4);
        text += groups_text(moment.chains, kMostGroupsOfAMoment, 4);
    }
    const std::size_t more = result.unload_moments.size() - shown;
    if (more != 0) {
        text += fmt::format("  ... and {} more: see --json\n", human_plural(more, "moment"));
    }
    return text;
}

Json ledger_json(const fences::Snapshot& snapshot) {
    const ChainReport report = chains_of(snapshot, kMostGroupsInJson);
    Json missing = Json::array();
    for (const std::string& line : report.unaccounted) {
        missing.push_back(line);
    }
    Json totals = totals_json(report);
    totals["nodes"] = snapshot.nodes.size();
    totals["edges"] = snapshot.edges.size();
    totals["groups"] = report.groups.size() + report.more_groups;
    return {{"at", snapshot.at},
            {"totals", totals},
            {"unaccounted", missing},
            {"groups", groups_json(report.groups)},
            {"nodes", nodes_json(snapshot)},
            {"edges", edges_json(snapshot)}};
}

Json unload_moments_json(const std::vector<workloads::UnloadMoment>& moments) {
    Json list = Json::array();
    for (const workloads::UnloadMoment& moment : moments) {
        list.push_back({{"who", moment.who},
                        {"moment", moment.moment},
                        {"at", moment.chains.at},
                        {"totals", totals_json(moment.chains)},
                        {"groups", groups_json(moment.chains.groups)},
                        {"more_groups", moment.chains.more_groups}});
    }
    return list;
}

} // namespace fenceline::tools
