// The address range in which the objects of one machine live.
//
// DOC: why one range. A handle is 32 bits of place and 32 bits of generation, and following one is
// the most frequent thing a run does. With all pools in one range of addresses the place is simply
// the distance from its start, in granules of 8 bytes: following it is one addition, whatever the
// pool, and memory never moves. 32 bits of granules reach over 32 GB, which is over a hundred
// million jobs at once.
//
// The range is reserved and made usable bit by bit as it grows, so that what is never used costs
// nothing. Granule 0 belongs to nobody: the null handle points there and finds a generation that is
// not its own.
//
// Ownership: the machine owns its arena; pools take chunks of it and never give them back.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fenceline::sim {

class Arena {
  public:
    static constexpr std::size_t kGranule = 8;

    /// Throws std::bad_alloc where not even a small range can be had.
    Arena();
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;
    ~Arena();

    [[nodiscard]] std::byte* base() const { return base_; }
    [[nodiscard]] void* at(std::uint32_t granule) const {
        return base_ + std::size_t{granule} * kGranule;
    }
    /// Zeroed memory, aligned to a cache line; returns its first granule. Throws std::bad_alloc when
    /// the range is used up.
    std::uint32_t take(std::size_t bytes);

  private:
    void make_usable(std::size_t bytes);

    std::byte* base_ = nullptr;
    std::size_t reserved_ = 0;
    std::size_t usable_ = 0;
    std::size_t taken_ = 0;
};

} // namespace fenceline::sim
