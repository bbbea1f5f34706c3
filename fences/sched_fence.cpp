#include "fences/sched_fence.hpp"

#include <utility>

namespace fenceline::fences::inline FENCELINE_MODE {

const FenceOps SchedFences::kScheduledOps{.type = "drm_sched_fence_ops_scheduled",
                                          .driver_name = driver_name,
                                          .timeline_name = timeline_name,
                                          .release = release_scheduled};
const FenceOps SchedFences::kFinishedOps{.type = "drm_sched_fence_ops_finished",
                                         .driver_name = driver_name,
                                         .timeline_name = timeline_name,
                                         .release = release_finished,
                                         .set_deadline = set_deadline_finished};

SchedFences::SchedFences(FenceCore& core, ModuleRef gpu_sched)
    : core_(core), module_(gpu_sched), scheduled_ops_(core.add_ops(kScheduledOps, gpu_sched)),
      finished_ops_(core.add_ops(kFinishedOps, gpu_sched)),
      slab_(core.policy.public_rules.memory == MemoryRule::slab) {}

void SchedFences::discard(FenceRef ref) {
    if (slab_)
        --core_.modules.get(module_, "slab").slab_objects;
    core_.note_freed(2);
    core_.pairs.free(ref.memory<SchedFence>());
}

/// drm_sched_fence_set_deadline_finished.
void SchedFences::set_deadline_finished(FenceCore& core, FenceRef ref, sim::Time deadline) {
    sim::Frame frame(core.machine, "drm_sched_fence_set_deadline_finished");
    if (!core.keep_deadline(ref, deadline))
        return;
    if (const FenceRef parent = core.pairs.get(ref.memory<SchedFence>(), "fence").parent)
        core.set_deadline(parent, deadline);
}

/// Both halves and the parent have signalled, nothing odd has become of any of them, nobody else
/// holds the two that `finished` holds, the code that would release them does nothing else, and
/// freeing the parent cannot fail (as it does where its slab is gone), which would keep the pair.
[[gnu::always_inline]] inline bool SchedFences::ends_plainly(const SchedFence& both,
                                                             const Fence& parent) const {
    constexpr unsigned odd = flag::held_by_input | flag::off_ledger | flag::has_deadline;
    const unsigned finished = both.finished.flags.peek();
    const unsigned scheduled = both.scheduled.flags.peek();
    const unsigned of_parent = parent.flags.peek();
    const FenceOps* const ops = core_.live_ops(parent);
    return ((finished | scheduled | of_parent) & odd) == 0 &&
           (finished & scheduled & of_parent & flag::signaled) != 0 &&
           both.scheduled.references.peek() == 1 && parent.references.peek() == 1 &&
           ops != nullptr && ops->release == nullptr && core_.modules.live(module_) != nullptr &&
           core_.policy.hardware.memory != MemoryRule::slab;
}

/// In the timed form a pair that ends together with its parent, which is how nearly all of them do,
/// ends in one step: dma_fence_release of finished, scheduled and parent, one after the other.
void SchedFences::put_last(FenceRef ref, Holder holder) {
    SchedFence& both = pair(ref);
    if (!sim::kInstrumented && both.finished.references.peek() == 1 &&
        both.parent.part() == FencePart::hardware) {
        HardwareFence* const parent = core_.hardware.live(both.parent.memory<HardwareFence>());
        if (parent != nullptr && ends_plainly(both, parent->base)) {
            core_.release_plain_pair(ref, both, *parent, holder);
            return;
        }
    }
    core_.put(ref, both.finished, holder);
}

/// drm_sched_fence_release_scheduled: the pair goes, and with it its hold on the hardware fence.
[[gnu::always_inline]] inline void SchedFences::release_pair(FenceCore& core, FenceRef ref,
                                                             SchedFence& both) {
    sim::Frame frame(core.machine, "drm_sched_fence_release_scheduled");
    if (const FenceRef parent = both.parent)
        core.put_last(parent, core.get(parent), Holder::sched_fence);
    core.free_after_grace_period(ref.sibling(FencePart::finished));
}

void SchedFences::release_scheduled(FenceCore& core, FenceRef ref) {
    release_pair(core, ref, core.pairs.at(ref.index()));
}

/// drm_sched_fence_release_finished: drops the reference that kept the pair's memory. In the timed
/// form what the ops table would say about the other half is known here.
void SchedFences::release_finished(FenceCore& core, FenceRef ref) {
    sim::Frame frame(core.machine, "drm_sched_fence_release_finished");
    SchedFence& both = core.pairs.at(ref.index());
    if (sim::kInstrumented || !both.scheduled.is_signaled_bit()) {
        core.put_last(ref.sibling(FencePart::scheduled), both.scheduled, Holder::fence);
    } else if (both.scheduled.references.put(core.machine, "fence")) {
        release_pair(core, ref, both);
    }
}

/// drm_sched_fence_get_driver_name.
std::string SchedFences::driver_name(FenceCore&, FenceRef) {
    return "drm_sched";
}

/// drm_sched_fence_get_timeline_name: through the uncounted pointer to the scheduler.
std::string SchedFences::timeline_name(FenceCore& core, FenceRef ref) {
    sim::Frame frame(core.machine, "drm_sched_fence_get_timeline_name");
    const SchedFence& both = core.pairs.get(ref.memory<SchedFence>(), "fence");
    return core.owners.get(both.sched, "names").name;
}

} // namespace fenceline::fences::inline FENCELINE_MODE
