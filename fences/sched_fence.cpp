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

FenceRef SchedFences::create() {
    const auto memory = core_.pairs.alloc();
    core_.note_allocated(2);
    if (slab_)
        ++core_.modules.get(module_, "slab").slab_objects;
    return {FencePart::finished, memory.index, memory.generation};
}

void SchedFences::init(FenceRef ref, OwnerRef sched, std::uint32_t context, std::uint32_t seqno) {
    SchedFence& both = pair(ref);
    both.sched = sched;
    core_.init(both.scheduled, scheduled_ops_, {}, context, seqno);
    core_.init(both.finished, finished_ops_, {}, context + 1, seqno);
}

void SchedFences::discard(FenceRef ref) {
    if (slab_)
        --core_.modules.get(module_, "slab").slab_objects;
    core_.note_freed(2);
    core_.pairs.free({ref.index(), ref.generation});
}

void SchedFences::scheduled(FenceRef ref, FenceRef parent) {
    sim::Frame frame(core_.machine, "drm_sched_fence_scheduled");
    // The parent comes first: a waiter for `scheduled` may look at it at once.
    if (parent)
        set_parent(ref, parent);
    core_.signal(ref.sibling(FencePart::scheduled));
}

/// drm_sched_fence_set_parent: a deadline that came before the parent is passed on now.
void SchedFences::set_parent(FenceRef ref, FenceRef parent) {
    SchedFence& both = pair(ref);
    both.parent = core_.take(parent);
    if (both.finished.flags.test_bit(core_.machine, flag::has_deadline)) [[unlikely]]
        if (const auto deadline = core_.deadline_of(ref))
            core_.set_deadline(parent, *deadline);
}

/// drm_sched_fence_set_deadline_finished.
void SchedFences::set_deadline_finished(FenceCore& core, FenceRef ref, sim::Time deadline) {
    sim::Frame frame(core.machine, "drm_sched_fence_set_deadline_finished");
    if (!core.keep_deadline(ref, deadline))
        return;
    if (const FenceRef parent = core.pairs.get({ref.index(), ref.generation}, "fence").parent)
        core.set_deadline(parent, deadline);
}

void SchedFences::finished(FenceRef ref, std::int32_t result) {
    sim::Frame frame(core_.machine, "drm_sched_fence_finished");
    if (result != 0)
        core_.set_error(ref, result);
    core_.signal(ref);
    if (core_.policy.parent == ParentRule::until_signal)
        core_.put(std::exchange(pair(ref).parent, FenceRef{}), Holder::sched_fence);
}

/// drm_sched_fence_release_scheduled: the pair goes, and with it its hold on the hardware fence.
void SchedFences::release_scheduled(FenceCore& core, FenceRef ref) {
    sim::Frame frame(core.machine, "drm_sched_fence_release_scheduled");
    core.put(core.pairs.at(ref.index()).parent, Holder::sched_fence);
    core.free_after_grace_period(ref.sibling(FencePart::finished));
}

/// drm_sched_fence_release_finished: drops the reference that kept the pair's memory.
void SchedFences::release_finished(FenceCore& core, FenceRef ref) {
    sim::Frame frame(core.machine, "drm_sched_fence_release_finished");
    core.put(ref.sibling(FencePart::scheduled), Holder::fence);
}

/// drm_sched_fence_get_driver_name.
std::string SchedFences::driver_name(FenceCore&, FenceRef) {
    return "drm_sched";
}

/// drm_sched_fence_get_timeline_name: through the uncounted pointer to the scheduler.
std::string SchedFences::timeline_name(FenceCore& core, FenceRef ref) {
    sim::Frame frame(core.machine, "drm_sched_fence_get_timeline_name");
    const SchedFence& both = core.pairs.get({ref.index(), ref.generation}, "fence");
    return core.owners.get(both.sched, "names").name;
}

} // namespace fenceline::fences::inline FENCELINE_MODE
