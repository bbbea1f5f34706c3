// The driver's own fence: what run_job returns, and under the classic policies what everybody sees.
//
// The lifetime policy's rules for the hardware fence are applied here: whose lock it borrows, where
// its names are, whether it counts its context, whether its release calls into the driver, which
// memory it comes from. A context (timeline) is a driver's object per entity; it exists only under
// policies whose fences need one, and dies with the entity (retire rule permitting) unless fences
// count it.
//
// Ownership: create() returns the fence with one reference, the caller's. A context belongs to
// whoever made it until abandon().
#pragma once

#include "fences/fence_core.hpp"

namespace fenceline::fences::inline FENCELINE_MODE {

/// The objects of a driver that a fence may borrow from.
struct Lenders {
    OwnerRef context; ///< null where the policy needs none
    OwnerRef ring;
    OwnerRef device;
};

class HardwareFences {
  public:
    /// The tables and, under `memory: slab`, the slab belong to `driver`.
    HardwareFences(FenceCore& core, ModuleRef driver);

    /// Whether the policy's fences refer to a context object per entity.
    [[nodiscard]] static bool needs_context(const LifetimePolicy& policy);
    [[nodiscard]] OwnerRef create_context(std::string name);
    /// Its creator lets go: the context dies, now or as the retire rule says, unless fences count
    /// it.
    void abandon_context(OwnerRef context);

    /// What a fence borrows from the lenders, by the policy's rules. For whoever makes many fences
    /// with the same ones, it stays as it is while they live.
    struct Loan {
        OwnerRef lock;    ///< null: the fence has its own
        OwnerRef names;   ///< where its names are found
        OwnerRef counted; ///< the context of which it takes a reference; null where none is counted
    };
    [[nodiscard]] Loan lend(const Lenders& lenders) const {
        const OwnerRef lock = lock_ != nullptr ? lenders.*lock_ : OwnerRef{};
        const OwnerRef counted = counts_context_ ? lenders.context : OwnerRef{};
        // Names live where the lock lives; a fence with a lock of its own still asks its context. The
        // context of an entity that has ended is gone; what is pushed to it all the same has none.
        return {lock, lock && !counted ? lock : lenders.context, counted};
    }

    /// What a fence is like from the start: as dma_fence_init() leaves it, unless somebody knows
    /// what will have been done to it before anybody can look.
    struct Beginning {
        std::uint32_t references = 1;
        std::uint16_t flags = 0;
        CallbackList callbacks;
    };
    [[nodiscard]] FenceRef create(const Loan& loan, std::uint32_t fence_context,
                                  std::uint32_t seqno, const Beginning& as);
    [[nodiscard]] FenceRef create(const Lenders& lenders, std::uint32_t fence_context,
                                  std::uint32_t seqno) {
        return create(lend(lenders), fence_context, seqno, Beginning());
    }

    [[nodiscard]] ModuleRef module() const { return module_; }

  private:
    [[gnu::noinline]] void made_by_rules(FenceRef ref, OwnerRef names);
    static void release(FenceCore& core, FenceRef ref);
    static void set_deadline(FenceCore& core, FenceRef ref, sim::Time deadline);
    static std::string driver_name(FenceCore& core, FenceRef ref);
    static std::string timeline_name(FenceCore& core, FenceRef ref);
    static const FenceOps kOps;
    static bool signaled(FenceCore& core, FenceRef ref);
    static const FenceOps kReleasingOps;
    static const FenceOps kPollingOps;

    FenceCore& core_;
    ModuleRef module_;
    OpsId ops_;
    // The policy, as decisions.
    OwnerRef Lenders::*lock_; ///< whose lock it borrows; null: its own
    bool counts_context_;
    bool care_; ///< there is more to do for a new fence, for its slab's sake, say
};

[[gnu::always_inline]] inline FenceRef HardwareFences::create(const Loan& loan,
                                                              std::uint32_t fence_context,
                                                              std::uint32_t seqno,
                                                              const Beginning& as) {
    const auto memory = core_.hardware.alloc(Fence{0,
                                                   fence_context,
                                                   seqno,
                                                   loan.lock,
                                                   as.callbacks,
                                                   as.flags,
                                                   ops_,
                                                   0,
                                                   sim::RefCount(as.references),
                                                   {}},
                                             loan.names);
    core_.note_allocated(1);
    if (loan.counted)
        core_.owners.get(loan.counted, "context").references.get(core_.machine, "context");
    const FenceRef ref{FencePart::hardware, memory.index(), memory.generation()};
    if (care_)
        made_by_rules(ref, loan.names);
    return ref;
}

} // namespace fenceline::fences::inline FENCELINE_MODE
