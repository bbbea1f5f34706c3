// Stubs: fences that have signalled from birth, for where a fence has to be and nothing is left to
// wait for.
//
// Ownership: both functions return a reference of the caller's.
#pragma once

#include "fences/fence_core.hpp"

namespace fenceline::fences::inline FENCELINE_MODE {

extern const FenceOps kStubFenceOps;

/// dma_fence_allocate_private_stub.
FenceRef stub_fence(FenceCore& core, sim::Time timestamp);
/// dma_fence_get_stub: the one that everybody shares and nobody frees.
FenceRef shared_stub_fence(FenceCore& core);

} // namespace fenceline::fences::inline FENCELINE_MODE
