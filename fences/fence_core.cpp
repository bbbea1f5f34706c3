#include "fences/fence_core.hpp"

#include "fences/fence_array.hpp"
#include "fences/fence_chain.hpp"
#include "fences/sizes.hpp"
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

FenceCore::FenceCore(sim::Machine& m, sim::Rcu& r, const LifetimePolicy& p, const Quirks& q)
    : machine(m), rcu(r), policy(p), quirks(q), owners(m, "owner", describe_owner),
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
      base_(m.arena.base()), shared_lock_(p.pair_rules().lock == LockRule::shared),
      care_for_pairs_(needs_care(p.pair_rules()) || p.pair_rules().memory == MemoryRule::slab ||
                      p.teardown == TeardownRule::wait_for_references),
      care_for_hardware_(needs_care(p.hardware) || p.hardware.memory == MemoryRule::slab ||
                         p.teardown == TeardownRule::wait_for_references),
      care_at_signal_(false), count_callbacks_(p.pair_rules().callbacks == CallbacksRule::counted ||
                                               p.hardware.callbacks == CallbacksRule::counted),
      hardware_bytes_(static_cast<std::uint32_t>(hardware_fence_bytes(p))),
      pair_bytes_(static_cast<std::uint32_t>(sched_fence_bytes(p))),
      fences_of_pair_(p.public_fence == PublicFence::finished_only ? 1 : 2),
      callbacks_(m, "callback", [](const Callback&) { return std::string("callback"); }) {
    machine.lock_order.declare_irq_unsafe("syncobj->lock"); // taken with spin_lock
    // dma-buf is built into the kernel: this text never goes away.
    array_ops = add_ops(kFenceArrayOps, {});
    chain_ops = add_ops(kFenceChainOps, {});
    stub_ops = add_ops(kStubFenceOps, {});
}

std::uint32_t FenceCore::context_alloc(std::uint32_t count) {
    return std::exchange(next_context_, next_context_ + count);
}

OpsId FenceCore::add_ops(const FenceOps& ops, ModuleRef module, const FenceRules& rules) {
    OpsTable table{.ops = &ops, .module = module, .home = module};
    table.names = rules.names;
    table.pins_module = rules.module == ModuleRule::pinned_by_fence;
    table.counts_callbacks = rules.callbacks == CallbacksRule::counted;
    table.slab = rules.memory == MemoryRule::slab;
    const auto id = static_cast<OpsId>(ops_.size());
    const bool detaches = rules.ops == OpsRule::detach_on_signal && ops.release == nullptr;
    if (detaches) {
        table.detached = static_cast<OpsId>(id + 1);
        care_at_signal_ = true;
    }
    ops_.push_back(table);
    if (detaches) {
        table.ops = &kDetachedOps;
        table.module = {};
        table.detached = 0;
        ops_.push_back(table);
    }
    return id;
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

/// The same as get(), by way of the pool: announces the access, and reports the dead.
Fence& FenceCore::get_from_pool(FenceRef ref, std::string_view resource) {
    touched_ = ref;
    touched_in_ = machine.engine.executed();
    if (ref.part() == FencePart::hardware)
        return hardware.get(ref.memory<HardwareFence>(), resource).base;
    if (ref.part() == FencePart::container)
        return containers.get(ref.memory<ContainerFence>(), resource).base;
    SchedFence& pair = pairs.get(ref.memory<SchedFence>(), resource);
    return ref.part() == FencePart::scheduled ? pair.scheduled : pair.finished;
}

bool FenceCore::alive(FenceRef ref) const {
    if (ref.part() == FencePart::hardware)
        return hardware.alive(ref.memory<HardwareFence>());
    if (ref.part() == FencePart::container)
        return containers.alive(ref.memory<ContainerFence>());
    return pairs.alive(ref.memory<SchedFence>());
}

bool FenceCore::peek_signaled(FenceRef ref) {
    return alive(ref) &&
           (ref.part() == FencePart::hardware ? hardware.at(ref.index()).base.is_signaled_bit()
            : ref.part() == FencePart::scheduled
                ? pairs.at(ref.index()).scheduled.is_signaled_bit()
                : pairs.at(ref.index()).finished.is_signaled_bit());
}

FenceRef FenceCore::take_rcu(FenceRef ref) {
    return get(ref).references.get_unless_zero(machine) ? ref : FenceRef{};
}

void FenceCore::run_callbacks(FenceRef ref, std::uint32_t first) {
    // The list is private now. Each node leaves it before its function runs, since that may free
    // whatever the callback belongs to.
    for (std::uint32_t slot = first; slot != kNoCallback;) {
        const Callback callback = callbacks_.at(slot);
        callbacks_.free(callbacks_.handle_at(slot));
        slot = callback.next;
        callback.fn(callback.env, ref, callback.owner);
        if (count_callbacks_) [[unlikely]]
            uncount_callback(ref);
    }
}

void FenceCore::report_double_signal(FenceRef ref) {
    machine.report({.kind = &hazards::double_signal,
                    .subject = "fence",
                    .object = describe(ref),
                    .message = describe(ref) + " has signalled before",
                    .fence_pool = pool_of(ref),
                    .fence_key = key_of(ref)});
}

/// What dma_fence_is_signaled does when the flag is not set. Whoever polls becomes the signaller,
/// unless the interrupt was faster: that is no fault.
bool FenceCore::poll(FenceRef ref, Fence& fence) {
    const FenceOps& ops = ops_of(fence);
    if (ops.signaled == nullptr || !ops.signaled(*this, ref))
        return false;
    sim::SpinGuard guard(machine, lock_of(ref, fence), "fence.lock");
    signal_locked(ref, fence);
    return true;
}

/// ops->enable_signaling; one that cannot means that the fence has signalled.
bool FenceCore::ask_to_signal(FenceRef ref, Fence& fence, const FenceOps& ops) {
    if (ops.enable_signaling(*this, ref))
        return true;
    signal_locked(ref, fence);
    return false;
}

/// Nobody can signal it any more: whoever waits finds -EDEADLK.
void FenceCore::release_unsignaled(FenceRef ref, Fence& fence) {
    if (fence.callbacks.empty())
        return;
    machine.report({.kind = &hazards::released_unsignalled,
                    .subject = "fence",
                    .object = describe(ref),
                    .message = describe(ref) + " is released with callbacks waiting for it",
                    .fence_pool = pool_of(ref),
                    .fence_key = key_of(ref)});
    sim::SpinGuard guard(machine, lock_of(ref, fence), "fence.lock");
    fence.error = -35;
    signal_locked(ref, fence);
}

/// A kernel stack has 16 KiB, and a link's release, with dma_fence_put and what lies between, takes
/// some 400 bytes of it.
void FenceCore::enter_release(FenceRef ref) {
    constexpr unsigned deepest = 40;
    if (++release_depth_ <= deepest)
        return;
    release_depth_ = 0;
    machine.report({.kind = &hazards::stack_overflow,
                    .subject = "stack",
                    .object = describe(ref),
                    .message = fmt::format("dma_fence_chain_release is nested {} deep at {}",
                                           deepest + 1, describe(ref))});
}

void FenceCore::set_error(FenceRef ref, std::int32_t error) {
    assert(error < 0);
    Fence& fence = get(ref);
    machine.note(&fence, "error set");
    fence.error = error;
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
    sim::SpinGuard guard(machine, lock_of(ref, fence), "fence.lock");
    if (!is_signaled_locked(ref, fence))
        return 0;
    return fence.error != 0 ? fence.error : 1;
}

void FenceCore::enable_sw_signaling(FenceRef ref) {
    sim::Frame frame(machine, "dma_fence_enable_sw_signaling");
    Fence& fence = get(ref);
    sim::SpinGuard guard(machine, lock_of(ref, fence), "fence.lock");
    enable_signaling_locked(ref, fence);
}

/// As a node of a list, among others.
void FenceCore::run_own_callback(void* core, FenceRef ref, std::uint64_t owner) {
    auto& self = *static_cast<FenceCore*>(core);
    self.own_fn_(self.own_env_, ref, self.get(ref), owner);
}

/// Somebody else registers, so there has to be a list.
void FenceCore::move_out_own_callback(Fence& fence) {
    const Callback callback{run_own_callback, this, fence.callbacks.owner(), kNoCallback,
                            kNoCallback};
    fence.flags.unmark(flag::own_callback);
    const std::uint32_t slot = callbacks_.alloc(callback).index();
    fence.callbacks = {slot, slot};
}

/// True when it was still there, in the fence or in the list.
bool FenceCore::remove_own_callback(Fence& fence) {
    if ((fence.flags.peek() & flag::own_callback) != 0) {
        fence.flags.unmark(flag::own_callback);
        fence.callbacks = {};
        return true;
    }
    for (std::uint32_t slot = fence.callbacks.first(); slot != kNoCallback;
         slot = callbacks_.at(slot).next) {
        if (callbacks_.at(slot).fn != run_own_callback)
            continue;
        unlink(fence, callbacks_.handle_at(slot));
        return true;
    }
    return false;
}

/// To the head of the list, where waiters go.
CallbackRef FenceCore::link_first(Fence& fence, Callback callback) {
    if ((fence.flags.peek() & flag::own_callback) != 0)
        move_out_own_callback(fence);
    machine.note(&fence, "callback added (a waiter)");
    const CallbackList list = fence.callbacks;
    callback.previous = kNoCallback;
    callback.next = list.first(); // none, when it is empty
    const CallbackRef node = callbacks_.alloc(callback);
    if (count_callbacks_) [[unlikely]]
        count_callback(fence);
    if (!list.empty())
        callbacks_.at(list.first()).previous = node.index();
    fence.callbacks = {node.index(), list.empty() ? node.index() : list.last()};
    return node;
}

void FenceCore::unlink(Fence& fence, CallbackRef callback) {
    const Callback& node = callbacks_.at(callback.index());
    const CallbackList list = fence.callbacks;
    if (node.previous != kNoCallback)
        callbacks_.at(node.previous).next = node.next;
    if (node.next != kNoCallback)
        callbacks_.at(node.next).previous = node.previous;
    fence.callbacks = {node.previous == kNoCallback ? node.next : list.first(),
                       node.next == kNoCallback ? node.previous : list.last()};
    callbacks_.free(callback);
}

/// dma_fence_remove_callback: takes the lock even when the fence has signalled.
bool FenceCore::remove_callback(FenceRef ref, CallbackRef callback) {
    sim::Frame frame(machine, "dma_fence_remove_callback");
    Fence& fence = get(ref);
    bool removed = false;
    {
        sim::SpinGuard guard(machine, lock_of(ref, fence), "fence.lock");
        if (callback == kOwnCallback) {
            removed = remove_own_callback(fence);
        } else if (callbacks_.alive(callback)) {
            unlink(fence, callback);
            removed = true;
        }
        if (removed)
            machine.note(&fence, "callback removed");
    }
    if (removed && count_callbacks_) [[unlikely]]
        uncount_callback(ref);
    return removed;
}

void FenceCore::forget_deadline(FenceRef ref, const Fence& fence) {
    if ((fence.flags.peek() & flag::has_deadline) != 0) [[unlikely]]
        deadlines_.erase(ref.pack());
}

void FenceCore::free_hardware(void* self, std::uint64_t packed) {
    auto& core = *static_cast<FenceCore*>(self);
    sim::Frame frame(core.machine, "rcu callback: free the fence");
    const FenceRef ref = FenceRef::unpack(packed);
    const auto memory = ref.memory<HardwareFence>();
    const Fence& fence = core.hardware.get(memory, "fence").base;
    core.forget_deadline(ref, fence);
    if (core.care_for_hardware_) // from a slab, say
        core.freed_by_rules(ref, fence);
    core.note_freed(1);
    core.hardware.free(memory);
}

void FenceCore::free_pair(void* self, std::uint64_t packed) {
    auto& core = *static_cast<FenceCore*>(self);
    sim::Frame frame(core.machine, "rcu callback: free the fence");
    const FenceRef ref = FenceRef::unpack(packed);
    const auto memory = ref.memory<SchedFence>();
    const Fence& fence = core.pairs.get(memory, "fence").finished;
    core.forget_deadline(ref, fence);
    if (core.care_for_pairs_)
        core.freed_by_rules(ref, fence);
    core.note_freed(core.fences_of_pair_);
    core.pairs.free(memory);
}

/// free_hardware() of the parent, which is in no slab, then free_pair(). Neither has a deadline.
void FenceCore::free_plain_pair(void* self, std::uint64_t packed) {
    auto& core = *static_cast<FenceCore*>(self);
    const auto memory = FenceRef::unpack(packed).memory<SchedFence>();
    const SchedFence& pair = core.pairs.get(memory, "fence");
    core.hardware.free(pair.parent.memory<HardwareFence>());
    if (core.care_for_pairs_) // that it is from a slab is all that there can be to it
        --core.modules.get(core.ops_[pair.finished.ops].home, "slab").slab_objects;
    core.note_freed(3);
    core.pairs.free(memory);
}

void FenceCore::free_container(void* self, std::uint64_t packed) {
    auto& core = *static_cast<FenceCore*>(self);
    sim::Frame frame(core.machine, "rcu callback: free the fence");
    const FenceRef ref = FenceRef::unpack(packed);
    core.forget_deadline(ref, core.get(ref));
    core.note_freed(1);
    core.containers.free(ref.memory<ContainerFence>());
}

} // namespace fenceline::fences::inline FENCELINE_MODE
