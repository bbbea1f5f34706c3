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

// Where the pair counts the scheduler's context.
const FenceOps SchedFences::kCountedScheduledOps{.type = "drm_sched_fence_ops_scheduled",
                                                 .driver_name = driver_name,
                                                 .timeline_name = timeline_name,
                                                 .release = release_counted_pair};
const FenceOps SchedFences::kCountedFinishedOps{.type = "drm_sched_fence_ops_finished",
                                                .driver_name = driver_name,
                                                .timeline_name = timeline_name,
                                                .release = release_counted_finished,
                                                .set_deadline = set_deadline_finished};
// Where there is no scheduled fence.
const FenceOps SchedFences::kOnlyFinishedOps{.type = "drm_dep_fence_ops",
                                             .driver_name = driver_name,
                                             .timeline_name = timeline_name,
                                             .set_deadline = set_deadline_finished};
const FenceOps SchedFences::kReleasingOnlyFinishedOps{.type = "drm_dep_fence_ops",
                                                      .driver_name = driver_name,
                                                      .timeline_name = timeline_name,
                                                      .release = release_only_finished,
                                                      .set_deadline = set_deadline_finished};

const FenceOps& SchedFences::scheduled_ops(const LifetimePolicy& policy) {
    return policy.pair_rules().context == ContextRule::refcounted ? kCountedScheduledOps
                                                                  : kScheduledOps;
}
const FenceOps& SchedFences::finished_ops(const LifetimePolicy& policy) {
    const FenceRules rules = policy.pair_rules();
    if (policy.public_fence == PublicFence::finished_only)
        return rules.release == ReleaseRule::callback ? kReleasingOnlyFinishedOps
                                                      : kOnlyFinishedOps;
    return rules.context == ContextRule::refcounted ? kCountedFinishedOps : kFinishedOps;
}

SchedFences::SchedFences(FenceCore& core, ModuleRef gpu_sched)
    : core_(core), module_(gpu_sched),
      scheduled_ops_(core.add_ops(scheduled_ops(core.policy), gpu_sched, core.policy.pair_rules())),
      finished_ops_(core.add_ops(finished_ops(core.policy), gpu_sched, core.policy.pair_rules())),
      slab_(core.policy.pair_rules().memory == MemoryRule::slab),
      care_(FenceCore::needs_care(core.policy.pair_rules()) ||
            core.policy.pair_rules().context == ContextRule::refcounted),
      only_finished_(core.policy.public_fence == PublicFence::finished_only),
      finishes_plainly_(core.policy.plain_jobs() &&
                        core.policy.parent == ParentRule::until_release),
      ends_plainly_(core.policy.plain_jobs() && core.policy.hardware.memory != MemoryRule::slab) {}

void SchedFences::init_by_rules(FenceRef ref, SchedFence& both) {
    Owner& context = core_.owners.get(both.sched, "names");
    if (core_.policy.public_rules.context == ContextRule::refcounted)
        context.references.get(core_.machine, "context");
    if (FenceCore::needs_care(core_.policy.public_rules))
        core_.take_care(ref, context.name);
}

/// What is left of drm_sched_fence_scheduled where there is no such fence: the parent is set, and
/// the job keeps the time of its start (in the room of the fence that is not there).
void SchedFences::scheduled_unseen(FenceRef ref, SchedFence& both, FenceRef parent) {
    if (parent)
        set_parent(ref, both, parent);
    both.scheduled.timestamp = core_.machine.now();
    both.scheduled.flags.mark(flag::signaled | flag::timestamp);
}

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

/// The same two where the pair counts its scheduler's context.
void SchedFences::release_counted_pair(FenceCore& core, FenceRef ref) {
    SchedFence& both = core.pairs.at(ref.index());
    core.put_context(both.sched);
    release_pair(core, ref, both);
}
void SchedFences::release_counted_finished(FenceCore& core, FenceRef ref) {
    sim::Frame frame(core.machine, "drm_sched_fence_release_finished");
    core.put(ref.sibling(FencePart::scheduled), Holder::fence);
}

void SchedFences::release_only_finished(FenceCore& core, FenceRef ref) {
    sim::Frame frame(core.machine, "drm_dep: fence release");
    SchedFence& both = core.pairs.at(ref.index());
    if (core.policy.public_rules.context == ContextRule::refcounted)
        core.put_context(both.sched);
    if (const FenceRef parent = both.parent)
        core.put(parent, Holder::sched_fence);
    core.free_after_grace_period(ref);
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
