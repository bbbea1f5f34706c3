// The cases of the kernel's own drm/sched tests, by their parameters and intent: entities and
// schedulers that end with jobs about, and jobs that time out.
#include "mock_driver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::scheduler {
namespace {

using namespace testing_support;
using fences::FenceRef;
using sim::kMillisecond;
using sim::kSecond;
using testing::ElementsAre;
using testing::IsEmpty;

class KunitEnd : public EveryVariant {};
INSTANTIATE_TEST_SUITE_P(Kernels, KunitEnd, testing::ValuesIn(kVariants), name_of_variant);

/// 4 entities, 100 chained jobs of 1 ms in turn; returns when the 51st is done.
void run_half_of_a_chain(MockWorld& world, MockWorld::Ring& ring) {
    std::vector<EntityRef> entities;
    for (int i = 0; i < 4; ++i)
        entities.push_back(world.add_entity(ring));
    FenceRef last;
    for (unsigned i = 0; i < 100; ++i)
        last = world.submit(entities[i % 4], kMillisecond, last);
    world.run_for(51 * kMillisecond);
    ASSERT_TRUE(world.finished(world.jobs[50]));
    ASSERT_FALSE(world.finished(world.jobs[51]));
}

// With one credit 48 jobs wait in the queues when their entities end: they are killed, in order,
// once job 51, which is on the ring, is done. They keep their score, as killed jobs do.
TEST_P(KunitEnd, EntitiesThatEndKillWhatTheyHaveQueued) {
    SchedulerArgs args = MockWorld::unlimited();
    args.credit_limit = 1;
    MockWorld::Ring& ring = world.add_ring(args);
    run_half_of_a_chain(world, ring);
    world.task("cleanup", [&] { world.fini_entities(); });
    world.run_for(kSecond);
    ASSERT_TRUE(world.all_finished());
    EXPECT_EQ(world.error(world.jobs[51]), 0) << "it is on the ring";
    for (std::size_t i = 52; i < 100; ++i)
        EXPECT_EQ(world.error(world.jobs[i]), kEsrch) << i;
    EXPECT_EQ(world.log.when(JobEvent::finished, 99), 52 * kMillisecond);
    EXPECT_THAT(world.log.order(JobEvent::free_job), testing::SizeIs(100));
    world.end();
    EXPECT_THAT(world.leftovers(), ElementsAre("a score of 48 on ring0"));
}

// Without a limit all jobs are on the ring by then. They need no entity any more.
TEST_P(KunitEnd, EntitiesThatEndLeaveAloneWhatIsOnTheRing) {
    MockWorld::Ring& ring = world.add_ring();
    run_half_of_a_chain(world, ring);
    world.task("cleanup", [&] { world.fini_entities(); });
    world.run_for(kSecond);
    ASSERT_TRUE(world.all_finished());
    for (const FenceRef job : world.jobs)
        EXPECT_EQ(world.error(job), 0);
    world.end();
    EXPECT_THAT(world.leftovers(), IsEmpty());
}

// The whole case of the kernel: the scheduler ends right behind its entities. With cancel_job the
// rest of the ring is cancelled; nothing hangs and nothing leaks.
TEST(KunitEndOfMainline, JobsOnTheRingAreCancelledWhenTheSchedulerEnds) {
    MockWorld world(kMainline);
    SchedulerArgs args = MockWorld::unlimited();
    args.cancels_jobs = true;
    MockWorld::Ring& ring = world.add_ring(args);
    run_half_of_a_chain(world, ring);
    world.end();
    EXPECT_EQ(world.log.when(JobEvent::cancel_job, 99), 52 * kMillisecond);
    for (const LoggedEvent& event : world.log.events) {
        if (event.event == JobEvent::finished) {
            EXPECT_EQ(event.error, event.job <= 51 ? 0 : kEcanceled) << event.job;
        }
    }
    EXPECT_THAT(world.log.order(JobEvent::free_job), testing::SizeIs(100));
    EXPECT_THAT(world.leftovers(), IsEmpty());
}

// What 6.12 does instead: the ring goes on, every job finishes, and none of those that were on it is
// ever freed. A job keeps its pair of fences, and those it depended on; a pair keeps the hardware's.
TEST(KunitEndOf612, JobsOnTheRingAreNeverFreedOnceTheSchedulerHasEnded) {
    MockWorld world(kLinux612);
    MockWorld::Ring& ring = world.add_ring();
    run_half_of_a_chain(world, ring);
    world.task("cleanup", [&] {
        world.fini_entities();
        world.fini_scheduler(ring);
    });
    world.run_for(kSecond);
    EXPECT_TRUE(world.all_finished());
    EXPECT_EQ(world.error(world.jobs[99]), 0);
    EXPECT_THAT(world.log.order(JobEvent::free_job), testing::SizeIs(51));
    world.end();
    EXPECT_THAT(world.leftovers(), ElementsAre("49 jobs", "50 pairs", "50 hardware fences"));
}

TEST(KunitCancel, InMainlineTheHardwareFenceSaysCancelled) {
    MockWorld world(kMainline);
    SchedulerArgs args = MockWorld::unlimited();
    args.cancels_jobs = true;
    MockWorld::Ring& ring = world.add_ring(args);
    const FenceRef job = world.submit(world.add_entity(ring));
    world.run_for(kSecond);
    ASSERT_TRUE(world.scheduled(job));
    world.task("cancel", [&] {
        world.fini_entities();
        world.fini_scheduler(ring);
    });
    EXPECT_TRUE(world.finished(job));
    EXPECT_EQ(world.hardware_error(job), kEcanceled);
    EXPECT_EQ(world.error(job), kEcanceled);
    world.end();
    EXPECT_THAT(world.leftovers(), IsEmpty());
}

TEST(KunitCancel, In612NobodyTellsTheHardware) {
    MockWorld world(kLinux612);
    MockWorld::Ring& ring = world.add_ring();
    const FenceRef job = world.submit(world.add_entity(ring));
    world.run_for(kSecond);
    world.task("cancel", [&] {
        world.fini_entities();
        world.fini_scheduler(ring);
    });
    world.run_for(kSecond);
    EXPECT_FALSE(world.finished(job));
    EXPECT_EQ(world.hardware_error(job), 0);
    EXPECT_EQ(ring.driver->in_flight(), 1u);
    world.end(); // one credit is still in use, and one job still counts
    EXPECT_THAT(world.leftovers(),
                ElementsAre("1 credits of ring0", "a score of 1 on ring0", "1 jobs", "1 pairs",
                            "1 hardware fences", "1 owners", "2 modules"));
}

SchedulerArgs two_hundred_ms() {
    SchedulerArgs args = MockWorld::unlimited();
    args.timeout = 200 * kMillisecond;
    return args;
}

TEST_P(KunitEnd, AJobThatDoesNotCompleteTimesOut) {
    MockWorld::Ring& ring = world.add_ring(two_hundred_ms());
    const FenceRef job = world.submit(world.add_entity(ring));
    world.run_for(100 * kMillisecond);
    EXPECT_TRUE(world.scheduled(job));
    EXPECT_THAT(world.log.order(JobEvent::timedout), IsEmpty());
    world.run_for(200 * kMillisecond);
    EXPECT_EQ(world.log.when(JobEvent::timedout, 0), 200 * kMillisecond);
    EXPECT_TRUE(world.finished(job));
    EXPECT_EQ(world.error(job), kEtimedout);
    world.end();
    EXPECT_THAT(world.leftovers(), IsEmpty());
}

TEST(KunitSkipReset, InMainlineTheJobGoesOn) {
    MockWorld world(kMainline);
    MockWorld::Ring& ring = world.add_ring(two_hundred_ms());
    ring.driver->on_timeout = TimeoutVerdict::no_hang;
    const FenceRef job = world.submit(world.add_entity(ring));
    world.run_for(300 * kMillisecond);
    EXPECT_THAT(world.log.order(JobEvent::timedout), ElementsAre(0));
    EXPECT_FALSE(world.finished(job));
    EXPECT_EQ(ring.driver->advance(1), 1u);
    world.run_for(kSecond);
    EXPECT_TRUE(world.finished(job));
    EXPECT_EQ(world.error(job), 0);
    EXPECT_EQ(world.log.when(JobEvent::free_job, 0), 300 * kMillisecond);
    EXPECT_THAT(world.log.order(JobEvent::timedout), ElementsAre(0)) << "freed, so no longer timed";
    world.end();
    EXPECT_THAT(world.leftovers(), IsEmpty());
}

// 6.12 does not know the answer: the job that was taken off the list for the driver to look at stays
// off it, finishes, and is never freed. Nor is it timed any more.
TEST(KunitSkipReset, In612TheJobIsLost) {
    MockWorld world(kLinux612);
    MockWorld::Ring& ring = world.add_ring(two_hundred_ms());
    ring.driver->on_timeout = TimeoutVerdict::no_hang;
    const FenceRef job = world.submit(world.add_entity(ring));
    world.run_for(kSecond);
    EXPECT_THAT(world.log.order(JobEvent::timedout), ElementsAre(0));
    EXPECT_EQ(ring.driver->advance(1), 1u);
    world.run_for(kSecond);
    EXPECT_TRUE(world.finished(job));
    EXPECT_THAT(world.log.order(JobEvent::free_job), IsEmpty());
    world.end();
    EXPECT_THAT(world.leftovers(), ElementsAre("1 jobs", "1 pairs", "1 hardware fences"));
}

} // namespace
} // namespace fenceline::scheduler
