// The ring: serial execution, context switches, interrupts, figures.
#include "sched_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::scheduler {
namespace {

using namespace testing_support;
using testing::ElementsAre;

TEST(Ring, RunsJobsOneAfterTheOtherInTheOrderOfRunJob) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 4));
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 0, {.duration = 30});
    world.push(entity, 1, {.duration = 5});
    world.push(entity, 2, {.duration = 0});
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::run_job, 2), 0u);
    EXPECT_EQ(world.log.when(JobEvent::hw_done, 0), 30u);
    EXPECT_EQ(world.log.when(JobEvent::hw_done, 1), 35u);
    EXPECT_EQ(world.log.when(JobEvent::hw_done, 2), 35u);
    EXPECT_THAT(world.log.order(JobEvent::hw_done), ElementsAre(0, 1, 2));
}

TEST(Ring, GoingOnWithAnotherEntityCostsAContextSwitch) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 8), 7);
    const EntityRef a = world.entity("a", {sched});
    const EntityRef b = world.entity("b", {sched});
    world.push(a, 0); // the first job of all switches from nobody
    world.at(1, [&] { world.push(a, 1); });
    world.at(2, [&] { world.push(b, 2); });
    world.at(3, [&] { world.push(a, 3); });
    world.at(1000, [&] { world.push(a, 4); });
    world.at(2000, [&] { world.push(b, 5); });
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::hw_done, 0), 10u);
    EXPECT_EQ(world.log.when(JobEvent::hw_done, 1), 20u);
    EXPECT_EQ(world.log.when(JobEvent::hw_done, 2), 37u);
    EXPECT_EQ(world.log.when(JobEvent::hw_done, 3), 54u);
    EXPECT_EQ(world.log.when(JobEvent::hw_done, 4), 1010u);
    EXPECT_EQ(world.log.when(JobEvent::hw_done, 5), 2017u) << "an idle ring remembers its last one";
    const Ring& ring = *world.driver.rings()[0].ring;
    EXPECT_EQ(ring.context_switches(), 3u);
    EXPECT_EQ(ring.busy_time(), 54u + 10u + 17u);
    EXPECT_THAT(ring.gpu_time(), ElementsAre(40u, 20u));
    EXPECT_EQ(ring.completed(), 6u);
}

TEST(Ring, WithAnInterruptLatencyTheRingGoesOnAtOnce) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 4), 0, 15);
    const EntityRef entity = world.entity("a", {sched});
    for (std::uint64_t id = 0; id < 3; ++id)
        world.push(entity, id);
    world.run(12);
    EXPECT_EQ(world.driver.rings()[0].ring->in_flight(), 3u);
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::hw_done, 0), 25u);
    EXPECT_EQ(world.log.when(JobEvent::hw_done, 1), 35u);
    EXPECT_EQ(world.log.when(JobEvent::hw_done, 2), 45u);
    EXPECT_EQ(world.driver.rings()[0].ring->busy_time(), 30u);
    EXPECT_EQ(world.driver.rings()[0].ring->in_flight(), 0u);
}

TEST(Ring, TheNextJobStartsBeforeTheInterruptOfTheOneBefore) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 4));
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 0, {.duration = 10});
    world.push(entity, 1, {.duration = 0});
    world.run();
    // Job 1's completion takes its place when it starts, ahead of what job 0's interrupt queues.
    const auto lines = world.log.lines();
    const auto done = std::find(lines.begin(), lines.end(), "hw_done 1@10");
    const auto freed = std::find(lines.begin(), lines.end(), "free_job 0@10");
    EXPECT_LT(done - lines.begin(), freed - lines.begin());
}

TEST(Ring, AJobWithoutEndOccupiesTheRingForGood) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 4));
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 0, {.duration = sim::kForever});
    world.push(entity, 1);
    world.run();
    EXPECT_TRUE(world.machine.engine.idle());
    EXPECT_EQ(world.driver.rings()[0].ring->in_flight(), 2u);
    EXPECT_THAT(world.log.order(JobEvent::hw_done), testing::IsEmpty());
}

TEST(Ring, OccupancyIsTheNumberOfJobsOnTheRingOverTime) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 4));
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 0, {.duration = 10});
    world.push(entity, 1, {.duration = 10});
    world.at(100, [] {});
    world.run();
    // Two jobs for 10 ns, one for another 10.
    EXPECT_DOUBLE_EQ(world.driver.rings()[0].ring->occupancy_time(), 30);
}

TEST(Ring, ManyJobsInFlightKeepTheirOrder) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 100), 0, 1000);
    const EntityRef entity = world.entity("a", {sched});
    std::vector<std::uint64_t> expected;
    for (std::uint64_t id = 0; id < 90; ++id) {
        world.push(entity, id, {.duration = 3});
        expected.push_back(id);
    }
    world.run();
    EXPECT_EQ(world.log.order(JobEvent::hw_done), expected);
    EXPECT_EQ(world.log.when(JobEvent::hw_done, 89), 1270u);
}

TEST(Ring, RingsRunSideBySide) {
    SchedWorld world;
    const SchedulerRef gfx = world.ring("gfx");
    const SchedulerRef dma = world.ring("dma");
    const EntityRef a = world.entity("a", {gfx});
    const EntityRef b = world.entity("b", {dma});
    world.push(a, 0, {.duration = 50});
    world.push(b, 1, {.duration = 20});
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::hw_done, 0), 50u);
    EXPECT_EQ(world.log.when(JobEvent::hw_done, 1), 20u);
    EXPECT_EQ(world.log.events.back().ring, 0u);
}

// The one that executes ends at once and counts what it has had, without the switch to it; one that
// waits its turn takes no time but the switch; one that is not there leaves the ring alone.
TEST(Ring, TerminateEndsAJobWhereverItIsOnTheRing) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 8), 7);
    const EntityRef a = world.entity("a", {sched});
    const EntityRef b = world.entity("b", {sched});
    world.push(a, 0, {.duration = 10});
    world.push(b, 1, {.duration = sim::kForever});
    world.push(a, 2, {.duration = 50});
    world.push(a, 3, {.duration = 5});
    Ring& ring = *world.driver.rings()[0].ring;
    world.at(5, [&] { ring.terminate(99); });
    world.at(6, [&] { ring.terminate(2); });
    world.at(30, [&] { ring.terminate(1); });
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::hw_done, 0), 10u);
    EXPECT_EQ(world.log.when(JobEvent::hw_done, 1), 30u);
    EXPECT_EQ(world.log.when(JobEvent::hw_done, 2), 37u);
    EXPECT_EQ(world.log.when(JobEvent::hw_done, 3), 42u);
    EXPECT_THAT(ring.gpu_time(), ElementsAre(15u, 13u));
    EXPECT_EQ(ring.busy_time(), 42u);
}

TEST(Ring, TerminateDuringTheContextSwitchLeavesNoGpuTime) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 8), 20);
    const EntityRef a = world.entity("a", {sched});
    const EntityRef b = world.entity("b", {sched});
    world.push(a, 0, {.duration = 10});
    world.push(b, 1, {.duration = 10});
    Ring& ring = *world.driver.rings()[0].ring;
    world.at(15, [&] { ring.terminate_current(); });
    world.at(16, [&] { ring.terminate_current(); }); // nothing there any more
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::hw_done, 1), 15u);
    EXPECT_THAT(ring.gpu_time(), ElementsAre(10u, 0u));
}

} // namespace
} // namespace fenceline::scheduler
