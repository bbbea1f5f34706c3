// Which job runs next: policies, priorities, credits.
#include "sched_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::scheduler {
namespace {

using namespace testing_support;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class EitherPolicy : public testing::TestWithParam<Policy> {};

INSTANTIATE_TEST_SUITE_P(Policies, EitherPolicy, testing::Values(Policy::fifo, Policy::rr),
                         [](const auto& info) {
                             return std::string(info.param == Policy::fifo ? "Fifo" : "RoundRobin");
                         });

TEST_P(EitherPolicy, JobsPushedTogetherRunInTurns) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(GetParam(), 1));
    std::uint64_t id = 0;
    for (const char* name : {"a", "b", "c"}) {
        const EntityRef entity = world.entity(name, {sched});
        for (int i = 0; i < 3; ++i)
            world.push(entity, id++);
    }
    world.run();
    EXPECT_THAT(world.log.order(JobEvent::run_job), ElementsAre(0, 3, 6, 1, 4, 7, 2, 5, 8));
}

TEST(Fifo, TheOldestWaitingJobRunsFirst) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef a = world.entity("a", {sched});
    const EntityRef b = world.entity("b", {sched});
    world.push(a, 0, {.duration = 100});
    world.at(1, [&] { world.push(a, 1); });
    world.at(2, [&] { world.push(b, 2); });
    world.at(3, [&] { world.push(a, 3); });
    world.at(4, [&] { world.push(b, 4); });
    world.run();
    EXPECT_THAT(world.log.order(JobEvent::run_job), ElementsAre(0, 1, 2, 3, 4));
}

TEST(Fifo, TheKeyIsTheTimeOfThePushNotOfTheTurn) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef busy = world.entity("busy", {sched});
    const EntityRef late = world.entity("late", {sched});
    for (std::uint64_t id = 0; id < 4; ++id)
        world.push(busy, id, {.duration = 100});
    world.at(50, [&] { world.push(late, 9); });
    world.run();
    EXPECT_THAT(world.log.order(JobEvent::run_job), ElementsAre(0, 1, 2, 3, 9));
}

TEST(RoundRobin, ALateEntityGetsTheNextTurn) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::rr, 1));
    const EntityRef busy = world.entity("busy", {sched});
    const EntityRef late = world.entity("late", {sched});
    for (std::uint64_t id = 0; id < 4; ++id)
        world.push(busy, id, {.duration = 100});
    world.at(50, [&] { world.push(late, 9); });
    world.run();
    EXPECT_THAT(world.log.order(JobEvent::run_job), ElementsAre(0, 9, 1, 2, 3));
}

TEST(RoundRobin, TheOrderIsThatOfTheFirstPush) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::rr, 1));
    const EntityRef a = world.entity("a", {sched});
    const EntityRef b = world.entity("b", {sched});
    const EntityRef c = world.entity("c", {sched});
    world.push(c, 30);
    world.push(a, 10);
    world.push(b, 20);
    world.push(b, 21);
    world.push(a, 11);
    world.push(c, 31);
    world.run();
    EXPECT_THAT(world.log.order(JobEvent::run_job), ElementsAre(30, 10, 20, 31, 11, 21));
}

TEST(RoundRobin, APickThatWaitsForADependencyHasUsedUpItsTurn) {
    SchedWorld world;
    const SchedulerRef gfx = world.ring("gfx", with(Policy::rr, 1));
    const SchedulerRef other = world.ring("other", with(Policy::rr, 1));
    const EntityRef foreign = world.entity("foreign", {other});
    const EntityRef a = world.entity("a", {gfx});
    const EntityRef b = world.entity("b", {gfx});
    const EntityRef c = world.entity("c", {gfx});
    const auto blocker = world.push(foreign, 99, {.duration = 25});
    world.push(a, 10);
    world.push(b, 20, {.after = {blocker}});
    world.push(c, 30);
    world.push(a, 11);
    world.push(c, 31);
    world.run();
    // b is picked and blocked at 10, so c is next; at 25 b is ready and comes after c's turn.
    EXPECT_THAT(world.log.order(JobEvent::run_job), ElementsAre(99, 10, 30, 11, 20, 31));
    EXPECT_EQ(world.log.when(JobEvent::run_job, 20), 30u);
}

TEST(RoundRobin, APickThatLacksCreditsKeepsItsTurn) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::rr, 2));
    const EntityRef a = world.entity("a", {sched});
    const EntityRef b = world.entity("b", {sched});
    world.push(a, 10);
    world.push(b, 20, {.credits = 2});
    world.push(a, 11);
    world.push(b, 21);
    world.run();
    EXPECT_THAT(world.log.order(JobEvent::run_job), ElementsAre(10, 20, 11, 21));
    EXPECT_EQ(world.log.when(JobEvent::run_job, 20), 10u);
    EXPECT_EQ(world.log.when(JobEvent::run_job, 11), 20u);
}

TEST_P(EitherPolicy, PriorityIsStrict) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(GetParam(), 1));
    const EntityRef low = world.entity("low", {sched}, Priority::low);
    const EntityRef normal = world.entity("normal", {sched}, Priority::normal);
    const EntityRef high = world.entity("high", {sched}, Priority::high);
    const EntityRef kernel = world.entity("kernel", {sched}, Priority::kernel);
    std::uint64_t id = 0;
    for (const EntityRef entity : {low, normal, high, kernel}) {
        world.push(entity, id++);
        world.push(entity, id++);
    }
    world.run();
    EXPECT_THAT(world.log.order(JobEvent::run_job), ElementsAre(6, 7, 4, 5, 2, 3, 0, 1));
}

// In 6.12 the run queue is chosen when the entity is bound; with a single scheduler that is for good.
TEST_P(EitherPolicy, SettingThePriorityOfABoundEntityChangesNothing) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(GetParam(), 1));
    const EntityRef a = world.entity("a", {sched});
    const EntityRef b = world.entity("b", {sched});
    world.gpu.entity_set_priority(b, Priority::kernel);
    for (const std::uint64_t id : {0, 1})
        world.push(a, id);
    for (const std::uint64_t id : {2, 3})
        world.push(b, id);
    world.run();
    EXPECT_THAT(world.log.order(JobEvent::run_job), ElementsAre(0, 2, 1, 3));
    EXPECT_EQ(world.gpu.entities.get(b).priority, Priority::kernel);
}

TEST_P(EitherPolicy, AReadyEntityWithoutCreditsBlocksEverythingBehindIt) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(GetParam(), 4));
    const EntityRef big = world.entity("big", {sched}, Priority::high);
    const EntityRef small = world.entity("small", {sched}, Priority::low);
    world.push(big, 1, {.duration = 50, .credits = 3});
    world.push(big, 2, {.duration = 50, .credits = 3});
    world.push(small, 3);
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::run_job, 2), 50u);
    EXPECT_EQ(world.log.when(JobEvent::run_job, 3), 50u) << "one credit was free all the time";
}

TEST_P(EitherPolicy, AnEntityThatWaitsForADependencyBlocksNobody) {
    SchedWorld world;
    const SchedulerRef gfx = world.ring("gfx", with(GetParam(), 1));
    const SchedulerRef other = world.ring("other", with(GetParam(), 1));
    const EntityRef foreign = world.entity("foreign", {other});
    const EntityRef high = world.entity("high", {gfx}, Priority::high);
    const EntityRef low = world.entity("low", {gfx}, Priority::low);
    const auto blocker = world.push(foreign, 99, {.duration = 1000});
    world.push(high, 1, {.after = {blocker}});
    world.push(low, 2);
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::run_job, 2), 0u);
    EXPECT_EQ(world.log.when(JobEvent::run_job, 1), 1000u);
}

TEST_P(EitherPolicy, CreditsAboveTheLimitAreCutDownWithAWarning) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(GetParam(), 2));
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 1, {.credits = 1});
    world.push(entity, 2, {.credits = 100});
    world.push(entity, 3);
    world.run();
    ASSERT_THAT(world.warnings, SizeIs(1));
    EXPECT_THAT(world.warnings[0], HasSubstr("exceed the credit limit"));
    EXPECT_EQ(world.log.when(JobEvent::run_job, 2), 10u);
    EXPECT_EQ(world.log.when(JobEvent::run_job, 3), 20u);
    EXPECT_EQ(world.gpu.schedulers.get(sched).credit_count.peek(), 0u);
}

TEST(Credits, TheLimitIsHowManyAreOnTheHardware) {
    for (const std::uint32_t limit : {1u, 2u, 3u, 5u}) {
        SchedWorld world;
        const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, limit));
        const EntityRef entity = world.entity("a", {sched});
        for (std::uint64_t id = 0; id < 5; ++id)
            world.push(entity, id);
        world.run(5);
        EXPECT_THAT(world.log.order(JobEvent::run_job), SizeIs(limit));
        EXPECT_EQ(world.gpu.schedulers.get(sched).credit_count.peek(), limit);
        world.run();
        EXPECT_THAT(world.log.order(JobEvent::free_job), SizeIs(5));
        EXPECT_EQ(world.gpu.schedulers.get(sched).credit_count.peek(), 0u);
    }
}

// drm_sched_job_init refuses a job without credits (-EINVAL, "credits cannot be 0").
TEST(Credits, AJobWithoutCreditsCannotBeMade) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 2));
    const EntityRef entity = world.entity("a", {sched});
    EXPECT_FALSE(world.gpu.job_init(entity, 0));
    EXPECT_THAT(world.warnings, SizeIs(1));
    EXPECT_EQ(world.gpu.jobs.live(), 0u);
}

} // namespace
} // namespace fenceline::scheduler
