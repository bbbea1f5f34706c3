// Who is blamed for a hang, and what it costs: karma, the hang limit, guilty entities. The logs are
// computed by hand from the rules; each computation stands in a comment.
#include "sched_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::scheduler {
namespace {

using namespace testing_support;
using sim::kForever;
using testing::ElementsAre;
using testing::IsEmpty;

class HangLimit : public testing::TestWithParam<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Karma, HangLimit, testing::Values(0u, 1u, 2u));

// It hangs at 0, is found at 1000, 2000, ... and has as much karma as it was found. With one more
// than the limit it is marked, and the driver passes over it.
TEST_P(HangLimit, IsHowManyHangsAJobIsForgiven) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(1, 1000, GetParam()));
    world.push(world.entity("a", {sched}), 0, {.duration = kForever});
    world.run();
    std::vector<std::string> expected{"queue 0@0", "run_job 0@0", "scheduled 0@0"};
    for (std::uint32_t hang = 1; hang <= GetParam() + 1; ++hang) {
        const std::string at = "@" + std::to_string(hang * 1000);
        const bool guilty = hang > GetParam();
        expected.push_back("timedout 0" + at);
        expected.push_back("reset ring 0" + at);
        expected.push_back("run_job 0" + at + (guilty ? " err=-125" : ""));
        if (guilty) {
            expected.push_back("finished 0" + at + " err=-125");
            expected.push_back("free_job 0" + at);
        }
    }
    EXPECT_EQ(world.log.lines(), expected);
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

// Run at 0, 1000 and 2000. At 3000 its karma of 3 is within the limit, but the driver has had enough:
// it refuses with -ETIME. What `finished` shows is the error of the start, which comes later.
TEST(Karma, TheDriverRefusesAFourthRunWhateverTheLimit) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(1, 1000, 10));
    world.push(world.entity("a", {sched}), 0, {.duration = kForever});
    world.run();
    EXPECT_THAT(world.log.from(3000),
                ElementsAre("timedout 0@3000", "reset ring 0@3000", "run_job 0@3000 err=-62",
                            "finished 0@3000 err=-125", "free_job 0@3000"));
}

// A job of kernel priority is never blamed, so a limit of 0 does not stop it; only the driver does.
TEST(Karma, AJobOfKernelPriorityGainsNone) {
    for (const KernelVersion kernel : {KernelVersion::v6_12, KernelVersion::mainline}) {
        SchedWorld world;
        SchedulerArgs args = with_timeout(1, 1000);
        args.kernel = kernel;
        const SchedulerRef sched = world.ring("gfx", args);
        const EntityRef entity = world.entity("a", {sched}, Priority::kernel, true);
        world.push(entity, 0, {.duration = kForever});
        world.run();
        EXPECT_THAT(world.log.order(JobEvent::timedout), ElementsAre(0, 0, 0));
        EXPECT_THAT(world.log.from(3000),
                    ElementsAre("timedout 0@3000", "reset ring 0@3000", "run_job 0@3000 err=-62",
                                "finished 0@3000 err=-125", "free_job 0@3000"));
        EXPECT_EQ(world.gpu.entities.get(entity).guilty.peek(), 0u);
    }
}

// All four are on the ring when job 0 is found at 1003 (job 3 started at 3). It is entity a's, and so
// are 1 and 3: all of them are marked. Job 2 is run again, from 1003 to 1103. Job 3 is done before
// but comes behind it on the list, so it is freed after it.
TEST(Karma, AllPendingJobsOfTheGuiltyEntityAreMarkedAndNobodyElses) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(4, 1000));
    const EntityRef a = world.entity("a", {sched});
    const EntityRef b = world.entity("b", {sched});
    world.push(a, 0, {.duration = kForever});
    world.at(1, [&] { world.push(a, 1, {.duration = 100}); });
    world.at(2, [&] { world.push(b, 2, {.duration = 100}); });
    world.at(3, [&] { world.push(a, 3, {.duration = 100}); });
    world.run();
    EXPECT_THAT(world.log.from(1003),
                ElementsAre("timedout 0@1003", "reset ring 0@1003", "run_job 0@1003 err=-125",
                            "run_job 1@1003 err=-125", "run_job 2@1003", "run_job 3@1003 err=-125",
                            "finished 0@1003 err=-125", "finished 1@1003 err=-125",
                            "finished 3@1003 err=-125", "free_job 0@1003", "free_job 1@1003",
                            "hw_done 2@1103", "finished 2@1103", "free_job 2@1103",
                            "free_job 3@1103"));
}

// Jobs 1 and 2 are still queued when job 0 is given up at 1000. Each is popped by the run work,
// cancelled there because its entity is guilty, refused by the driver and so finished in the same
// work. Work in turn: run (job 1), free (job 0), run (job 2), free, free.
TEST(GuiltyEntity, ItsLaterJobsAreCancelledWhenTheyArePopped) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(1, 1000));
    const EntityRef a = world.entity("a", {sched}, Priority::normal, true);
    world.push(a, 0, {.duration = kForever});
    world.push(a, 1);
    world.push(a, 2);
    world.run();
    EXPECT_THAT(world.log.from(1000),
                ElementsAre("timedout 0@1000", "reset ring 0@1000", "run_job 0@1000 err=-125",
                            "finished 0@1000 err=-125", "run_job 1@1000 err=-125",
                            "scheduled 1@1000", "finished 1@1000 err=-125", "free_job 0@1000",
                            "run_job 2@1000 err=-125", "scheduled 2@1000",
                            "finished 2@1000 err=-125", "free_job 1@1000", "free_job 2@1000"));
    EXPECT_EQ(world.credits(sched), 0u);
    EXPECT_EQ(world.score(sched), 1);
    EXPECT_EQ(world.gpu.jobs.live(), 0u);
}

// The same in mainline, whose free work frees all that is finished: run (job 1), free (0 and 1), run
// (job 2), free.
TEST(GuiltyEntity, MainlineFreesAllThatIsDoneAtOnce) {
    SchedWorld world;
    SchedulerArgs args = with_timeout(1, 1000);
    args.kernel = KernelVersion::mainline;
    const SchedulerRef sched = world.ring("gfx", args);
    const EntityRef a = world.entity("a", {sched}, Priority::normal, true);
    world.push(a, 0, {.duration = kForever});
    world.push(a, 1);
    world.push(a, 2);
    world.run();
    EXPECT_THAT(world.log.from(1000),
                ElementsAre("timedout 0@1000", "reset ring 0@1000", "run_job 0@1000 err=-125",
                            "finished 0@1000 err=-125", "run_job 1@1000 err=-125",
                            "scheduled 1@1000", "finished 1@1000 err=-125", "free_job 0@1000",
                            "free_job 1@1000", "run_job 2@1000 err=-125", "scheduled 2@1000",
                            "finished 2@1000 err=-125", "free_job 2@1000"));
}

TEST(GuiltyEntity, WithoutAFlagItsLaterJobsRun) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(1, 1000));
    const EntityRef a = world.entity("a", {sched});
    world.push(a, 0, {.duration = kForever});
    world.push(a, 1, {.duration = 100});
    world.run();
    EXPECT_THAT(world.log.of_job(1),
                ElementsAre("queue 1@0", "run_job 1@1000", "scheduled 1@1000", "hw_done 1@1100",
                            "finished 1@1100", "free_job 1@1100"));
    EXPECT_EQ(world.gpu.entities.get(a).guilty.peek(), 0u) << "there is nothing to set";
}

TEST(GuiltyEntity, OthersWithAFlagOfTheirOwnGoOn) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(1, 1000));
    const EntityRef a = world.entity("a", {sched}, Priority::normal, true);
    const EntityRef b = world.entity("b", {sched}, Priority::normal, true);
    world.push(a, 0, {.duration = kForever});
    world.push(b, 1, {.duration = 100});
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::finished, 1), 1100u);
    EXPECT_EQ(world.gpu.entities.get(a).guilty.peek(), 1u);
    EXPECT_EQ(world.gpu.entities.get(b).guilty.peek(), 0u);
}

// The flag goes up with the first hang, however many the job itself is forgiven: job 0 runs again and
// hangs again, and job 1, popped meanwhile because there is a second credit, is cancelled already.
TEST(GuiltyEntity, IsGuiltyBeforeItsJobIs) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(2, 1000, 1));
    const EntityRef a = world.entity("a", {sched}, Priority::normal, true);
    world.push(a, 0, {.duration = kForever});
    world.at(1500, [&] { world.push(a, 1, {.duration = 100}); });
    world.run(1500);
    EXPECT_THAT(world.log.from(1000),
                ElementsAre("timedout 0@1000", "reset ring 0@1000", "run_job 0@1000",
                            "queue 1@1500", "run_job 1@1500 err=-125", "scheduled 1@1500",
                            "finished 1@1500 err=-125"));
}

// Job 0 completes at the very instant of its timeout, but later in order. It is done, without an error,
// and its entity is guilty all the same.
TEST(GuiltyEntity, MayBeTheEntityOfAJobThatWasDone) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(1, 1000));
    const EntityRef a = world.entity("a", {sched}, Priority::normal, true);
    world.push(a, 0, {.duration = 1000});
    world.push(a, 1, {.duration = 10});
    world.run();
    EXPECT_THAT(world.log.from(1000),
                ElementsAre("hw_done 0@1000", "finished 0@1000", "timedout 0@1000",
                            "reset ring 0@1000", "free_job 0@1000", "run_job 1@1000 err=-125",
                            "scheduled 1@1000", "finished 1@1000 err=-125", "free_job 1@1000"));
}

// Bound as one of kernel priority, and given another since: its jobs are blamed, but it stays on the
// run queue of kernel priority, on which nobody looks for the guilty. With fair there is only one.
TEST(GuiltyEntity, OneOnTheQueueOfKernelPriorityIsFoundUnderFairOnly) {
    for (const Policy policy : {Policy::fifo, Policy::fair}) {
        SchedWorld world;
        SchedulerArgs args = with_timeout(1, 1000);
        args.policy = policy;
        args.kernel = policy == Policy::fair ? KernelVersion::mainline : KernelVersion::v6_12;
        const SchedulerRef sched = world.ring("gfx", args);
        const EntityRef a = world.entity("a", {sched}, Priority::kernel, true);
        world.gpu.entity_set_priority(a, Priority::normal);
        world.push(a, 0, {.duration = kForever});
        world.run();
        EXPECT_THAT(world.log.order(JobEvent::timedout), ElementsAre(0)) << "karma 1 is too much";
        EXPECT_EQ(world.gpu.entities.get(a).guilty.peek(), policy == Policy::fair);
    }
}

// An entity is looked for on the run queues. One that has ended is not there any more.
TEST(GuiltyEntity, OneThatHasEndedIsNotFound) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(1, 1000));
    const EntityRef a = world.entity("a", {sched}, Priority::normal, true);
    world.push(a, 0, {.duration = kForever});
    world.task_at(10, "fini", [&] { world.gpu.entity_fini(a); });
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::free_job, 0), 1000u);
    EXPECT_EQ(world.gpu.entities.get(a).guilty.peek(), 0u);
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

} // namespace
} // namespace fenceline::scheduler
