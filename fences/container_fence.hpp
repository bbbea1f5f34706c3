// Fences that dma-buf itself makes: arrays, chains and stubs. What is in them; what they do is in
// fence_array.hpp, fence_chain.hpp and stub_fence.hpp.
//
// All three live in one pool, because a FenceRef has one value of its part to spare for them, and
// none is common enough to need its memory trimmed.
//
// Ownership: an array owns a reference to each of its fences, a link of a chain one to its fence
// and one to the link before it.
#pragma once

#include "fences/fence.hpp"
#include "sim/atomic.hpp"
#include "sim/time.hpp"

#include <bit>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

namespace fenceline::fences::inline FENCELINE_MODE {

/// struct dma_fence_array: signals when all of its fences have, or when the first has.
struct FenceArray {
    std::vector<FenceRef> fences;
    sim::Atomic<std::int32_t> num_pending;
};

/// struct dma_fence_chain: a link. It signals when its fence and all links before it have.
struct FenceChain {
    sim::Atomic<std::uint64_t> prev; ///< a packed FenceRef; 0: nothing before it
    FenceRef fence;
    std::uint64_t seqno = 0; ///< all 64 bits; the base has the lower 32
    std::uint64_t prev_seqno = 0;
};

/// A fence that has signalled from birth (dma_fence_stub_ops).
struct FenceStub {
    sim::Time created = 0; ///< its timestamp may be older
};

/// The fence stands where in a pair the second one does (FencePart).
struct ContainerFence {
    template <class Inside>
    explicit ContainerFence(Inside what) : inside(std::in_place_type<Inside>, std::move(what)) {}

    std::variant<FenceArray, FenceChain, FenceStub> inside;
    sim::Time created = 0;
    Fence base;
};

/// What kmalloc really takes for an object of this size.
[[nodiscard]] constexpr std::uint64_t kmalloc_bytes(std::uint64_t size) {
    if (size <= 8)
        return 8;
    if (size > 64 && size <= 96)
        return 96;
    if (size > 128 && size <= 192)
        return 192;
    return std::bit_ceil(size);
}

/// Bytes of the kernel's objects (6.12, x86-64, plain configuration): the structure with one
/// callback for each fence, and the table of fences; a link; a stub is a bare dma_fence.
[[nodiscard]] constexpr std::uint64_t array_bytes(std::uint64_t fences) {
    return kmalloc_bytes(120 + 32 * fences) + kmalloc_bytes(8 * fences);
}
inline constexpr std::uint64_t kChainBytes = 128;

} // namespace fenceline::fences::inline FENCELINE_MODE
