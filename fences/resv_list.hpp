// What a dma_resv is made of: usages, and the list that readers without its lock look at.
#pragma once

#include "fences/fence.hpp"

#include <cstdint>
#include <vector>

namespace fenceline::fences::inline FENCELINE_MODE {

/// enum dma_resv_usage: who asks for one means all that stand before it as well.
enum class ResvUsage : std::uint8_t { kernel, write, read, bookkeep };

/// dma_resv_usage_rw: what a writer, or a reader, has to wait for.
[[nodiscard]] constexpr ResvUsage resv_usage_rw(bool write) {
    return write ? ResvUsage::read : ResvUsage::write;
}

/// struct dma_resv_list; freed after a grace period.
struct ResvList {
    struct Entry {
        FenceRef fence;
        ResvUsage usage = ResvUsage::kernel;
    };
    std::uint32_t max_fences = 0;
    bool retired = false; ///< waits for its grace period; its references are gone or moved
    std::vector<Entry> table;
};

} // namespace fenceline::fences::inline FENCELINE_MODE
