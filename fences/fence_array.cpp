#include "fences/fence_array.hpp"

#include <cassert>
#include <utility>

namespace fenceline::fences::inline FENCELINE_MODE {

namespace {

/// Until the array knows better; never seen from outside.
constexpr std::int32_t kPendingError = 1;

/// dma_fence_array_set_pending_error: the first error stays.
void set_pending_error(Fence& array, std::int32_t error) {
    if (error != 0 && array.error == kPendingError)
        array.error = error;
}
/// dma_fence_array_clear_pending_error.
void clear_pending_error(Fence& array) {
    if (array.error == kPendingError)
        array.error = 0;
}

/// Whether this was the last one that the array waited for.
bool one_less(FenceCore& core, FenceArray& array) {
    array.num_pending.sub(core.machine, 1);
    return array.num_pending.peek() == 0;
}

/// irq_dma_fence_array_work. Somebody who polled may have signalled the array meanwhile.
void work(void* env, std::uint64_t packed) {
    auto& core = *static_cast<FenceCore*>(env);
    core.machine.run_in(core.irq_work_context, [&core, ref = FenceRef::unpack(packed)] {
        sim::Frame frame(core.machine, "irq_dma_fence_array_work");
        clear_pending_error(core.get(ref));
        core.try_signal(ref);
        core.put(ref, Holder::container);
    });
}

/// dma_fence_array_cb_func.
void member_signalled(void* env, FenceRef fence, std::uint64_t packed) {
    auto& core = *static_cast<FenceCore*>(env);
    sim::Frame frame(core.machine, "dma_fence_array_cb_func");
    const FenceRef ref = FenceRef::unpack(packed);
    set_pending_error(core.get(ref), core.get(fence).error);
    if (one_less(core, *core.to_array(ref)))
        core.machine.engine.post(work, env, packed);
    else
        core.put(ref, Holder::container);
}

/// dma_fence_array_enable_signaling. Each callback counts as a reference, because the array may
/// signal, and be dropped, before the last of them has run.
bool enable_signaling(FenceCore& core, FenceRef ref) {
    sim::Frame frame(core.machine, "dma_fence_array_enable_signaling");
    Fence& base = core.get(ref);
    FenceArray& array = *core.to_array(ref);
    for (const FenceRef member : array.fences) {
        core.take(ref);
        if (core.add_callback(member, member_signalled, &core, ref.pack()))
            continue;
        set_pending_error(base, core.get(member).error);
        core.put(ref, Holder::container);
        if (one_less(core, array)) {
            clear_pending_error(base);
            return false;
        }
    }
    return true;
}

/// dma_fence_array_signaled: by count once callbacks are there, else by looking.
bool signaled(FenceCore& core, FenceRef ref) {
    Fence& base = core.get(ref);
    FenceArray& array = *core.to_array(ref);
    std::int32_t pending = array.num_pending.read(core.machine);
    if (base.flags.test_bit(core.machine, flag::enable_signal)) {
        if (pending > 0)
            return false;
        clear_pending_error(base);
        return true;
    }
    for (const FenceRef member : array.fences) {
        if (core.is_signaled(member) && --pending == 0) {
            clear_pending_error(base);
            return true;
        }
    }
    return false;
}

/// dma_fence_array_release.
void release(FenceCore& core, FenceRef ref) {
    sim::Frame frame(core.machine, "dma_fence_array_release");
    for (const FenceRef member : std::exchange(core.to_array(ref)->fences, {}))
        core.put(member, Holder::container);
    core.free_after_grace_period(ref);
}

void set_deadline(FenceCore& core, FenceRef ref, sim::Time deadline) {
    for (const FenceRef member : core.to_array(ref)->fences)
        core.set_deadline(member, deadline);
}

std::string driver_name(FenceCore&, FenceRef) {
    return "dma_fence_array";
}
std::string timeline_name(FenceCore&, FenceRef) {
    return "unbound";
}

} // namespace

const FenceOps kFenceArrayOps{.type = "dma_fence_array_ops",
                              .driver_name = driver_name,
                              .timeline_name = timeline_name,
                              .enable_signaling = enable_signaling,
                              .signaled = signaled,
                              .release = release,
                              .set_deadline = set_deadline};

const CallbackFn kFenceArrayCallback = member_signalled;
const sim::EventFn kFenceArrayWork = work;

FenceRef fence_array_create(FenceCore& core, std::vector<FenceRef> fences, std::uint32_t context,
                            std::uint32_t seqno, bool signal_on_any) {
    sim::Frame frame(core.machine, "dma_fence_array_create");
    assert(!fences.empty());
    const auto pending = signal_on_any ? 1 : static_cast<std::int32_t>(fences.size());
    for (const FenceRef member : fences)
        if (member.part() == FencePart::container && core.to_stub(member) == nullptr)
            core.report_nested(member, "an array");
    const FenceRef ref = core.create_container(FenceArray{std::move(fences), pending},
                                               core.array_ops, context, seqno);
    core.get(ref).error = kPendingError;
    return ref;
}

bool fence_match_context(FenceCore& core, FenceRef fence, std::uint32_t context) {
    const FenceArray* array = core.to_array(fence);
    if (array == nullptr)
        return core.get(fence).context == context;
    for (const FenceRef member : array->fences)
        if (core.get(member).context != context)
            return false;
    return true;
}

FenceRef fence_array_first(FenceCore& core, FenceRef head) {
    const FenceArray* array = core.to_array(head);
    if (array == nullptr)
        return head;
    return array->fences.empty() ? FenceRef{} : array->fences.front();
}

FenceRef fence_array_next(FenceCore& core, FenceRef head, std::size_t index) {
    const FenceArray* array = core.to_array(head);
    return array == nullptr || index >= array->fences.size() ? FenceRef{} : array->fences[index];
}

} // namespace fenceline::fences::inline FENCELINE_MODE
