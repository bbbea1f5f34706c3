#include "scheduler/latency.hpp"

#include <algorithm>
#include <cmath>

namespace fenceline::scheduler {

void LatencyRecorder::start_counting() {
    counting_ = true;
    for (const sim::Time value : exact_)
        count_bucket(value);
    exact_.clear();
    exact_.shrink_to_fit();
}

void LatencyRecorder::keep(sim::Time value) {
    exact_.push_back(value);
    if (exact_.size() == kExact)
        start_counting();
}

void LatencyRecorder::add_octave(unsigned octave) {
    octaves_[octave] = std::make_unique<Octave>();
}

sim::Time LatencyRecorder::percentile(double p) const {
    const auto wanted = std::max<std::uint64_t>(
        1, static_cast<std::uint64_t>(std::ceil(p * static_cast<double>(count_))));
    if (!counting_)
        return exact_[wanted - 1];
    std::uint64_t seen = 0;
    for (std::size_t octave = 0; octave < kOctaves; ++octave) {
        if (!octaves_[octave])
            continue;
        for (std::size_t bucket = 0; bucket < octaves_[octave]->size(); ++bucket) {
            seen += (*octaves_[octave])[bucket];
            if (seen >= wanted) // the bucket's upper edge, which no member of it exceeds
                return std::min(max_, ((sim::Time{bucket} + 1) << octave) - 1);
        }
    }
    return max_;
}

LatencySummary LatencyRecorder::summary() const {
    LatencySummary summary;
    summary.count = count_;
    if (count_ == 0)
        return summary;
    std::sort(exact_.begin(), exact_.end());
    summary.mean = static_cast<double>(sum_) / static_cast<double>(count_);
    summary.p50 = percentile(0.50);
    summary.p95 = percentile(0.95);
    summary.p99 = percentile(0.99);
    summary.max = max_;
    return summary;
}

} // namespace fenceline::scheduler
