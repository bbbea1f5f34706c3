// Recovery by reset: stop, karma, resubmission, start. The logs are computed by hand from the rules;
// each computation stands in a comment.
#include "sched_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::scheduler {
namespace {

using namespace testing_support;
using sim::kForever;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

// At 1000 job 0 has karma 1, within the limit: both jobs are run again. At 2000 it has 2: it is
// marked and given up, and job 1 is run for the third time, now with the ring to itself: 2100.
// Starting goes through the list first (finished 0), then queues run work and free work.
TEST(Reset, RunsEverythingAnewUntilTheGuiltyJobIsGivenUp) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(2, 1000, 1));
    const EntityRef a = world.entity("a", {sched});
    const EntityRef b = world.entity("b", {sched});
    world.push(a, 0, {.duration = kForever});
    world.push(b, 1, {.duration = 100});
    world.run();
    EXPECT_THAT(world.log.lines(),
                ElementsAre("queue 0@0", "queue 1@0", "run_job 0@0", "scheduled 0@0", "run_job 1@0",
                            "scheduled 1@0", "timedout 0@1000", "reset ring 0@1000",
                            "run_job 0@1000", "run_job 1@1000", "timedout 0@2000",
                            "reset ring 0@2000", "run_job 0@2000 err=-125", "run_job 1@2000",
                            "finished 0@2000 err=-125", "free_job 0@2000", "hw_done 1@2100",
                            "finished 1@2100", "free_job 1@2100"));
    EXPECT_EQ(world.gpu.jobs.live(), 0u);
    EXPECT_EQ(world.credits(sched), 0u);
    EXPECT_EQ(world.score(sched), 2) << "the two entities";
    EXPECT_THAT(world.verdicts(), IsEmpty());
    EXPECT_EQ(world.core.hardware.live(), 1u) << "of five: job 1's last, which its entity keeps";
}

// Nobody is run again, so nobody has a hardware fence: all finish in the order of the list. Run work
// is queued before free work, so job 3 starts before job 0 is freed; the frees follow one by one.
TEST(Reset, WithoutResubmissionEverythingThatWasPendingIsGivenUp) {
    SchedWorld world;
    const SchedulerRef sched =
        world.ring("gfx", with_timeout(3, 1000), 0, 0, OnTimeout::reset_no_resubmit);
    const EntityRef a = world.entity("a", {sched});
    world.push(a, 0, {.duration = kForever});
    for (const std::uint64_t id : {1, 2, 3})
        world.push(a, id, {.duration = 100});
    world.run();
    EXPECT_THAT(world.log.from(1000),
                ElementsAre("timedout 0@1000", "reset ring 0@1000", "finished 0@1000 err=-125",
                            "finished 1@1000 err=-125", "finished 2@1000 err=-125",
                            "run_job 3@1000", "scheduled 3@1000", "free_job 0@1000",
                            "free_job 1@1000", "free_job 2@1000", "hw_done 3@1100",
                            "finished 3@1100", "free_job 3@1100"));
    EXPECT_EQ(world.credits(sched), 0u);
    EXPECT_EQ(world.score(sched), 1);
}

// Half done at 50, job 0 starts from its beginning: 50 + 100.
TEST(Reset, AJobThatIsRunAgainTakesItsFullDuration) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 1));
    world.push(world.entity("a", {sched}), 0, {.duration = 100});
    world.task_at(50, "reset", [&] { world.reset(0); });
    world.run();
    EXPECT_THAT(world.log.lines(),
                ElementsAre("queue 0@0", "run_job 0@0", "scheduled 0@0", "reset ring 0@50",
                            "run_job 0@50", "hw_done 0@150", "finished 0@150", "free_job 0@150"));
}

// A reset that no job is to blame for costs nobody karma, whatever the limit, however often.
TEST(Reset, WithoutABadJobNobodyIsBlamed) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(2, 1000));
    const EntityRef a = world.entity("a", {sched}, Priority::normal, true);
    world.push(a, 0, {.duration = 100});
    world.push(a, 1, {.duration = 100});
    world.task_at(50, "reset", [&] { world.reset(0); });
    world.task_at(70, "reset", [&] { world.reset(0); });
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::finished, 0), 170u);
    EXPECT_EQ(world.log.when(JobEvent::finished, 1), 270u);
    EXPECT_EQ(world.gpu.entities.get(a).guilty.peek(), 0u);
    for (const LoggedEvent& event : world.log.events)
        EXPECT_EQ(event.error, 0);
}

TEST(Reset, OfAnIdleRingIsNothingButAReset) {
    SchedWorld world;
    world.ring("gfx", with_timeout(2, 1000));
    world.task_at(50, "reset", [&] { world.reset(0); });
    world.run();
    EXPECT_THAT(world.log.lines(), ElementsAre("reset ring 0@50"));
}

// Job 0 ends at 100, and the reset comes between its interrupt and the free work: the timer for it
// was armed later than the ring's. Stopping takes the free work back and frees job 0 itself, before
// the hardware is reset; job 1 is run again: 100 + 30.
TEST(Reset, AJobThatFinishedJustBeforeIsFreedByTheStop) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 2));
    const EntityRef a = world.entity("a", {sched});
    world.push(a, 0, {.duration = 100});
    world.push(a, 1, {.duration = 30});
    world.at(50, [&] { world.task_at(100, "reset", [&] { world.reset(0); }); });
    world.run();
    EXPECT_THAT(world.log.from(100),
                ElementsAre("hw_done 0@100", "finished 0@100", "free_job 0@100", "reset ring 0@100",
                            "run_job 1@100", "hw_done 1@130", "finished 1@130", "free_job 1@130"));
    EXPECT_EQ(world.credits(sched), 0u);
    EXPECT_EQ(world.score(sched), 1);
}

// The ring is done with job 0 at 100 and with job 1 at 110; their interrupts are due at 150 and 160.
// The reset at 120 makes them void. Run again, job 0 takes until 220, job 1 until 230, and their
// interrupts come 50 later.
TEST(Reset, InterruptsOnTheirWayAreVoid) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 2), 0, 50);
    const EntityRef a = world.entity("a", {sched});
    world.push(a, 0, {.duration = 100});
    world.push(a, 1, {.duration = 10});
    world.task_at(120, "reset", [&] { world.reset(0); });
    world.run();
    EXPECT_THAT(world.log.from(1),
                ElementsAre("reset ring 0@120", "run_job 0@120", "run_job 1@120", "hw_done 0@270",
                            "finished 0@270", "free_job 0@270", "hw_done 1@280", "finished 1@280",
                            "free_job 1@280"));
    EXPECT_EQ(world.core.hardware.live(), 1u) << "the last one's; those of the first runs are gone";
}

// The cost of work keeps its worker busy and nobody else: starting job 0 takes the worker from 0 to
// 50, and stopping at 10 does not wait for that. The work that the start queues comes when the worker
// is free: run work from 50 to 100, free work at 100 (too early), run work from 100 to 150, free work.
TEST(Reset, DoesNotWaitOutTheCostOfWork) {
    SchedWorld world;
    SchedulerArgs args = with(Policy::fifo, 1);
    args.run_job_cost = 50;
    const SchedulerRef sched = world.ring("gfx", args);
    world.push(world.entity("a", {sched}), 0, {.duration = 100});
    world.task_at(10, "reset", [&] { world.reset(0); });
    world.run();
    EXPECT_THAT(world.log.from(10), ElementsAre("reset ring 0@10", "run_job 0@10", "hw_done 0@110",
                                                "finished 0@110", "free_job 0@150"));
}

// gfx hangs at 0 and is found at 1000; dma hangs at 0 and is found at 1500; copy has no timeout and is
// left alone by both.
TEST(Reset, ConcernsOneSchedulerOnly) {
    SchedWorld world;
    const EntityRef gfx = world.entity("gfx", {world.ring("gfx", with_timeout(1, 1000))});
    const EntityRef dma = world.entity("dma", {world.ring("dma", with_timeout(1, 1500))});
    const EntityRef copy = world.entity("copy", {world.ring("copy", with_timeout(1, kForever))});
    world.push(gfx, 0, {.duration = kForever});
    world.push(dma, 1, {.duration = kForever});
    world.push(copy, 2, {.duration = 2000});
    world.run();
    EXPECT_THAT(world.log.from(1),
                ElementsAre("timedout 0@1000", "reset ring 0@1000", "run_job 0@1000 err=-125",
                            "finished 0@1000 err=-125", "free_job 0@1000", "timedout 1@1500",
                            "reset ring 1@1500", "run_job 1@1500 err=-125",
                            "finished 1@1500 err=-125", "free_job 1@1500", "hw_done 2@2000",
                            "finished 2@2000", "free_job 2@2000"));
}

// What waits for a job that is given up runs when that finishes: an error ends a wait like anything.
TEST(Reset, AJobThatDependsOnOneThatIsGivenUpRunsAllTheSame) {
    SchedWorld world;
    const EntityRef gfx = world.entity("gfx", {world.ring("gfx", with_timeout(1, 1000))});
    const EntityRef dma = world.entity("dma", {world.ring("dma", with_timeout(1, 1000))});
    const auto hung = world.push(gfx, 0, {.duration = kForever});
    world.push(dma, 1, {.duration = 10, .after = {hung}});
    world.run();
    EXPECT_THAT(world.log.of_job(1),
                ElementsAre("queue 1@0", "run_job 1@1000", "scheduled 1@1000", "hw_done 1@1010",
                            "finished 1@1010", "free_job 1@1010"));
}

// Job 1 waits for the one credit. It goes to the hardware when job 0 is given up, and with that the
// queue is empty: the flush ends, and the entity's fini after it.
TEST(Reset, LetsAFlushGoOnThatWaitsBehindAHungJob) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(1, 1000));
    const EntityRef a = world.entity("a", {sched});
    world.push(a, 0, {.duration = kForever});
    world.push(a, 1, {.duration = 100});
    sim::Time destroyed = 0;
    world.task_at(10, "destroy", [&] {
        world.gpu.entity_destroy(a);
        destroyed = world.machine.now();
    });
    world.run();
    EXPECT_EQ(destroyed, 1000u);
    EXPECT_EQ(world.log.when(JobEvent::free_job, 1), 1100u);
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

// Killed jobs die one after the other, the first of them with the job that is on the hardware. That
// hangs, so they die when it is given up.
TEST(Reset, LetsKilledJobsGoThatWaitForAHungOne) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(1, 1000));
    const EntityRef a = world.entity("a", {sched});
    world.push(a, 0, {.duration = kForever});
    world.push(a, 1);
    world.push(a, 2);
    world.task_at(10, "kill", [&] { world.gpu.entity_fini(a); });
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::finished, 0), 1000u);
    for (const std::uint64_t id : {1, 2}) {
        const std::string job = std::to_string(id);
        EXPECT_THAT(world.log.of_job(id),
                    ElementsAre("queue " + job + "@0", "scheduled " + job + "@1000",
                                "finished " + job + "@1000 err=-3", "free_job " + job + "@1000"));
    }
    EXPECT_EQ(world.gpu.jobs.live(), 0u);
}

// Credits are what is on the hardware: none while it is stopped, all of them again with resubmission.
// Score is what is not finished: stopping changes nothing about it.
TEST(StopAndStart, CreditsComeAndGoTheScoreStays) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 5));
    const EntityRef a = world.entity("a", {sched});
    world.push(a, 0, {.duration = 100, .credits = 2});
    world.push(a, 1, {.duration = 100, .credits = 3});
    world.push(a, 2, {.duration = 100});
    world.task_at(50, "reset", [&] {
        EXPECT_EQ(world.credits(sched), 5u);
        EXPECT_EQ(world.score(sched), 4);
        world.gpu.sched_stop(sched, {});
        EXPECT_EQ(world.credits(sched), 0u);
        EXPECT_EQ(world.score(sched), 4);
        world.driver.rings()[0].ring->clear();
        world.gpu.resubmit_jobs(sched);
        EXPECT_EQ(world.credits(sched), 0u);
        world.gpu.sched_start(sched);
        EXPECT_EQ(world.credits(sched), 5u);
        EXPECT_EQ(world.score(sched), 4);
    });
    world.run();
    EXPECT_THAT(world.log.order(JobEvent::free_job), ElementsAre(0, 1, 2));
    EXPECT_EQ(world.credits(sched), 0u);
    EXPECT_EQ(world.score(sched), 1);
}

TEST(StopAndStart, WithoutResubmissionBothAreGivenBack) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 5));
    world.push(world.entity("a", {sched}), 0, {.duration = 100, .credits = 2});
    world.task_at(50, "reset", [&] {
        world.gpu.sched_stop(sched, {});
        world.gpu.sched_start(sched);
        EXPECT_EQ(world.credits(sched), 0u);
        EXPECT_EQ(world.score(sched), 1);
    });
    world.run();
    EXPECT_EQ(world.credits(sched), 0u);
}

// The hardware was not reset and goes on: job 0 is done at 100. The scheduler has forgotten its fence
// and given the job up at 50, while the ring is still at it.
TEST(StopAndStart, TheHardwareMayCompleteWhatWasGivenUp) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 1));
    world.push(world.entity("a", {sched}), 0, {.duration = 100});
    world.task_at(50, "reset", [&] {
        world.gpu.sched_stop(sched, {});
        world.gpu.sched_start(sched);
    });
    world.run();
    EXPECT_THAT(world.log.from(1),
                ElementsAre("finished 0@50 err=-125", "free_job 0@50", "hw_done 0@100"));
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

// Mainline's drm_sched_start is told the error; 0 stands for -ECANCELED.
TEST(StopAndStart, TheDriverMayNameTheError) {
    SchedWorld world;
    SchedulerArgs args = with(Policy::fifo, 1);
    args.kernel = KernelVersion::mainline;
    const SchedulerRef sched = world.ring("gfx", args);
    world.push(world.entity("a", {sched}), 0, {.duration = 100});
    world.task_at(50, "reset", [&] {
        world.gpu.sched_stop(sched, {});
        world.driver.rings()[0].ring->clear();
        world.gpu.sched_start(sched, kEio);
    });
    world.run();
    EXPECT_THAT(world.log.from(1), ElementsAre("finished 0@50 err=-5", "free_job 0@50"));
}

// A stopped scheduler takes jobs into its queues, and neither runs nor frees anything.
TEST(StopAndStart, NothingRunsInBetween) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 2));
    const EntityRef a = world.entity("a", {sched});
    world.task_at(10, "stop", [&] { world.gpu.sched_stop(sched, {}); });
    world.at(20, [&] { world.push(a, 0); });
    world.task_at(90, "start", [&] { world.gpu.sched_start(sched); });
    world.run();
    EXPECT_THAT(world.log.lines(),
                ElementsAre("queue 0@20", "run_job 0@90", "scheduled 0@90", "hw_done 0@100",
                            "finished 0@100", "free_job 0@100"));
}

// After drm_sched_fini the workqueue is gone; starting again reaches for it.
TEST(StopAndStart, AResetAfterTheEndReachesForTheDestroyedWorkqueue) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 1));
    world.task_at(10, "fini", [&] { world.gpu.sched_fini(sched); });
    world.task_at(20, "reset", [&] { world.reset(0); });
    EXPECT_THROW(world.run(), sim::FatalHazard);
    EXPECT_THAT(world.verdicts(), ElementsAre("use-after-free of submit_wq"));
}

} // namespace
} // namespace fenceline::scheduler
