// dma_fence_chain beyond its selftest.
#include "container_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::fences {
namespace {

using namespace testing_support;
using testing::ElementsAre;
using testing::IsEmpty;

class ChainTest : public testing::Test {
  protected:
    FenceRef link(FenceRef prev, FenceRef fence, std::uint64_t seqno) {
        return fence_chain_init(world.core, prev, fence, seqno);
    }
    [[nodiscard]] std::uint32_t context(FenceRef ref) { return world.core.get(ref).context; }

    ContainerWorld world;
    Calls calls;
};

TEST_F(ChainTest, LinksInOrderShareAContext) {
    const FenceRef first = link({}, world.lone(), 5);
    const FenceRef second = link(first, world.lone(), 9);
    EXPECT_EQ(context(first), context(second));
    EXPECT_EQ(world.core.to_chain(first)->prev_seqno, 0u);
    EXPECT_EQ(world.core.to_chain(second)->prev_seqno, 5u);
}

TEST_F(ChainTest, ASeqnoOutOfOrderStartsAContextAndIsRaised) {
    const FenceRef first = link({}, world.lone(), 5);
    const FenceRef second = link(first, world.lone(), 3);
    EXPECT_NE(context(first), context(second));
    EXPECT_EQ(world.core.seqno(second), 5u);
    EXPECT_EQ(world.core.to_chain(second)->prev_seqno, 0u);
}

TEST_F(ChainTest, SeqnosHave64Bits) {
    const std::uint64_t large = std::uint64_t{1} << 40;
    const FenceRef first = link({}, world.lone(), large);
    const FenceRef second = link(world.core.take(first), world.lone(), large + 1);
    EXPECT_EQ(context(first), context(second));
    EXPECT_TRUE(world.core.is_later(second, first));
    FenceRef found = world.core.take(second);
    EXPECT_FALSE(fence_chain_find_seqno(world.core, found, large + 2));
    EXPECT_TRUE(fence_chain_find_seqno(world.core, found, large));
    EXPECT_EQ(found, first);
}

TEST_F(ChainTest, WaitsForOneFenceAtATimeFromTheNewest) {
    const FenceRef old = world.lone();
    const FenceRef young = world.lone();
    const FenceRef tail = link(link({}, world.core.take(old), 1), world.core.take(young), 2);
    ASSERT_TRUE(world.core.add_callback(tail, Calls::call, &calls, 1));
    EXPECT_TRUE(world.core.get(old).callbacks.empty());
    EXPECT_FALSE(world.core.get(young).callbacks.empty());
    world.core.signal(young);
    EXPECT_TRUE(world.core.get(old).callbacks.empty()) << "irq work comes first";
    world.machine.engine.run(nullptr, 1);
    EXPECT_FALSE(world.core.get(old).callbacks.empty());
    world.core.signal(old);
    EXPECT_THAT(calls.seen, IsEmpty());
    world.machine.engine.run(nullptr, 1);
    EXPECT_THAT(calls.seen, ElementsAre(1));
    for (const FenceRef fence : {old, young, tail})
        world.drop(fence);
    world.expect_nothing_left();
}

TEST_F(ChainTest, AWalkThrowsOutWhatHasSignalledBehind) {
    const FenceRef a = world.lone();
    const FenceRef b = world.lone();
    const FenceRef c = world.lone();
    const FenceRef first = link({}, world.core.take(a), 1);
    const FenceRef second = link(first, world.core.take(b), 2);
    const FenceRef tail = link(second, world.core.take(c), 3);
    world.core.signal(b);
    world.core.signal(c); // the link one stands on is not looked at
    EXPECT_EQ(fence_chain_walk(world.core, world.core.take(tail)), first);
    EXPECT_EQ(world.core.to_chain(tail)->prev.peek(), first.pack());
    EXPECT_EQ(world.references(first), 2u) << "the chain's and the walker's";
    EXPECT_EQ(world.references(b), 1u);
    world.core.signal(a);
    world.drop(first);
    EXPECT_FALSE(fence_chain_walk(world.core, world.core.take(tail)));
    EXPECT_EQ(world.core.to_chain(tail)->prev.peek(), 0u);
    for (const FenceRef fence : {a, b, c, tail})
        world.drop(fence);
    world.expect_nothing_left();
}

TEST_F(ChainTest, WhatIsNoLinkIsTheEndOfAWalk) {
    const FenceRef plain = world.lone();
    EXPECT_FALSE(fence_chain_walk(world.core, world.core.take(plain)));
    EXPECT_EQ(world.references(plain), 1u);
    FenceRef fence = plain;
    EXPECT_TRUE(fence_chain_find_seqno(world.core, fence, 0));
    EXPECT_FALSE(fence_chain_find_seqno(world.core, fence, 1));
    EXPECT_EQ(fence, plain);
}

TEST_F(ChainTest, AMillionLinksGoWithoutRecursion) {
    constexpr std::size_t length = 1'000'000;
    const FenceRef fence = world.lone();
    FenceRef tail;
    for (std::size_t i = 0; i < length; ++i)
        tail = link(tail, world.core.take(fence), i + 1);
    EXPECT_EQ(world.core.containers.live(), length);
    world.machine.start_task("on a small stack", [&] { world.drop(tail); });
    EXPECT_EQ(world.references(fence), 1u);
    world.core.signal(fence);
    world.drop(fence);
    world.machine.engine.run(nullptr, 10);
    EXPECT_EQ(world.core.containers.live(), 0u);
    world.expect_nothing_left();
}

TEST_F(ChainTest, ReleaseStopsWhereSomebodyElseHolds) {
    const FenceRef fence = world.lone();
    const FenceRef first = link({}, world.core.take(fence), 1);
    const FenceRef held = link(first, world.core.take(fence), 2);
    const FenceRef tail =
        link(link(world.core.take(held), world.core.take(fence), 3), world.core.take(fence), 4);
    world.drop(tail);
    world.run();
    EXPECT_EQ(world.references(held), 1u);
    EXPECT_EQ(world.references(first), 1u);
    EXPECT_EQ(world.core.containers.live(), 2u);
    world.core.signal(fence);
    world.drop(fence);
    world.drop(held);
    world.expect_nothing_left();
}

TEST_F(ChainTest, AChainInAChainIsReportedAnArrayIsNot) {
    const FenceRef with_array = link({}, world.array({world.lone()}), 1);
    EXPECT_THAT(world.verdicts(), IsEmpty());
    (void)link({}, with_array, 1);
    EXPECT_THAT(world.verdicts(), ElementsAre("nested-container of fence"));
}

TEST_F(ChainTest, PinsItsLinks) {
    const FenceRef fence = world.lone();
    const FenceRef tail = link({}, world.core.take(fence), 1);
    world.core.signal(fence);
    EXPECT_TRUE(world.core.is_signaled(tail));
    EXPECT_EQ(world.core.ledger.peak_bytes(), 64 + 128u);
    world.drop(fence);
    world.run_until(sim::kSecond);
    world.drop(tail);
    EXPECT_DOUBLE_EQ(world.core.ledger.byte_seconds(Holder::workload), 128);
    EXPECT_DOUBLE_EQ(world.core.ledger.byte_seconds(Holder::container), 64);
}

// --- merging -------------------------------------------------------------------------------------

class MergeTest : public ChainTest {
  protected:
    FenceRef merge(std::vector<FenceRef> fences) { return unwrap_merge(world.core, fences); }
};

TEST_F(MergeTest, OfOneContextOnlyTheLatestStays) {
    const FenceRef early = world.lone(50, 1);
    const FenceRef late = world.lone(50, 7);
    const FenceRef other = world.lone(40, 1);
    const FenceRef merged = merge({early, late, other});
    EXPECT_THAT(world.unwrapped(merged), ElementsAre(other, late)) << "in order of contexts";
    EXPECT_EQ(world.references(early), 1u);
    const FenceRef alone = merge({early, late});
    EXPECT_EQ(alone, late) << "one fence needs no array";
    for (const FenceRef fence : {early, late, other, merged, alone}) {
        world.core.try_signal(fence);
        world.drop(fence);
    }
    world.expect_nothing_left();
}

TEST_F(MergeTest, SeqnosOfAContextMayWrap) {
    const FenceRef before = world.lone(50, 0xfffffff0u);
    const FenceRef after = world.lone(50, 3);
    EXPECT_EQ(merge({before, after}), after);
}

TEST_F(MergeTest, NothingPendingGivesAStubWithTheLatestTimestamp) {
    const FenceRef first = world.lone();
    const FenceRef second = world.lone();
    world.run_until(30);
    world.core.signal(second);
    world.run_until(70);
    world.core.signal(first);
    world.run_until(500);
    const FenceRef merged = merge({first, second});
    EXPECT_TRUE(world.core.is_signaled(merged));
    EXPECT_EQ(world.core.get(merged).timestamp, 70u);
    world.run_until(600);
    const double before = world.core.ledger.byte_seconds();
    world.drop(merged);
    EXPECT_DOUBLE_EQ(world.core.ledger.byte_seconds() - before, 64e-7) << "since it came to be";
    for (const FenceRef fence : {first, second})
        world.drop(fence);
    world.expect_nothing_left();
}

} // namespace
} // namespace fenceline::fences
