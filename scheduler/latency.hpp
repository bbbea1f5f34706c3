// Collects latencies and gives their distribution.
//
// DOC: exact, then counted. The first values are kept as they are and give exact percentiles. When
// there are too many to keep, they are counted in buckets at most 1/128 wide, so that a run of
// any length takes a bounded amount of memory and percentiles are within 0.8 %. Number, mean and
// greatest are exact always. A percentile p is the least value that at least p of all values do not
// exceed; of a bucket it is the greatest value that may be in it.
//
// DOC: one comparison. add() is called twice for each job. Everything that is rare (a value still
// to be kept, one greater than all before, so that the table may be too short) is behind the one
// comparison with `inline_below_`. How many there are, and which is the greatest of those kept, is
// found in the end.
#pragma once

#include "sim/time.hpp"

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

namespace fenceline::scheduler {

/// Distribution of a latency. Exact up to some thousand values (LatencyRecorder), then within
/// 0.8 %.
struct LatencySummary {
    std::uint64_t count = 0;
    double mean = 0; ///< nanoseconds
    sim::Time p50 = 0;
    sim::Time p95 = 0;
    sim::Time p99 = 0;
    sim::Time max = 0;
};

/// How many values fell into which bucket. A table as long as the greatest value needs it: 128
/// counters for each doubling of it from 256 on. Counters may be narrow: that one has wrapped is
/// remembered beside them.
template <std::unsigned_integral Counter>
class LatencyCounts {
  public:
    /// Values up to `greatest` may be added from now on.
    void cover(sim::Time greatest) {
        const std::size_t needed = bucket_of(greatest) / kInOctave + 1;
        if (counts_.size() < needed * kInOctave)
            counts_.resize(needed * kInOctave);
    }
    /// REQUIRES: covered. Cost: eight instructions.
    [[gnu::always_inline]] void add(sim::Time value) {
        if (++counts_[bucket_of(value)] == 0) [[unlikely]]
            wrap(value);
    }
    [[nodiscard]] std::uint64_t total() const;
    /// The greatest value that may be in the bucket of the value that has `rank` (from 1) when all
    /// are sorted. REQUIRES: 1 <= rank <= total().
    [[nodiscard]] sim::Time at_rank(std::uint64_t rank) const;

  private:
    static constexpr unsigned kInOctaveBits = 7;
    static constexpr std::size_t kInOctave = std::size_t{1} << kInOctaveBits;
    static_assert(std::numeric_limits<double>::is_iec559);

    /// The bits of a floating-point number are its logarithm, in pieces: exponent and upper bits of
    /// the fraction are the number of a bucket. With 128 added first, which makes them buckets of a
    /// single value below 128 and less than 1/128 of their values wide above.
    [[nodiscard]] static std::size_t bucket_of(sim::Time value) {
        constexpr unsigned kFraction = std::numeric_limits<double>::digits - 1;
        constexpr std::uint64_t kOf128 =
            std::bit_cast<std::uint64_t>(double{kInOctave}) >> (kFraction - kInOctaveBits);
        const auto moved = static_cast<double>(static_cast<std::int64_t>(value + kInOctave));
        return (std::bit_cast<std::uint64_t>(moved) >> (kFraction - kInOctaveBits)) - kOf128;
    }
    [[nodiscard]] static sim::Time upper_end(std::size_t bucket) {
        const sim::Time next = (kInOctave | bucket % kInOctave) + 1;
        return (next << (bucket / kInOctave)) - 1 - kInOctave;
    }
    [[gnu::noinline]] void wrap(sim::Time value) { wrapped_.push_back(bucket_of(value)); }
    [[nodiscard]] std::uint64_t count_of(std::size_t bucket) const;

    std::vector<Counter> counts_;
    std::vector<std::size_t> wrapped_; ///< a bucket for each time that its counter has wrapped
};

class LatencyRecorder {
  public:
    LatencyRecorder() = default;
    LatencyRecorder(const LatencyRecorder&) = delete;
    LatencyRecorder& operator=(const LatencyRecorder&) = delete;

    /// So many values are kept exactly, unless a recorder is told otherwise.
    static constexpr std::size_t kExact = 4096;
    /// And so many where there are `clients` of them: a million in all, and 64 at least.
    [[nodiscard]] static std::size_t exact_for(std::size_t clients) {
        constexpr std::size_t kInAll = std::size_t{1} << 20;
        return std::clamp<std::size_t>(kInAll / std::max<std::size_t>(clients, 1), 64, kExact);
    }
    /// REQUIRES: nothing added yet, 1 <= exact.
    void keep_exactly(std::size_t exact) { exact_limit_ = exact; }

    [[gnu::always_inline]] void add(sim::Time value) {
        sum_ += value;
        if (value < inline_below_) [[likely]]
            counts_.add(value);
        else if (next_exact_ != exact_end_)
            *next_exact_++ = value;
        else
            add_rare(value);
    }
    [[nodiscard]] LatencySummary summary() const;

  private:
    /// What lies beyond counts as this: over a hundred years.
    static constexpr sim::Time kGreatestCounted = sim::Time{1} << 62;

    [[gnu::noinline]] void add_rare(sim::Time value);
    void count_all_exact();
    void count(sim::Time value);

    // What add() touches lies in one cache line.
    __extension__ alignas(64) unsigned __int128 sum_ = 0;
    sim::Time inline_below_ = 0;      ///< covered by counts_; 0 while values are kept
    sim::Time* next_exact_ = nullptr; ///< where the next is kept
    sim::Time* exact_end_ = nullptr;
    LatencyCounts<std::uint32_t> counts_;
    std::unique_ptr<sim::Time[]> exact_; ///< null before the first, and once they are counted
    sim::Time max_ = 0;                  ///< of those that are counted
    std::size_t exact_limit_ = kExact;
};

} // namespace fenceline::scheduler
