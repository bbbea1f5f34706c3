// What every fence of every job goes through: init, callbacks, signal, release. The bodies of
// FenceCore's members that are on the path of a replayed job, inline, because a job passes them a
// dozen times and a call costs as much as what most of them do. What is rare is in the .cpp files.
//
// Included by fence_core.hpp; do not include it by itself.
#pragma once

#include "fences/fence_core.hpp"

namespace fenceline::fences::inline FENCELINE_MODE {

[[gnu::always_inline]] inline const FenceOps& FenceCore::ops_of(const Fence& fence) {
    const OpsTable& table = ops_[fence.ops];
    if (table.module) [[likely]]
        (void)modules.get(table.module, "ops");
    return *table.ops;
}

[[gnu::always_inline]] inline void FenceCore::init(Fence& fence, OpsId ops, OwnerRef lock_owner,
                                                   std::uint32_t context, std::uint32_t seqno) {
    fence.ops = ops;
    fence.lock_owner = lock_owner;
    fence.context = context;
    fence.seqno = seqno;
    fence.references.init();
    machine.note(&fence, "initialised");
}

/// dma_fence_signal_timestamp_locked: flag, timestamp, trace, callbacks.
[[gnu::always_inline]] inline bool FenceCore::signal_locked(FenceRef ref, Fence& fence,
                                                            sim::Time timestamp) {
    if (fence.flags.test_and_set_bit(machine, flag::signaled)) [[unlikely]]
        return false;
    machine.note(&fence, "signalled");
    if (care_at_signal_) [[unlikely]]
        signalled_by_rules(fence);
    const CallbackList callbacks = std::exchange(fence.callbacks, CallbackList{});
    fence.timestamp = timestamp;
    fence.flags.set_bit(machine, flag::timestamp);
    ++signalled_;
    if (ref.part() != FencePart::scheduled && (fence.flags.peek() & flag::off_ledger) == 0)
        ledger.pinned(pinned_bytes(ref));
    if (callbacks.empty())
        return true;
    if ((fence.flags.peek() & flag::own_callback) != 0) {
        fence.flags.unmark(flag::own_callback);
        own_fn_(own_env_, ref, fence, callbacks.owner());
        if (count_callbacks_) [[unlikely]]
            uncount_callback(ref);
    } else {
        run_callbacks(ref, callbacks.first());
    }
    return true;
}

/// dma_fence_signal: lock, signal, unlock.
[[gnu::always_inline]] inline bool FenceCore::try_signal(FenceRef ref, Fence& fence,
                                                         sim::Time timestamp) {
    sim::Frame frame(machine, "dma_fence_signal");
    sim::SpinGuard guard(machine, lock_of(ref, fence), "fence.lock");
    return signal_locked(ref, fence, timestamp);
}

[[gnu::always_inline]] inline bool FenceCore::signal(FenceRef ref, Fence& fence) {
    if (try_signal(ref, fence, machine.now())) [[likely]]
        return true;
    report_double_signal(ref);
    return false;
}

[[gnu::always_inline]] inline void FenceCore::signal_plainly(Fence& fence) {
    ++machine.counters.locks;
    machine.counters.atomics += 2;
    fence.flags.mark(flag::signaled | flag::timestamp);
    fence.timestamp = machine.now();
    ++signalled_;
}

[[gnu::always_inline]] inline bool FenceCore::is_signaled(FenceRef ref, Fence& fence) {
    return fence.flags.test_bit(machine, flag::signaled) || poll(ref, fence);
}

/// __dma_fence_enable_signaling: false when the fence has signalled (perhaps just now).
[[gnu::always_inline]] inline bool FenceCore::enable_signaling_locked(FenceRef ref, Fence& fence) {
    const bool was_set = fence.flags.test_and_set_bit(machine, flag::enable_signal);
    if (fence.flags.test_bit(machine, flag::signaled))
        return false;
    if (was_set)
        return true;
    const FenceOps& ops = ops_of(fence);
    if (ops.enable_signaling != nullptr) [[unlikely]]
        return ask_to_signal(ref, fence, ops);
    return true;
}

/// dma_fence_add_callback.
[[gnu::always_inline]] inline std::optional<CallbackRef>
FenceCore::add_callback(FenceRef ref, Fence& fence, CallbackFn fn, void* env, std::uint64_t owner) {
    sim::Frame frame(machine, "dma_fence_add_callback");
    if (fence.flags.test_bit(machine, flag::signaled))
        return std::nullopt;
    sim::SpinGuard guard(machine, lock_of(ref, fence), "fence.lock");
    if (!enable_signaling_locked(ref, fence))
        return std::nullopt;
    if ((fence.flags.peek() & flag::own_callback) != 0) [[unlikely]]
        move_out_own_callback(fence);
    machine.note(&fence, "callback added");
    const CallbackList list = fence.callbacks;
    const CallbackRef callback = callbacks_.alloc(
        Callback{fn, env, owner, kNoCallback, list.last()}); // none, when it is empty
    if (!list.empty())
        callbacks_.at(list.last()).next = callback.index();
    fence.callbacks = {list.empty() ? callback.index() : list.first(), callback.index()};
    if (count_callbacks_) [[unlikely]]
        count_callback(fence);
    return callback;
}

[[gnu::always_inline]] inline CallbackRef FenceCore::add_own_callback(FenceRef ref, Fence& fence,
                                                                      std::uint64_t owner) {
    sim::Frame frame(machine, "dma_fence_add_callback");
    if (fence.flags.test_bit(machine, flag::signaled))
        return {};
    if (!fence.callbacks.empty()) [[unlikely]]
        return add_callback(ref, fence, run_own_callback, this, owner).value_or(CallbackRef{});
    sim::SpinGuard guard(machine, lock_of(ref, fence), "fence.lock");
    if (!enable_signaling_locked(ref, fence))
        return {};
    machine.note(&fence, "callback added");
    fence.flags.mark(flag::own_callback);
    fence.callbacks = CallbackList(owner);
    if (count_callbacks_) [[unlikely]]
        count_callback(fence);
    return kOwnCallback;
}

[[gnu::always_inline]] inline void FenceCore::free_after_grace_period(FenceRef ref) {
    const sim::EventFn free = ref.part() == FencePart::hardware    ? free_hardware
                              : ref.part() == FencePart::container ? free_container
                                                                   : free_pair;
    rcu.call(free, this, ref.pack());
}

[[gnu::always_inline]] inline void FenceCore::release_plain_pair(FenceRef finished,
                                                                 SchedFence& pair,
                                                                 HardwareFence& parent,
                                                                 Holder holder) {
    machine.counters.atomics += 3;
    pair.finished.references.poke(0);
    pair.scheduled.references.poke(0);
    parent.base.references.poke(0);
    const sim::Time now = machine.now();
    ledger.unpinned(kSchedFenceBytes, pair.finished.timestamp, now, holder, "scheduler fence");
    ledger.unpinned(kFenceBytes, parent.base.timestamp, now, Holder::sched_fence, "hardware fence");
    if (rcu.period_running()) [[likely]] { // both go after the same one
        ++machine.counters.rcu_callbacks;
        rcu.call(free_plain_pair, this, finished.pack());
    } else {
        rcu.call(free_hardware, this, pair.parent.pack());
        rcu.call(free_pair, this, finished.pack());
    }
}

/// dma_fence_release: what the last put does.
[[gnu::always_inline]] inline void FenceCore::release_here(FenceRef ref, Fence& fence,
                                                           Holder holder) {
    sim::Frame frame(machine, "dma_fence_release");
    machine.note(&fence, "released");
    if (!fence.is_signaled_bit()) [[unlikely]]
        release_unsignaled(ref, fence);
    account_release(ref, fence, holder);
    const FenceOps& ops = ops_of(fence);
    if (ops.release != nullptr)
        ops.release(*this, ref);
    else
        free_after_grace_period(ref);
}

[[gnu::always_inline]] inline void FenceCore::put_last(FenceRef ref, Fence& fence, Holder holder) {
    if (fence.references.put(machine, "fence")) [[likely]]
        release_here(ref, fence, holder);
    else if ((fence.flags.peek() & flag::held_by_input) != 0) [[unlikely]]
        only_input_left(ref, holder);
}

/// The ledger's share: `scheduled` is part of its pair and does not count by itself.
[[gnu::always_inline]] inline void FenceCore::account_release(FenceRef ref, const Fence& fence,
                                                              Holder holder) {
    if (ref.part() == FencePart::scheduled || !fence.is_signaled_bit() ||
        (fence.flags.peek() & flag::off_ledger) != 0)
        return;
    if (ref.part() == FencePart::container) [[unlikely]]
        account_container_release(ref, fence, holder);
    else if (ref.part() == FencePart::hardware)
        ledger.unpinned(pinned_bytes(ref), fence.timestamp, machine.now(), holder,
                        "hardware fence");
    else
        ledger.unpinned(pinned_bytes(ref), fence.timestamp, machine.now(), holder,
                        "scheduler fence");
}

} // namespace fenceline::fences::inline FENCELINE_MODE
