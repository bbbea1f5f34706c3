// Which id belongs to which job: ids to ordinals, where ordinals are given out as 0, 1, 2, ...
//
// Ids that follow each other form a run, with consecutive ordinals. The run that still grows is at
// hand, so that a stream whose jobs are numbered one after the other costs nothing, however long
// it is. A run that has ended goes into a hash table when it is one id long (ids in no order, or
// several sequences mixed: 32 bytes each) and into a tree when it is longer.
//
// Bounded memory: with a horizon, ended runs are kept in two generations, and when the younger one
// has as many runs as the horizon says, the older one is forgotten. So at least the last `horizon`
// jobs are always known, and all of them while there are few runs. What is known depends on the ids
// alone.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace fenceline::workloads {

class IdIndex {
  public:
    static constexpr std::uint64_t kAll = ~std::uint64_t{0};

    explicit IdIndex(std::uint64_t horizon = kAll) : horizon_(horizon) {}
    IdIndex(const IdIndex&) = delete;
    IdIndex& operator=(const IdIndex&) = delete;

    /// Gives the id the next ordinal; false (and nothing changes) when it is known to have one.
    /// Cost: constant for ids that rise, without a search when they are consecutive.
    bool add(std::uint64_t id) {
        if (id == newest_.first + newest_.count && id > greatest_) [[likely]] {
            ++newest_.count;
            ++size_;
            greatest_ = id;
            return true;
        }
        return add_other(id);
    }
    /// The ordinal of the id; nothing where it is not known, or not any more. `id` is below 2^63.
    [[nodiscard]] std::optional<std::uint64_t> find(std::uint64_t id) const {
        // Dependencies mostly point a few jobs back, into the run that still grows.
        if (id - newest_.first < newest_.count) {
            return newest_.ordinal + (id - newest_.first);
        }
        return find_ended(id);
    }

    [[nodiscard]] std::uint64_t size() const { return size_; }
    /// Runs that are remembered.
    [[nodiscard]] std::size_t runs() const;
    [[nodiscard]] bool has_forgotten() const { return forgotten_; }
    [[nodiscard]] std::uint64_t horizon() const { return horizon_; }
    void clear();

  private:
    struct Run {
        std::uint64_t first = 0;
        std::uint64_t count = 0;
        std::uint64_t ordinal = 0; ///< of its first id
    };
    /// Ids to ordinals: open addressing, a power of two of slots, at most half of them taken.
    class Table {
      public:
        void add(std::uint64_t id, std::uint64_t ordinal);
        [[nodiscard]] std::optional<std::uint64_t> find(std::uint64_t id) const;
        [[nodiscard]] std::size_t size() const { return size_; }
        void clear();

      private:
        static constexpr std::uint64_t kFree = ~std::uint64_t{0};
        struct Slot {
            std::uint64_t id = kFree;
            std::uint64_t ordinal = 0;
        };
        [[nodiscard]] std::size_t slot_of(std::uint64_t id) const;
        void grow();

        std::vector<Slot> slots_;
        std::size_t size_ = 0;
        unsigned shift_ = 64; ///< the hash's upper bits choose the slot
    };
    struct Generation {
        Table single;
        std::map<std::uint64_t, Run> longer; ///< by first id

        [[nodiscard]] std::size_t size() const { return single.size() + longer.size(); }
        [[nodiscard]] std::optional<std::uint64_t> find(std::uint64_t id) const;
        void clear();
    };

    [[nodiscard]] std::optional<std::uint64_t> find_ended(std::uint64_t id) const;
    bool add_other(std::uint64_t id);
    void end_newest();

    std::uint64_t horizon_;
    Run newest_;                            ///< the run that the id added last belongs to
    std::array<Generation, 2> generations_; ///< the younger one first
    std::uint64_t greatest_ = 0;            ///< of all ids ever added
    std::uint64_t size_ = 0;
    bool forgotten_ = false;
};

} // namespace fenceline::workloads
