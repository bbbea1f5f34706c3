// The ways an entity ends, and the end of a scheduler.
#include "sched_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::scheduler {
namespace {

using namespace testing_support;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(Kill, QueuedJobsDieInOrderEachAfterTheOneBefore) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef entity = world.entity("a", {sched});
    for (std::uint64_t id = 0; id < 4; ++id)
        world.push(entity, id, {.duration = 100});
    world.task_at(50, "kill", [&] { world.gpu.entity_fini(entity); });
    world.run();
    EXPECT_THAT(world.log.order(JobEvent::finished), ElementsAre(0, 1, 2, 3));
    EXPECT_THAT(world.log.order(JobEvent::run_job), ElementsAre(0));
    for (const std::uint64_t id : {1u, 2u, 3u}) {
        const std::string job = std::to_string(id);
        EXPECT_THAT(world.log.of_job(id),
                    ElementsAre("queue " + job + "@0", "scheduled " + job + "@100",
                                "finished " + job + "@100 err=-3", "free_job " + job + "@100"));
    }
    EXPECT_THAT(world.verdicts(), IsEmpty());
    EXPECT_EQ(world.gpu.jobs.live(), 0u);
    EXPECT_EQ(world.core.pairs.live(), 0u);
}

TEST(Kill, AKilledJobMayBeFreedBeforeTheRunningOne) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef running = world.entity("running", {sched});
    const EntityRef killed = world.entity("killed", {sched});
    world.push(running, 0, {.duration = 100});
    world.push(killed, 1);
    world.task_at(50, "kill", [&] { world.gpu.entity_fini(killed); });
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::free_job, 1), 50u);
    EXPECT_THAT(world.log.order(JobEvent::free_job), ElementsAre(1, 0));
}

TEST(Kill, AKilledJobWaitsForItsDependencies) {
    SchedWorld world;
    const SchedulerRef gfx = world.ring("gfx", with(Policy::fifo, 1));
    const SchedulerRef dma = world.ring("dma", with(Policy::fifo, 1));
    const EntityRef foreign = world.entity("foreign", {dma});
    const EntityRef same = world.entity("same", {gfx});
    const EntityRef killed = world.entity("killed", {gfx});
    const auto far = world.push(foreign, 0, {.duration = 300});
    const auto near = world.push(same, 1, {.duration = 200});
    world.push(killed, 2, {.after = {near, far}});
    world.task_at(50, "kill", [&] { world.gpu.entity_fini(killed); });
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::finished, 2), 300u);
    EXPECT_THAT(world.verdicts(), IsEmpty());
    EXPECT_EQ(world.gpu.jobs.live(), 0u);
}

TEST(Kill, AWaitForADependencyIsGivenUp) {
    SchedWorld world;
    const SchedulerRef gfx = world.ring("gfx", with(Policy::fifo, 1));
    const SchedulerRef dma = world.ring("dma", with(Policy::fifo, 1));
    const EntityRef foreign = world.entity("foreign", {dma});
    const EntityRef killed = world.entity("killed", {gfx});
    const auto blocker = world.push(foreign, 0, {.duration = 300});
    world.push(killed, 1, {.after = {blocker}});
    world.run(10);
    EXPECT_TRUE(world.gpu.entities.get(killed).dependency);
    world.task_at(50, "kill", [&] { world.gpu.entity_fini(killed); });
    world.run(60);
    EXPECT_FALSE(world.gpu.entities.get(killed).dependency);
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::finished, 1), 300u);
    EXPECT_EQ(world.core.get(blocker).references.peek(), 1u) << "the entity's last_scheduled";
}

TEST(Kill, KilledJobsKeepTheirScore) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef entity = world.entity("a", {sched});
    for (std::uint64_t id = 0; id < 4; ++id)
        world.push(entity, id);
    EXPECT_EQ(world.score(sched), 5);
    world.task_at(5, "kill", [&] { world.gpu.entity_fini(entity); });
    world.run();
    EXPECT_EQ(world.score(sched), 3);
}

TEST(Kill, APushAfterwardsPrintsAnErrorAndTheJobNeverRuns) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef entity = world.entity("a", {sched});
    world.task_at(5, "kill", [&] { world.gpu.entity_fini(entity); });
    world.at(6, [&] { world.push(entity, 0); });
    world.at(7, [&] { world.push(entity, 1); });
    world.run();
    EXPECT_THAT(world.log.lines(), ElementsAre("queue 0@6", "queue 1@7"));
    EXPECT_THAT(world.warnings, ElementsAre(HasSubstr("killed entity")))
        << "the second push is not into an empty queue, so nobody looks";
    EXPECT_EQ(world.score(sched), 2);
    EXPECT_EQ(world.gpu.jobs.live(), 2u);
}

TEST(Kill, ItWaitsUntilTheSchedulerLetsGoOfTheEntity) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx");
    const EntityRef entity = world.entity("a", {sched});
    world.gpu.entities.get(entity).entity_idle.reinit(world.machine);
    bool ended = false;
    world.machine.start_task("kill", [&] {
        world.gpu.entity_fini(entity);
        ended = true;
    });
    ASSERT_THAT(world.machine.blocked(), SizeIs(1));
    EXPECT_THAT(std::string(world.machine.blocked()[0]->waiting_for), HasSubstr("entity_idle"));
    world.gpu.entities.get(entity).entity_idle.complete_all(world.machine);
    world.run();
    EXPECT_TRUE(ended);
}

TEST(Flush, WaitsForTheQueueNotForTheHardware) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 0, {.duration = 100});
    world.push(entity, 1, {.duration = 100});
    sim::Time flushed = 0;
    world.task_at(10, "flush", [&] {
        world.gpu.entity_flush(entity, false, true, false);
        flushed = world.machine.now();
    });
    world.run();
    EXPECT_EQ(flushed, 100u);
    EXPECT_THAT(world.log.order(JobEvent::free_job), ElementsAre(0, 1));
}

TEST(Flush, AnExitingTaskThatWasKilledDropsTheRest) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 0, {.duration = 100});
    world.push(entity, 1);
    world.task_at(10, "exit", [&] {
        world.gpu.entity_flush(entity, true, false, true);
        EXPECT_EQ(world.machine.now(), 10u);
    });
    world.run();
    EXPECT_THAT(world.log.of_job(1), Contains("finished 1@100 err=-3"));
}

TEST(Flush, AnExitingTaskThatNeitherWaitsNorWasKilledLeavesEverything) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 0, {.duration = 100});
    world.push(entity, 1);
    world.task_at(10, "exit", [&] { world.gpu.entity_flush(entity, true, false, false); });
    world.run();
    EXPECT_THAT(world.log.order(JobEvent::run_job), ElementsAre(0, 1));
}

TEST(Destroy, RunsTheQueueToItsEndFirst) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef entity = world.entity("a", {sched});
    for (std::uint64_t id = 0; id < 3; ++id)
        world.push(entity, id);
    sim::Time destroyed = 0;
    world.task_at(1, "destroy", [&] {
        world.gpu.entity_destroy(entity);
        destroyed = world.machine.now();
    });
    world.run();
    EXPECT_EQ(destroyed, 20u) << "when the last job goes to the hardware";
    EXPECT_TRUE(world.gpu.entities.get(entity).fini_done);
    EXPECT_EQ(world.log.when(JobEvent::free_job, 2), 30u);
    EXPECT_THAT(world.verdicts(), IsEmpty());
    EXPECT_EQ(world.core.pairs.live(), 0u);
}

TEST(SchedulerFini, SignalsNothingAndFreesNothing) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 0, {.duration = 100});
    world.push(entity, 1);
    world.task_at(10, "fini", [&] { world.gpu.sched_fini(sched); });
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::finished, 0), 100u) << "the hardware goes on";
    EXPECT_THAT(world.log.order(JobEvent::free_job), IsEmpty());
    EXPECT_EQ(world.log.when(JobEvent::finished, 1), sim::kForever);
    EXPECT_EQ(world.gpu.jobs.live(), 2u);
}

TEST(SchedulerFini, AnEntityThatOutlivesItReadsTheFreedRunQueue) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 0);
    world.task_at(50, "fini", [&] { world.gpu.sched_fini(sched); });
    world.task_at(60, "entity", [&] { world.gpu.entity_fini(entity); });
    EXPECT_THROW(world.run(), sim::FatalHazard);
    EXPECT_THAT(world.verdicts(), ElementsAre("use-after-free of run queue"));
}

TEST(SchedulerFini, WakesAFlushThatThenReadsTheFreedRunQueue) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 0, {.duration = sim::kForever});
    world.push(entity, 1);
    world.task_at(5, "destroy", [&] { world.gpu.entity_destroy(entity); });
    world.task_at(9, "fini", [&] { world.gpu.sched_fini(sched); });
    EXPECT_THROW(world.run(), sim::FatalHazard);
    EXPECT_THAT(world.verdicts(), ElementsAre("use-after-free of run queue"));
    EXPECT_EQ(world.machine.hazards()[0].access.time, 9u);
    EXPECT_THAT(world.machine.blocked(), IsEmpty());
}

TEST(SchedulerFini, ItsNameDiesWithItsMemoryOnly) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx");
    const EntityRef entity = world.entity("a", {sched});
    const auto fence = world.core.take(world.push(entity, 0));
    world.run();
    world.task_at(50, "fini", [&] {
        world.gpu.entity_fini(entity);
        world.gpu.sched_fini(sched);
    });
    world.run();
    EXPECT_EQ(world.core.timeline_name(fence), "gfx");
    world.gpu.free_scheduler(sched);
    EXPECT_THROW((void)world.core.timeline_name(fence), sim::FatalHazard);
    EXPECT_THAT(world.verdicts(), ElementsAre("use-after-free of names"));
}

} // namespace
} // namespace fenceline::scheduler
