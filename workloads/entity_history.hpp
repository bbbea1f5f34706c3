// Which entity each of the last jobs of a stream belonged to, by ordinal.
//
// The last million are remembered, so that a stream of any length takes constant memory; what lies
// further back is not known. (Of a document nobody asks: all of its jobs are in memory.)
//
// A ring of its final size, of which only what has been written to becomes memory: nothing is ever
// copied, a job costs one store.
#pragma once

#include "workloads/workload.hpp"

#include <cstdint>
#include <memory>

namespace fenceline::workloads {

class EntityHistory {
  public:
    static constexpr std::uint64_t kHorizon = std::uint64_t{1} << 20;

    void push(std::uint32_t entity) {
        if (!entities_) [[unlikely]]
            entities_ = std::make_unique_for_overwrite<std::uint32_t[]>(kHorizon);
        entities_[next_++ % kHorizon] = entity;
    }
    /// kNoIndex when it is too long ago. REQUIRES: ordinal has been pushed.
    [[nodiscard]] std::uint32_t entity_of(std::uint64_t ordinal) const {
        return next_ - ordinal > kHorizon ? kNoIndex : entities_[ordinal % kHorizon];
    }

  private:
    std::uint64_t next_ = 0;
    std::unique_ptr<std::uint32_t[]> entities_;
};

} // namespace fenceline::workloads
