// struct drm_syncobj as a model: a place for a fence, or a timeline of points.
//
// DOC: binary and timeline. A syncobj holds one fence. As a binary one it is replaced; as a
// timeline it is the newest link of a chain, and each point adds a link. Who looks for a point gets
// the link that stands for it; who waits for one that nobody has submitted yet can wait for the
// submission first.
//
// Ownership: it owns one reference to its fence until free(), which its last user has to call.
#pragma once

#include "fences/fence_core.hpp"
#include "fences/sleeper.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace fenceline::fences::inline FENCELINE_MODE {

enum class SyncobjWait : std::uint8_t {
    signalled,
    timed_out, ///< -ETIME
    no_point   ///< -EINVAL: nobody has submitted it
};

class Syncobj {
  public:
    /// drm_syncobj_create, empty. `holder`: how the ledger books what it held.
    explicit Syncobj(FenceCore& core, Holder holder = Holder::syncobj)
        : core_(core), holder_(holder) {}
    Syncobj(const Syncobj&) = delete;
    Syncobj& operator=(const Syncobj&) = delete;
    /// drm_syncobj_free.
    void free() { replace_fence({}); }

    /// drm_syncobj_replace_fence: takes a reference of its own; null empties it.
    void replace_fence(FenceRef fence);
    /// drm_syncobj_add_point: takes a reference of its own.
    void add_point(FenceRef fence, std::uint64_t point);
    /// drm_syncobj_fence_get: a reference of the caller's, or null.
    FenceRef fence_get();
    /// drm_syncobj_find_fence without waiting: a reference to what stands for the point (0: the
    /// newest), a stub when it has signalled; nothing when nobody has submitted it.
    std::optional<FenceRef> find_fence(std::uint64_t point);
    /// The same with WAIT_FOR_SUBMIT; nothing when the time was up. Blocks.
    std::optional<FenceRef> find_fence_when_submitted(std::uint64_t point,
                                                      sim::Time timeout = sim::kForever);
    /// drm_syncobj_timeline_wait on one point. Blocks.
    SyncobjWait wait(std::uint64_t point, bool for_submit, sim::Time timeout = sim::kForever);
    /// drm_syncobj_query: the last point that has signalled (or been submitted); 0 for a binary one.
    std::uint64_t query(bool last_submitted = false);

    [[nodiscard]] bool empty() const { return !fence_; }
    /// For reports: no reference.
    [[nodiscard]] FenceRef peek() const { return fence_; }

  private:
    FenceRef fence_get_late();
    /// struct syncobj_wait_entry.
    struct Waiter {
        Sleeper sleeper;
        std::uint64_t point;
        FenceRef fence;
    };
    bool serve(Waiter& waiter);
    void serve_waiters();

    FenceCore& core_;
    Holder holder_;
    FenceRef fence_;
    sim::SpinLock lock_;
    std::vector<Waiter*> waiters_; ///< cb_list
};

} // namespace fenceline::fences::inline FENCELINE_MODE
