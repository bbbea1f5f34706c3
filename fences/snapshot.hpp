// The ledger as a graph: at one moment, who refers to what, since when, and how many bytes that is.
//
// DOC: how it is made. Nothing is recorded while a run goes on. When somebody asks, every layer
// walks what it owns and enters it here: objects (nodes) and what points at them (edges). An edge
// either holds a reference that is counted, or owns its object without a count (a queue its jobs, a
// driver its rings), or is a mere pointer, which keeps nothing alive. Because the model's counts are
// real, the snapshot can be checked: the counted edges into an object must be as many as its count.
// What differs is part of the result (`unaccounted`).
//
// Chains lead from a root (a name in user space, a task, the hardware, a queue, a driver) to an
// object. Chains of the same shape, that is, with the same kinds of objects and edges, are one
// group with a count, so that a hundred thousand fences are a few lines.
//
// Plain values, the same for both forms of the model.
#pragma once

#include "sim/time.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fenceline::fences {

/// What an edge does for the object that it leads to.
enum class Hold : std::uint8_t {
    counted, ///< one reference of its count
    owns,    ///< keeps it, without a count
    pointer  ///< keeps nothing alive
};
[[nodiscard]] std::string_view name_of(Hold hold);

struct SnapshotNode {
    std::string_view kind; ///< "finished fence", "sync_file", "task", ...
    std::string name;
    std::uint64_t bytes = 0; ///< of the kernel's object; 0: has no memory of its own here
    /// When it signalled or was let go of, if `pinned`; else since when it is there. kForever: that
    /// is not known.
    sim::Time since = sim::kForever;
    bool pinned = false;          ///< it has done its duty and is still there
    bool root = false;            ///< what chains begin with
    bool checked = false;         ///< its count is to be accounted for
    std::uint32_t references = 0; ///< its count
    std::uint32_t counted_in = 0; ///< counted edges that lead to it
    [[nodiscard]] std::int64_t unaccounted() const {
        return checked ? std::int64_t{references} - std::int64_t{counted_in} : 0;
    }
};

struct SnapshotEdge {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    std::string_view what; ///< "s_fence->parent", "fence->lock", "cb_list", ...
    Hold hold = Hold::pointer;
};

struct Snapshot {
    sim::Time at = 0;
    std::vector<SnapshotNode> nodes;
    std::vector<SnapshotEdge> edges;
    std::uint32_t marked =
        ~std::uint32_t{0}; ///< the node that somebody is interested in, if it is there

    /// Nodes whose counts differ from what was found, in their order.
    [[nodiscard]] std::vector<std::uint32_t> unaccounted() const;
    /// "2 references to finished fence a/gfx:1 that nobody accounts for (3 counted, 1 found)".
    [[nodiscard]] std::string unaccounted_text(std::uint32_t node) const;
};

/// The edge between the halves of a pair, which are one object: no chain ends with it.
inline constexpr std::string_view kPairEdge = "pair";

/// "finished fence a/gfx:1".
[[nodiscard]] std::string title_of(const SnapshotNode& node);

/// What makes one object different from all others: where it lives, and its handle there.
enum class Place : std::uint8_t {
    fence,
    owner,
    module,
    resv_list,
    item,
    task,
    job,
    entity,
    scheduler,
    stats,
    ring,
    label,
    other
};

/// Collects nodes and edges. An edge may be entered before what it leads to.
class SnapshotBuilder {
  public:
    explicit SnapshotBuilder(sim::Time at) { snapshot_.at = at; }

    /// The node of an object: made now, empty, if it is new. The reference holds until the next.
    std::uint32_t number(Place place, std::uint64_t id);
    SnapshotNode& at(std::uint32_t number) { return snapshot_.nodes[number]; }
    SnapshotNode& node(Place place, std::uint64_t id) { return at(number(place, id)); }
    /// A root that nobody else refers to.
    std::uint32_t root(std::string_view kind, std::string name);
    void edge(std::uint32_t from, std::uint32_t to, std::string_view what, Hold hold);

    /// Snapshot::marked will be its number.
    void mark(std::uint32_t number) { snapshot_.marked = number; }
    /// Drops what was referred to and never entered (it is dead), and the edges to it.
    [[nodiscard]] Snapshot finish();

  private:
    Snapshot snapshot_;
    std::unordered_map<std::uint64_t, std::uint32_t>
        numbers_[static_cast<std::size_t>(Place::other)];
};

/// A piece of a chain: an object, and what leads to it from the one before.
struct ChainLink {
    std::string_view what; ///< empty for the root
    Hold hold = Hold::owns;
    std::string_view kind;
    std::string name;
    std::uint64_t bytes = 0;
    sim::Time since = sim::kForever;
    bool pinned = false;
};

/// Chains of one shape.
struct ChainGroup {
    std::vector<ChainLink> links; ///< of the one that is pinned longest, or else is there longest
    std::uint64_t left_out = 0;   ///< links in its middle that `links` does not show
    std::uint64_t count = 0;      ///< objects to which such a chain leads
    std::uint64_t bytes = 0;      ///< of all of them
    std::uint64_t pinned = 0;     ///< how many of them are pinned
    sim::Time since = sim::kForever; ///< the earliest of them (of the pinned, if there are any)
};

struct ChainReport {
    sim::Time at = 0;
    std::uint64_t objects = 0; ///< that have memory
    std::uint64_t bytes = 0;
    std::uint64_t pinned_objects = 0;
    std::uint64_t pinned_bytes = 0;
    std::uint64_t references = 0;         ///< counted ones, of all objects
    std::vector<std::string> unaccounted; ///< the first few, as text
    std::uint64_t unaccounted_objects = 0;
    std::vector<ChainGroup> groups; ///< the longest pinned first, then the largest
    std::uint64_t more_groups = 0;  ///< beyond the number asked for
};

/// All chains: for each object one for each edge that keeps it, or, where nothing does, one that
/// points at it. At most `most` groups. With `root_kinds` only from such roots, without pointers.
[[nodiscard]] ChainReport chains_of(const Snapshot& snapshot, std::size_t most,
                                    std::span<const std::string_view> root_kinds = {});
/// The chains to one object, pointers included, at most `most`, each as one line.
[[nodiscard]] std::vector<std::string> holders_of(const Snapshot& snapshot, std::uint32_t node,
                                                  std::size_t most);
/// "sync_file f -> finished fence a/gfx:1 -> (s_fence->parent) hardware fence a/gfx:1".
[[nodiscard]] std::string chain_text(const ChainGroup& group);

} // namespace fenceline::fences
