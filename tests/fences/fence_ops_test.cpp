// What a fence's ops table is asked, when, and how often.
#include "fence_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::fences {
namespace {

using namespace testing_support;
using testing::ElementsAre;
using testing::IsEmpty;

int asked = 0;
bool answer = true;
std::vector<std::string> released;

bool enable(FenceCore&, FenceRef) {
    ++asked;
    return answer;
}
bool signaled(FenceCore&, FenceRef) {
    ++asked;
    return answer;
}

const FenceOps kEnabling{.type = "enabling", .enable_signaling = enable};
const FenceOps kPolled{.type = "polled", .signaled = signaled};
const FenceOps kNamed{.type = "named",
                      .driver_name = [](FenceCore&, FenceRef) { return std::string("drv"); },
                      .timeline_name = [](FenceCore&, FenceRef) { return std::string("ring"); }};
const FenceOps kReleasing{.type = "releasing", .release = [](FenceCore& core, FenceRef ref) {
                              released.push_back(core.describe(ref));
                              core.free_after_grace_period(ref);
                          }};

class FenceOpsTest : public testing::Test {
  protected:
    void SetUp() override {
        asked = 0;
        answer = true;
        released.clear();
    }
    World world;
    Calls calls;
};

TEST_F(FenceOpsTest, EnableSignalingIsAskedOnce) {
    const FenceRef fence = world.fence(kEnabling);
    EXPECT_EQ(asked, 0);
    world.core.add_callback(fence, Calls::call, &calls, 1);
    EXPECT_EQ(asked, 1);
    world.core.add_callback(fence, Calls::call, &calls, 2);
    world.core.enable_sw_signaling(fence);
    EXPECT_EQ(asked, 1);
    world.core.signal(fence);
    EXPECT_THAT(calls.seen, ElementsAre(1u, 2u));
}

TEST_F(FenceOpsTest, EnableSignalingIsNotAskedOfASignalledFence) {
    const FenceRef fence = world.fence(kEnabling);
    world.core.signal(fence);
    world.core.enable_sw_signaling(fence);
    world.core.add_callback(fence, Calls::call, &calls, 1);
    EXPECT_EQ(asked, 0);
}

TEST_F(FenceOpsTest, AnEnableSignalingThatFailsSignalsTheFence) {
    answer = false;
    const FenceRef fence = world.fence(kEnabling);
    EXPECT_FALSE(world.core.add_callback(fence, Calls::call, &calls, 1));
    EXPECT_THAT(calls.seen, IsEmpty());
    EXPECT_TRUE(world.core.is_signaled(fence));
    EXPECT_EQ(world.core.status(fence), 1);
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST_F(FenceOpsTest, AWaitForAFenceThatCannotBeEnabledDoesNotBlock) {
    answer = false;
    const FenceRef fence = world.fence(kEnabling);
    world.core.wait(fence);
    EXPECT_TRUE(world.core.is_signaled(fence));
}

TEST_F(FenceOpsTest, WhoeverPollsBecomesTheSignaller) {
    const FenceRef fence = world.fence(kPolled);
    answer = false;
    world.core.add_callback(fence, Calls::call, &calls, 1);
    EXPECT_FALSE(world.core.is_signaled(fence));
    EXPECT_EQ(asked, 1);
    answer = true;
    world.run_until(20);
    EXPECT_TRUE(world.core.is_signaled(fence));
    EXPECT_EQ(asked, 2);
    EXPECT_THAT(calls.seen, ElementsAre(1u));
    EXPECT_EQ(world.core.get(fence).timestamp, 20u);
    EXPECT_TRUE(world.core.is_signaled(fence));
    EXPECT_EQ(asked, 2) << "once the flag is set nobody is asked";
}

// dma_fence_get_status goes through dma_fence_is_signaled_locked, which asks ops->signaled and, on
// its yes, signals.
TEST_F(FenceOpsTest, StatusAsksTheDriverToo) {
    const FenceRef fence = world.fence(kPolled);
    world.core.add_callback(fence, Calls::call, &calls, 1);
    EXPECT_EQ(world.core.status(fence), 1);
    EXPECT_THAT(calls.seen, ElementsAre(1u));
}

TEST_F(FenceOpsTest, ReleaseIsTheDriversWhereItHasOne) {
    const FenceRef fence = world.fence(kReleasing, 5);
    world.core.signal(fence);
    world.core.put(fence, Holder::job);
    EXPECT_THAT(released, ElementsAre("hardware fence 7:5"));
    world.run();
    EXPECT_FALSE(world.core.alive(fence));
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST_F(FenceOpsTest, NamesComeThroughTheTable) {
    const FenceRef fence = world.fence(kNamed);
    EXPECT_EQ(world.core.driver_name(fence), "drv");
    EXPECT_EQ(world.core.timeline_name(fence), "ring");
    EXPECT_EQ(world.core.module_name_of(world.core.get(fence)), "drv");
}

TEST_F(FenceOpsTest, TheTableIsInTheModulesText) {
    const FenceRef fence = world.fence(kNamed);
    world.core.signal(fence);
    world.core.modules.free(world.driver);
    EXPECT_TRUE(world.core.is_signaled(fence)) << "the flag is in the fence";
    EXPECT_THROW((void)world.core.driver_name(fence), sim::FatalHazard);
    EXPECT_THROW(world.core.put(fence, Holder::job), sim::FatalHazard);
    EXPECT_THAT(world.verdicts(), ElementsAre("use-after-free of ops", "use-after-free of ops"));
}

TEST_F(FenceOpsTest, AnUnsignalledFencesTableIsAskedByAPoll) {
    const FenceRef fence = world.fence(kNamed);
    world.core.modules.free(world.driver);
    EXPECT_THROW((void)world.core.is_signaled(fence), sim::FatalHazard);
    EXPECT_THAT(world.verdicts(), ElementsAre("use-after-free of ops"));
}

TEST_F(FenceOpsTest, EveryUseOfTheLockReachesItsOwner) {
    const auto uses = std::vector<std::function<void(FenceRef)>>{
        [&](FenceRef fence) { world.core.signal(fence); },
        [&](FenceRef fence) { (void)world.core.status(fence); },
        [&](FenceRef fence) { world.core.enable_sw_signaling(fence); },
        [&](FenceRef fence) { world.core.add_callback(fence, Calls::call, &calls, 1); },
        [&](FenceRef fence) { world.core.remove_callback(fence, {}); },
        [&](FenceRef fence) { world.core.wait(fence); }};
    for (const auto& use : uses) {
        const OwnerRef lender = world.owner(OwnerKind::ring, "gfx");
        const FenceRef fence = world.fence(kNamed, 1, lender);
        world.core.owners.free(lender);
        EXPECT_THROW(use(fence), sim::FatalHazard);
    }
    EXPECT_THAT(world.verdicts(), testing::Each("use-after-free of lock"));
    EXPECT_EQ(world.verdicts().size(), uses.size());
}

TEST_F(FenceOpsTest, TheFlagOfASignalledFenceIsReadWithoutTheLock) {
    const OwnerRef lender = world.owner(OwnerKind::ring, "gfx");
    const FenceRef fence = world.fence(kNamed, 1, lender);
    world.core.signal(fence);
    world.core.owners.free(lender);
    EXPECT_TRUE(world.core.is_signaled(fence));
    EXPECT_FALSE(world.core.add_callback(fence, Calls::call, &calls, 1));
    world.core.put(fence, Holder::job);
    world.run();
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

} // namespace
} // namespace fenceline::fences
