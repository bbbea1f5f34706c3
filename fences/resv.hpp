// struct dma_resv as a model: the fences of a buffer, each with what it uses the buffer for.
//
// DOC: usages are ordered, and who asks for one gets all before it as well: a reader waits for
// writers (and the kernel's own moves), a writer for readers too. Adding a fence takes the place of
// an older one of the same context (if that is not of a stronger usage) or of any that has
// signalled. A full list is replaced by a greater one; readers without the lock may still look at
// the old one, so its memory goes after a grace period, also when the dma_resv itself goes.
//
// Ownership: a dma_resv owns a reference to each of its fences until fini(), which whoever embeds
// it has to call (a destructor may run where nothing may be released any more).
#pragma once

#include "fences/fence_core.hpp"
#include "sim/wait.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace fenceline::fences::inline FENCELINE_MODE {

class Resv;

/// struct dma_resv_iter. With the lock held its fence belongs to the list; without, the cursor
/// holds a reference until it moves on (or resv_iter_end()), and starts anew when it finds that the
/// list has been replaced.
struct ResvCursor {
    ResvCursor(Resv& which, ResvUsage up_to) : resv(&which), usage(up_to) {}

    Resv* resv;
    ResvUsage usage;
    FenceRef fence;
    ResvUsage fence_usage = ResvUsage::kernel;
    std::uint32_t index = 0;
    std::uint32_t num_fences = 0;
    sim::Handle<ResvList> fences;
    bool is_restarted = false;
};

class Resv {
  public:
    /// dma_resv_init.
    explicit Resv(FenceCore& core) : core_(core) {}
    Resv(const Resv&) = delete;
    Resv& operator=(const Resv&) = delete;
    /// dma_resv_fini.
    void fini();
    /// fini() by somebody who does not wait for readers (Quirks::resv_freed_under_reader).
    void fini_under_reader();

    /// dma_resv_lock, dma_resv_unlock. May block.
    void lock();
    void unlock();

    // With the lock held.
    /// dma_resv_reserve_fences: room for so many more. REQUIRES: at least one.
    void reserve_fences(std::uint32_t count);
    /// dma_resv_add_fence: takes a reference of its own. REQUIRES: reserved; no container (which is
    /// reported).
    void add_fence(FenceRef fence, ResvUsage usage);
    /// dma_resv_replace_fences: every fence of the context.
    void replace_fences(std::uint32_t context, FenceRef replacement, ResvUsage usage);
    /// dma_resv_copy_fences: what `from` has and has not signalled, in place of what is here.
    void copy_fences(Resv& from);
    /// dma_resv_iter_first, dma_resv_iter_next: signalled or not.
    FenceRef iter_first(ResvCursor& cursor);
    FenceRef iter_next(ResvCursor& cursor);

    // Without.
    /// dma_resv_iter_first_unlocked, _next_unlocked, dma_resv_iter_end: what has not signalled.
    FenceRef iter_first_unlocked(ResvCursor& cursor);
    FenceRef iter_next_unlocked(ResvCursor& cursor);
    void iter_end(ResvCursor& cursor);
    /// dma_resv_get_fences: references of the caller's to what has not signalled.
    std::vector<FenceRef> get_fences(ResvUsage usage);
    /// dma_resv_get_singleton: the same as one fence; null when there is none.
    FenceRef get_singleton(ResvUsage usage);
    /// dma_resv_test_signaled.
    bool test_signaled(ResvUsage usage);
    /// dma_resv_wait_timeout, uninterruptible: false when the time was up. Blocks.
    bool wait(ResvUsage usage, sim::Time timeout = sim::kForever);
    /// dma_resv_set_deadline.
    void set_deadline(ResvUsage usage, sim::Time deadline);

    /// For tests and reports: how many fences there are, signalled or not, and room for how many.
    [[nodiscard]] std::uint32_t count() const;
    [[nodiscard]] std::uint32_t capacity() const;
    [[nodiscard]] sim::Handle<ResvList> list() const { return fences_; }

  private:
    using ListRef = sim::Handle<ResvList>;

    [[nodiscard]] ResvList& get(ListRef list) {
        return core_.resv_lists.get(list, "dma_resv list");
    }
    ListRef list_alloc(std::uint32_t max_fences);
    void list_free(ListRef list);
    void list_free_memory(ListRef list);
    void restart(ResvCursor& cursor);
    void walk(ResvCursor& cursor);

    FenceCore& core_;
    ListRef fences_;
    bool locked_ = false;
    sim::WaitQueue lock_waiters_;
};

} // namespace fenceline::fences::inline FENCELINE_MODE
