#include "scheduler/latency.hpp"

#include <cmath>

namespace fenceline::scheduler {

// --- LatencyCounts -----------------------------------------------------------------------------

template <std::unsigned_integral Counter>
std::uint64_t LatencyCounts<Counter>::count_of(std::size_t bucket) const {
    const auto wraps = static_cast<std::uint64_t>(std::ranges::count(wrapped_, bucket));
    return counts_[bucket] + wraps * (std::uint64_t{std::numeric_limits<Counter>::max()} + 1);
}

template <std::unsigned_integral Counter>
std::uint64_t LatencyCounts<Counter>::total() const {
    std::uint64_t total = 0;
    for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket)
        total += count_of(bucket);
    return total;
}

template <std::unsigned_integral Counter>
sim::Time LatencyCounts<Counter>::at_rank(std::uint64_t rank) const {
    std::size_t bucket = 0;
    for (std::uint64_t seen = count_of(0); seen < rank; seen += count_of(bucket))
        ++bucket;
    return upper_end(bucket);
}

template class LatencyCounts<std::uint8_t>; // for tests: wraps soon
template class LatencyCounts<std::uint32_t>;

// --- LatencyRecorder ---------------------------------------------------------------------------

/// The first value, the first after those that are kept, or one greater than all before.
void LatencyRecorder::add_rare(sim::Time value) {
    if (inline_below_ == 0 && !exact_) {
        exact_ = std::make_unique_for_overwrite<sim::Time[]>(exact_limit_);
        next_exact_ = exact_.get();
        exact_end_ = next_exact_ + exact_limit_;
        *next_exact_++ = value;
        return;
    }
    if (exact_)
        count_all_exact();
    count(value);
}

void LatencyRecorder::count_all_exact() {
    for (const sim::Time* kept = exact_.get(); kept != next_exact_; ++kept)
        count(*kept);
    exact_.reset();
    next_exact_ = exact_end_ = nullptr;
}

void LatencyRecorder::count(sim::Time value) {
    max_ = std::max(max_, value);
    const sim::Time counted = std::min(value, kGreatestCounted);
    counts_.cover(counted);
    counts_.add(counted);
    inline_below_ = std::max(inline_below_, counted + 1);
}

LatencySummary LatencyRecorder::summary() const {
    sim::Time* const end = next_exact_;
    std::vector<sim::Time> exact(exact_.get(), end);
    LatencySummary summary;
    summary.count = exact_ ? exact.size() : counts_.total();
    if (summary.count == 0)
        return summary;
    summary.mean = static_cast<double>(sum_) / static_cast<double>(summary.count);
    std::size_t lower = 0; // the values before are not greater than any from here on
    const auto percentile = [&](double p) {
        const auto rank = std::max<std::uint64_t>(
            1, static_cast<std::uint64_t>(std::ceil(p * static_cast<double>(summary.count))));
        if (!exact_)
            return std::min(max_, counts_.at_rank(rank));
        const auto begin = exact.begin();
        std::nth_element(begin + lower, begin + rank - 1, exact.end());
        lower = rank - 1;
        return exact[lower];
    };
    summary.p50 = percentile(0.50);
    summary.p95 = percentile(0.95);
    summary.p99 = percentile(0.99);
    summary.max = exact_ ? *std::max_element(exact.begin() + lower, exact.end()) : max_;
    return summary;
}

} // namespace fenceline::scheduler
