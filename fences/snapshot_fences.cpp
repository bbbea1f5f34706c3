// Fences, what they hold and what they point at, for a snapshot. Looks only, with no operation of
// the model: a snapshot may be taken at any moment, also in the middle of one.

#include "fences/container.hpp"
#include "fences/fence_array.hpp"
#include "fences/fence_chain.hpp"
#include "fences/fence_core.hpp"
#include "fences/hardware_fence.hpp"

#include <fmt/format.h>

namespace fenceline::fences::inline FENCELINE_MODE {

std::uint32_t node_of(SnapshotBuilder& out, FenceRef ref) {
    return out.number(Place::fence, ref.pack());
}
std::uint32_t node_of(SnapshotBuilder& out, OwnerRef ref) {
    return out.number(Place::owner, ref.pack());
}
std::uint32_t node_of(SnapshotBuilder& out, const sim::Context& context) {
    const std::uint32_t number = out.number(Place::task, context.id);
    SnapshotNode& node = out.at(number);
    node.kind = sim::name_of(context.kind);
    node.name = context.name;
    node.root = true;
    if (!context.waiting_for.empty())
        node.since = context.waiting_since;
    return number;
}

std::string FenceCore::name_of_fence(const Fence& fence, std::uint64_t number) const {
    if (fence.context < context_names_.size() && !context_names_[fence.context].empty())
        return fmt::format("{}:{}", context_names_[fence.context], number);
    return fmt::format("{}:{}", fence.context, number);
}

/// What all kinds of fences have in common. `bytes`: of the memory that goes with this one.
void FenceCore::enter_fence(SnapshotBuilder& out, FenceRef ref, const Fence& fence,
                            std::string_view kind, std::uint64_t bytes) {
    const std::uint32_t number = node_of(out, ref);
    SnapshotNode& node = out.at(number);
    node.kind = kind;
    node.name = name_of_fence(fence, fence.seqno);
    node.bytes = bytes;
    node.checked = true;
    node.references = fence.references.peek();
    if (fence.is_signaled_bit()) {
        node.since = fence.timestamp;
        node.pinned = node.references != 0 && (fence.flags.peek() & flag::off_ledger) == 0;
    }
    if (fence.ops < ops_.size() && ops_[fence.ops].module)
        out.edge(number, out.number(Place::module, ops_[fence.ops].module.pack()), "fence->ops",
                 Hold::pointer);
    if (fence.lock_owner)
        out.edge(number, node_of(out, fence.lock_owner), "fence->lock", Hold::pointer);
}

const Fence& FenceCore::look_at(FenceRef ref) {
    if (ref.part() == FencePart::hardware)
        return hardware.at(ref.index()).base;
    if (ref.part() == FencePart::container)
        return containers.at(ref.index()).base;
    SchedFence& pair = pairs.at(ref.index());
    return ref.part() == FencePart::scheduled ? pair.scheduled : pair.finished;
}

/// try_module_get at init, which the memory gives back when it goes.
void FenceCore::enter_module_pin(SnapshotBuilder& out, FenceRef ref, const Fence& fence) {
    if (fence.ops < ops_.size() && ops_[fence.ops].pins_module)
        out.edge(node_of(out, ref), out.number(Place::module, ops_[fence.ops].home.pack()),
                 "module reference", Hold::counted);
}

void FenceCore::enter_hardware(SnapshotBuilder& out, FenceRef ref, const HardwareFence& fence) {
    enter_fence(out, ref, fence.base, "hardware fence", pinned_bytes(ref));
    enter_module_pin(out, ref, fence.base);
    Owner* const owner = fence.names ? owners.live(fence.names) : nullptr;
    if (owner == nullptr)
        return;
    const bool counted = policy.hardware.context == ContextRule::refcounted &&
                         owner->kind == OwnerKind::context && fence.base.references.peek() != 0;
    if (counted)
        out.edge(node_of(out, ref), node_of(out, fence.names), "fence->context", Hold::counted);
    else if (fence.names != fence.base.lock_owner)
        out.edge(node_of(out, ref), node_of(out, fence.names), "timeline name", Hold::pointer);
}

/// What a public fence leads to beyond its own memory.
void FenceCore::enter_ways_of_pair(SnapshotBuilder& out, std::uint32_t from,
                                   const SchedFence& pair) {
    if (pair.parent)
        out.edge(from, node_of(out, pair.parent), "s_fence->parent", Hold::counted);
    if (pair.sched)
        out.edge(from, node_of(out, pair.sched), "s_fence->sched",
                 policy.pair_rules().context == ContextRule::refcounted ? Hold::counted
                                                                        : Hold::pointer);
}

/// The pair's memory lives as long as `scheduled`; it is shown with `finished` while that lives.
void FenceCore::enter_pair(SnapshotBuilder& out, FenceRef finished, const SchedFence& pair) {
    enter_module_pin(out, finished, pair.finished);
    if (policy.public_fence == PublicFence::finished_only) { // there is no other half
        enter_fence(out, finished, pair.finished, "finished fence", pinned_bytes(finished));
        if (pair.finished.references.peek() != 0)
            enter_ways_of_pair(out, node_of(out, finished), pair);
        return;
    }
    const FenceRef scheduled = finished.sibling(FencePart::scheduled);
    const bool whole =
        pair.finished.references.peek() != 0 || pair.scheduled.references.peek() == 0;
    const std::uint64_t bytes = pinned_bytes(finished);
    enter_fence(out, finished, pair.finished, "finished fence", whole ? bytes : 0);
    enter_fence(out, scheduled, pair.scheduled, "scheduled fence", whole ? 0 : bytes);
    const std::uint32_t from = node_of(out, whole ? finished : scheduled);
    if (pair.finished.references.peek() != 0)
        out.edge(from, node_of(out, scheduled), kPairEdge, Hold::counted);
    else
        out.at(node_of(out, finished)).kind = {}; // released: only the other half is left
    if (pair.scheduled.references.peek() == 0) {
        if (pair.finished.references.peek() == 0) // not armed yet, or waiting for a grace period
            out.at(node_of(out, finished)).kind = "finished fence";
        return;
    }
    enter_ways_of_pair(out, from, pair);
}

void FenceCore::enter_container(SnapshotBuilder& out, FenceRef ref, const ContainerFence& fence) {
    const FenceArray* const array = std::get_if<FenceArray>(&fence.inside);
    const FenceChain* const chain = std::get_if<FenceChain>(&fence.inside);
    const FenceStub* const stub = std::get_if<FenceStub>(&fence.inside);
    enter_fence(out, ref, fence.base,
                array != nullptr   ? "fence array"
                : chain != nullptr ? "fence chain"
                                   : "stub fence",
                array != nullptr   ? array_bytes(array->fences.size())
                : chain != nullptr ? kChainBytes
                                   : kFenceBytes);
    const std::uint32_t number = node_of(out, ref);
    if (chain != nullptr)
        out.at(number).name = name_of_fence(fence.base, chain->seqno);
    if (stub != nullptr)
        out.at(number).since = stub->created;
    else if (!out.at(number).pinned)
        out.at(number).since = fence.created;
    if (fence.base.references.peek() == 0)
        return; // what it held has been given back
    if (array != nullptr)
        for (const FenceRef member : array->fences)
            out.edge(number, node_of(out, member), "array->fences[]", Hold::counted);
    if (chain == nullptr)
        return;
    if (const FenceRef prev = FenceRef::unpack(chain->prev.peek()))
        out.edge(number, node_of(out, prev), "chain->prev", Hold::counted);
    if (chain->fence)
        out.edge(number, node_of(out, chain->fence), "chain->fence", Hold::counted);
}

/// Callbacks of fences and of tasks. Those of arrays and chains hold references themselves.
void FenceCore::enter_callbacks(SnapshotBuilder& out) {
    std::uint32_t registered = 0;
    for_each_callback([&](FenceRef ref, CallbackFn fn, std::uint64_t owner) {
        const std::uint32_t fence = node_of(out, ref);
        if (ops_[look_at(ref).ops].counts_callbacks) {
            if (registered == 0)
                registered = out.root("callbacks", "registered");
            out.edge(registered, fence, "callback: counted", Hold::counted);
        }
        if (fn == Sleeper::wake_by_fence) {
            const std::uint32_t task = node_of(out, Sleeper::context_of(owner));
            out.edge(fence, task, "callback: wake the waiter", Hold::pointer);
            out.edge(task, fence, "waits for", Hold::pointer);
        } else if (fn == kFenceArrayCallback) {
            out.edge(fence, node_of(out, FenceRef::unpack(owner)), "callback: array",
                     Hold::counted);
        } else if (fn == kFenceChainCallback) {
            out.edge(fence, node_of(out, FenceRef::unpack(owner)), "callback: chain",
                     Hold::counted);
            out.edge(node_of(out, FenceRef::unpack(owner)), fence, "waits for", Hold::counted);
        }
    });
    std::uint32_t irq_work = 0;
    bool any = false;
    machine.engine.for_each_posted([&](sim::EventFn fn, const void*, std::uint64_t arg) {
        if (fn != kFenceArrayWork && fn != kFenceChainWork)
            return;
        if (!std::exchange(any, true))
            irq_work = out.root("irq_work", "to signal");
        out.edge(irq_work, node_of(out, FenceRef::unpack(arg)), "queued work", Hold::counted);
    });
}

/// What nobody refers to any more and is still there until a grace period has passed.
void FenceCore::enter_rcu(SnapshotBuilder& out) {
    std::uint32_t number = 0;
    bool any = false;
    const auto waits = [&](std::uint32_t node) {
        if (!std::exchange(any, true))
            number = out.root("rcu", "callbacks");
        out.edge(number, node, "to be freed", Hold::owns);
    };
    rcu.for_each_pending([&](sim::EventFn fn, const void*, std::uint64_t arg) {
        if (fn == free_hardware || fn == free_pair || fn == free_container)
            waits(node_of(out, FenceRef::unpack(arg)));
        else if (fn == free_plain_pair) {
            waits(node_of(out, FenceRef::unpack(arg)));
            if (const SchedFence* pair = pairs.live(FenceRef::unpack(arg).memory<SchedFence>()))
                waits(node_of(out, pair->parent));
        }
    });
    resv_lists.for_each_live([&](auto handle, const ResvList& list) {
        const std::uint32_t node = out.number(Place::resv_list, handle.pack());
        out.at(node).kind = "dma_resv list";
        out.at(node).bytes = kmalloc_bytes(24 + 8 * std::uint64_t{list.max_fences});
        if (list.retired)
            return waits(node);
        for (const ResvList::Entry& entry : list.table)
            out.edge(node, node_of(out, entry.fence), "fences[]", Hold::counted);
    });
}

void FenceCore::enumerate(SnapshotBuilder& out) {
    modules.for_each_live([&](auto handle, const Module& module) {
        SnapshotNode& node = out.node(Place::module, handle.pack());
        node.kind = "module";
        node.name = module.name;
        node.root = true;
        node.references = module.users.peek();
        node.checked = true;
    });
    owners.for_each_live([&](OwnerRef ref, const Owner& owner) {
        SnapshotNode& node = out.node(Place::owner, ref.pack());
        constexpr std::string_view kinds[] = {"context", "ring", "device", "scheduler"};
        node.kind = kinds[static_cast<std::size_t>(owner.kind)];
        node.name = owner.name;
        node.bytes = owner.kind == OwnerKind::context ? kContextBytes : 0;
        node.references = owner.references.peek();
        node.checked =
            owner.kind == OwnerKind::context && policy.hardware.context == ContextRule::refcounted;
        node.pinned = owner.abandoned;
        if (owner.pinned)
            out.edge(node_of(out, ref), out.number(Place::module, owner.pinned.pack()),
                     "module reference", Hold::counted);
        if (owner.abandoned)
            node.since = owner.abandoned_at;
    });
    hardware.for_each_live([&](auto handle, const HardwareFence& fence) {
        enter_hardware(out, {FencePart::hardware, handle.index(), handle.generation()}, fence);
    });
    pairs.for_each_live([&](auto handle, const SchedFence& pair) {
        enter_pair(out, {FencePart::finished, handle.index(), handle.generation()}, pair);
    });
    containers.for_each_live([&](auto handle, const ContainerFence& fence) {
        enter_container(out, {FencePart::container, handle.index(), handle.generation()}, fence);
    });
    enter_callbacks(out);
    enter_rcu(out);
    for (const WaiterHold* hold : waiter_holds)
        out.edge(node_of(out, hold->context), node_of(out, hold->fence), "held while waiting",
                 Hold::counted);
    if (shared_stub && alive(shared_stub))
        out.edge(out.root("kernel", "dma_fence_get_stub"), node_of(out, shared_stub),
                 "dma_fence_stub", Hold::counted);
}

/// What user space has open.
void Containers::enumerate(SnapshotBuilder& out) {
    for (const auto& [name, item] : items_) {
        const bool timeline = item.kind == ContainerKind::chain;
        const std::uint32_t number = out.root(item.kind == ContainerKind::resv ? "dma_resv"
                                              : timeline                       ? "timeline syncobj"
                                                                               : name_of(item.kind),
                                              name);
        out.at(number).since = item.since;
        if (item.fence)
            out.edge(number, node_of(out, item.fence), "fence", Hold::counted);
        if (item.poll_enabled && core_.registered(item.poll_callback))
            out.edge(node_of(out, item.fence), number, "callback: poll", Hold::pointer);
        if (item.syncobj && item.syncobj->peek())
            out.edge(number, node_of(out, item.syncobj->peek()),
                     timeline ? "newest point" : "fence", Hold::counted);
        if (item.resv && item.resv->list())
            out.edge(number, out.number(Place::resv_list, item.resv->list().pack()), "fences",
                     Hold::owns);
    }
}

} // namespace fenceline::fences::inline FENCELINE_MODE
