// Who holds what, of all that a run consists of: the snapshots of the ledger.

#include "workloads/run.hpp"

#include <algorithm>
#include <array>

namespace fenceline::workloads::inline FENCELINE_MODE {

using fences::Hold;
using fences::node_of;
using fences::SnapshotBuilder;

namespace {

/// An unload says so much about each of its moments, and of so many of them.
constexpr std::size_t kMostGroups = 8;
constexpr std::size_t kMostMoments = 8;

/// The roots of what a wait is for; none: of everything.
std::vector<std::string_view> roots_of(std::string_view reason) {
    if (reason.find("hardware") != std::string_view::npos)
        return {"hardware"};
    if (reason.find("rcu") != std::string_view::npos)
        return {"rcu"};
    return {};
}

} // namespace

/// Labels that jobs of the program were submitted with, and what it waits for.
void ClientProgram::enumerate(SnapshotBuilder& out) {
    for (const auto& [name, label] : labels_) {
        if (!label.fence)
            continue;
        const std::uint32_t root = out.root("label", spec_.name + "." + name);
        out.edge(root, node_of(out, label.fence), "fence", Hold::counted);
    }
    if (waited_for_ && task_ != nullptr)
        out.edge(node_of(out, *task_), node_of(out, waited_for_), "held while waiting",
                 Hold::counted);
}

/// `also` may enter something of its own, last of all.
fences::Snapshot Run::snapshot_with(const std::function<void(SnapshotBuilder&)>& also) {
    SnapshotBuilder out(machine_.now());
    core_.enumerate(out);
    sched_.enumerate(out);
    for (const auto& driver : drivers_)
        driver->enumerate(out);
    for (const sim::Context* context : machine_.blocked())
        node_of(out, *context);
    containers_.enumerate(out);
    for (const auto& program : programs_)
        program->enumerate(out);
    std::vector<std::uint64_t> held;
    for (const auto& [id, fence] : held_)
        if (fence.fence)
            held.push_back(id);
    std::sort(held.begin(), held.end());
    for (const std::uint64_t id : held)
        out.edge(out.root("action", "on job " + std::to_string(id)),
                 node_of(out, held_.at(id).fence), "fence", Hold::counted);
    std::uint32_t input = 0;
    bool any = false;
    named_.for_each([&](fences::FenceRef fence) {
        if (!std::exchange(any, true))
            input = out.root("workload", "`after` of jobs to come");
        out.edge(input, node_of(out, fence), "fence", Hold::counted);
    });
    if (also)
        also(out);
    return out.finish();
}

/// What is alive while an unload begins, or blocks.
void Run::note_unload(UnloadRecord& record, std::string moment, std::string_view reason) {
    if (record.moments.size() == kMostMoments)
        return;
    const fences::Snapshot graph = snapshot();
    const std::vector<std::string_view> roots = roots_of(reason);
    fences::ChainReport chains = chains_of(graph, kMostGroups, roots);
    if (chains.groups.empty() && !roots.empty())
        chains = chains_of(graph, kMostGroups);
    record.moments.push_back({record.who, std::move(moment), std::move(chains)});
}

} // namespace fenceline::workloads::inline FENCELINE_MODE
