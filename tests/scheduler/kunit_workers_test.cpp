// The cases of the kernel's own drm/sched tests, by their parameters and intent: many workers that
// submit at once, and priorities and schedulers that change under running entities.
#include "mock_driver.hpp"
#include "sim/random.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace fenceline::scheduler {
namespace {

using namespace testing_support;
using fences::FencePart;
using fences::FenceRef;
using sim::kMicrosecond;
using sim::kMillisecond;
using sim::kSecond;
using testing::IsEmpty;

class KunitWorkers : public EveryVariant {
  protected:
    void expect_an_orderly_end() {
        world.end();
        EXPECT_THAT(world.leftovers(), IsEmpty());
    }
    /// Between 200 and 500 us.
    sim::Time some_time() { return (200 + random.next() % 301) * kMicrosecond; }

    sim::Random random{17};
};
INSTANTIATE_TEST_SUITE_P(Kernels, KunitWorkers, testing::ValuesIn(kVariants), name_of_variant);

TEST_P(KunitWorkers, SubmitInParallel) {
    MockWorld::Ring& ring = world.add_ring();
    int waiting = 0;
    int done = 0;
    for (int worker = 0; worker < 16; ++worker) {
        const EntityRef entity = world.add_entity(ring);
        world.task("worker", [&, entity] {
            std::vector<FenceRef> own;
            for (int i = 0; i < 8; ++i)
                own.push_back(world.submit(entity));
            for (const FenceRef job : own)
                world.core.wait(job.sibling(FencePart::scheduled));
            ++waiting;
            for (const FenceRef job : own)
                world.core.wait(job);
            ++done;
        });
    }
    world.run();
    EXPECT_EQ(waiting, 16);
    EXPECT_EQ(done, 0);
    EXPECT_EQ(ring.driver->advance(1000), 128u);
    world.run();
    EXPECT_EQ(done, 16);
    EXPECT_TRUE(world.all_finished());
    expect_an_orderly_end();
}

// Worker i gets its sixteenth of a second of the ring in jobs of 100 us * (i + 1), 8 in flight. The
// ring never idles, so the last job ends when the sum of all durations has passed.
TEST_P(KunitWorkers, SubmitInTurns) {
    MockWorld::Ring& ring = world.add_ring();
    int done = 0;
    sim::Time ring_time = 0;
    for (unsigned worker = 0; worker < 16; ++worker) {
        const EntityRef entity = world.add_entity(ring);
        const sim::Time duration = 100 * kMicrosecond * (worker + 1);
        const auto count = kSecond / 16 / duration;
        ring_time += count * duration;
        world.task("worker", [&, entity, duration, count] {
            std::vector<FenceRef> own;
            for (std::size_t i = 0; i < count; ++i) {
                if (i >= 8)
                    world.core.wait(own[i - 8]);
                own.push_back(world.submit(entity, duration));
            }
            for (const FenceRef job : own)
                world.core.wait(job);
            ++done;
        });
    }
    world.run();
    EXPECT_EQ(done, 16);
    EXPECT_TRUE(world.all_finished());
    EXPECT_EQ(world.machine.now(), ring_time);
    expect_an_orderly_end();
}

TEST_P(KunitWorkers, EveryPriorityGetsItsTurn) {
    MockWorld::Ring& ring = world.add_ring();
    std::vector<EntityRef> entities;
    for (unsigned i = 0; i < kPriorityCount; ++i)
        entities.push_back(world.add_entity(ring, static_cast<Priority>(i)));
    for (unsigned i = 0; i < 100; ++i)
        world.submit(entities[i % 4], kMillisecond);
    world.run_for(kSecond);
    EXPECT_TRUE(world.finished(world.jobs.back()));
    EXPECT_TRUE(world.all_finished());
    expect_an_orderly_end();
}

// With one credit the queues are long all the while, so that the choice is made under every
// assignment of priorities.
TEST_P(KunitWorkers, PrioritiesMayRotateUnderRunningEntities) {
    for (const std::uint32_t credit_limit : {1u, MockWorld::unlimited().credit_limit}) {
        MockWorld turning(GetParam());
        SchedulerArgs args = MockWorld::unlimited();
        args.credit_limit = credit_limit;
        MockWorld::Ring& ring = turning.add_ring(args);
        std::vector<EntityRef> entities;
        for (unsigned i = 0; i < kPriorityCount; ++i)
            entities.push_back(turning.add_entity(ring, static_cast<Priority>(i)));
        for (unsigned i = 0; i < 1000; ++i)
            turning.submit(entities[i % 4], kMillisecond);
        int turns = 0;
        turning.task("rotate", [&] {
            while (!turning.all_finished()) {
                ++turns;
                for (unsigned i = 0; i < kPriorityCount; ++i)
                    turning.gpu.entity_set_priority(
                        entities[i],
                        static_cast<Priority>((i + static_cast<unsigned>(turns)) % kPriorityCount));
                turning.sleep(some_time());
            }
        });
        turning.run();
        EXPECT_GT(turns, 2000);
        EXPECT_TRUE(turning.all_finished());
        turning.end();
        EXPECT_THAT(turning.leftovers(), IsEmpty());
    }
}

// Jobs come as fast as three rings take them, so that entities are now and then idle, which is when
// they are bound anew.
TEST_P(KunitWorkers, EntitiesMayBeGivenOtherSchedulers) {
    for (int i = 0; i < 3; ++i)
        world.add_ring();
    std::vector<EntityRef> entities;
    for (unsigned i = 0; i < 13; ++i)
        entities.push_back(world.add_entity(world.rings[i % 3]));
    bool submitted = false;
    world.task("submit", [&] {
        for (unsigned i = 0; i < 1000; ++i) {
            world.submit(entities[i % 13], kMillisecond);
            world.sleep(kMillisecond / 3);
        }
        submitted = true;
    });
    world.task("modify", [&] {
        for (unsigned turn = 0; !submitted || !world.all_finished(); ++turn) {
            const std::vector<SchedulerRef> next{world.rings[random.next() % 3].sched};
            world.gpu.entity_modify_sched(entities[turn % 13], next);
            world.sleep(some_time());
        }
    });
    world.run();
    ASSERT_EQ(world.jobs.size(), 1000u);
    EXPECT_TRUE(world.all_finished());
    EXPECT_THAT(world.log.order(JobEvent::free_job), testing::SizeIs(1000)) << "nothing is lost";
    std::set<std::pair<std::uint32_t, std::uint32_t>> bindings; // of an entity and a ring
    for (const LoggedEvent& event : world.log.events)
        if (event.event == JobEvent::run_job)
            bindings.insert({event.entity, event.ring});
    EXPECT_GT(bindings.size(), 2u * 13) << "the modification took effect";
    expect_an_orderly_end();
}

// As the kernel's case has it: everything is pushed at once. Whatever entity is bound anew has
// nothing queued, so all stay where they are.
TEST_P(KunitWorkers, AnEntityWithJobsStaysWhereItIs) {
    for (int i = 0; i < 3; ++i)
        world.add_ring();
    std::vector<EntityRef> entities;
    for (unsigned i = 0; i < 13; ++i)
        entities.push_back(world.add_entity(world.rings[i % 3]));
    for (unsigned i = 0; i < 1000; ++i) {
        const std::vector<SchedulerRef> next{world.rings[random.next() % 3].sched};
        world.gpu.entity_modify_sched(entities[random.next() % 13], next);
        world.submit(entities[i % 13], kMillisecond);
    }
    world.run();
    EXPECT_TRUE(world.all_finished());
    std::set<std::pair<std::uint32_t, std::uint32_t>> bindings;
    for (const LoggedEvent& event : world.log.events)
        if (event.event == JobEvent::run_job)
            bindings.insert({event.entity, event.ring});
    EXPECT_EQ(bindings.size(), 13u);
    expect_an_orderly_end();
}

} // namespace
} // namespace fenceline::scheduler
