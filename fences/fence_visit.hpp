// Looking at fences without touching them, for snapshots (fences/snapshot.hpp): who holds a reference
// on its stack, and what callbacks there are.
//
// Included by fence_core.hpp; do not include it by itself.
#pragma once

#include "fences/fence_core.hpp"

namespace fenceline::fences::inline FENCELINE_MODE {

/// A reference that a function keeps on its stack while it waits, for snapshots. Lives on that stack.
struct WaiterHold {
    const sim::Context& context;
    FenceRef fence;
};

/// Numbers of nodes in a snapshot.
[[nodiscard]] std::uint32_t node_of(SnapshotBuilder& out, FenceRef ref);
[[nodiscard]] std::uint32_t node_of(SnapshotBuilder& out, OwnerRef ref);
std::uint32_t node_of(SnapshotBuilder& out, const sim::Context& context);

/// Says for a scope, in which the current context blocks, that it holds a reference there.
class HeldWhileWaiting {
  public:
    HeldWhileWaiting(FenceCore& core, FenceRef fence)
        : core_(core), hold_{core.machine.current(), fence} {
        if (fence)
            core.waiter_holds.push_back(&hold_);
    }
    HeldWhileWaiting(const HeldWhileWaiting&) = delete;
    HeldWhileWaiting& operator=(const HeldWhileWaiting&) = delete;
    ~HeldWhileWaiting() { std::erase(core_.waiter_holds, &hold_); }

  private:
    FenceCore& core_;
    WaiterHold hold_;
};

template <class Visit>
void FenceCore::for_each_callback(Visit visit) {
    const auto of_fence = [&](FenceRef ref, const Fence& fence) {
        if (fence.callbacks.empty())
            return;
        if ((fence.flags.peek() & flag::own_callback) != 0)
            return visit(ref, CallbackFn(nullptr), fence.callbacks.owner());
        for (std::uint32_t slot = fence.callbacks.first(); slot != kNoCallback;
             slot = callbacks_.at(slot).next) {
            const Callback& callback = callbacks_.at(slot);
            visit(ref, callback.fn == run_own_callback ? nullptr : callback.fn, callback.owner);
        }
    };
    hardware.for_each_live([&](auto handle, const HardwareFence& fence) {
        of_fence({FencePart::hardware, handle.index(), handle.generation()}, fence.base);
    });
    pairs.for_each_live([&](auto handle, const SchedFence& pair) {
        of_fence({FencePart::scheduled, handle.index(), handle.generation()}, pair.scheduled);
        of_fence({FencePart::finished, handle.index(), handle.generation()}, pair.finished);
    });
    containers.for_each_live([&](auto handle, const ContainerFence& fence) {
        of_fence({FencePart::container, handle.index(), handle.generation()}, fence.base);
    });
}

} // namespace fenceline::fences::inline FENCELINE_MODE
