// What the rules of a lifetime policy may ask of the core beyond the plain life of a fence: ops that
// go at signal, names that do not reach into the driver, modules that are pinned, callbacks that
// are counted. Whether any of it is to be done for a fence is decided when the core is built.

#include "fences/fence_core.hpp"
#include "fences/sizes.hpp"

#include <algorithm>
#include <tuple>

namespace fenceline::fences::inline FENCELINE_MODE {

namespace {

std::string detached_driver(FenceCore&, FenceRef) {
    return "detached-driver";
}
std::string signaled_timeline(FenceCore&, FenceRef) {
    return "signaled-timeline";
}

} // namespace

/// What readers make of dma_fence::ops being NULL.
const FenceOps FenceCore::kDetachedOps{
    .type = "none (detached)", .driver_name = detached_driver, .timeline_name = signaled_timeline};

/// The step of dma_fence_signal_timestamp_locked after the flag: the ops go, unless they have a
/// release (add_ops); and whoever counts unsignalled fences counts one less.
void FenceCore::signalled_by_rules(Fence& fence) {
    if (ops_[fence.ops].counts_unsignalled)
        ++machine.counters.atomics;
    if (const OpsId detached = ops_[fence.ops].detached; detached != 0)
        fence.ops = detached;
}

void FenceCore::take_care(FenceRef ref, std::string_view timeline) {
    const OpsTable& table = ops_[get(ref).ops];
    if (table.pins_module) // try_module_get
        pin_module(table.home);
    if (table.names == NamesRule::copied)
        copied_names_[ref.pack()] = {table.ops->driver_name(*this, ref), std::string(timeline)};
}

/// Before the memory of a fence, or of the pair that ends with it, goes.
void FenceCore::freed_by_rules(FenceRef ref, const Fence& fence) {
    const OpsTable& table = ops_[fence.ops];
    if (table.slab) // kmem_cache_free needs the module's cache
        --modules.get(table.home, "slab").slab_objects;
    if (table.pins_module)
        unpin_module(table.home);
    if (table.names == NamesRule::copied)
        copied_names_.erase(ref.pack());
    if (ref.part() == FencePart::hardware)
        for (const FreedWatcher& watcher : freed_watchers_)
            watcher.fn(watcher.env, ref);
    freed.wake_up(machine);
}

/// Both names in one allocation.
std::uint64_t FenceCore::copied_bytes(FenceRef ref) const {
    const auto names = copied_names_.find(ref.pack());
    if (names == copied_names_.end())
        return 0;
    return sizes::kmalloc(names->second.driver.size() + names->second.timeline.size() + 2);
}

std::string FenceCore::name_by_rule(FenceRef ref,
                                    std::string (*FenceOps::*name)(FenceCore&, FenceRef)) {
    const bool of_driver = name == &FenceOps::driver_name;
    Fence& fence = get(ref);
    switch (ops_[fence.ops].names) {
    case NamesRule::copied: {
        const FenceRef key =
            ref.part() == FencePart::scheduled ? ref.sibling(FencePart::finished) : ref;
        if (const auto names = copied_names_.find(key.pack()); names != copied_names_.end())
            return of_driver ? names->second.driver : names->second.timeline;
        break;
    }
    case NamesRule::safe: {
        sim::Frame frame(machine, of_driver ? "dma_fence_driver_name" : "dma_fence_timeline_name");
        const sim::RcuReader section(rcu);
        if (fence.flags.test_bit(machine, flag::signaled))
            return (kDetachedOps.*name)(*this, ref);
        return (ops_of(fence).*name)(*this, ref);
    }
    case NamesRule::constant_after_signal: {
        // i915 of 2017: its own function looks at the flag, so it has to be there.
        sim::Frame frame(machine, of_driver ? "fence->ops->get_driver_name"
                                            : "fence->ops->get_timeline_name");
        const FenceOps& ops = ops_of(fence);
        if (fence.flags.test_bit(machine, flag::signaled))
            return (kDetachedOps.*name)(*this, ref);
        return (ops.*name)(*this, ref);
    }
    case NamesRule::direct:
        break;
    }
    sim::Frame frame(machine,
                     of_driver ? "fence->ops->get_driver_name" : "fence->ops->get_timeline_name");
    return (ops_of(fence).*name)(*this, ref);
}

void FenceCore::drop_owner(OwnerRef ref) {
    const auto free_now = [](void* self, std::uint64_t packed) {
        auto& core = *static_cast<FenceCore*>(self);
        const OwnerRef owner = OwnerRef::unpack(packed);
        const ModuleRef pinned = core.owners.get(owner).pinned;
        core.owners.free(owner);
        if (pinned)
            core.unpin_module(pinned);
    };
    if (policy.retire_done() == RetireRule::immediate)
        free_now(this, ref.pack());
    else
        rcu.call(free_now, this, ref.pack());
}

void FenceCore::abandon_context(OwnerRef ref) {
    Owner& owner = owners.get(ref, "context");
    owner.abandoned_at = machine.now();
    if (owner.references.put(machine, "context")) {
        drop_owner(ref);
        return;
    }
    owner.abandoned = true;
    ledger.pinned(kContextBytes);
}

void FenceCore::put_context(OwnerRef ref) {
    Owner& owner = owners.get(ref, "context");
    if (!owner.references.put(machine, "context"))
        return;
    owner.abandoned = false;
    ledger.unpinned(kContextBytes, owner.abandoned_at, machine.now(), Holder::fence, "context");
    drop_owner(ref);
}

/// A registration is a reference of whoever registered.
void FenceCore::count_callback(Fence& fence) {
    if (ops_[fence.ops].counts_callbacks)
        fence.references.get(machine, "fence");
}
void FenceCore::uncount_callback(FenceRef ref) {
    if (ops_[get(ref).ops].counts_callbacks)
        put(ref, Holder::dependency);
}

std::string FenceCore::first_user_of(ModuleRef module) {
    // Contexts come into being before their fences.
    std::string first;
    owners.for_each_live([&](OwnerRef, const Owner& owner) {
        if (owner.pinned == module && first.empty())
            first = describe_owner(owner);
    });
    if (!first.empty())
        return first;
    FenceRef oldest;
    std::tuple<std::uint32_t, std::uint32_t> number;
    const auto look_at = [&](FenceRef ref, const Fence& fence) {
        const std::tuple candidate{fence.context, fence.seqno};
        if (!ops_[fence.ops].pins_module || home_of(fence) != module ||
            (oldest && candidate >= number))
            return;
        oldest = ref;
        number = candidate;
    };
    hardware.for_each_live([&](auto handle, const HardwareFence& fence) {
        look_at({FencePart::hardware, handle.index(), handle.generation()}, fence.base);
    });
    pairs.for_each_live([&](auto handle, const SchedFence& pair) {
        look_at({FencePart::finished, handle.index(), handle.generation()}, pair.finished);
    });
    return oldest ? describe(oldest) : "nobody in particular";
}

} // namespace fenceline::fences::inline FENCELINE_MODE
