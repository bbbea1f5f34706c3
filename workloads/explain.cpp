// What a second run is asked about the objects of hazards: who refers to them, and which fence it was
// about.

#include "workloads/run.hpp"

namespace fenceline::workloads::inline FENCELINE_MODE {

using fences::FencePart;
using fences::FenceRef;
using fences::Place;

namespace {
constexpr std::size_t kMostHolders = 10;
} // namespace

std::vector<std::string> Run::holders_of(std::string_view pool, std::uint64_t key) {
    const auto mark = [&](fences::SnapshotBuilder& out) {
        const auto handle = FenceRef::unpack(key);
        const auto fence = [&](FencePart part) {
            out.mark(out.number(Place::fence,
                                FenceRef(part, handle.index(), handle.generation()).pack()));
        };
        if (pool == core_.hardware.type())
            return fence(FencePart::hardware);
        if (pool == core_.pairs.type())
            return fence(FencePart::finished);
        if (pool == core_.containers.type())
            return fence(FencePart::container);
        const std::pair<std::string_view, Place> places[] = {
            {core_.owners.type(), Place::owner},
            {core_.modules.type(), Place::module},
            {core_.resv_lists.type(), Place::resv_list},
            {sched_.jobs.type(), Place::job},
            {sched_.entities.type(), Place::entity},
            {sched_.schedulers.type(), Place::scheduler},
            {sched_.entity_stats.type(), Place::stats}};
        for (const auto& [name, place] : places)
            if (pool == name)
                out.mark(out.number(place, key));
    };
    const fences::Snapshot graph = snapshot_with(mark);
    if (graph.marked >= graph.nodes.size())
        return {};
    std::vector<std::string> lines = fences::holders_of(graph, graph.marked, kMostHolders);
    if (graph.nodes[graph.marked].unaccounted() != 0)
        lines.push_back(graph.unaccounted_text(graph.marked));
    return lines;
}

/// The halves of a pair.
std::string_view Run::part_at(std::string_view pool, std::size_t offset) {
    if (pool != core_.pairs.type())
        return {};
    if (offset == 0)
        return "pair";
    return offset < sizeof(fences::Fence) ? "scheduled" : "finished";
}

/// Unless it is known: the object itself or, where somebody found something else dead or wrong, the
/// fence that he was at.
void Run::find_fence(sim::Hazard& hazard) {
    if (hazard.fence_key == 0 &&
        (hazard.pool == core_.hardware.type() || hazard.pool == core_.pairs.type() ||
         hazard.pool == core_.containers.type())) {
        hazard.fence_pool = hazard.pool;
        hazard.fence_key = hazard.key;
    }
    if (hazard.fence_key == 0 && hazard.kind->fatal && hazard.key != 0) {
        if (const FenceRef touched = core_.touched()) {
            hazard.fence_pool = core_.pool_of(touched);
            hazard.fence_key = fences::FenceCore::key_of(touched);
        }
    }
    if (hazard.fence_key == 0)
        return;
    const FenceRef handle = FenceRef::unpack(hazard.fence_key);
    const FencePart part = hazard.fence_pool == core_.hardware.type() ? FencePart::hardware
                           : hazard.fence_pool == core_.pairs.type()  ? FencePart::finished
                                                                      : FencePart::container;
    const FenceRef fence(part, handle.index(), handle.generation());
    if (core_.alive(fence))
        hazard.fence = core_.describe(fence);
}

} // namespace fenceline::workloads::inline FENCELINE_MODE
