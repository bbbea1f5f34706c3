// What fences cost: the ledger's view of them, and who is left over at the end.

#include "fences/fence_core.hpp"

namespace fenceline::fences::inline FENCELINE_MODE {

std::uint64_t FenceCore::container_bytes(FenceRef ref) {
    if (const FenceArray* array = to_array(ref))
        return array_bytes(array->fences.size());
    return to_chain(ref) != nullptr ? kChainBytes : kFenceBytes;
}

std::string_view FenceCore::kind_of(FenceRef ref) {
    if (ref.part() == FencePart::hardware)
        return "hardware fence";
    if (ref.part() != FencePart::container)
        return "scheduler fence";
    if (to_array(ref) != nullptr)
        return "fence array";
    return to_chain(ref) != nullptr ? "fence chain" : "stub fence";
}

/// A stub's timestamp says nothing about when it came into being.
sim::Time FenceCore::pinned_since(FenceRef ref, const Fence& fence) {
    const FenceStub* stub = to_stub(ref);
    return stub != nullptr ? stub->created : fence.timestamp;
}

void FenceCore::account_container_release(FenceRef ref, const Fence& fence, Holder holder) {
    ledger.unpinned(container_bytes(ref), pinned_since(ref, fence), machine.now(), holder,
                    kind_of(ref));
}

FenceRef FenceCore::hold_for_input(FenceRef ref) {
    const sim::Counters counters = machine.counters;
    take(ref);
    get(ref).flags.set_bit(machine, flag::held_by_input);
    machine.counters = counters;
    return ref;
}

void FenceCore::drop_for_input(FenceRef ref) {
    --machine.counters.atomics; // for the drop itself; what follows from it counts
    auto& flags = get(ref).flags;
    flags.set(machine, static_cast<std::uint16_t>(flags.peek() & ~flag::held_by_input));
    put(ref, Holder::workload);
}

/// What would be the end of the fence without the input's reference. Its parent is then kept by
/// nobody but the input either.
void FenceCore::only_input_left(FenceRef ref, Holder holder) {
    Fence& fence = get(ref);
    if (fence.references.peek() != 1 || !fence.is_signaled_bit() ||
        (fence.flags.peek() & flag::off_ledger) != 0)
        return;
    account_release(ref, fence, holder);
    const sim::Counters counters = machine.counters;
    fence.flags.set_bit(machine, flag::off_ledger);
    if (ref.part() == FencePart::finished)
        if (const FenceRef parent = pairs.at(ref.index()).parent) {
            get(parent).flags.set_bit(machine, flag::held_by_input);
            only_input_left(parent, Holder::sched_fence);
        }
    machine.counters = counters;
}

void FenceCore::account_unreleased() {
    const sim::Time now = machine.now();
    const auto account = [&](FenceRef ref, const Fence& fence) {
        if (fence.is_signaled_bit() && fence.references.peek() > 0 &&
            (fence.flags.peek() & flag::off_ledger) == 0)
            ledger.still_pinned(pinned_bytes(ref), pinned_since(ref, fence), now, kind_of(ref));
    };
    hardware.for_each_live([&](auto handle, HardwareFence& fence) {
        account({FencePart::hardware, handle.index(), handle.generation()}, fence.base);
    });
    pairs.for_each_live([&](auto handle, SchedFence& pair) {
        account({FencePart::finished, handle.index(), handle.generation()}, pair.finished);
    });
    containers.for_each_live([&](auto handle, ContainerFence& fence) {
        account({FencePart::container, handle.index(), handle.generation()}, fence.base);
    });
    owners.for_each_live([&](auto, const Owner& owner) {
        if (owner.abandoned)
            ledger.still_pinned(kContextBytes, owner.abandoned_at, now, "context");
    });
}

void FenceCore::report_nested(FenceRef inner, std::string_view where) {
    machine.report({.kind = &hazards::nested_container,
                    .subject = "fence",
                    .object = describe(inner),
                    .message = describe(inner) + " was put into " + std::string(where),
                    .fence_pool = pool_of(inner),
                    .fence_key = key_of(inner)});
}

void FenceCore::report_leaks() {
    // The shared stub is part of the kernel: no leak, unless somebody still holds it.
    if (shared_stub && get(shared_stub).references.peek() == 1)
        containers.free({shared_stub.index(), shared_stub.generation()});
    shared_stub = {};
    pairs.report_leaks();
    hardware.report_leaks();
    containers.report_leaks();
    resv_lists.report_leaks();
}

} // namespace fenceline::fences::inline FENCELINE_MODE
