// dma-fence-array.c as a model: one fence for many.
//
// DOC: when it signals. Nothing happens until somebody wants to know: enable_signaling puts a
// callback on each member, and the last one that is needed (the first, for an array that signals
// on any) queues irq_work, which signals the array: later than a callback on the member itself
// would run. Polled before that, the array looks at its members. Its error is the first that a
// member showed before the array signalled.
//
// Ownership: fence_array_create() takes over one reference to each fence; the release of the array
// gives them back. A registered callback counts as a reference to the array.
#pragma once

#include "fences/fence_core.hpp"

#include <vector>

namespace fenceline::fences::inline FENCELINE_MODE {

extern const FenceOps kFenceArrayOps;
/// Registered or posted, each stands for a reference to the array that its number names.
extern const CallbackFn kFenceArrayCallback;
extern const sim::EventFn kFenceArrayWork;

/// dma_fence_array_create. REQUIRES: at least one fence; none of them a container (which is
/// reported, since operations on nested containers recurse).
FenceRef fence_array_create(FenceCore& core, std::vector<FenceRef> fences, std::uint32_t context,
                            std::uint32_t seqno, bool signal_on_any);
/// dma_fence_match_context: whether the fence, or all in the array, belong to the context.
bool fence_match_context(FenceCore& core, FenceRef fence, std::uint32_t context);
/// dma_fence_array_first, dma_fence_array_next: a fence that is no array is its own first.
FenceRef fence_array_first(FenceCore& core, FenceRef head);
FenceRef fence_array_next(FenceCore& core, FenceRef head, std::size_t index);

} // namespace fenceline::fences::inline FENCELINE_MODE
