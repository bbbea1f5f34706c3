// Load balancing over several schedulers.
#include "sched_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::scheduler {
namespace {

using namespace testing_support;
using testing::ElementsAre;
using testing::HasSubstr;

class Balance : public testing::Test {
  protected:
    std::vector<std::uint32_t> rings_of_queue_events() {
        std::vector<std::uint32_t> rings;
        for (const LoggedEvent& event : world.log.events)
            if (event.event == JobEvent::queue)
                rings.push_back(event.ring);
        return rings;
    }

    SchedWorld world;
    SchedulerRef first = world.ring("gfx0", with(Policy::fifo, 1));
    SchedulerRef second = world.ring("gfx1", with(Policy::fifo, 1));
};

TEST_F(Balance, TheLeastScoreWinsAndTheFirstOfEquals) {
    const std::vector<SchedulerRef> both{first, second};
    EXPECT_EQ(world.gpu.pick_best(both), first);
    world.push(world.entity("a", {first}), 0);
    EXPECT_EQ(world.gpu.pick_best(both), second);
    world.push(world.entity("b", {second}), 1);
    EXPECT_EQ(world.gpu.pick_best(both), first);
    EXPECT_EQ(world.gpu.pick_best(std::vector<SchedulerRef>{second, first}), second);
}

TEST_F(Balance, ASchedulerThatIsNotReadyIsPassedOver) {
    world.push(world.entity("a", {second}), 0);
    world.task_at(1, "fini", [&] { world.gpu.sched_fini(first); });
    world.run();
    EXPECT_EQ(world.gpu.pick_best(std::vector<SchedulerRef>{first, second}), second);
    EXPECT_THAT(world.warnings, ElementsAre(HasSubstr("gfx0 is not ready")));
    EXPECT_FALSE(world.gpu.pick_best(std::vector<SchedulerRef>{first}));
}

TEST_F(Balance, TheChoiceIsMadeAtArmWhenNothingIsQueuedOrRunning) {
    const EntityRef roaming = world.entity("roaming", {first, second});
    const EntityRef fixed = world.entity("fixed", {first});
    world.push(fixed, 0, {.duration = 100});
    world.push(roaming, 1, {.duration = 10});                        // first has a score of 2
    world.push(roaming, 2, {.duration = 10});                        // queued: stays
    world.at(12, [&] { world.push(roaming, 3, {.duration = 10}); }); // job 2 runs: stays
    world.run();
    EXPECT_THAT(rings_of_queue_events(), ElementsAre(0, 1, 1, 1));
}

TEST_F(Balance, AnIdleEntityMovesToTheLessLoadedRing) {
    const EntityRef roaming = world.entity("roaming", {first, second});
    const EntityRef fixed = world.entity("fixed", {first});
    world.push(roaming, 0, {.duration = 10});
    world.at(20, [&] { world.push(fixed, 1, {.duration = 100}); });
    world.at(30, [&] { world.push(roaming, 2, {.duration = 10}); });
    world.run();
    EXPECT_THAT(rings_of_queue_events(), ElementsAre(0, 0, 1));
    EXPECT_EQ(world.score(first), 1) << "only the fixed entity is left there";
    EXPECT_EQ(world.score(second), 1);
}

TEST_F(Balance, AnEntityOnItsRingCountsAgainstIt) {
    const EntityRef roaming = world.entity("roaming", {first, second});
    world.push(roaming, 0, {.duration = 10});
    world.at(20, [&] { world.push(roaming, 1, {.duration = 10}); });
    world.at(40, [&] { world.push(roaming, 2, {.duration = 10}); });
    world.run();
    EXPECT_THAT(rings_of_queue_events(), ElementsAre(0, 1, 0));
}

TEST_F(Balance, KilledJobsMakeARingLookLoadedForGood) {
    const EntityRef killed = world.entity("killed", {first});
    for (std::uint64_t id = 0; id < 5; ++id)
        world.push(killed, id);
    world.task_at(5, "kill", [&] { world.gpu.entity_fini(killed); });
    world.run();
    const EntityRef other = world.entity("other", {second});
    world.push(other, 10, {.duration = 100});
    EXPECT_EQ(world.gpu.pick_best(std::vector<SchedulerRef>{first, second}), second);
}

TEST_F(Balance, WithoutAnyReadySchedulerThereIsNoRunQueue) {
    const EntityRef roaming = world.entity("roaming", {first, second});
    world.task_at(1, "fini", [&] {
        world.gpu.sched_fini(first);
        world.gpu.sched_fini(second);
    });
    world.run();
    const JobRef job = world.gpu.job_init(roaming, 1);
    ASSERT_TRUE(job);
    EXPECT_THROW(world.gpu.job_arm(job), sim::FatalHazard);
    EXPECT_FALSE(world.gpu.job_init(roaming, 1)) << "-ENOENT from now on";
    EXPECT_THAT(world.warnings.back(), HasSubstr("no run queue"));
}

TEST_F(Balance, APriorityChangedMeanwhileTakesEffectWhenTheEntityIsBoundAnew) {
    const EntityRef roaming = world.entity("roaming", {first, second});
    const EntityRef single = world.entity("single", {first});
    world.gpu.entities.get(roaming).priority = Priority::high;
    world.gpu.entities.get(single).priority = Priority::high;
    world.push(roaming, 0);
    world.push(single, 1);
    EXPECT_EQ(world.gpu.entities.get(roaming).rq, world.gpu.schedulers.get(first).sched_rq[1]);
    EXPECT_EQ(world.gpu.entities.get(single).rq, world.gpu.schedulers.get(first).sched_rq[2]);
}

} // namespace
} // namespace fenceline::scheduler
