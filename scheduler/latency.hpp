// Collects latencies and gives their distribution.
//
// The first values are kept as they are and give exact percentiles. From kExact values on they are
// counted in buckets of a relative width of 1/128, so a run of any length takes a bounded amount of
// memory and percentiles are within 0.8 %. A percentile p is the least value that at least p of all
// values do not exceed.
#pragma once

#include "sim/time.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

namespace fenceline::scheduler {

/// Distribution of a latency. Exact up to some thousand values, then within 0.8 %.
struct LatencySummary {
    std::uint64_t count = 0;
    double mean = 0; ///< nanoseconds
    sim::Time p50 = 0;
    sim::Time p95 = 0;
    sim::Time p99 = 0;
    sim::Time max = 0;
};

class LatencyRecorder {
  public:
    static constexpr std::size_t kExact = 4096;

    void add(sim::Time value) {
        ++count_;
        sum_ += value;
        if (value > max_) [[unlikely]]
            max_ = value;
        if (counting_) [[likely]]
            count_bucket(value);
        else
            keep(value);
    }
    [[nodiscard]] LatencySummary summary() const;

  private:
    static constexpr unsigned kSubBits = 7;
    static constexpr std::size_t kOctaves = 64 - kSubBits + 1;
    using Octave = std::array<std::uint64_t, std::size_t{1} << kSubBits>;

    [[gnu::noinline]] void keep(sim::Time value);
    void start_counting();
    void count_bucket(sim::Time value) {
        // Octave 0 holds the values below 2^7 as they are; octave n those of 7 + n significant bits.
        const auto bits = static_cast<unsigned>(std::bit_width(value));
        const unsigned octave = bits <= kSubBits ? 0 : bits - kSubBits;
        const std::size_t bucket = (value >> octave) & ((std::size_t{1} << kSubBits) - 1);
        if (!octaves_[octave]) [[unlikely]]
            add_octave(octave);
        ++(*octaves_[octave])[bucket];
    }
    [[gnu::noinline]] void add_octave(unsigned octave);
    [[nodiscard]] sim::Time percentile(double p) const;

    std::uint64_t count_ = 0;
    __extension__ unsigned __int128 sum_ = 0;
    sim::Time max_ = 0;
    bool counting_ = false;
    mutable std::vector<sim::Time> exact_; ///< sorted when percentiles are asked for
    std::array<std::unique_ptr<Octave>, kOctaves> octaves_;
};

} // namespace fenceline::scheduler
