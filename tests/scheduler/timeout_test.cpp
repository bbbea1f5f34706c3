// When a job is found late, and what follows from the driver's answer. The logs are computed by hand
// from the rules; each computation stands in a comment.
#include "mock_driver.hpp"
#include "sched_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::scheduler {
namespace {

using namespace testing_support;
using sim::kForever;
using testing::ElementsAre;
using testing::IsEmpty;

// Run at 0, so late at 1000. The one blamed job is over the hang limit at once: it is not run again
// but marked, has no hardware fence when the scheduler starts, and finishes there.
TEST(Timeout, AHungJobIsFoundAfterTheTimeout) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(1, 1000));
    world.push(world.entity("a", {sched}), 0, {.duration = kForever});
    world.run();
    EXPECT_THAT(world.log.lines(),
                ElementsAre("queue 0@0", "run_job 0@0", "scheduled 0@0", "timedout 0@1000",
                            "reset ring 0@1000", "run_job 0@1000 err=-125",
                            "finished 0@1000 err=-125", "free_job 0@1000"));
    EXPECT_EQ(world.gpu.jobs.live(), 0u);
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

// Jobs 1 to 12 start at 600, 1100, ... 6100; each start puts the timer off, to 7100 in the end. By
// then job 0 has hung for 7000, seven times what is allowed.
TEST(Timeout, EveryJobThatStartsPutsItOff) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(20, 1000));
    const EntityRef entity = world.entity("a", {sched});
    world.at(100, [&] { world.push(entity, 0, {.duration = kForever}); });
    for (std::uint64_t id = 1; id <= 12; ++id)
        world.at(100 + 500 * id, [&world, entity, id] { world.push(entity, id); });
    world.run(7100);
    EXPECT_THAT(world.log.order(JobEvent::timedout), ElementsAre(0));
    EXPECT_EQ(world.log.when(JobEvent::timedout, 0), 7100u);
}

// Both are handed over at 0. Job 0 is freed at 600: only now the timer starts for job 1, the new head.
TEST(Timeout, TheFreeOfAJobStartsItForTheNext) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(2, 1000));
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 0, {.duration = 600});
    world.push(entity, 1, {.duration = kForever});
    world.run();
    EXPECT_THAT(world.log.order(JobEvent::timedout), ElementsAre(1));
    EXPECT_EQ(world.log.when(JobEvent::timedout, 1), 1600u);
}

TEST(Timeout, WithNothingOnTheHardwareItDoesNotRun) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(2, 1000));
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 0, {.duration = 600});
    world.at(1500, [&] { world.push(entity, 1, {.duration = kForever}); });
    world.run(2499);
    EXPECT_THAT(world.log.order(JobEvent::timedout), IsEmpty());
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::timedout, 1), 2500u);
}

TEST(Timeout, TheFreeOfTheLastJobStopsIt) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(2, 1000));
    world.push(world.entity("a", {sched}), 0, {.duration = 600});
    world.run();
    EXPECT_EQ(world.machine.now(), 600u) << "nothing happens at 1000";
}

TEST(Timeout, WithoutOneAHungJobStays) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(2, kForever));
    world.push(world.entity("a", {sched}), 0, {.duration = kForever});
    world.run();
    EXPECT_THAT(world.log.order(JobEvent::timedout), IsEmpty());
    EXPECT_EQ(world.machine.now(), 0u);
}

// At 1000 the timeout's timer, armed before run_job, comes first, and queues the timeout work. Then
// the ring completes job 0 and queues the free work behind it. So the job is done when the timeout
// looks at it, but still on the list: stopping takes it off, and leaves its free to the timeout.
TEST(Timeout, ACompletionAtTheSameInstantButLaterInOrderComesTooLate) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(1, 1000));
    world.push(world.entity("a", {sched}), 0, {.duration = 1000});
    world.run();
    EXPECT_THAT(world.log.from(1000),
                ElementsAre("hw_done 0@1000", "finished 0@1000", "timedout 0@1000",
                            "reset ring 0@1000", "free_job 0@1000"));
    EXPECT_EQ(world.gpu.jobs.live(), 0u);
    EXPECT_EQ(world.credits(sched), 0u);
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

// Job 1 starts at 500 and moves the timer to 1500, behind the end of job 0 at the same instant. The
// free work comes before the timeout work then, takes it back, and starts anew for job 1: 2500.
TEST(Timeout, ACompletionAtTheSameInstantThatIsFreedFirstIsInTime) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(2, 1000));
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 0, {.duration = 1500});
    world.at(500, [&] { world.push(entity, 1, {.duration = kForever}); });
    world.run();
    EXPECT_THAT(world.log.order(JobEvent::timedout), ElementsAre(1));
    EXPECT_EQ(world.log.when(JobEvent::timedout, 1), 2500u);
    EXPECT_EQ(world.log.when(JobEvent::free_job, 0), 1500u);
}

// Job 0 is taken off the list at 1000 and never put back: it finishes at 3000, and nobody frees it.
// The timer is not started again, so job 1, which hangs behind it, is never found.
TEST(NoDevice, TheJobIsLostAndTheTimeoutOver) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(2, 1000), 0, 0, OnTimeout::no_device);
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 0, {.duration = 3000});
    world.push(entity, 1, {.duration = kForever});
    world.run();
    EXPECT_THAT(world.log.from(1),
                ElementsAre("timedout 0@1000", "hw_done 0@3000", "finished 0@3000"));
    EXPECT_EQ(world.gpu.jobs.live(), 2u);
    EXPECT_EQ(world.credits(sched), 1u) << "job 1's";
}

// The next job that starts arms the timer as ever, for the head of the list, which is job 1.
TEST(NoDevice, TheNextJobThatStartsArmsTheTimeoutAgain) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(3, 1000), 0, 0, OnTimeout::no_device);
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 0, {.duration = kForever});
    world.push(entity, 1, {.duration = kForever});
    world.at(5000, [&] { world.push(entity, 2); });
    world.run();
    EXPECT_THAT(world.log.order(JobEvent::timedout), ElementsAre(0, 1));
    EXPECT_EQ(world.log.when(JobEvent::timedout, 1), 6000u);
}

SchedulerArgs mainline(SchedulerArgs args) {
    args.kernel = KernelVersion::mainline;
    return args;
}

// Found at 1000 and, put back and timed anew, at 2000; done at 2500.
TEST(NoHang, TheJobIsTimedAnewAndFreedWhenItIsDone) {
    SchedWorld world;
    const SchedulerRef sched =
        world.ring("gfx", mainline(with_timeout(1, 1000)), 0, 0, OnTimeout::no_hang);
    world.push(world.entity("a", {sched}), 0, {.duration = 2500});
    world.run();
    EXPECT_THAT(world.log.from(1),
                ElementsAre("timedout 0@1000", "timedout 0@2000", "hw_done 0@2500",
                            "finished 0@2500", "free_job 0@2500"));
    EXPECT_EQ(world.gpu.jobs.live(), 0u);
}

// It goes back to the head, so that jobs are freed in the order in which they ran.
TEST(NoHang, TheJobKeepsItsPlace) {
    SchedWorld world;
    const SchedulerRef sched =
        world.ring("gfx", mainline(with_timeout(2, 1000)), 0, 0, OnTimeout::no_hang);
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 0, {.duration = 1500});
    world.push(entity, 1, {.duration = 100});
    world.run();
    EXPECT_THAT(world.log.order(JobEvent::timedout), ElementsAre(0));
    EXPECT_THAT(world.log.order(JobEvent::free_job), ElementsAre(0, 1));
}

// While the driver looks at it, from 1000 to 1500, the job completes. The free work that this queues
// finds nothing on the list; the one that putting it back queues finds the job.
TEST(NoHang, AJobThatFinishedWhileTheDriverLookedIsFreed) {
    MockWorld world(kMainline);
    SchedulerArgs args = MockWorld::unlimited();
    args.timeout = 1000;
    MockWorld::Ring& ring = world.add_ring(args);
    ring.driver->on_timeout = TimeoutVerdict::no_hang;
    ring.driver->while_it_looks = [&] {
        ring.driver->advance(1);
        world.sleep(500);
    };
    world.submit(world.add_entity(ring));
    world.run();
    EXPECT_THAT(world.log.from(1), ElementsAre("timedout 0@1000", "hw_done 0@1000",
                                               "finished 0@1000", "free_job 0@1500"));
    world.end();
    EXPECT_THAT(world.leftovers(), IsEmpty());
}

TEST(Timeout, TheEndOfTheSchedulerStopsIt) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with_timeout(1, 1000));
    world.push(world.entity("a", {sched}), 0, {.duration = kForever});
    world.task_at(999, "fini", [&] { world.gpu.sched_fini(sched); });
    world.run();
    EXPECT_THAT(world.log.order(JobEvent::timedout), IsEmpty());
}

// The timeout work blocks from 1000 to 1500, in the driver. The end of the scheduler waits for it.
TEST(Timeout, TheEndOfTheSchedulerWaitsForOneThatIsBeingHandled) {
    MockWorld world(kLinux612);
    SchedulerArgs args = MockWorld::unlimited();
    args.timeout = 1000;
    MockWorld::Ring& ring = world.add_ring(args);
    ring.driver->while_it_looks = [&] { world.sleep(500); };
    world.submit(world.add_entity(ring));
    world.run_for(1200);
    sim::Time ended = 0;
    world.task("end", [&] {
        world.fini_entities();
        world.fini_scheduler(ring);
        ended = world.machine.now();
    });
    world.run();
    EXPECT_EQ(ended, 1500u);
    EXPECT_EQ(world.log.when(JobEvent::free_job, 0), 1500u);
    world.end();
    EXPECT_THAT(world.leftovers(), IsEmpty());
}

} // namespace
} // namespace fenceline::scheduler
