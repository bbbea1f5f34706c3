// From a snapshot to chains: the shortest way from a root to every object, then groups of chains of
// the same shape.

#include "fences/snapshot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace fenceline::fences {

namespace {

constexpr std::uint32_t kNone = ~std::uint32_t{0};
/// A chain with more links than twice this is shown without its middle.
constexpr std::size_t kMostLinksAtAnEnd = 5;
constexpr std::size_t kMostUnaccounted = 10;

/// The ways from the roots: for every node the edge by which it is reached first. Edges that keep
/// their object come before mere pointers, so that a way shows why an object is alive, if it can.
class Ways {
  public:
    explicit Ways(const Snapshot& snapshot, std::span<const std::string_view> root_kinds)
        : snapshot_(snapshot), edge_to_(snapshot.nodes.size(), kNone),
          depth_(snapshot.nodes.size(), kNone), shape_(snapshot.nodes.size(), kNone) {
        index_edges();
        for (std::uint32_t i = 0; i < snapshot.nodes.size(); ++i) {
            const SnapshotNode& node = snapshot.nodes[i];
            if (!node.root ||
                (!root_kinds.empty() &&
                 std::find(root_kinds.begin(), root_kinds.end(), node.kind) == root_kinds.end()))
                continue;
            depth_[i] = 0;
            shape_[i] = shape(kNone, {}, node.kind);
            queue_.push_back(i);
        }
        spread(false);
        queue_.clear();
        for (std::uint32_t i = 0; i < snapshot.nodes.size(); ++i)
            if (depth_[i] != kNone)
                queue_.push_back(i);
        if (root_kinds.empty()) // from chosen roots only what they keep
            spread(true);
    }

    [[nodiscard]] bool reached(std::uint32_t node) const { return depth_[node] != kNone; }
    /// The shape of the chain that ends with this edge. REQUIRES: its origin is reached.
    [[nodiscard]] std::uint32_t shape_by(const SnapshotEdge& edge) {
        return shape(shape_[edge.from], edge.what, snapshot_.nodes[edge.to].kind);
    }
    /// The chain that ends with the edge; `left_out` of its middle are not in it.
    [[nodiscard]] std::vector<ChainLink> chain(const SnapshotEdge& last,
                                               std::uint64_t& left_out) const {
        std::vector<const SnapshotEdge*> back{&last};
        std::uint32_t node = last.from;
        for (; edge_to_[node] != kNone; node = back.back()->from)
            back.push_back(&snapshot_.edges[edge_to_[node]]);
        std::vector<ChainLink> links{link(node, nullptr)};
        left_out = 0;
        for (std::size_t i = back.size(); i-- > 0;) {
            const std::size_t done = back.size() - i;
            if (done > kMostLinksAtAnEnd && i >= kMostLinksAtAnEnd)
                ++left_out;
            else
                links.push_back(link(back[i]->to, back[i]));
        }
        return links;
    }
    [[nodiscard]] std::span<const std::uint32_t> edges_from(std::uint32_t node) const {
        return {&edges_[first_[node]], first_[node + 1] - first_[node]};
    }

  private:
    void index_edges() {
        first_.assign(snapshot_.nodes.size() + 1, 0);
        for (const SnapshotEdge& edge : snapshot_.edges)
            ++first_[edge.from + 1];
        for (std::size_t i = 1; i < first_.size(); ++i)
            first_[i] += first_[i - 1];
        edges_.resize(snapshot_.edges.size() + 1);
        std::vector<std::uint32_t> next(first_.begin(), first_.end() - 1);
        for (std::uint32_t i = 0; i < snapshot_.edges.size(); ++i)
            edges_[next[snapshot_.edges[i].from]++] = i;
    }
    void spread(bool pointers) {
        for (std::size_t next = 0; next < queue_.size(); ++next) {
            const std::uint32_t from = queue_[next];
            for (const std::uint32_t number : edges_from(from)) {
                const SnapshotEdge& edge = snapshot_.edges[number];
                if (reached(edge.to) || (edge.hold == Hold::pointer && !pointers))
                    continue;
                depth_[edge.to] = depth_[from] + 1;
                edge_to_[edge.to] = number;
                shape_[edge.to] = shape_by(edge);
                queue_.push_back(edge.to);
            }
        }
    }
    /// Like links in a row (of a chain of fences, say) count as one.
    std::uint32_t shape(std::uint32_t before, std::string_view what, std::string_view kind) {
        if (before != kNone && !what.empty() && last_of_[before] == std::pair(what, kind))
            return before;
        const auto [entry, is_new] = shapes_.try_emplace(
            std::tuple(before, what, kind), static_cast<std::uint32_t>(last_of_.size()));
        if (is_new)
            last_of_.emplace_back(what, kind);
        return entry->second;
    }
    [[nodiscard]] ChainLink link(std::uint32_t number, const SnapshotEdge* by) const {
        const SnapshotNode& node = snapshot_.nodes[number];
        return {by != nullptr ? by->what : std::string_view(),
                by != nullptr ? by->hold : Hold::owns,
                node.kind,
                node.name,
                node.bytes,
                node.since,
                node.pinned};
    }

    const Snapshot& snapshot_;
    std::vector<std::uint32_t> edge_to_;
    std::vector<std::uint32_t> depth_;
    std::vector<std::uint32_t> shape_;
    std::vector<std::uint32_t> first_;
    std::vector<std::uint32_t> edges_; ///< by origin
    std::vector<std::uint32_t> queue_;
    std::map<std::tuple<std::uint32_t, std::string_view, std::string_view>, std::uint32_t> shapes_;
    std::vector<std::pair<std::string_view, std::string_view>> last_of_;
};

/// Which of two objects is to be shown for a group: the one that is pinned, and longest.
bool comes_first(const SnapshotNode& a, const SnapshotNode& b) {
    if (a.pinned != b.pinned)
        return a.pinned;
    return a.since != b.since ? a.since < b.since : a.bytes > b.bytes;
}

bool goes_before(const ChainGroup& a, const ChainGroup& b) {
    if ((a.pinned != 0) != (b.pinned != 0))
        return a.pinned != 0;
    if (a.pinned != 0 && a.since != b.since)
        return a.since < b.since;
    return a.bytes > b.bytes;
}

void count_totals(const Snapshot& snapshot, ChainReport& report) {
    for (const SnapshotNode& node : snapshot.nodes) {
        report.references += node.checked ? node.references : 0;
        if (node.bytes == 0)
            continue;
        ++report.objects;
        report.bytes += node.bytes;
        if (node.pinned) {
            ++report.pinned_objects;
            report.pinned_bytes += node.bytes;
        }
    }
    for (const std::uint32_t node : snapshot.unaccounted())
        if (report.unaccounted_objects++ < kMostUnaccounted)
            report.unaccounted.push_back(snapshot.unaccounted_text(node));
}

} // namespace

ChainReport chains_of(const Snapshot& snapshot, std::size_t most,
                      std::span<const std::string_view> root_kinds) {
    ChainReport report;
    report.at = snapshot.at;
    count_totals(snapshot, report);
    Ways ways(snapshot, root_kinds);
    std::vector<bool> kept(snapshot.nodes.size());
    for (const SnapshotEdge& edge : snapshot.edges)
        if (edge.hold != Hold::pointer && ways.reached(edge.from))
            kept[edge.to] = true;

    struct Group {
        ChainGroup sums;
        const SnapshotEdge* best = nullptr;
        std::uint32_t last = kNone; ///< the object that was counted last
    };
    std::map<std::uint32_t, Group> groups;
    for (const SnapshotEdge& edge : snapshot.edges) {
        const SnapshotNode& node = snapshot.nodes[edge.to];
        if (node.root || edge.what == kPairEdge || !ways.reached(edge.from) ||
            (edge.hold == Hold::pointer && (kept[edge.to] || !root_kinds.empty())))
            continue;
        Group& group = groups[ways.shape_by(edge)];
        if (group.best == nullptr || comes_first(node, snapshot.nodes[group.best->to]))
            group.best = &edge;
        if (std::exchange(group.last, edge.to) == edge.to)
            continue; // once more from the same holder
        ++group.sums.count;
        group.sums.bytes += node.bytes;
        group.sums.pinned += node.pinned ? 1 : 0;
    }
    for (auto& [shape, group] : groups) {
        group.sums.links = ways.chain(*group.best, group.sums.left_out);
        group.sums.since = group.sums.links.back().since;
        report.groups.push_back(std::move(group.sums));
    }
    std::stable_sort(report.groups.begin(), report.groups.end(), goes_before);
    if (report.groups.size() > most) {
        report.more_groups = report.groups.size() - most;
        report.groups.resize(most);
    }
    return report;
}

std::vector<std::string> holders_of(const Snapshot& snapshot, std::uint32_t node,
                                    std::size_t most) {
    Ways ways(snapshot, {});
    std::vector<std::string> lines;
    std::uint64_t more = 0;
    for (const Hold hold : {Hold::counted, Hold::owns, Hold::pointer})
        for (const SnapshotEdge& edge : snapshot.edges) {
            if (edge.to != node || edge.hold != hold)
                continue;
            if (lines.size() == most) {
                ++more;
                continue;
            }
            ChainGroup group;
            if (ways.reached(edge.from))
                group.links = ways.chain(edge, group.left_out);
            else
                group.links = {
                    {{},
                     Hold::owns,
                     snapshot.nodes[edge.from].kind,
                     snapshot.nodes[edge.from].name},
                    {edge.what, hold, snapshot.nodes[node].kind, snapshot.nodes[node].name}};
            lines.push_back(chain_text(group));
        }
    if (more != 0)
        lines.push_back(fmt::format("... and {} more", more));
    return lines;
}

std::string chain_text(const ChainGroup& group) {
    std::string text;
    for (std::size_t i = 0; i < group.links.size(); ++i) {
        const ChainLink& link = group.links[i];
        if (i == kMostLinksAtAnEnd + 1 && group.left_out != 0)
            fmt::format_to(std::back_inserter(text), " -> ... {} more ...", group.left_out);
        if (i != 0)
            fmt::format_to(std::back_inserter(text), " -> ({}{}) ", link.what,
                           link.hold == Hold::pointer ? ", not counted" : "");
        text += link.kind;
        if (!link.name.empty())
            text += " " + link.name;
    }
    return text;
}

} // namespace fenceline::fences
