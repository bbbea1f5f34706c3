// drm_syncobj: binary, and as a timeline.
#include "container_fixture.hpp"
#include "fences/syncobj.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::fences {
namespace {

using namespace testing_support;
using testing::ElementsAre;
using testing::IsEmpty;

class SyncobjTest : public testing::Test {
  protected:
    /// Adds a point over a fence that the test keeps.
    FenceRef point(std::uint64_t number) {
        fences.push_back(world.lone());
        syncobj.add_point(fences.back(), number);
        return fences.back();
    }
    void end() {
        syncobj.free();
        for (const FenceRef fence : fences) {
            world.core.try_signal(fence);
            world.drop(fence);
        }
        world.expect_nothing_left();
    }
    FenceRef found(std::uint64_t number) {
        const auto fence = syncobj.find_fence(number);
        if (!fence)
            return {};
        world.drop(*fence);
        return *fence;
    }

    ContainerWorld world;
    Syncobj syncobj{world.core};
    std::vector<FenceRef> fences;
};

TEST_F(SyncobjTest, ABinaryOneHoldsTheLastFence) {
    fences = {world.lone(), world.lone()};
    EXPECT_FALSE(syncobj.find_fence(0));
    syncobj.replace_fence(fences[0]);
    syncobj.replace_fence(fences[1]);
    EXPECT_EQ(world.references(fences[0]), 1u);
    EXPECT_EQ(found(0), fences[1]);
    EXPECT_FALSE(syncobj.find_fence(1)) << "it has no points";
    EXPECT_EQ(syncobj.query(), 0u);
    syncobj.replace_fence({});
    EXPECT_TRUE(syncobj.empty());
    EXPECT_EQ(world.references(fences[1]), 1u);
    end();
}

TEST_F(SyncobjTest, AQueryGivesTheLastPointBeforeWhichAllHasSignalled) {
    const FenceRef first = point(10);
    const FenceRef second = point(20);
    const FenceRef third = point(30);
    EXPECT_EQ(syncobj.query(), 0u);
    EXPECT_EQ(syncobj.query(true), 30u) << "submitted";
    world.core.signal(second);
    EXPECT_EQ(syncobj.query(), 0u) << "20 waits for 10";
    world.core.signal(first);
    EXPECT_EQ(syncobj.query(), 20u);
    world.core.signal(third);
    EXPECT_EQ(syncobj.query(), 30u);
    end();
}

TEST_F(SyncobjTest, FindFenceGivesTheLinkOfThePointOrAStub) {
    const FenceRef first = point(10);
    (void)point(20);
    const FenceRef ten = found(10);
    EXPECT_EQ(world.core.to_chain(ten)->fence, first);
    EXPECT_EQ(found(5), ten) << "the next point that there is";
    EXPECT_FALSE(syncobj.find_fence(21));
    world.core.signal(first);
    const FenceRef eleven = found(11);
    EXPECT_EQ(world.core.to_chain(eleven)->seqno, 20u);
    EXPECT_TRUE(world.core.is_signaled(found(10))) << "its link or a stub";
    end();
}

TEST_F(SyncobjTest, AddingAPointCollectsWhatHasSignalled) {
    std::vector<FenceRef> first;
    for (std::uint64_t number = 1; number <= 100; ++number)
        world.core.signal(point(number));
    world.run();
    EXPECT_LE(world.core.containers.live(), 3u) << "a timeline that nobody queries stays short";
    end();
}

TEST_F(SyncobjTest, AWaitForAPointReturnsWhenAllUpToItHaveSignalled) {
    const FenceRef first = point(1);
    const FenceRef second = point(2);
    (void)point(3);
    std::vector<SyncobjWait> answers;
    world.machine.start_task("waiter", [&] { answers.push_back(syncobj.wait(2, false)); });
    world.core.signal(second);
    world.run();
    EXPECT_THAT(answers, IsEmpty());
    world.core.signal(first);
    world.run();
    EXPECT_THAT(answers, ElementsAre(SyncobjWait::signalled));
    EXPECT_EQ(syncobj.wait(4, false), SyncobjWait::no_point);
    end();
}

TEST_F(SyncobjTest, AWaitCanWaitForTheSubmissionFirst) {
    std::vector<std::pair<SyncobjWait, sim::Time>> answers;
    const auto wait = [&](std::uint64_t number, sim::Time timeout) {
        world.machine.start_task("waiter", [&, number, timeout] {
            const SyncobjWait answer = syncobj.wait(number, true, timeout);
            answers.emplace_back(answer, world.machine.now());
        });
    };
    wait(2, sim::kForever);
    wait(1, 15);
    world.run_until(10);
    const FenceRef first = point(1);
    world.run_until(20);
    EXPECT_THAT(answers, ElementsAre(std::pair(SyncobjWait::timed_out, sim::Time{15})));
    const FenceRef second = point(2);
    world.core.signal(first);
    world.run_until(30);
    EXPECT_EQ(answers.size(), 1u);
    world.core.signal(second);
    world.run_until(40);
    EXPECT_THAT(answers, ElementsAre(std::pair(SyncobjWait::timed_out, sim::Time{15}),
                                     std::pair(SyncobjWait::signalled, sim::Time{30})));
    end();
}

TEST_F(SyncobjTest, WhoWaitsForASubmissionInVainLeavesTheList) {
    std::vector<SyncobjWait> answers;
    world.machine.start_task("waiter", [&] { answers.push_back(syncobj.wait(1, true, 5)); });
    world.run();
    EXPECT_THAT(answers, ElementsAre(SyncobjWait::timed_out));
    world.core.signal(point(1)); // and nobody is woken who is gone
    EXPECT_EQ(syncobj.wait(1, true, 0), SyncobjWait::signalled);
    end();
}

TEST_F(SyncobjTest, ABinaryFenceServesWhoWaitsForASubmission) {
    bool returned = false;
    world.machine.start_task("waiter", [&] {
        EXPECT_EQ(syncobj.wait(0, true), SyncobjWait::signalled);
        returned = true;
    });
    fences = {world.lone()};
    world.core.signal(fences[0]);
    syncobj.replace_fence(fences[0]);
    world.run();
    EXPECT_TRUE(returned);
    end();
}

TEST_F(SyncobjTest, APointOutOfOrderHidesThePointsBefore) {
    const FenceRef first = point(10);
    (void)point(5); // the kernel only prints that this is a mistake
    EXPECT_EQ(syncobj.query(true), 10u);
    EXPECT_EQ(syncobj.query(), 0u);
    world.core.signal(first);
    EXPECT_EQ(syncobj.query(), 0u);
    end();
}

} // namespace
} // namespace fenceline::fences
