// Latencies: exact while there are few, within 0.8 % afterwards, whatever their size and number.

#include "scheduler/latency.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

namespace fenceline::scheduler::tests {
namespace {

LatencySummary summary_of(const std::vector<sim::Time>& values,
                          std::size_t exact = LatencyRecorder::kExact) {
    LatencyRecorder recorder;
    recorder.keep_exactly(exact);
    for (const sim::Time value : values)
        recorder.add(value);
    return recorder.summary();
}

/// The value of which the definition speaks.
sim::Time percentile(std::vector<sim::Time> values, double p) {
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(std::ceil(p * static_cast<double>(values.size()))) - 1];
}

/// Not below, at most 1/128 above: the buckets' upper ends. What a double cannot hold (beyond 2^53)
/// may have been rounded up into the next bucket.
void expect_close(sim::Time found, sim::Time exact) {
    EXPECT_GE(found, exact);
    EXPECT_LE(found - exact, exact / 128 + (exact >> 52));
}

/// Latencies of `bits` magnitudes, from 0.
std::vector<sim::Time> random_values(std::size_t count, unsigned bits) {
    std::mt19937_64 random(bits);
    std::vector<sim::Time> values;
    for (std::size_t i = 0; i < count; ++i)
        values.push_back(random() >> (64 - 1 - random() % bits));
    return values;
}

TEST(Latency, NothingAddedIsAllZero) {
    const LatencySummary summary = LatencyRecorder{}.summary();
    EXPECT_EQ(summary.count, 0U);
    EXPECT_EQ(summary.mean, 0);
    EXPECT_EQ(summary.max, 0U);
}

TEST(Latency, IsExactUpToTheLimit) {
    const std::vector<sim::Time> values = random_values(LatencyRecorder::kExact, 40);
    const LatencySummary summary = summary_of(values);
    EXPECT_EQ(summary.count, values.size());
    EXPECT_EQ(summary.p50, percentile(values, 0.50));
    EXPECT_EQ(summary.p95, percentile(values, 0.95));
    EXPECT_EQ(summary.p99, percentile(values, 0.99));
}

TEST(Latency, NumberMeanAndGreatestAreExactAtAnyNumber) {
    for (const std::size_t count : {1U, 63U, 64U, 65U, 10'000U}) {
        const std::vector<sim::Time> values = random_values(count, 50);
        const auto sum = std::accumulate(values.begin(), values.end(), sim::Time{0}); // below 2^64
        const LatencySummary summary = summary_of(values, 64);
        EXPECT_EQ(summary.count, count);
        EXPECT_DOUBLE_EQ(summary.mean, static_cast<double>(sum) / static_cast<double>(count));
        EXPECT_EQ(summary.max, *std::max_element(values.begin(), values.end()));
    }
}

TEST(Latency, PercentilesOfManyAreTheUpperEndsOfNarrowBuckets) {
    for (const unsigned bits : {1U, 7U, 8U, 9U, 10U, 20U, 33U, 52U, 60U}) {
        const std::vector<sim::Time> values = random_values(20'000, bits);
        const LatencySummary summary = summary_of(values, 64);
        expect_close(summary.p50, percentile(values, 0.50));
        expect_close(summary.p95, percentile(values, 0.95));
        expect_close(summary.p99, percentile(values, 0.99));
    }
}

TEST(Latency, EveryValueIsInABucketThatIsNarrowEnough) {
    // All around each power of two, where buckets change their width. A greater one follows, which
    // the percentile would otherwise be held at.
    for (unsigned power = 0; power < 61; ++power) {
        for (int offset = -130; offset <= 130; ++offset) {
            const auto value = static_cast<std::int64_t>(sim::Time{1} << power) + offset;
            if (value < 0)
                continue;
            const auto time = static_cast<sim::Time>(value);
            expect_close(summary_of({time, time, time, 4 * time + 1}, 1).p50, time);
        }
    }
}

TEST(Latency, ValuesBelowTwoHundredFiftySixAndEqualOnesStayExact) {
    std::vector<sim::Time> values;
    for (sim::Time value = 0; value < 128; ++value)
        values.push_back(value);
    EXPECT_EQ(summary_of(values, 1).p50, percentile(values, 0.50));
    EXPECT_EQ(summary_of(values, 1).p95, percentile(values, 0.95));
    const LatencySummary equal = summary_of(std::vector<sim::Time>(100, 123'456'789), 10);
    EXPECT_EQ(equal.p50, 123'456'789U);
    EXPECT_EQ(equal.p99, 123'456'789U);
}

TEST(Latency, ValuesThatRiseOrFallAllTheTimeAreCountedAlike) {
    std::vector<sim::Time> rising;
    for (sim::Time i = 0; i < 10'000; ++i)
        rising.push_back(i * i);
    std::vector<sim::Time> falling(rising.rbegin(), rising.rend());
    const LatencySummary up = summary_of(rising, 64);
    const LatencySummary down = summary_of(falling, 64);
    EXPECT_EQ(up.count, down.count);
    EXPECT_EQ(up.mean, down.mean);
    EXPECT_EQ(up.p50, down.p50);
    EXPECT_EQ(up.p95, down.p95);
    EXPECT_EQ(up.p99, down.p99);
    EXPECT_EQ(up.max, down.max);
    expect_close(up.p50, percentile(rising, 0.50));
}

TEST(Latency, TimesOfCenturiesDoNotBreakIt) {
    const LatencySummary summary =
        summary_of({5, ~sim::Time{0}, sim::Time{1} << 63, (sim::Time{1} << 62) + 1, 5, 5, 5}, 2);
    EXPECT_EQ(summary.count, 7U);
    EXPECT_EQ(summary.p50, 5U);
    EXPECT_EQ(summary.max, ~sim::Time{0});
    EXPECT_GE(summary.p99, sim::Time{1} << 62);
    EXPECT_GT(summary.mean, std::pow(2.0, 61));
}

TEST(Latency, ManyClientsShareAMillionExactValues) {
    EXPECT_EQ(LatencyRecorder::exact_for(0), LatencyRecorder::kExact);
    EXPECT_EQ(LatencyRecorder::exact_for(256), LatencyRecorder::kExact);
    EXPECT_EQ(LatencyRecorder::exact_for(4096), 256U);
    EXPECT_EQ(LatencyRecorder::exact_for(1'000'000), 64U);
}

TEST(Latency, CountersThatWrapLoseNothing) {
    LatencyCounts<std::uint8_t> counts;
    counts.cover(1000);
    for (int i = 0; i < 700; ++i)
        counts.add(3);
    for (int i = 0; i < 256; ++i)
        counts.add(1000);
    EXPECT_EQ(counts.total(), 956U);
    EXPECT_EQ(counts.at_rank(700), 3U);
    EXPECT_GE(counts.at_rank(701), 1000U);
}

} // namespace
} // namespace fenceline::scheduler::tests
