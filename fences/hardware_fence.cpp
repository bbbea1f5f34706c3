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

const FenceOps HardwareFences::kPollingOps{.type = "driver_fence_ops",
                                           .driver_name = driver_name,
                                           .timeline_name = timeline_name,
                                           .signaled = signaled,
                                           .set_deadline = set_deadline};

namespace {

OwnerRef Lenders::*lender_of(LockRule rule) {
    switch (rule) {
    case LockRule::context:
        return &Lenders::context;
    case LockRule::ring:
    case LockRule::queue:
        return &Lenders::ring;
    case LockRule::device:
        return &Lenders::device;
    case LockRule::in_fence:
    case LockRule::shared:
        break;
    }
    return nullptr;
}

} // namespace

HardwareFences::HardwareFences(FenceCore& core, ModuleRef driver)
    : core_(core), module_(driver),
      ops_(core.add_ops(core.policy.hardware.release == ReleaseRule::callback ? kReleasingOps
                        : core.quirks.poll_signals                            ? kPollingOps
                                                                              : kOps,
                        driver, core.policy.hardware)),
      lock_(lender_of(core.policy.hardware.lock)),
      counts_context_(core.policy.hardware.context == ContextRule::refcounted),
      care_(core.policy.hardware.memory == MemoryRule::slab ||
            core.policy.teardown == TeardownRule::assert_signalled ||
            FenceCore::needs_care(core.policy.hardware)) {
    if (core.policy.teardown == TeardownRule::assert_signalled)
        core.count_unsignalled(ops_);
}

bool HardwareFences::needs_context(const LifetimePolicy& policy) {
    // A ring's or a device's lock and names do without; everything else has a timeline per entity.
    const FenceRules& rules = policy.hardware;
    return rules.context == ContextRule::refcounted || rules.lock == LockRule::context ||
           rules.lock == LockRule::in_fence || policy.pair_rules().lock == LockRule::context;
}

OwnerRef HardwareFences::create_context(std::string name) {
    const OwnerRef context = core_.owners.alloc();
    Owner& owner = core_.owners.get(context);
    owner.kind = OwnerKind::context;
    owner.name = std::move(name);
    owner.references.init();
    if (core_.policy.hardware.module == ModuleRule::pinned_by_context) {
        owner.pinned = module_;
        core_.pin_module(module_);
    }
    return context;
}

void HardwareFences::made_by_rules(FenceRef ref, OwnerRef names) {
    if (core_.policy.hardware.memory == MemoryRule::slab)
        ++core_.modules.get(module_, "slab").slab_objects;
    if (core_.policy.teardown == TeardownRule::assert_signalled)
        ++core_.machine.counters.atomics; // one more that has not signalled
    if (FenceCore::needs_care(core_.policy.hardware))
        core_.take_care(ref, names ? core_.owners.get(names, "names").name : std::string());
}

void HardwareFences::abandon_context(OwnerRef context) {
    if (!context)
        return;
    sim::Frame frame(core_.machine, "driver: free the context");
    if (counts_context_)
        core_.abandon_context(context);
    else
        core_.drop_owner(context);
}

/// The driver's ops->release: gives the context back, then frees like the default does.
void HardwareFences::release(FenceCore& core, FenceRef ref) {
    sim::Frame frame(core.machine, "driver: fence release");
    const OwnerRef context = core.hardware.at(ref.index()).names;
    if (core.policy.hardware.context == ContextRule::refcounted && context)
        core.put_context(context);
    core.free_after_grace_period(ref);
}

/// The driver's ops->signaled, under a quirk: what the hardware has written already counts, interrupt
/// or not.
bool HardwareFences::signaled(FenceCore& core, FenceRef ref) {
    sim::Frame frame(core.machine, "driver: signaled");
    return (core.get(ref).flags.peek() & flag::hardware_done) != 0;
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
