// The cases of the kernel's own drm/sched tests, by their parameters and intent: submission,
// dependencies, credits, overhead.
#include "mock_driver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::scheduler {
namespace {

using namespace testing_support;
using fences::FenceRef;
using sim::kMillisecond;
using sim::kSecond;
using testing::IsEmpty;

class KunitSubmit : public EveryVariant {
  protected:
    /// `count` jobs of 1 ms to `queues` entities in turn, each after the one before if `chained`;
    /// returns the last.
    FenceRef submit_many(unsigned queues, unsigned count, bool chained) {
        MockWorld::Ring& ring = world.add_ring();
        std::vector<EntityRef> entities;
        for (unsigned i = 0; i < queues; ++i)
            entities.push_back(world.add_entity(ring));
        FenceRef last;
        for (unsigned i = 0; i < count; ++i)
            last = world.submit(entities[i % queues], kMillisecond, chained ? last : FenceRef{});
        return last;
    }
    void expect_an_orderly_end() {
        world.end();
        EXPECT_THAT(world.leftovers(), IsEmpty());
    }
};
INSTANTIATE_TEST_SUITE_P(Kernels, KunitSubmit, testing::ValuesIn(kVariants), name_of_variant);

TEST_P(KunitSubmit, AJobFinishesWhenItsHardwareSaysSoAndNotBefore) {
    MockWorld::Ring& ring = world.add_ring();
    const FenceRef job = world.submit(world.add_entity(ring));
    world.run_for(kSecond / 2);
    EXPECT_TRUE(world.scheduled(job));
    EXPECT_FALSE(world.finished(job));
    EXPECT_EQ(ring.driver->advance(1), 1u);
    EXPECT_TRUE(world.finished(job));
    EXPECT_EQ(world.error(job), 0);
    expect_an_orderly_end();
}

TEST_P(KunitSubmit, AQueueOfJobs) {
    const FenceRef last = submit_many(1, 100, false);
    world.run_for(kSecond);
    EXPECT_TRUE(world.finished(last));
    EXPECT_EQ(world.log.when(JobEvent::finished, 99), 100 * kMillisecond);
    expect_an_orderly_end();
}

TEST_P(KunitSubmit, AChainOfJobs) {
    const FenceRef last = submit_many(1, 100, true);
    world.run_for(kSecond);
    EXPECT_TRUE(world.finished(last));
    expect_an_orderly_end();
}

TEST_P(KunitSubmit, SeveralQueues) {
    const FenceRef last = submit_many(4, 100, false);
    world.run_for(kSecond);
    EXPECT_TRUE(world.finished(last));
    EXPECT_TRUE(world.all_finished());
    expect_an_orderly_end();
}

TEST_P(KunitSubmit, QueuesThatDependOnEachOther) {
    const FenceRef last = submit_many(4, 100, true);
    world.run_for(kSecond);
    EXPECT_TRUE(world.finished(last));
    std::vector<std::uint64_t> in_order(100);
    for (std::uint64_t id = 0; id < 100; ++id)
        in_order[id] = id;
    EXPECT_EQ(world.log.order(JobEvent::run_job), in_order) << "whatever the policy would prefer";
    expect_an_orderly_end();
}

TEST_P(KunitSubmit, WithOneCreditTheSecondJobWaitsForTheFirst) {
    SchedulerArgs args = MockWorld::unlimited();
    args.credit_limit = 1;
    MockWorld::Ring& ring = world.add_ring(args);
    const EntityRef entity = world.add_entity(ring);
    const FenceRef first = world.submit(entity);
    const FenceRef second = world.submit(entity);
    world.run_for(kSecond / 5);
    EXPECT_TRUE(world.scheduled(first));
    EXPECT_FALSE(world.scheduled(second));
    EXPECT_EQ(ring.driver->advance(2), 1u) << "only one of them is on the ring";
    world.run_for(kSecond / 5);
    EXPECT_TRUE(world.finished(first));
    EXPECT_TRUE(world.scheduled(second));
    EXPECT_FALSE(world.finished(second));
    EXPECT_EQ(ring.driver->advance(1), 1u);
    world.run_for(kSecond / 5);
    EXPECT_TRUE(world.finished(second));
    expect_an_orderly_end();
}

// What the scheduler adds to 1000 jobs of 1 ms, all of which wait behind one without duration until
// that is done: nothing, since the ring is never idle between two of them. (All costs are 0 here; how
// much costs add is a matter of the workloads.)
TEST_P(KunitSubmit, AQueueAddsNoTimeOfItsOwn) {
    SchedulerArgs args = MockWorld::unlimited();
    args.credit_limit = 1;
    MockWorld::Ring& ring = world.add_ring(args);
    const EntityRef entity = world.add_entity(ring);
    world.submit(entity);
    for (int i = 0; i < 1000; ++i)
        world.submit(entity, kMillisecond);
    world.run_for(kSecond);
    EXPECT_EQ(ring.driver->advance(1), 1u);
    world.run_for(kSecond);
    EXPECT_TRUE(world.all_finished());
    EXPECT_EQ(world.log.when(JobEvent::finished, 1000), 2 * kSecond);
    expect_an_orderly_end();
}

TEST_P(KunitSubmit, NeitherDoesPingPongBetweenTwoEntities) {
    SchedulerArgs args = MockWorld::unlimited();
    args.credit_limit = 1;
    MockWorld::Ring& ring = world.add_ring(args);
    const EntityRef entities[] = {world.add_entity(ring), world.add_entity(ring)};
    FenceRef last = world.submit(entities[1]);
    for (int i = 0; i < 1000; ++i)
        last = world.submit(entities[i % 2], kMillisecond, last);
    world.run_for(kSecond);
    EXPECT_EQ(ring.driver->advance(1), 1u);
    world.run_for(kSecond);
    EXPECT_TRUE(world.all_finished());
    EXPECT_EQ(world.log.when(JobEvent::finished, 1000), 2 * kSecond);
    expect_an_orderly_end();
}

} // namespace
} // namespace fenceline::scheduler
