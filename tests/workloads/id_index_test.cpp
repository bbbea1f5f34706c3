#include "workloads/id_index.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace fenceline::workloads {
namespace {

TEST(IdIndex, KeepsAnyNumberOfConsecutiveIdsInOneRun) {
    IdIndex index;
    for (std::uint64_t id = 1000; id < 101'000; ++id) {
        ASSERT_TRUE(index.add(id));
    }
    EXPECT_EQ(index.runs(), 1U);
    EXPECT_EQ(index.size(), 100'000U);
    EXPECT_EQ(index.find(1000), 0U);
    EXPECT_EQ(index.find(100'999), 99'999U);
    EXPECT_FALSE(index.find(999));
    EXPECT_FALSE(index.find(101'000));
}

TEST(IdIndex, RefusesAnIdThatItHas) {
    IdIndex index;
    EXPECT_TRUE(index.add(5));
    EXPECT_TRUE(index.add(6));
    EXPECT_FALSE(index.add(5));
    EXPECT_FALSE(index.add(6));
    EXPECT_EQ(index.size(), 2U);
    EXPECT_TRUE(index.add(7));
    EXPECT_EQ(index.find(7), 2U);
}

TEST(IdIndex, DoesNotGrowARunIntoTheNext) {
    IdIndex index;
    EXPECT_TRUE(index.add(2));
    EXPECT_TRUE(index.add(1)); // its successor is taken
    EXPECT_FALSE(index.add(2));
    EXPECT_EQ(index.find(1), 1U);
    EXPECT_EQ(index.find(2), 0U);
}

TEST(IdIndex, TakesTheSmallestAndTheLargestId) {
    IdIndex index;
    constexpr std::uint64_t largest = (std::uint64_t{1} << 63U) - 1;
    EXPECT_TRUE(index.add(largest));
    EXPECT_TRUE(index.add(0));
    EXPECT_FALSE(index.add(largest));
    EXPECT_EQ(index.find(largest), 0U);
    EXPECT_EQ(index.find(0), 1U);
}

TEST(IdIndex, AgreesWithAMapOnIdsInAnyOrder) {
    std::mt19937_64 random(7);
    IdIndex index;
    std::map<std::uint64_t, std::uint64_t> expected;
    std::uint64_t last = 0;
    for (int i = 0; i < 20'000; ++i) {
        const std::uint64_t id = random() % 3 == 0 ? random() % 5000 : last + 1;
        last = id;
        ASSERT_EQ(index.add(id), expected.emplace(id, expected.size()).second) << id;
    }
    for (std::uint64_t id = 0; id < 8000; ++id) {
        const auto it = expected.find(id);
        ASSERT_EQ(index.find(id), it == expected.end() ? std::nullopt : std::optional(it->second));
    }
}

TEST(IdIndex, AgreesWithAMapOnSequencesThatAreMixed) {
    std::mt19937_64 random(8);
    IdIndex index;
    std::map<std::uint64_t, std::uint64_t> expected;
    std::vector<std::uint64_t> next{0, 1'000'000, 5, 70'000};
    for (int i = 0; i < 20'000; ++i) {
        const std::uint64_t id = next[random() % next.size()]++;
        ASSERT_EQ(index.add(id), expected.emplace(id, expected.size()).second) << id;
    }
    for (const auto& [id, ordinal] : expected) {
        ASSERT_EQ(index.find(id), ordinal);
        ASSERT_FALSE(index.add(id));
    }
    EXPECT_EQ(index.size(), expected.size());
}

/// Ids in no order, no two of them next to each other.
std::uint64_t scattered(std::uint64_t i) {
    return (i * 0x9E3779B97F4A7C15U >> 4U) * 2;
}

TEST(IdIndex, KnowsAtLeastAsManyJobsBackAsItsHorizonAndStaysBounded) {
    constexpr std::uint64_t kHorizon = 1000;
    IdIndex index(kHorizon);
    for (std::uint64_t i = 0; i < 50'000; ++i) {
        ASSERT_TRUE(index.add(scattered(i)));
        ASSERT_LE(index.runs(), 2 * kHorizon + 1);
        for (const std::uint64_t back : {std::uint64_t{1}, kHorizon / 2, kHorizon}) {
            if (back <= i) {
                ASSERT_EQ(index.find(scattered(i - back)), i - back);
                ASSERT_FALSE(index.add(scattered(i - back)));
            }
        }
    }
    EXPECT_TRUE(index.has_forgotten());
    EXPECT_FALSE(index.find(scattered(0)));
    index.clear();
    EXPECT_FALSE(index.has_forgotten());
    EXPECT_EQ(index.runs(), 0U);
    EXPECT_TRUE(index.add(scattered(0)));
}

TEST(IdIndex, ForgetsNothingWhileThereAreFewRuns) {
    IdIndex index(1000);
    for (std::uint64_t i = 0; i < 1'000'000; ++i) {
        ASSERT_TRUE(index.add(i + i / 2000)); // a gap now and then
    }
    EXPECT_FALSE(index.has_forgotten());
    EXPECT_EQ(index.find(0), 0U);
    EXPECT_EQ(index.runs(), 500U);
}

} // namespace
} // namespace fenceline::workloads
