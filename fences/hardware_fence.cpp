#include "fences/hardware_fence.hpp"

#include <utility>

namespace fenceline::fences::inline FENCELINE_MODE {

const FenceOps HardwareFences::kOps{.type = "driver_fence_ops",
                                    .driver_name = driver_name,
                                    .timeline_name = timeline_name,
                                    .set_deadline = set_deadline};
const FenceOps HardwareFences::kReleasingOps{.type = "driver_fence_ops",
                                             .driver_name = driver_name,
                                             .timeline_name = timeline_name,
                                             .release = release,
                                             .set_deadline = set_deadline};

HardwareFences::HardwareFences(FenceCore& core, ModuleRef driver)
    : core_(core), module_(driver),
      ops_(core.add_ops(
          core.policy.hardware.release == ReleaseRule::callback ? kReleasingOps : kOps, driver)) {}

bool HardwareFences::needs_context(const LifetimePolicy& policy) {
    // A ring's or a device's lock and names do without; everything else has a timeline per entity.
    const FenceRules& rules = policy.hardware;
    return rules.context == ContextRule::refcounted || rules.lock == LockRule::context ||
           rules.lock == LockRule::in_fence;
}

OwnerRef HardwareFences::create_context(std::string name) {
    const OwnerRef context = core_.owners.alloc();
    Owner& owner = core_.owners.get(context);
    owner.kind = OwnerKind::context;
    owner.name = std::move(name);
    owner.references.init();
    return context;
}

void HardwareFences::drop_context(FenceCore& core, OwnerRef context) {
    const auto free_now = [](void* self, std::uint64_t packed) {
        static_cast<FenceCore*>(self)->owners.free(OwnerRef::unpack(packed));
    };
    if (core.policy.retire == RetireRule::immediate)
        free_now(&core, context.pack());
    else
        core.rcu.call(free_now, &core, context.pack());
}

void HardwareFences::abandon_context(OwnerRef context) {
    if (!context)
        return;
    sim::Frame frame(core_.machine, "driver: free the context");
    if (core_.policy.hardware.context == ContextRule::uncounted) {
        drop_context(core_, context);
        return;
    }
    Owner& owner = core_.owners.get(context, "context");
    owner.abandoned_at = core_.machine.now();
    if (owner.references.put(core_.machine, "context")) {
        drop_context(core_, context);
        return;
    }
    owner.abandoned = true;
    core_.ledger.pinned(kContextBytes);
}

FenceRef HardwareFences::create(const Lenders& lenders, std::uint32_t fence_context,
                                std::uint32_t seqno) {
    const FenceRules& rules = core_.policy.hardware;
    const auto memory = core_.hardware.alloc();
    core_.note_allocated(1);
    HardwareFence& fence = core_.hardware.at(memory.index);
    OwnerRef lock;
    switch (rules.lock) {
    case LockRule::context:
        lock = lenders.context;
        break;
    case LockRule::ring:
    case LockRule::queue:
        lock = lenders.ring;
        break;
    case LockRule::device:
        lock = lenders.device;
        break;
    case LockRule::in_fence:
    case LockRule::shared:
        break;
    }
    core_.init(fence.base, ops_, lock, fence_context, seqno);
    // Names live where the lock lives; a fence with a lock of its own still asks its context.
    fence.names = lock ? lock : lenders.context;
    // The context of an entity that has ended is gone; what is pushed to it all the same has none.
    if (rules.context == ContextRule::refcounted && lenders.context) {
        fence.names = lenders.context;
        core_.owners.get(lenders.context, "context").references.get(core_.machine, "context");
    }
    if (rules.memory == MemoryRule::slab)
        ++core_.modules.get(module_, "slab").slab_objects;
    return {FencePart::hardware, memory.index, memory.generation};
}

/// The driver's ops->release: gives the context back, then frees like the default does.
void HardwareFences::release(FenceCore& core, FenceRef ref) {
    sim::Frame frame(core.machine, "driver: fence release");
    const OwnerRef context = core.hardware.at(ref.index()).names;
    if (core.policy.hardware.context == ContextRule::refcounted && context) {
        Owner& owner = core.owners.get(context, "context");
        if (owner.references.put(core.machine, "context")) {
            owner.abandoned = false;
            core.ledger.unpinned(kContextBytes, owner.abandoned_at, core.machine.now(),
                                 Holder::fence, "context");
            drop_context(core, context);
        }
    }
    core.free_after_grace_period(ref);
}

/// The driver's ops->set_deadline: what a driver would turn into a higher clock it only remembers.
void HardwareFences::set_deadline(FenceCore& core, FenceRef ref, sim::Time deadline) {
    sim::Frame frame(core.machine, "driver: set_deadline");
    core.keep_deadline(ref, deadline);
}

std::string HardwareFences::driver_name(FenceCore& core, FenceRef ref) {
    // A literal in the driver's text: reaching it is what the check of the ops table was about.
    return core.module_name_of(core.hardware.at(ref.index()).base);
}

std::string HardwareFences::timeline_name(FenceCore& core, FenceRef ref) {
    sim::Frame frame(core.machine, "driver: get_timeline_name");
    return core.owners.get(core.hardware.at(ref.index()).names, "names").name;
}

} // namespace fenceline::fences::inline FENCELINE_MODE
