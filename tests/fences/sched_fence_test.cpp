// drm_sched_fence: the public pair.
#include "fence_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::fences {
namespace {

using namespace testing_support;
using testing::ElementsAre;
using testing::IsEmpty;

class SchedFenceTest : public testing::Test {
  protected:
    explicit SchedFenceTest(const LifetimePolicy& policy = preset("split")) : world(policy) {
        ring = world.owner(OwnerKind::ring, "gfx");
        sched = world.owner(OwnerKind::scheduler, "gfx");
    }
    FenceRef hardware(std::uint32_t seqno = 1) {
        return world.h_fences.create({{}, ring, {}}, 3, seqno);
    }
    [[nodiscard]] std::uint32_t references(FenceRef ref) {
        return world.core.get(ref).references.peek();
    }

    World world;
    OwnerRef ring;
    OwnerRef sched;
};

TEST_F(SchedFenceTest, ThePairHasTwoContextsAndOneSeqno) {
    const FenceRef pair = world.pair(sched, 10, 6);
    const SchedFence& both = world.s_fences.pair(pair);
    EXPECT_EQ(both.scheduled.context, 10u);
    EXPECT_EQ(both.finished.context, 11u);
    EXPECT_EQ(both.scheduled.seqno, 6u);
    EXPECT_EQ(both.finished.seqno, 6u);
}

TEST_F(SchedFenceTest, AReferenceOnFinishedKeepsScheduled) {
    const FenceRef pair = world.pair(sched);
    const FenceRef scheduled = pair.sibling(FencePart::scheduled);
    world.s_fences.scheduled(pair, {});
    world.s_fences.finished(pair, 0);
    world.run_until(1000);
    EXPECT_EQ(references(scheduled), 1u);
    world.core.put(pair, Holder::job);
    EXPECT_EQ(references(scheduled), 0u);
    world.run();
    EXPECT_FALSE(world.core.alive(pair));
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST_F(SchedFenceTest, AReferenceOnScheduledKeepsTheMemoryOnly) {
    const FenceRef pair = world.pair(sched);
    const FenceRef scheduled = pair.sibling(FencePart::scheduled);
    world.s_fences.scheduled(pair, {});
    world.s_fences.finished(pair, 0);
    world.core.take(scheduled);
    world.core.put(pair, Holder::job);
    world.run();
    EXPECT_TRUE(world.core.alive(pair));
    EXPECT_EQ(references(pair), 0u);
    EXPECT_FALSE(world.core.take_rcu(pair));
    world.core.put(scheduled, Holder::dependency);
    world.run();
    EXPECT_FALSE(world.core.alive(pair));
}

TEST_F(SchedFenceTest, ScheduledTakesTheParentBeforeItSignals) {
    const FenceRef pair = world.pair(sched);
    const FenceRef parent = hardware();
    static FenceRef seen;
    seen = {};
    world.core.add_callback(
        pair.sibling(FencePart::scheduled),
        [](void* env, FenceRef ref, std::uint64_t) {
            seen = static_cast<World*>(env)->s_fences.pair(ref).parent;
        },
        &world, 0);
    world.s_fences.scheduled(pair, parent);
    EXPECT_EQ(seen, parent);
    EXPECT_EQ(references(parent), 2u);
}

TEST_F(SchedFenceTest, FinishedCarriesTheError) {
    const FenceRef pair = world.pair(sched);
    world.s_fences.scheduled(pair, {});
    world.s_fences.finished(pair, -3);
    EXPECT_EQ(world.core.status(pair), -3);
    EXPECT_EQ(world.core.status(pair.sibling(FencePart::scheduled)), 1);
}

TEST_F(SchedFenceTest, TheParentIsKeptUntilRelease) {
    const FenceRef pair = world.pair(sched);
    const FenceRef parent = hardware();
    world.s_fences.scheduled(pair, parent);
    world.core.put(parent, Holder::driver);
    world.core.signal(parent);
    world.s_fences.finished(pair, 0);
    world.run_until(5000);
    EXPECT_EQ(references(parent), 1u);
    world.core.put(pair, Holder::sync_file);
    EXPECT_EQ(references(parent), 0u);
    world.run();
    EXPECT_FALSE(world.core.alive(parent));
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST_F(SchedFenceTest, BothHalvesShareOneLock) {
    const FenceRef pair = world.pair(sched);
    // Polling the other half under the lock would be a self-deadlock.
    world.core.add_callback(
        pair,
        [](void* env, FenceRef ref, std::uint64_t) {
            (void)static_cast<FenceCore*>(env)->status(ref.sibling(FencePart::scheduled));
        },
        &world.core, 0);
    EXPECT_THROW(world.s_fences.finished(pair, 0), sim::FatalHazard);
    EXPECT_THAT(world.verdicts(), ElementsAre("deadlock of lock"));
}

TEST_F(SchedFenceTest, NamesAreTheSchedulersAndItsModules) {
    const FenceRef pair = world.pair(sched);
    EXPECT_EQ(world.core.driver_name(pair), "drm_sched");
    EXPECT_EQ(world.core.timeline_name(pair), "gfx");
    EXPECT_EQ(world.core.timeline_name(pair.sibling(FencePart::scheduled)), "gfx");
}

TEST_F(SchedFenceTest, TheTimelineNameIsReadThroughAnUncountedPointer) {
    const FenceRef pair = world.pair(sched);
    world.s_fences.scheduled(pair, {});
    world.s_fences.finished(pair, 0);
    world.core.owners.free(sched);
    EXPECT_EQ(world.core.driver_name(pair), "drm_sched");
    EXPECT_EQ(world.core.status(pair), 1) << "lock and flags are the pair's own";
    EXPECT_THROW((void)world.core.timeline_name(pair), sim::FatalHazard);
    EXPECT_THAT(world.verdicts(), ElementsAre("use-after-free of names"));
}

TEST_F(SchedFenceTest, TheSlabCountsItsPairs) {
    const auto& objects = world.core.modules.get(world.gpu_sched).slab_objects;
    const FenceRef pair = world.pair(sched);
    const FenceRef unused = world.s_fences.create();
    EXPECT_EQ(objects, 2u);
    world.s_fences.discard(unused);
    EXPECT_EQ(objects, 1u);
    EXPECT_FALSE(world.core.alive(unused));
    world.s_fences.scheduled(pair, {});
    world.s_fences.finished(pair, 0);
    world.core.put(pair, Holder::job);
    EXPECT_EQ(objects, 1u) << "the memory goes after a grace period";
    world.run();
    EXPECT_EQ(objects, 0u);
    EXPECT_EQ(world.core.peak_alive(), 4u) << "a pair is two fences";
}

// A pair that is discarded no longer exists, so it must not count towards the peak.
TEST_F(SchedFenceTest, DiscardedPairsAreNotCountedAsAlive) {
    for (int i = 0; i < 10; ++i)
        world.s_fences.discard(world.s_fences.create());
    EXPECT_EQ(world.core.peak_alive(), 2u);
}

class UntilSignalTest : public SchedFenceTest {
  protected:
    UntilSignalTest() : SchedFenceTest(policy()) {}
    static LifetimePolicy policy() {
        LifetimePolicy p = preset("split");
        p.parent = ParentRule::until_signal;
        return p;
    }
};

TEST_F(UntilSignalTest, TheParentGoesWithTheSignal) {
    const FenceRef pair = world.pair(sched);
    const FenceRef parent = hardware();
    world.s_fences.scheduled(pair, parent);
    world.core.signal(parent);
    EXPECT_EQ(references(parent), 2u);
    world.s_fences.finished(pair, 0);
    EXPECT_EQ(references(parent), 1u);
    EXPECT_FALSE(world.s_fences.pair(pair).parent);
    world.core.put(pair, Holder::job);
    EXPECT_EQ(references(parent), 1u);
    world.core.put(parent, Holder::driver);
    world.run();
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

} // namespace
} // namespace fenceline::fences
