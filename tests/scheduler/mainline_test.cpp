// What mainline counts about an entity, when fair charges it, and what else mainline does unlike 6.12.
// Times are in nanoseconds.
#include "fair_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::scheduler {
namespace {

using testing::ElementsAre;
using namespace testing_support;

using Order = std::vector<std::uint64_t>;

// --- what is counted -----------------------------------------------------------------------------

// 64 * 100 = 6400; (3 * 6400 + 64 * 200) / 4 = 8000; (3 * 8000 + 64 * 1) / 4 = 6016 = 94 * 64.
TEST(MovingAverage, TheNewestValueCountsAQuarter) {
    MovingAverage average;
    EXPECT_EQ(average.read(), 0U);
    average.add(100);
    EXPECT_EQ(average.read(), 100U);
    average.add(200);
    EXPECT_EQ(average.read(), 125U);
    average.add(1);
    EXPECT_EQ(average.read(), 94U);
}

// An average of 0 looks like none at all: the next value is taken as it is.
TEST(MovingAverage, StartsAnewFromZero) {
    MovingAverage average;
    average.add(0);
    average.add(50);
    EXPECT_EQ(average.read(), 50U);
}

// 100,999 ns are 100 us; 6400 and then (3 * 6400 + 64 * 200) / 4 = 8000 = 125 * 64.
TEST(GpuTime, IsCountedInFullAndAveragedInWholeMicroseconds) {
    FairWorld world;
    const EntityRef a = world.client("a");
    world.push(a, 0, {.duration = 100'999});
    world.run();
    EXPECT_EQ(world.stats(a).runtime, 100'999);
    EXPECT_EQ(world.stats(a).avg_job_us.read(), 100U);
    world.push(a, 1, {.duration = 200'000});
    world.run();
    EXPECT_EQ(world.stats(a).runtime, 300'999);
    EXPECT_EQ(world.stats(a).avg_job_us.read(), 125U);
    EXPECT_EQ(world.gpu.schedulers.get(world.ring_ref).avg_job_us.read(), 125U);
}

// Both are scheduled at 0, the second waits on the ring until 10 us: its start is moved there.
TEST(GpuTime, StartsWhenTheJobBeforeItIsDone) {
    FairWorld world(fair(2));
    const EntityRef a = world.client("a");
    world.push(a, 0, {.duration = 10'000});
    world.push(a, 1, {.duration = 20'000});
    world.run();
    EXPECT_EQ(world.stats(a).runtime, 30'000);
}

// Job 1 finishes at 0, behind job 0, which ends at 10 us and becomes its start: minus 10 us.
// Average: (3 * 640 - 640) / 4 = 320 = 5 * 64.
TEST(GpuTime, IsNegativeWhereAJobFinishedBeforeTheOneInFrontOfIt) {
    FairWorld world(fair(2));
    const EntityRef a = world.client("a");
    world.push(a, 0, {.duration = 10'000});
    world.push(a, 1, {.run_job = RunJobKind::no_fence});
    world.run();
    EXPECT_EQ(world.stats(a).runtime, 0);
    EXPECT_EQ(world.stats(a).avg_job_us.read(), 5U);
}

// The time is known when job 0 is freed. Job 1 has nobody behind it, so its pop charges nothing;
// the pop of job 2 does: 16 * (10 + 10) us.
TEST(FairCharge, OnlyAPopThatLeavesAJobBehindCharges) {
    FairWorld world;
    const EntityRef a = world.client("a");
    world.push(a, 0, {.duration = 10'000});
    world.run();
    world.push(a, 1, {.duration = 10'000});
    world.run();
    EXPECT_EQ(world.stats(a).runtime, 20'000);
    EXPECT_EQ(world.stats(a).prev_runtime, 0);
    EXPECT_EQ(world.vruntime(a), 0);
    world.push(a, 2, {.duration = 10'000});
    world.push(a, 3, {.duration = 10'000});
    world.run(25'000); // job 2 is on the ring, job 3 waits
    EXPECT_EQ(world.stats(a).prev_runtime, 20'000);
    EXPECT_EQ(world.vruntime(a), 320'000);
}

// By the priority of the moment of the charge, for all that is unpaid: 10 us << 7.
TEST(FairCharge, FollowsThePriorityOfNow) {
    FairWorld world;
    const EntityRef a = world.client("a");
    world.push_many(a, 0, 3, 10'000);
    world.at(5'000, [&] { world.gpu.entity_set_priority(a, Priority::low); });
    world.run(15'000); // job 1 was popped at 10 us
    EXPECT_EQ(world.vruntime(a), 1'280'000);
}

TEST(FairCharge, ShiftsByPriority) {
    const std::vector<std::pair<Priority, SignedTime>> expected{{Priority::kernel, 20'000},
                                                                {Priority::high, 40'000},
                                                                {Priority::normal, 160'000},
                                                                {Priority::low, 1'280'000}};
    for (const auto& [priority, charged] : expected) {
        FairWorld world;
        const EntityRef a = world.client("a", priority);
        world.push_many(a, 0, 3, 10'000);
        world.run(15'000);
        EXPECT_EQ(world.vruntime(a), charged);
    }
}

// --- what the entity and its jobs share ----------------------------------------------------------

TEST(EntityStatistics, LiveUntilTheLastJobIsFreed) {
    FairWorld world;
    const EntityRef a = world.client("a");
    world.push(a, 0, {.duration = 1000});
    world.task_at(10, "fini", [&] { world.gpu.entity_fini(a); });
    world.run(500);
    EXPECT_EQ(world.gpu.entity_stats.live(), 1U) << "the job's reference";
    world.run();
    EXPECT_EQ(world.gpu.entity_stats.live(), 0U);
    EXPECT_THAT(world.verdicts(), ElementsAre());
}

// In 6.12 such a push is only an error message. Arming takes a reference on what fini let go of.
TEST(EntityStatistics, ArmingAJobOfAFinishedEntityIsAUseAfterFree) {
    FairWorld world;
    const EntityRef a = world.client("a");
    world.task_at(10, "fini", [&] { world.gpu.entity_fini(a); });
    world.run();
    EXPECT_THROW(world.push(a, 0), sim::FatalHazard);
    EXPECT_THAT(world.verdicts(), ElementsAre("use-after-free of entity stats"));
}

TEST(EntityStatistics, SixTwelveHasNone) {
    SchedWorld world;
    const EntityRef a = world.entity("a", {world.ring("gfx", with(Policy::fifo, 1))});
    world.push(a, 0);
    world.run();
    EXPECT_EQ(world.gpu.entity_stats.live(), 0U);
}

// The queue of a scheduler of mainline is part of it: fini does not free it under its entities.
TEST(FairFini, AnEntityMayBeFinishedAfterItsScheduler) {
    FairWorld world;
    const EntityRef a = world.client("a");
    world.push(a, 0, {.duration = 1000});
    world.push(a, 1);
    world.task_at(10, "fini", [&] {
        world.gpu.sched_fini(world.ring_ref);
        world.gpu.entity_fini(a);
    });
    world.run();
    EXPECT_THAT(world.verdicts(), ElementsAre());
}

// --- fifo and rr of mainline -----------------------------------------------------------------------

// Turns are given at pops that leave a job behind: a gets turn 1, b 2, a 3, b 4. Both come back
// where their last turns were, so a before b, although b was pushed first.
TEST(MainlineRoundRobin, WhoComesBackGoesWhereItsLastTurnWas) {
    FairWorld world(mainline(Policy::rr, 1));
    const EntityRef a = world.client("a");
    const EntityRef b = world.client("b");
    world.push_many(a, 0, 3, 10);
    world.push_many(b, 10, 3, 10);
    world.run();
    EXPECT_EQ(world.log.order(JobEvent::run_job), (Order{0, 10, 1, 11, 2, 12}));
    world.block(1000);
    world.at(600, [&] { // grace periods went on until some hundred nanoseconds
        world.push(b, 20);
        world.push(a, 30);
    });
    EXPECT_EQ(world.run_order(), (Order{0, 10, 1, 11, 2, 12, 1000, 30, 20}));
}

// One that never had a second job waiting has no turn to come back to: 0, in front of everybody.
TEST(MainlineRoundRobin, WhoNeverHadASecondJobIsAlwaysFirst) {
    FairWorld world(mainline(Policy::rr, 1));
    const EntityRef deep = world.client("deep");
    const EntityRef shallow = world.client("shallow");
    world.push_many(deep, 0, 4, 10);
    world.at(5, [&] { world.push(shallow, 10, {.duration = 10}); });
    world.at(15, [&] { world.push(shallow, 11, {.duration = 10}); });
    world.at(25, [&] { world.push(shallow, 12, {.duration = 10}); });
    EXPECT_EQ(world.run_order(), (Order{0, 10, 11, 12, 1, 2, 3}));
}

TEST(MainlineFifo, TheOldestJobFirstAndStrictlyByPriority) {
    FairWorld world(mainline(Policy::fifo, 1));
    const EntityRef low = world.client("low", Priority::low);
    const EntityRef first = world.client("first");
    const EntityRef second = world.client("second");
    world.block(100);
    world.at(1, [&] { world.push(low, 0); });
    world.at(2, [&] { world.push(first, 1); });
    world.at(3, [&] { world.push(second, 2); });
    world.at(4, [&] { world.push(first, 3); });
    EXPECT_EQ(world.run_order(), (Order{1000, 1, 2, 3, 0}));
}

// 6.12 binds an entity of several rings by its new priority; mainline stays with the first one's.
TEST(MainlineBinding, APriorityChangedMeanwhileDoesNotMoveTheEntity) {
    FairWorld world(mainline(Policy::fifo, 1));
    const SchedulerRef other = world.ring("other", mainline(Policy::fifo, 1));
    const EntityRef roaming = world.entity("roaming", {world.ring_ref, other});
    world.gpu.entity_set_priority(roaming, Priority::high);
    world.push(roaming, 0);
    EXPECT_EQ(world.gpu.entities.get(roaming).rq,
              world.gpu.schedulers.get(world.ring_ref).sched_rq[2]);
}

TEST(FairBinding, AnEntityMovesBetweenTheOnlyQueuesOfItsRings) {
    FairWorld world;
    const SchedulerRef other = world.ring("other", fair(1));
    const EntityRef roaming = world.entity("roaming", {world.ring_ref, other}, Priority::low);
    world.block(1000);
    world.push(roaming, 0);
    EXPECT_EQ(world.gpu.entities.get(roaming).rq, world.gpu.schedulers.get(other).sched_rq[0]);
    EXPECT_EQ(world.run_order(), (Order{1000, 0}));
    EXPECT_EQ(world.log.when(JobEvent::run_job, 0), 0U);
}

// Three jobs of one ring end at 10: the last two take no time. Freeing takes 5 a work item, in 6.12
// for each job, in mainline for all of them, so job 3 starts after one of them.
TEST(MainlineFree, OneWorkItemFreesAllThatHaveFinished) {
    const auto start_of_the_fourth = [](SchedulerArgs args) {
        args.free_job_cost = 5;
        FairWorld world(args);
        const EntityRef a = world.client("a");
        world.push(a, 0, {.duration = 10});
        world.push(a, 1, {.duration = 0});
        world.push(a, 2, {.duration = 0});
        world.push(a, 3, {.duration = 10});
        world.run();
        EXPECT_EQ(world.log.order(JobEvent::free_job), (Order{0, 1, 2, 3}));
        return world.log.when(JobEvent::run_job, 3);
    };
    EXPECT_EQ(start_of_the_fourth(mainline(Policy::fifo, 3)), 15U);
    EXPECT_EQ(start_of_the_fourth(with(Policy::fifo, 3)), 20U);
}

} // namespace
} // namespace fenceline::scheduler
