// Which id belongs to which job: ids to ordinals, where ordinals are given out as 0, 1, 2, ...
//
// Kept as intervals of consecutive ids with consecutive ordinals, so that a stream whose jobs are
// numbered one after the other costs nothing, however long it is. Ids in no order cost one tree
// node each.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace fenceline::workloads {

class IdIndex {
  public:
    IdIndex() = default;
    IdIndex(const IdIndex&) = delete;
    IdIndex& operator=(const IdIndex&) = delete;

    /// Gives the id the next ordinal; false (and nothing changes) when it has one already.
    /// Cost: constant for the successor of the id added last, else logarithmic in the intervals.
    bool add(std::uint64_t id);
    /// The ordinal of the id.
    [[nodiscard]] std::optional<std::uint64_t> find(std::uint64_t id) const;

    [[nodiscard]] std::uint64_t size() const { return size_; }
    [[nodiscard]] std::size_t intervals() const { return intervals_.size(); }
    void clear();

  private:
    struct Interval {
        std::uint64_t count;
        std::uint64_t ordinal; ///< of its first id
    };
    using Map = std::map<std::uint64_t, Interval>; ///< by first id

    Map intervals_;
    Map::iterator newest_ = intervals_.end(); ///< the interval that the id added last belongs to
    std::uint64_t next_limit_ = 0;            ///< first id after it that another interval has
    std::uint64_t size_ = 0;
};

} // namespace fenceline::workloads
