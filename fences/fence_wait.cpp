// Waiting for a fence, and saying by when one would like it to signal.

#include "fences/fence_core.hpp"
#include "fences/sleeper.hpp"

namespace fenceline::fences::inline FENCELINE_MODE {

/// dma_fence_wait_timeout and dma_fence_default_wait: the lock is taken to arm the signal, to look
/// at the flag and to leave the list, whether the fence has signalled or not. A waiter goes to the
/// head of the list.
bool FenceCore::wait_timeout(FenceRef ref, sim::Time timeout) {
    sim::Frame frame(machine, "dma_fence_wait");
    enable_sw_signaling(ref);
    Fence& fence = get(ref);
    (void)ops_of(fence); // fence->ops->wait is looked at, although nobody here has one
    Sleeper sleeper(machine);
    CallbackRef callback;
    {
        sim::SpinGuard guard(machine, lock_of(ref, fence), "fence.lock");
        if (fence.flags.test_bit(machine, flag::signaled))
            return true;
        if (timeout == 0)
            return false;
        callback = link_first(fence, Callback{Sleeper::wake_by_fence, nullptr, sleeper.pack()});
    }
    bool woken = false;
    try {
        woken = sleeper.sleep(sim::add_saturating(machine.now(), timeout), "a fence to signal");
    } catch (const sim::Interrupted&) {
        remove_callback(ref, callback);
        throw;
    }
    Fence& waited_for = get(ref);
    bool removed = false;
    bool signalled = false;
    {
        sim::SpinGuard guard(machine, lock_of(ref, waited_for), "fence.lock");
        removed = !woken && callbacks_.alive(callback);
        if (removed)
            unlink(waited_for, callback);
        signalled = waited_for.flags.test_bit(machine, flag::signaled);
    }
    if (removed && count_callbacks_) [[unlikely]]
        uncount_callback(ref);
    return signalled;
}

/// dma_fence_set_deadline.
void FenceCore::set_deadline(FenceRef ref, sim::Time deadline) {
    sim::Frame frame(machine, "dma_fence_set_deadline");
    const FenceOps& ops = ops_of(get(ref));
    if (ops.set_deadline != nullptr && !is_signaled(ref))
        ops.set_deadline(*this, ref, deadline);
}

bool FenceCore::keep_deadline(FenceRef ref, sim::Time deadline) {
    Fence& fence = get(ref);
    sim::SpinGuard guard(machine, lock_of(ref, fence), "fence.lock");
    sim::Time& kept = deadlines_.try_emplace(ref.pack(), deadline).first->second;
    if (fence.flags.test_bit(machine, flag::has_deadline) && kept < deadline)
        return false;
    kept = deadline;
    fence.flags.set_bit(machine, flag::has_deadline);
    return true;
}

std::optional<sim::Time> FenceCore::deadline_of(FenceRef ref) {
    const auto found = deadlines_.find(ref.pack());
    return found == deadlines_.end() ? std::nullopt : std::optional(found->second);
}

} // namespace fenceline::fences::inline FENCELINE_MODE
