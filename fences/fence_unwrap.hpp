// dma-fence-unwrap.c as a model: the plain fences inside containers, and merging.
//
// Ownership: a cursor holds a reference to the link it stands on until the walk has come to its end
// (or unwrap_end()); the fences it names belong to their containers.
#pragma once

#include "fences/fence_core.hpp"

#include <cstddef>
#include <span>

namespace fenceline::fences::inline FENCELINE_MODE {

/// struct dma_fence_unwrap.
struct UnwrapCursor {
    FenceRef chain;
    FenceRef array;
    std::size_t index = 0;
};

/// dma_fence_unwrap_first, dma_fence_unwrap_next: null at the end. `head` may be anything.
FenceRef unwrap_first(FenceCore& core, FenceRef head, UnwrapCursor& cursor);
FenceRef unwrap_next(FenceCore& core, UnwrapCursor& cursor);
/// For who stops before the end.
void unwrap_end(FenceCore& core, UnwrapCursor& cursor);

/// dma_fence_unwrap_for_each. A visit that dies of a hazard takes the cursor's reference with it,
/// so that one fault does not hide what comes after it.
template <class Visit>
void unwrap_for_each(FenceCore& core, FenceRef head, Visit visit) {
    UnwrapCursor cursor;
    try {
        for (FenceRef fence = unwrap_first(core, head, cursor); fence;
             fence = unwrap_next(core, cursor))
            visit(fence);
    } catch (const sim::FatalHazard&) {
        unwrap_end(core, cursor);
        throw;
    }
}

/// dma_fence_unwrap_merge: one fence for all that has not signalled in any of them, the latest of
/// each context only; an array, or the fence itself when one is left, or a stub with the latest
/// timestamp when none is. The result is the caller's reference.
FenceRef unwrap_merge(FenceCore& core, std::span<const FenceRef> fences);

} // namespace fenceline::fences::inline FENCELINE_MODE
