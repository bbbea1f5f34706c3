// dma-fence-chain.c as a model: a timeline as a list of fences, newest first.
//
// DOC: links. Each link holds a fence and the link before it, and has signalled when both have.
// Whoever walks a chain throws out what has signalled behind the link he stands on (garbage
// collection), so chains stay short without anybody caring. A link waits for one fence at a time,
// from the newest to the oldest: the callback queues irq_work, which looks for the next fence that
// has not signalled, and signals the link when there is none.
//
// Releasing a link takes the links behind it along, as long as nobody else holds them, one after
// the other: no recursion, however long the chain.
//
// Ownership: fence_chain_init() takes over one reference to `prev` and one to `fence`. A walk holds
// a reference to the link it stands on.
#pragma once

#include "fences/fence_core.hpp"

#include <cstdint>

namespace fenceline::fences::inline FENCELINE_MODE {

extern const FenceOps kFenceChainOps;
/// Registered or posted, each stands for a reference to the link that its number names; the callback
/// also for one to the fence that it waits for.
extern const CallbackFn kFenceChainCallback;
extern const sim::EventFn kFenceChainWork;

/// dma_fence_chain_init, with the memory. `prev` may be null or no link at all. A seqno that does
/// not come after that of the link before it starts a context of its own.
FenceRef fence_chain_init(FenceCore& core, FenceRef prev, FenceRef fence, std::uint64_t seqno);
/// dma_fence_chain_walk: to what lies behind, without what has signalled; consumes the reference
/// to `fence` and returns one, or null at the end (or when `fence` is no link).
FenceRef fence_chain_walk(FenceCore& core, FenceRef fence);
/// dma_fence_chain_find_seqno: turns `fence` (a reference) into the link that stands for this
/// point, or into null when the point has signalled. False, and nothing changes, when the chain
/// does not go that far or is none (-EINVAL).
bool fence_chain_find_seqno(FenceCore& core, FenceRef& fence, std::uint64_t seqno);
/// dma_fence_chain_contained: the fence of a link; any other fence is its own.
FenceRef fence_chain_contained(FenceCore& core, FenceRef fence);

} // namespace fenceline::fences::inline FENCELINE_MODE
