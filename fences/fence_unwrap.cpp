#include "fences/fence_unwrap.hpp"

#include "fences/fence_array.hpp"
#include "fences/fence_chain.hpp"
#include "fences/stub_fence.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace fenceline::fences::inline FENCELINE_MODE {

namespace {

/// __dma_fence_unwrap_array: what the link holds may be an array.
FenceRef enter_array(FenceCore& core, UnwrapCursor& cursor) {
    cursor.array = fence_chain_contained(core, cursor.chain);
    cursor.index = 0;
    return cursor.array ? fence_array_first(core, cursor.array) : FenceRef{};
}

/// fence_cmp: by context, the latest of a context first.
bool in_order(FenceCore& core, FenceRef a, FenceRef b) {
    const std::uint32_t first = core.get(a).context;
    const std::uint32_t second = core.get(b).context;
    return first != second ? first < second : core.is_later(a, b);
}

} // namespace

FenceRef unwrap_first(FenceCore& core, FenceRef head, UnwrapCursor& cursor) {
    cursor.chain = head ? core.take(head) : head;
    return enter_array(core, cursor);
}

FenceRef unwrap_next(FenceCore& core, UnwrapCursor& cursor) {
    if (const FenceRef next = fence_array_next(core, cursor.array, ++cursor.index))
        return next;
    cursor.chain = fence_chain_walk(core, cursor.chain);
    return enter_array(core, cursor);
}

void unwrap_end(FenceCore& core, UnwrapCursor& cursor) {
    core.put(std::exchange(cursor.chain, FenceRef{}), Holder::container);
}

/// __dma_fence_unwrap_merge.
FenceRef unwrap_merge(FenceCore& core, std::span<const FenceRef> fences) {
    sim::Frame frame(core.machine, "__dma_fence_unwrap_merge");
    sim::Time timestamp = 0;
    std::vector<FenceRef> pending;
    // The kernel goes twice, first to count for the allocation.
    for (const bool counting : {true, false}) {
        std::size_t count = 0;
        for (const FenceRef head : fences) {
            unwrap_for_each(core, head, [&](FenceRef fence) {
                if (core.is_signaled(fence)) {
                    timestamp = std::max(timestamp, core.get(fence).timestamp);
                    return;
                }
                ++count;
                if (!counting)
                    pending.push_back(core.take(fence));
            });
        }
        if (count == 0)
            return stub_fence(core, timestamp);
    }
    if (pending.size() == 1)
        return pending.front();
    std::stable_sort(pending.begin(), pending.end(),
                     [&](FenceRef a, FenceRef b) { return in_order(core, a, b); });
    std::size_t last = 0;
    for (std::size_t i = 1; i < pending.size(); ++i) {
        if (core.get(pending[i]).context == core.get(pending[last]).context)
            core.put(pending[i], Holder::container);
        else
            pending[++last] = pending[i];
    }
    pending.resize(last + 1);
    if (pending.size() == 1)
        return pending.front();
    return fence_array_create(core, std::move(pending), core.context_alloc(1), 1, false);
}

} // namespace fenceline::fences::inline FENCELINE_MODE
