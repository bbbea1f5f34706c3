#include "fences/fence_chain.hpp"

#include <algorithm>

namespace fenceline::fences::inline FENCELINE_MODE {

namespace {

FenceRef previous_of(FenceCore& core, const FenceChain& link) {
    return FenceRef::unpack(link.prev.read(core.machine));
}

/// dma_fence_chain_get_prev, by dma_fence_get_rcu_safe: what is found may be on its way out.
FenceRef get_prev(FenceCore& core, const FenceChain& link) {
    core.rcu.read_lock();
    FenceRef prev;
    while ((prev = previous_of(core, link))) {
        if (!core.take_rcu(prev))
            continue;
        if (prev == previous_of(core, link))
            break;
        core.put(prev, Holder::container);
    }
    core.rcu.read_unlock();
    return prev;
}

bool enable_signaling(FenceCore& core, FenceRef head);

/// dma_fence_chain_irq_work: on to the next fence, or done. Somebody who polled may have signalled
/// the link meanwhile.
void work(void* env, std::uint64_t packed) {
    auto& core = *static_cast<FenceCore*>(env);
    core.machine.run_in(core.irq_work_context, [&core, link = FenceRef::unpack(packed)] {
        sim::Frame frame(core.machine, "dma_fence_chain_irq_work");
        if (!enable_signaling(core, link))
            core.try_signal(link);
        core.put(link, Holder::container);
    });
}

/// dma_fence_chain_cb: gives back the reference that came with the callback.
void fence_signalled(void* env, FenceRef fence, std::uint64_t packed) {
    auto& core = *static_cast<FenceCore*>(env);
    sim::Frame frame(core.machine, "dma_fence_chain_cb");
    core.machine.engine.post(work, env, packed);
    core.put(fence, Holder::container);
}

/// dma_fence_chain_enable_signaling: a callback on the first fence, from the newest on, that has
/// not signalled. While it is registered the link is held, and so is that fence.
bool enable_signaling(FenceCore& core, FenceRef head) {
    sim::Frame frame(core.machine, "dma_fence_chain_enable_signaling");
    core.take(head);
    for (FenceRef link = core.take(head); link; link = fence_chain_walk(core, link)) {
        const FenceRef fence = core.take(fence_chain_contained(core, link));
        if (core.add_callback(fence, fence_signalled, &core, head.pack())) {
            core.put(link, Holder::container);
            return true;
        }
        core.put(fence, Holder::container);
    }
    core.put(head, Holder::container);
    return false;
}

/// dma_fence_chain_signaled.
bool signaled(FenceCore& core, FenceRef head) {
    for (FenceRef link = core.take(head); link; link = fence_chain_walk(core, link)) {
        if (!core.is_signaled(fence_chain_contained(core, link))) {
            core.put(link, Holder::container);
            return false;
        }
    }
    return true;
}

/// Quirk: dma_fence_chain_release without the manual unlinking that came with the chain itself: the
/// last reference to the link behind is dropped in here, and releases it in here.
void release_recursively(FenceCore& core, FenceRef ref, FenceChain& link) {
    core.enter_release(ref);
    core.put(previous_of(core, link), Holder::container);
    core.put(link.fence, Holder::container);
    core.leave_release();
    core.free_after_grace_period(ref);
}

/// dma_fence_chain_release: links that only this one holds are taken out from between and released
/// one by one, each without anything behind it.
void release(FenceCore& core, FenceRef ref) {
    sim::Frame frame(core.machine, "dma_fence_chain_release");
    FenceChain& link = *core.to_chain(ref);
    if (core.quirks.chain_release_recurses) [[unlikely]]
        return release_recursively(core, ref, link);
    FenceRef prev;
    while ((prev = previous_of(core, link))) {
        if (core.get(prev).references.peek() > 1)
            break;
        FenceChain* behind = core.to_chain(prev);
        if (behind == nullptr)
            break;
        link.prev.set(core.machine, behind->prev.peek()); // nobody else can reach it any more
        behind->prev.set(core.machine, 0);
        core.put(prev, Holder::container);
    }
    core.put(prev, Holder::container);
    core.put(link.fence, Holder::container);
    core.free_after_grace_period(ref);
}

/// dma_fence_chain_set_deadline.
void set_deadline(FenceCore& core, FenceRef head, sim::Time deadline) {
    for (FenceRef link = core.take(head); link; link = fence_chain_walk(core, link))
        core.set_deadline(fence_chain_contained(core, link), deadline);
}

std::string driver_name(FenceCore&, FenceRef) {
    return "dma_fence_chain";
}
std::string timeline_name(FenceCore&, FenceRef) {
    return "unbound";
}

} // namespace

const FenceOps kFenceChainOps{.type = "dma_fence_chain_ops",
                              .driver_name = driver_name,
                              .timeline_name = timeline_name,
                              .enable_signaling = enable_signaling,
                              .signaled = signaled,
                              .release = release,
                              .set_deadline = set_deadline};

const CallbackFn kFenceChainCallback = fence_signalled;
const sim::EventFn kFenceChainWork = work;

FenceRef fence_chain_init(FenceCore& core, FenceRef prev, FenceRef fence, std::uint64_t seqno) {
    sim::Frame frame(core.machine, "dma_fence_chain_init");
    FenceChain link;
    link.prev.set(core.machine, prev.pack());
    link.fence = fence;
    std::uint32_t context = 0;
    const FenceChain* before = core.to_chain(prev);
    if (before != nullptr && seqno > before->seqno) {
        context = core.get(prev).context;
        link.prev_seqno = before->seqno;
    } else {
        context = core.context_alloc(1);
        if (before != nullptr)
            seqno = std::max(before->seqno, seqno);
    }
    link.seqno = seqno;
    if (core.to_chain(fence) != nullptr)
        core.report_nested(fence, "a link of a chain");
    return core.create_container(std::move(link), core.chain_ops, context,
                                 static_cast<std::uint32_t>(seqno));
}

FenceRef fence_chain_walk(FenceCore& core, FenceRef fence) {
    FenceChain* link = core.to_chain(fence);
    if (link == nullptr) {
        core.put(fence, Holder::container);
        return {};
    }
    FenceRef prev;
    while ((prev = get_prev(core, *link))) {
        FenceRef replacement;
        if (const FenceChain* behind = core.to_chain(prev)) {
            if (!core.is_signaled(behind->fence))
                break;
            replacement = get_prev(core, *behind);
        } else if (!core.is_signaled(prev)) {
            break;
        }
        // The link's reference to what has signalled becomes one to what lies behind that; unless
        // somebody else has been faster.
        const auto found =
            link->prev.compare_exchange(core.machine, prev.pack(), replacement.pack());
        core.put(found == prev.pack() ? prev : replacement, Holder::container);
        core.put(prev, Holder::container);
    }
    core.put(fence, Holder::container);
    return prev;
}

bool fence_chain_find_seqno(FenceCore& core, FenceRef& fence, std::uint64_t seqno) {
    if (seqno == 0)
        return true;
    const FenceRef head = fence;
    const FenceChain* newest = core.to_chain(head);
    if (newest == nullptr || newest->seqno < seqno)
        return false;
    const std::uint32_t context = core.get(head).context;
    for (fence = core.take(head); fence; fence = fence_chain_walk(core, fence))
        if (core.get(fence).context != context || core.to_chain(fence)->prev_seqno < seqno)
            break;
    core.put(head, Holder::container);
    return true;
}

FenceRef fence_chain_contained(FenceCore& core, FenceRef fence) {
    const FenceChain* link = core.to_chain(fence);
    return link == nullptr ? fence : link->fence;
}

} // namespace fenceline::fences::inline FENCELINE_MODE
