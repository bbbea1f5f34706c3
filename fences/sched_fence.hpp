// drm_sched_fence: the public pair that drm/sched gives out in place of the driver's own fence.
//
// `scheduled` signals when the job is handed to the hardware, `finished` when it is done. Both live
// in one allocation: a reference to `finished` is a reference to the pair, and the pair holds the
// one reference on `scheduled` that keeps the memory. Through `parent` the pair keeps the hardware
// fence, and through `sched` it finds the scheduler's name: the first is counted, the second never.
//
// Ownership: create() is followed by init() (the reference that init makes belongs to the job) or
// by discard().
#pragma once

#include "fences/fence_core.hpp"

#include <utility>

namespace fenceline::fences::inline FENCELINE_MODE {

class SchedFences {
  public:
    /// The tables and the slab belong to `gpu_sched`, the scheduler's module.
    SchedFences(FenceCore& core, ModuleRef gpu_sched);

    /// drm_sched_fence_alloc: memory only. The result names the pair by its `finished` half.
    FenceRef create();
    /// drm_sched_fence_init: contexts `context` (scheduled) and `context + 1` (finished). `lock`:
    /// whose lock they borrow, where they do.
    void init(FenceRef finished, OwnerRef sched, std::uint32_t context, std::uint32_t seqno,
              OwnerRef lock = {});
    /// Both at once: the pair as init() leaves it.
    FenceRef create(OwnerRef sched, std::uint32_t context, std::uint32_t seqno);
    /// And scheduled_plainly(), all but the parent, with a second reference on `finished`.
    FenceRef create_scheduled(OwnerRef sched, std::uint32_t context, std::uint32_t seqno);
    /// drm_sched_fence_free: a pair that was never initialised.
    void discard(FenceRef finished);

    /// drm_sched_fence_scheduled: sets the parent, if there is one, then signals.
    void scheduled(FenceRef finished, FenceRef parent);
    void scheduled(FenceRef finished, SchedFence& pair, FenceRef parent);
    /// The same with a parent, for a pair that nobody has touched (scheduler/plain_job.cpp). The
    /// reference on the parent is there already.
    void scheduled_plainly(FenceRef finished, SchedFence& pair, FenceRef parent);
    /// drm_sched_fence_finished: sets the error, if there is one, then signals.
    void finished(FenceRef finished, std::int32_t result);
    void finished(FenceRef finished, SchedFence& pair, std::int32_t result);

    /// Nobody waits for `finished` and nothing odd has become of it: finished_plainly() will do.
    [[nodiscard]] bool finishes_plainly(const SchedFence& pair) const {
        constexpr std::uint16_t odd = flag::signaled | flag::held_by_input | flag::off_ledger;
        return pair.finished.callbacks.empty() && (pair.finished.flags.peek() & odd) == 0 &&
               pair.finished.error == 0 && finishes_plainly_;
    }
    /// A reference taken, finished() without an error, and the reference put. `parent`: the bytes
    /// of the hardware fence, where that signals in the same step.
    [[gnu::always_inline]] void finished_plainly(SchedFence& pair, std::uint64_t parent = 0) {
        core_.machine.counters.atomics += 2;
        core_.signal_plainly(pair.finished);
        core_.ledger.pinned(kSchedFenceBytes + parent, parent != 0 ? 2 : 1);
        core_.count_signalled(parent != 0 ? 1 : 0);
    }
    /// It has signalled, and when its job puts it somebody else still holds it.
    [[nodiscard]] static bool outlives_job(const SchedFence& pair) {
        return (pair.finished.flags.peek() & (flag::signaled | flag::held_by_input)) ==
                   flag::signaled &&
               pair.finished.references.peek() > 1;
    }
    /// dma_fence_put of `finished` where the last reference is the rule.
    void put_last(FenceRef finished, Holder holder);
    /// The same where it is certain that nothing is reported: the pair ends together with its
    /// parent, or somebody else goes on holding it. False, and nothing done, where it is not.
    [[nodiscard]] bool put_plainly(FenceRef finished, Holder holder);

    [[nodiscard, gnu::always_inline]] SchedFence& pair(FenceRef ref) {
        return core_.pairs.get(ref.memory<SchedFence>(), "fence");
    }

  private:
    void set_parent(FenceRef finished, SchedFence& pair, FenceRef parent);
    static void set_deadline_finished(FenceCore& core, FenceRef ref, sim::Time deadline);
    [[nodiscard]] bool ends_plainly(const SchedFence& pair, const Fence& parent) const;
    static void release_pair(FenceCore& core, FenceRef ref, SchedFence& both);
    static void release_scheduled(FenceCore& core, FenceRef ref);
    static void release_finished(FenceCore& core, FenceRef ref);
    static void release_counted_pair(FenceCore& core, FenceRef ref);
    static void release_counted_finished(FenceCore& core, FenceRef ref);
    static void release_only_finished(FenceCore& core, FenceRef ref);
    [[nodiscard]] static const FenceOps& scheduled_ops(const LifetimePolicy& policy);
    [[nodiscard]] static const FenceOps& finished_ops(const LifetimePolicy& policy);
    void init_by_rules(FenceRef finished, SchedFence& pair);
    void scheduled_unseen(FenceRef finished, SchedFence& pair, FenceRef parent);
    static std::string driver_name(FenceCore& core, FenceRef ref);
    static std::string timeline_name(FenceCore& core, FenceRef ref);
    static const FenceOps kScheduledOps;
    static const FenceOps kFinishedOps;
    static const FenceOps kCountedScheduledOps;
    static const FenceOps kCountedFinishedOps;
    static const FenceOps kOnlyFinishedOps;
    static const FenceOps kReleasingOnlyFinishedOps;

    FenceCore& core_;
    ModuleRef module_;
    OpsId scheduled_ops_;
    OpsId finished_ops_;
    bool slab_;
    bool care_;             ///< there is more to do for a new pair
    bool only_finished_;    ///< there is no scheduled fence
    bool finishes_plainly_; ///< `finished` may signal, and the pair end, in one step
    bool ends_plainly_;
};

[[gnu::always_inline]] inline FenceRef SchedFences::create() {
    const auto memory = core_.pairs.alloc();
    core_.note_allocated(core_.fences_of_pair());
    if (slab_)
        ++core_.modules.get(module_, "slab").slab_objects;
    return {FencePart::finished, memory.index(), memory.generation()};
}

[[gnu::always_inline]] inline FenceRef SchedFences::create(OwnerRef sched, std::uint32_t context,
                                                           std::uint32_t seqno) {
    const auto memory =
        core_.pairs.alloc(Fence::made(scheduled_ops_, context, seqno),
                          Fence::made(finished_ops_, context + 1, seqno), sched, FenceRef{});
    core_.note_allocated(2);
    if (slab_)
        ++core_.modules.get(module_, "slab").slab_objects;
    return {FencePart::finished, memory.index(), memory.generation()};
}

[[gnu::always_inline]] inline FenceRef
SchedFences::create_scheduled(OwnerRef sched, std::uint32_t context, std::uint32_t seqno) {
    Fence scheduled = Fence::made(scheduled_ops_, context, seqno);
    Fence finished = Fence::made(finished_ops_, context + 1, seqno);
    finished.references.poke(2);
    core_.signal_plainly(scheduled);
    const auto memory = core_.pairs.alloc(scheduled, finished, sched, FenceRef{});
    core_.note_allocated(2);
    if (slab_)
        ++core_.modules.get(module_, "slab").slab_objects;
    return {FencePart::finished, memory.index(), memory.generation()};
}

[[gnu::always_inline]] inline void SchedFences::init(FenceRef ref, OwnerRef sched,
                                                     std::uint32_t context, std::uint32_t seqno,
                                                     OwnerRef lock) {
    SchedFence& both = pair(ref);
    both.sched = sched;
    core_.init(both.scheduled, scheduled_ops_, lock, context, seqno);
    core_.init(both.finished, finished_ops_, lock, context + 1, seqno);
    if (care_) [[unlikely]]
        init_by_rules(ref, both);
}

/// drm_sched_fence_set_parent: a deadline that came before the parent is passed on now.
[[gnu::always_inline]] inline void SchedFences::set_parent(FenceRef ref, SchedFence& both,
                                                           FenceRef parent) {
    both.parent = core_.take(parent);
    if (both.finished.flags.test_bit(core_.machine, flag::has_deadline)) [[unlikely]]
        if (const auto deadline = core_.deadline_of(ref))
            core_.set_deadline(parent, *deadline);
}

[[gnu::always_inline]] inline void SchedFences::scheduled(FenceRef ref, SchedFence& both,
                                                          FenceRef parent) {
    if (only_finished_) [[unlikely]]
        return scheduled_unseen(ref, both, parent);
    sim::Frame frame(core_.machine, "drm_sched_fence_scheduled");
    // The parent comes first: a waiter for `scheduled` may look at it at once.
    if (parent)
        set_parent(ref, both, parent);
    core_.signal(ref.sibling(FencePart::scheduled), both.scheduled);
}

[[gnu::always_inline]] inline void SchedFences::scheduled_plainly(FenceRef ref, SchedFence& both,
                                                                  FenceRef parent) {
    both.parent = parent;
    if (both.scheduled.callbacks.empty())
        core_.signal_plainly(both.scheduled);
    else
        core_.signal(ref.sibling(FencePart::scheduled), both.scheduled);
}

[[gnu::always_inline]] inline void SchedFences::finished(FenceRef ref, SchedFence& both,
                                                         std::int32_t result) {
    sim::Frame frame(core_.machine, "drm_sched_fence_finished");
    if (result != 0)
        core_.set_error(ref, result);
    core_.signal(ref, both.finished);
    if (core_.policy.parent == ParentRule::until_signal)
        core_.put(std::exchange(both.parent, FenceRef{}), Holder::sched_fence);
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
           ends_plainly_;
}

/// A pair that ends together with its parent, which is how nearly all of them do, ends in one step:
/// dma_fence_release of finished, scheduled and parent, one after the other.
[[gnu::always_inline]] inline bool SchedFences::put_plainly(FenceRef ref, Holder holder) {
    SchedFence* const both = core_.pairs.live(ref.memory<SchedFence>());
    if (both == nullptr)
        return false;
    const std::uint32_t references = both->finished.references.peek();
    if (references != 1) {
        if (references == 0 || (both->finished.flags.peek() & flag::held_by_input) != 0)
            return false;
        both->finished.references.poke(references - 1);
        ++core_.machine.counters.atomics;
        return true;
    }
    HardwareFence* const parent = both->parent.part() == FencePart::hardware
                                      ? core_.hardware.live(both->parent.memory<HardwareFence>())
                                      : nullptr;
    if (parent == nullptr || !ends_plainly(*both, parent->base))
        return false;
    core_.release_plain_pair(ref, *both, *parent, holder);
    return true;
}

[[gnu::always_inline]] inline void SchedFences::put_last(FenceRef ref, Holder holder) {
    if (sim::kInstrumented || !put_plainly(ref, holder)) [[unlikely]]
        core_.put(ref, pair(ref).finished, holder);
}

inline void SchedFences::scheduled(FenceRef ref, FenceRef parent) {
    scheduled(ref, pair(ref), parent);
}
inline void SchedFences::finished(FenceRef ref, std::int32_t result) {
    finished(ref, pair(ref), result);
}

} // namespace fenceline::fences::inline FENCELINE_MODE
