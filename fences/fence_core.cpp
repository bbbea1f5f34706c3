#include "fences/fence_core.hpp"

#include "fences/fence_array.hpp"
#include "fences/fence_chain.hpp"
#include "fences/stub_fence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace fenceline::fences::inline FENCELINE_MODE {

std::string describe_owner(const Owner& owner) {
    constexpr std::string_view kinds[] = {"context", "ring", "device", "scheduler"};
    return fmt::format("{} {}", kinds[static_cast<std::size_t>(owner.kind)], owner.name);
}
std::string describe_module(const Module& module) {
    return "module " + module.name;
}

FenceCore::FenceCore(sim::Machine& m, sim::Rcu& r, const LifetimePolicy& p)
    : machine(m), rcu(r), policy(p), owners(m, "owner", describe_owner),
      modules(m, "module", describe_module),
      hardware(m, "hardware fence",
               [](const HardwareFence& fence) {
                   return fmt::format("hardware fence {}:{}", fence.base.context, fence.base.seqno);
               }),
      pairs(m, "scheduler fence",
            [](const SchedFence& pair) {
                return fmt::format("scheduler fence {}:{}", pair.finished.context,
                                   pair.finished.seqno);
            }),
      containers(m, "container fence",
                 [](const ContainerFence& fence) {
                     return fmt::format("container fence {}:{}", fence.base.context,
                                        fence.base.seqno);
                 }),
      resv_lists(m, "dma_resv list", [](const ResvList&) { return std::string("dma_resv list"); }),
      irq_work_context(sim::ContextKind::irq, "irq_work", m.next_context_id()),
      callbacks_(m, "callback", [](const Callback&) { return std::string("callback"); }),
      shared_lock_(p.public_rules.lock == LockRule::shared) {
    // dma-buf is built into the kernel: this text never goes away.
    array_ops = add_ops(kFenceArrayOps, {});
    chain_ops = add_ops(kFenceChainOps, {});
    stub_ops = add_ops(kStubFenceOps, {});
}

std::uint32_t FenceCore::context_alloc(std::uint32_t count) {
    return std::exchange(next_context_, next_context_ + count);
}

OpsId FenceCore::add_ops(const FenceOps& ops, ModuleRef module) {
    ops_.push_back({&ops, module});
    return static_cast<OpsId>(ops_.size() - 1);
}

void FenceCore::name_context(std::uint32_t context, std::string name) {
    if (context_names_.size() <= context)
        context_names_.resize(context + 1);
    context_names_[context] = std::move(name);
}

std::string FenceCore::describe(FenceRef ref) {
    if (!alive(ref))
        return "fence";
    const Fence& fence = get(ref);
    const std::uint64_t number = seqno(ref);
    constexpr std::string_view parts[] = {"hardware fence", "scheduled fence", "finished fence"};
    const std::string_view what = ref.part() == FencePart::container
                                      ? kind_of(ref)
                                      : parts[static_cast<std::size_t>(ref.part())];
    if (fence.context < context_names_.size() && !context_names_[fence.context].empty())
        return fmt::format("{} {}:{}", what, context_names_[fence.context], number);
    return fmt::format("{} {}:{}", what, fence.context, number);
}

bool FenceCore::alive(FenceRef ref) const {
    if (ref.part() == FencePart::hardware)
        return hardware.alive({ref.index(), ref.generation});
    if (ref.part() == FencePart::container)
        return containers.alive({ref.index(), ref.generation});
    return pairs.alive({ref.index(), ref.generation});
}

const FenceOps& FenceCore::ops_of(const Fence& fence) {
    const OpsTable& table = ops_[fence.ops];
    if (table.module) [[likely]]
        (void)modules.get(table.module, "ops");
    return *table.ops;
}

void FenceCore::init(Fence& fence, OpsId ops, OwnerRef lock_owner, std::uint32_t context,
                     std::uint32_t seqno) {
    fence.ops = ops;
    fence.lock_owner = lock_owner;
    fence.context = context;
    fence.seqno = seqno;
    fence.references.init();
}

FenceRef FenceCore::take_rcu(FenceRef ref) {
    return get(ref).references.get_unless_zero(machine) ? ref : FenceRef{};
}

bool FenceCore::signal(FenceRef ref) {
    if (try_signal(ref)) [[likely]]
        return true;
    machine.report({.kind = &hazards::double_signal,
                    .subject = "fence",
                    .object = describe(ref),
                    .message = describe(ref) + " has signalled before"});
    return false;
}

/// dma_fence_signal: lock, signal, unlock.
bool FenceCore::try_signal(FenceRef ref, sim::Time timestamp) {
    sim::Frame frame(machine, "dma_fence_signal");
    Fence& fence = get(ref);
    sim::SpinGuard guard(machine, lock_of(ref, fence), "dma_fence::lock");
    return signal_locked(ref, fence, timestamp);
}

/// dma_fence_signal_timestamp_locked: flag, timestamp, trace, callbacks.
bool FenceCore::signal_locked(FenceRef ref, Fence& fence, sim::Time timestamp) {
    if (fence.flags.test_and_set_bit(machine, flag::signaled))
        return false;
    const std::uint32_t first = std::exchange(fence.first_callback, kNoCallback);
    fence.timestamp = timestamp;
    fence.flags.set_bit(machine, flag::timestamp);
    ++signalled_;
    if (ref.part() != FencePart::scheduled && (fence.flags.peek() & flag::off_ledger) == 0)
        ledger.pinned(pinned_bytes(ref));
    if (first != kNoCallback)
        run_callbacks(ref, first);
    return true;
}

void FenceCore::run_callbacks(FenceRef ref, std::uint32_t first) {
    // The list is private now. Each node leaves it before its function runs, since that may free
    // whatever the callback belongs to.
    for (std::uint32_t slot = first; slot != kNoCallback;) {
        const Callback callback = callbacks_.at(slot);
        callbacks_.free(callbacks_.handle_at(slot));
        slot = callback.next;
        callback.fn(callback.env, ref, callback.owner);
    }
}

bool FenceCore::is_signaled(FenceRef ref) {
    Fence& fence = get(ref);
    if (fence.flags.test_bit(machine, flag::signaled))
        return true;
    const FenceOps& ops = ops_of(fence);
    if (ops.signaled != nullptr && ops.signaled(*this, ref)) {
        // Whoever polls becomes the signaller, unless the interrupt was faster: that is no fault.
        sim::SpinGuard guard(machine, lock_of(ref, fence), "dma_fence::lock");
        signal_locked(ref, fence);
        return true;
    }
    return false;
}

void FenceCore::set_error(FenceRef ref, std::int32_t error) {
    assert(error < 0);
    get(ref).error = error;
}

/// dma_fence_is_signaled_locked.
bool FenceCore::is_signaled_locked(FenceRef ref, Fence& fence) {
    if (fence.flags.test_bit(machine, flag::signaled))
        return true;
    const FenceOps& ops = ops_of(fence);
    if (ops.signaled == nullptr || !ops.signaled(*this, ref))
        return false;
    signal_locked(ref, fence);
    return true;
}

/// dma_fence_get_status.
std::int32_t FenceCore::status(FenceRef ref) {
    sim::Frame frame(machine, "dma_fence_get_status");
    Fence& fence = get(ref);
    sim::SpinGuard guard(machine, lock_of(ref, fence), "dma_fence::lock");
    if (!is_signaled_locked(ref, fence))
        return 0;
    return fence.error != 0 ? fence.error : 1;
}

/// __dma_fence_enable_signaling: false when the fence has signalled (perhaps just now).
bool FenceCore::enable_signaling_locked(FenceRef ref, Fence& fence) {
    const bool was_set = fence.flags.test_and_set_bit(machine, flag::enable_signal);
    if (fence.flags.test_bit(machine, flag::signaled))
        return false;
    if (was_set)
        return true;
    const FenceOps& ops = ops_of(fence);
    if (ops.enable_signaling != nullptr && !ops.enable_signaling(*this, ref)) {
        signal_locked(ref, fence);
        return false;
    }
    return true;
}

void FenceCore::enable_sw_signaling(FenceRef ref) {
    sim::Frame frame(machine, "dma_fence_enable_sw_signaling");
    Fence& fence = get(ref);
    sim::SpinGuard guard(machine, lock_of(ref, fence), "dma_fence::lock");
    enable_signaling_locked(ref, fence);
}

/// dma_fence_add_callback.
std::optional<CallbackRef> FenceCore::add_callback(FenceRef ref, CallbackFn fn, void* env,
                                                   std::uint64_t owner) {
    sim::Frame frame(machine, "dma_fence_add_callback");
    Fence& fence = get(ref);
    if (fence.flags.test_bit(machine, flag::signaled))
        return std::nullopt;
    sim::SpinGuard guard(machine, lock_of(ref, fence), "dma_fence::lock");
    if (!enable_signaling_locked(ref, fence))
        return std::nullopt;
    const bool empty = fence.first_callback == kNoCallback;
    const CallbackRef callback = callbacks_.alloc(
        Callback{fn, env, owner, kNoCallback, empty ? kNoCallback : fence.last_callback});
    if (empty)
        fence.first_callback = callback.index;
    else
        callbacks_.at(fence.last_callback).next = callback.index;
    fence.last_callback = callback.index;
    return callback;
}

/// To the head of the list, where waiters go.
CallbackRef FenceCore::link_first(Fence& fence, Callback callback) {
    const bool empty = fence.first_callback == kNoCallback;
    callback.previous = kNoCallback;
    callback.next = empty ? kNoCallback : fence.first_callback;
    const CallbackRef node = callbacks_.alloc(callback);
    if (empty)
        fence.last_callback = node.index;
    else
        callbacks_.at(fence.first_callback).previous = node.index;
    fence.first_callback = node.index;
    return node;
}

void FenceCore::unlink(Fence& fence, CallbackRef callback) {
    const Callback& node = callbacks_.at(callback.index);
    if (node.previous == kNoCallback)
        fence.first_callback = node.next;
    else
        callbacks_.at(node.previous).next = node.next;
    if (node.next == kNoCallback)
        fence.last_callback = node.previous;
    else
        callbacks_.at(node.next).previous = node.previous;
    callbacks_.free(callback);
}

/// dma_fence_remove_callback: takes the lock even when the fence has signalled.
bool FenceCore::remove_callback(FenceRef ref, CallbackRef callback) {
    sim::Frame frame(machine, "dma_fence_remove_callback");
    Fence& fence = get(ref);
    sim::SpinGuard guard(machine, lock_of(ref, fence), "dma_fence::lock");
    if (!callbacks_.alive(callback))
        return false;
    unlink(fence, callback);
    return true;
}

std::string FenceCore::driver_name(FenceRef ref) {
    sim::Frame frame(machine, "fence->ops->get_driver_name");
    return ops_of(get(ref)).driver_name(*this, ref);
}

std::string FenceCore::timeline_name(FenceRef ref) {
    sim::Frame frame(machine, "fence->ops->get_timeline_name");
    return ops_of(get(ref)).timeline_name(*this, ref);
}

/// dma_fence_release: what the last put does.
void FenceCore::release(FenceRef ref, Fence& fence, Holder holder) {
    sim::Frame frame(machine, "dma_fence_release");
    if (fence.first_callback != kNoCallback && !fence.is_signaled_bit()) {
        machine.report({.kind = &hazards::released_unsignalled,
                        .subject = "fence",
                        .object = describe(ref),
                        .message = describe(ref) + " is released with callbacks waiting for it"});
        sim::SpinGuard guard(machine, lock_of(ref, fence), "dma_fence::lock");
        fence.error = -35; // -EDEADLK, so that whoever waits knows
        signal_locked(ref, fence);
    }
    account_release(ref, fence, holder);
    const FenceOps& ops = ops_of(fence);
    if (ops.release != nullptr)
        ops.release(*this, ref);
    else
        free_after_grace_period(ref);
}

void FenceCore::free_after_grace_period(FenceRef ref) {
    rcu.call(free_memory, this, ref.pack());
}

void FenceCore::free_memory(void* self, std::uint64_t packed) {
    auto& core = *static_cast<FenceCore*>(self);
    sim::Frame frame(core.machine, "rcu callback: free the fence");
    const FenceRef ref = FenceRef::unpack(packed);
    const Fence& fence = core.get(ref);
    if ((fence.flags.peek() & flag::has_deadline) != 0) [[unlikely]]
        core.deadlines_.erase(packed);
    if (ref.part() == FencePart::container) {
        core.note_freed(1);
        core.containers.free({ref.index(), ref.generation});
        return;
    }
    const bool is_hardware = ref.part() == FencePart::hardware;
    const FenceRules& rules = is_hardware ? core.policy.hardware : core.policy.public_rules;
    if (rules.memory == MemoryRule::slab) // kmem_cache_free needs the module's cache
        --core.modules.get(core.ops_[fence.ops].module, "slab").slab_objects;
    core.note_freed(is_hardware ? 1 : 2);
    if (is_hardware)
        core.hardware.free({ref.index(), ref.generation});
    else
        core.pairs.free({ref.index(), ref.generation});
}

} // namespace fenceline::fences::inline FENCELINE_MODE
