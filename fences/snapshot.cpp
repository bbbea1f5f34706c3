#include "fences/snapshot.hpp"

#include <fmt/format.h>

#include <cassert>
#include <utility>

namespace fenceline::fences {

std::string_view name_of(Hold hold) {
    constexpr std::string_view names[] = {"counted", "owns", "pointer"};
    return names[static_cast<std::size_t>(hold)];
}

std::string title_of(const SnapshotNode& node) {
    return node.name.empty() ? std::string(node.kind) : fmt::format("{} {}", node.kind, node.name);
}

std::vector<std::uint32_t> Snapshot::unaccounted() const {
    std::vector<std::uint32_t> found;
    for (std::uint32_t i = 0; i < nodes.size(); ++i)
        if (nodes[i].unaccounted() != 0)
            found.push_back(i);
    return found;
}

std::string Snapshot::unaccounted_text(std::uint32_t node) const {
    const SnapshotNode& subject = nodes[node];
    const std::int64_t difference = subject.unaccounted();
    const std::string counts =
        fmt::format("{} counted, {} found", subject.references, subject.counted_in);
    if (difference < 0)
        return fmt::format("{} of the holders of {} hold no reference ({})", -difference,
                           title_of(subject), counts);
    return fmt::format("{} {} to {} that nobody accounts for ({})", difference,
                       difference == 1 ? "reference" : "references", title_of(subject), counts);
}

std::uint32_t SnapshotBuilder::number(Place place, std::uint64_t id) {
    assert(place != Place::other);
    const auto next = static_cast<std::uint32_t>(snapshot_.nodes.size());
    const auto [entry, is_new] = numbers_[static_cast<std::size_t>(place)].try_emplace(id, next);
    if (is_new)
        snapshot_.nodes.emplace_back();
    return entry->second;
}

std::uint32_t SnapshotBuilder::root(std::string_view kind, std::string name) {
    SnapshotNode& node = snapshot_.nodes.emplace_back();
    node.kind = kind;
    node.name = std::move(name);
    node.root = true;
    return static_cast<std::uint32_t>(snapshot_.nodes.size() - 1);
}

void SnapshotBuilder::edge(std::uint32_t from, std::uint32_t to, std::string_view what, Hold hold) {
    snapshot_.edges.push_back({from, to, what, hold});
    if (hold == Hold::counted)
        ++snapshot_.nodes[to].counted_in;
}

Snapshot SnapshotBuilder::finish() {
    constexpr std::uint32_t dead = ~std::uint32_t{0};
    std::vector<std::uint32_t> renumbered(snapshot_.nodes.size(), dead);
    Snapshot out;
    out.at = snapshot_.at;
    for (std::size_t i = 0; i < snapshot_.nodes.size(); ++i) {
        if (snapshot_.nodes[i].kind.empty())
            continue;
        renumbered[i] = static_cast<std::uint32_t>(out.nodes.size());
        out.nodes.push_back(std::move(snapshot_.nodes[i]));
    }
    if (snapshot_.marked < renumbered.size())
        out.marked = renumbered[snapshot_.marked];
    for (const SnapshotEdge& edge : snapshot_.edges)
        if (renumbered[edge.from] != dead && renumbered[edge.to] != dead)
            out.edges.push_back({renumbered[edge.from], renumbered[edge.to], edge.what, edge.hold});
    return out;
}

} // namespace fenceline::fences
