// Which entity each job so far belonged to, by ordinal.
//
// Of a document all jobs are remembered: its jobs are in memory anyway. Of a stream the last
// million are, so that a stream of any length takes constant memory; what lies further back is not
// known.
#pragma once

#include "workloads/workload.hpp"

#include <cstdint>
#include <vector>

namespace fenceline::workloads {

class EntityHistory {
  public:
    static constexpr std::uint64_t kStreamHorizon = std::uint64_t{1} << 20;

    explicit EntityHistory(bool streamed) : limit_(streamed ? kStreamHorizon : ~std::uint64_t{0}) {}

    void push(std::uint32_t entity) {
        if (entities_.size() < limit_)
            entities_.push_back(entity);
        else
            entities_[next_ % limit_] = entity;
        ++next_;
    }
    /// kNoIndex when it is too long ago. REQUIRES: ordinal has been pushed.
    [[nodiscard]] std::uint32_t entity_of(std::uint64_t ordinal) const {
        if (next_ - ordinal > limit_)
            return kNoIndex;
        return entities_[ordinal % limit_];
    }

  private:
    std::uint64_t limit_;
    std::uint64_t next_ = 0;
    std::vector<std::uint32_t> entities_;
};

} // namespace fenceline::workloads
