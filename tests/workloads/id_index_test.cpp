#include "workloads/id_index.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace fenceline::workloads {
namespace {

TEST(IdIndex, KeepsAnyNumberOfConsecutiveIdsInOneInterval) {
    IdIndex index;
    for (std::uint64_t id = 1000; id < 101'000; ++id) {
        ASSERT_TRUE(index.add(id));
    }
    EXPECT_EQ(index.intervals(), 1U);
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

TEST(IdIndex, DoesNotGrowAnIntervalIntoTheNext) {
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

} // namespace
} // namespace fenceline::workloads
