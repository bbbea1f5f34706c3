#include "fences/stub_fence.hpp"

namespace fenceline::fences::inline FENCELINE_MODE {

namespace {

std::string stub_name(FenceCore&, FenceRef) {
    return "stub";
}

} // namespace

const FenceOps kStubFenceOps{
    .type = "dma_fence_stub_ops", .driver_name = stub_name, .timeline_name = stub_name};

namespace {

FenceRef create(FenceCore& core, sim::Time timestamp, std::uint16_t flags) {
    const FenceRef ref = core.create_container(FenceStub{core.machine.now()}, core.stub_ops, 0, 0);
    core.get(ref).flags.set_bit(core.machine, flags | flag::enable_signal);
    core.try_signal(ref, timestamp);
    return ref;
}

} // namespace

FenceRef stub_fence(FenceCore& core, sim::Time timestamp) {
    sim::Frame frame(core.machine, "dma_fence_allocate_private_stub");
    return create(core, timestamp, 0);
}

/// Static memory in the kernel: nothing that a ledger could hold against anybody.
FenceRef shared_stub_fence(FenceCore& core) {
    if (!core.shared_stub)
        core.shared_stub = create(core, core.machine.now(), flag::off_ledger);
    return core.take(core.shared_stub);
}

} // namespace fenceline::fences::inline FENCELINE_MODE
