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

namespace fenceline::fences::inline FENCELINE_MODE {

class SchedFences {
  public:
    /// The tables and the slab belong to `gpu_sched`, the scheduler's module.
    SchedFences(FenceCore& core, ModuleRef gpu_sched);

    /// drm_sched_fence_alloc: memory only. The result names the pair by its `finished` half.
    FenceRef create();
    /// drm_sched_fence_init: contexts `context` (scheduled) and `context + 1` (finished).
    void init(FenceRef finished, OwnerRef sched, std::uint32_t context, std::uint32_t seqno);
    /// drm_sched_fence_free: a pair that was never initialised.
    void discard(FenceRef finished);

    /// drm_sched_fence_scheduled: sets the parent, if there is one, then signals.
    void scheduled(FenceRef finished, FenceRef parent);
    /// drm_sched_fence_finished: sets the error, if there is one, then signals.
    void finished(FenceRef finished, std::int32_t result);

    [[nodiscard]] SchedFence& pair(FenceRef ref) {
        return core_.pairs.get({ref.index(), ref.generation}, "fence");
    }

  private:
    void set_parent(FenceRef finished, FenceRef parent);
    static void set_deadline_finished(FenceCore& core, FenceRef ref, sim::Time deadline);
    static void release_scheduled(FenceCore& core, FenceRef ref);
    static void release_finished(FenceCore& core, FenceRef ref);
    static std::string driver_name(FenceCore& core, FenceRef ref);
    static std::string timeline_name(FenceCore& core, FenceRef ref);
    static const FenceOps kScheduledOps;
    static const FenceOps kFinishedOps;

    FenceCore& core_;
    ModuleRef module_;
    OpsId scheduled_ops_;
    OpsId finished_ops_;
    bool slab_;
};

} // namespace fenceline::fences::inline FENCELINE_MODE
