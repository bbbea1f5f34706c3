// The life of a job: order of events, credits, dependencies.
#include "sched_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::scheduler {
namespace {

using namespace testing_support;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Job, RunsThroughItsEventsInOrder) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx");
    const EntityRef entity = world.entity("a", {sched});
    world.at(5, [&] { world.push(entity, 3, {.duration = 7}); });
    world.run();
    EXPECT_THAT(world.log.lines(), ElementsAre("queue 3@5", "run_job 3@5", "scheduled 3@5",
                                               "hw_done 3@12", "finished 3@12", "free_job 3@12"));
}

TEST(Job, LeavesNothingBehind) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 2));
    const EntityRef a = world.entity("a", {sched});
    const EntityRef b = world.entity("b", {sched});
    for (std::uint64_t id = 0; id < 20; ++id)
        world.push(id % 2 == 0 ? a : b, id, {.duration = id % 3});
    world.run();
    EXPECT_EQ(world.gpu.jobs.live(), 0u);
    EXPECT_EQ(world.core.pairs.live(), 2u) << "the entities keep the last one they scheduled";
    EXPECT_EQ(world.score(sched), 2) << "the two entities that are on its run queue";
    world.task_at(1000, "fini", [&] {
        world.gpu.entity_fini(a);
        world.gpu.entity_fini(b);
    });
    world.run();
    EXPECT_EQ(world.core.pairs.live(), 0u);
    EXPECT_EQ(world.core.hardware.live(), 0u);
    EXPECT_EQ(world.score(sched), 0);
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(Job, WithLimitOneAndNoDurationTheNextRunsBeforeTheFirstIsFreed) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 0, {.duration = 0});
    world.push(entity, 1, {.duration = 0});
    world.run();
    EXPECT_THAT(world.log.lines(),
                ElementsAre("queue 0@0", "queue 1@0", "run_job 0@0", "scheduled 0@0", "hw_done 0@0",
                            "finished 0@0", "run_job 1@0", "scheduled 1@0", "free_job 0@0",
                            "hw_done 1@0", "finished 1@0", "free_job 1@0"));
}

TEST(Job, OneThatWaitedForCreditsStartsAfterTheFreeOfTheOneBefore) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 0);
    world.push(entity, 1);
    world.run();
    EXPECT_THAT(world.log.lines(),
                ElementsAre("queue 0@0", "queue 1@0", "run_job 0@0", "scheduled 0@0",
                            "hw_done 0@10", "finished 0@10", "free_job 0@10", "run_job 1@10",
                            "scheduled 1@10", "hw_done 1@20", "finished 1@20", "free_job 1@20"));
}

TEST(Job, ADriverThatReturnsNoFenceFinishesAtOnce) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx");
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 0, {.run_job = RunJobKind::no_fence});
    world.push(entity, 1, {.run_job = RunJobKind::error});
    world.run();
    EXPECT_THAT(world.log.of_job(0), ElementsAre("queue 0@0", "run_job 0@0", "scheduled 0@0",
                                                 "finished 0@0", "free_job 0@0"));
    EXPECT_THAT(world.log.of_job(1), ElementsAre("queue 1@0", "run_job 1@0 err=-5", "scheduled 1@0",
                                                 "finished 1@0 err=-5", "free_job 1@0"));
}

TEST(Job, WithAFenceThatHasSignalledTheHardwareIsDoneBeforeScheduled) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx");
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 0, {.run_job = RunJobKind::signalled});
    world.run();
    EXPECT_THAT(world.log.lines(), ElementsAre("queue 0@0", "run_job 0@0", "hw_done 0@0",
                                               "scheduled 0@0", "finished 0@0", "free_job 0@0"));
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(Job, CostsDelayTheWorkThatFollows) {
    SchedulerArgs args = with(Policy::fifo, 4);
    args.run_job_cost = 3;
    args.free_job_cost = 5;
    SchedWorld world("split", 20);
    const SchedulerRef sched = world.ring("gfx", args);
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 0, {.duration = 100});
    world.push(entity, 1, {.duration = 100});
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::run_job, 0), 20u);
    EXPECT_EQ(world.log.when(JobEvent::run_job, 1), 23u);
    EXPECT_EQ(world.log.when(JobEvent::finished, 0), 120u);
    EXPECT_EQ(world.log.when(JobEvent::free_job, 0), 140u);
    EXPECT_EQ(world.log.when(JobEvent::free_job, 1), 240u);
}

TEST(Job, OnlyTheHeadOfThePendingListIsFreed) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 4));
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 0, {.duration = 50});
    world.push(entity, 1, {.run_job = RunJobKind::no_fence});
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::finished, 1), 0u);
    EXPECT_EQ(world.log.when(JobEvent::free_job, 1), 50u);
    EXPECT_THAT(world.log.order(JobEvent::free_job), ElementsAre(0, 1));
}

TEST(Job, TheNextJobsStartIsMovedToTheEndOfTheOneBefore) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 2));
    const EntityRef entity = world.entity("a", {sched});
    world.push(entity, 0, {.duration = 50});
    const auto second = world.push(entity, 1, {.duration = 50});
    const auto scheduled = second.sibling(fences::FencePart::scheduled);
    world.run(10);
    EXPECT_EQ(world.core.get(scheduled).timestamp, 0u);
    world.run(60);
    EXPECT_EQ(world.core.get(scheduled).timestamp, 50u);
}

TEST(Dependency, OnTheSameSchedulerOnlyScheduledIsWaitedFor) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 4));
    const EntityRef a = world.entity("a", {sched});
    const EntityRef b = world.entity("b", {sched});
    const auto first = world.push(a, 0, {.duration = 100});
    world.push(b, 1, {.after = {first}});
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::run_job, 1), 0u);
    EXPECT_THAT(world.log.order(JobEvent::run_job), ElementsAre(0, 1));
}

TEST(Dependency, OnTheSameSchedulerItStillWaitsForScheduled) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 2));
    const EntityRef low = world.entity("low", {sched}, Priority::low);
    const EntityRef high = world.entity("high", {sched}, Priority::high);
    const EntityRef busy = world.entity("busy", {sched}, Priority::normal);
    world.push(busy, 8, {.duration = 100, .credits = 2});
    const auto first = world.push(low, 0, {.duration = 100});
    world.push(high, 1, {.after = {first}});
    world.run();
    EXPECT_THAT(world.log.order(JobEvent::run_job), ElementsAre(8, 0, 1));
    EXPECT_EQ(world.log.when(JobEvent::run_job, 1), 100u);
}

TEST(Dependency, OnAnotherSchedulerFinishedIsWaitedFor) {
    SchedWorld world;
    const SchedulerRef gfx = world.ring("gfx", with(Policy::fifo, 4));
    const SchedulerRef dma = world.ring("dma", with(Policy::fifo, 4));
    const EntityRef a = world.entity("a", {gfx});
    const EntityRef b = world.entity("b", {dma});
    const auto first = world.push(a, 0, {.duration = 100});
    world.push(b, 1, {.after = {first}});
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::run_job, 1), 100u);
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(Dependency, OnTheOwnEntityIsIgnored) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 4));
    const EntityRef a = world.entity("a", {sched});
    const auto first = world.push(a, 0, {.duration = 100});
    world.push(a, 1, {.after = {first}});
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::run_job, 1), 0u);
}

TEST(Dependency, SeveralOnOneEntityCollapseToTheLatest) {
    SchedWorld world;
    const SchedulerRef gfx = world.ring("gfx", with(Policy::fifo, 4));
    const SchedulerRef dma = world.ring("dma", with(Policy::fifo, 4));
    const EntityRef a = world.entity("a", {gfx});
    const EntityRef b = world.entity("b", {dma});
    std::vector<fences::FenceRef> fences;
    for (std::uint64_t id = 0; id < 3; ++id)
        fences.push_back(world.push(a, id, {.duration = 100}));
    world.push(b, 9, {.after = {fences[1], fences[2], fences[0]}});
    // Job, entity's last_scheduled come later: now the job itself and the dependency.
    EXPECT_EQ(world.core.get(fences[0]).references.peek(), 1u);
    EXPECT_EQ(world.core.get(fences[1]).references.peek(), 1u);
    EXPECT_EQ(world.core.get(fences[2]).references.peek(), 2u);
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::run_job, 9), 300u);
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(Dependency, OnlyTheHeadJobsAreLookedAtAndOneAfterTheOther) {
    SchedWorld world;
    const SchedulerRef gfx = world.ring("gfx", with(Policy::fifo, 4));
    const SchedulerRef dma = world.ring("dma", with(Policy::fifo, 4));
    const SchedulerRef enc = world.ring("enc", with(Policy::fifo, 4));
    const EntityRef a = world.entity("a", {dma});
    const EntityRef b = world.entity("b", {enc});
    const EntityRef c = world.entity("c", {gfx});
    const auto early = world.push(a, 0, {.duration = 30});
    const auto late = world.push(b, 1, {.duration = 70});
    world.push(c, 2, {.after = {late, early}});
    world.push(c, 3);
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::run_job, 2), 70u);
    EXPECT_EQ(world.log.when(JobEvent::run_job, 3), 70u);
}

TEST(Dependency, OneThatHasSignalledIsNoWait) {
    SchedWorld world;
    const SchedulerRef gfx = world.ring("gfx");
    const SchedulerRef dma = world.ring("dma");
    const EntityRef a = world.entity("a", {dma});
    const EntityRef b = world.entity("b", {gfx});
    const auto first = world.push(a, 0);
    world.core.take(first);
    world.run();
    world.push(b, 1, {.after = {first}});
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::run_job, 1), 10u);
    world.core.put(first, fences::Holder::workload);
}

TEST(Dependency, AFailedJobOnTheSameSchedulerIsNotPipelined) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 4));
    const EntityRef a = world.entity("a", {sched});
    const EntityRef b = world.entity("b", {sched});
    const auto first = world.push(a, 0, {.duration = 100});
    world.at(10, [&] {
        world.core.set_error(first, -125);
        world.push(b, 1, {.after = {first}});
    });
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::run_job, 1), 100u);
}

TEST(Dependency, AFenceMarkedSoIsNotPipelined) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 4));
    const EntityRef a = world.entity("a", {sched});
    const EntityRef b = world.entity("b", {sched});
    const auto first = world.push(a, 0, {.duration = 100});
    world.core.get(first).flags.set_bit(world.machine, fences::flag::dont_pipeline);
    world.push(b, 1, {.after = {first}});
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::run_job, 1), 100u);
}

// Job 0 goes at 100, when its entity has moved on to job 1. Its hardware fence starts a grace period
// (100 to 200); the pair, released a moment later, has to wait for the next one (200 to 300).
TEST(Job, TheMemoryOfItsFencesGoesAfterGracePeriods) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", with(Policy::fifo, 2));
    const EntityRef a = world.entity("a", {sched});
    world.push(a, 0, {.duration = 100});
    world.at(50, [&] { world.push(a, 1, {.duration = sim::kForever}); });
    world.run(199);
    EXPECT_EQ(world.core.hardware.live(), 2u);
    EXPECT_EQ(world.core.pairs.live(), 2u);
    world.run(299);
    EXPECT_EQ(world.core.hardware.live(), 1u);
    EXPECT_EQ(world.core.pairs.live(), 2u);
    world.run();
    EXPECT_EQ(world.core.pairs.live(), 1u);
    EXPECT_EQ(world.machine.now(), 300u);
}

TEST(Job, CleaningUpOneThatWasNeverArmedGivesEverythingBack) {
    SchedWorld world;
    const SchedulerRef gfx = world.ring("gfx");
    const SchedulerRef dma = world.ring("dma");
    const EntityRef a = world.entity("a", {gfx});
    const EntityRef b = world.entity("b", {dma});
    const auto first = world.push(b, 0);
    const JobRef job = world.gpu.job_init(a, 1);
    world.gpu.add_dependency(job, world.core.take(first));
    world.gpu.add_dependency(job, {});
    EXPECT_EQ(world.core.get(first).references.peek(), 2u);
    world.gpu.job_cleanup(job);
    world.gpu.jobs.free(job);
    EXPECT_EQ(world.core.get(first).references.peek(), 1u);
    EXPECT_EQ(world.core.pairs.live(), 1u);
    EXPECT_EQ(world.core.modules.get(world.gpu.module).slab_objects, 1u);
}

} // namespace
} // namespace fenceline::scheduler
