// The ledger's arithmetic.
#include "fences/ledger.hpp"

#include <gtest/gtest.h>

#include <set>

namespace fenceline::fences {
namespace {

TEST(Ledger, BeginsEmpty) {
    const Ledger ledger;
    EXPECT_EQ(ledger.byte_seconds(), 0);
    EXPECT_EQ(ledger.peak_bytes(), 0u);
    EXPECT_EQ(ledger.peak_objects(), 0u);
    EXPECT_EQ(ledger.longest().duration, 0u);
    EXPECT_TRUE(ledger.longest().what.empty());
}

TEST(Ledger, BooksBytesTimesDurationOnWhoeverLetGoLast) {
    Ledger ledger;
    ledger.pinned(64);
    ledger.pinned(192);
    ledger.unpinned(64, 0, 2 * sim::kSecond, Holder::sync_file, "hardware fence");
    ledger.unpinned(192, sim::kSecond, 2 * sim::kSecond, Holder::job, "scheduler fence");
    EXPECT_DOUBLE_EQ(ledger.byte_seconds(Holder::sync_file), 128);
    EXPECT_DOUBLE_EQ(ledger.byte_seconds(Holder::job), 192);
    EXPECT_DOUBLE_EQ(ledger.byte_seconds(Holder::syncobj), 0);
    EXPECT_DOUBLE_EQ(ledger.byte_seconds(), 320);
}

TEST(Ledger, PeaksAreOfTheSameMoment) {
    Ledger ledger;
    ledger.pinned(100);
    ledger.unpinned(100, 0, 1, Holder::job, "a");
    ledger.pinned(60);
    ledger.pinned(30);
    EXPECT_EQ(ledger.peak_bytes(), 100u);
    EXPECT_EQ(ledger.peak_objects(), 2u);
    ledger.pinned(30);
    EXPECT_EQ(ledger.peak_bytes(), 120u);
    EXPECT_EQ(ledger.peak_objects(), 3u);
}

TEST(Ledger, TheLongestIsTheFirstOfEquals) {
    Ledger ledger;
    for (int i = 0; i < 3; ++i)
        ledger.pinned(10);
    ledger.unpinned(10, 0, 50, Holder::job, "first");
    ledger.unpinned(10, 10, 60, Holder::syncobj, "second");
    ledger.unpinned(10, 60, 61, Holder::driver, "third");
    EXPECT_EQ(ledger.longest().what, "first");
    EXPECT_EQ(ledger.longest().duration, 50u);
    EXPECT_EQ(ledger.longest().until, 50u);
    EXPECT_EQ(ledger.longest().bytes, 10u);
    EXPECT_EQ(ledger.longest().holder, Holder::job);
}

TEST(Ledger, WhatIsStillPinnedAtTheEndIsCountedAsUnreleased) {
    Ledger ledger;
    ledger.pinned(64);
    ledger.still_pinned(64, 0, 3 * sim::kSecond, "hardware fence");
    EXPECT_EQ(ledger.unreleased(), 1u);
    EXPECT_DOUBLE_EQ(ledger.byte_seconds(), 192);
}

TEST(Ledger, SumsBeyondSixtyFourBitsAreExact) {
    Ledger ledger;
    constexpr std::uint64_t bytes = std::uint64_t{1} << 40;
    constexpr sim::Time duration = std::uint64_t{1} << 60;
    for (int i = 0; i < 4; ++i) {
        ledger.pinned(bytes);
        ledger.unpinned(bytes, 0, duration, Holder::fence, "x");
    }
    EXPECT_DOUBLE_EQ(ledger.byte_seconds(), 0x1p102 * 1e-9);
}

TEST(Ledger, EveryHolderHasAName) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < kHolderCount; ++i)
        names.insert(name_of(static_cast<Holder>(i)));
    EXPECT_EQ(names.size(), kHolderCount);
    EXPECT_FALSE(names.contains(""));
    EXPECT_EQ(name_of(Holder::workload), "workload");
    EXPECT_EQ(name_of(Holder::sync_file), "sync_file");
}

} // namespace
} // namespace fenceline::fences
