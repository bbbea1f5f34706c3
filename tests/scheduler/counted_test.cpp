// Who keeps jobs and queues: the fence that a job is part of, counted jobs, counted queues; and the
// public fence that is only one.
#include "fences/sizes.hpp"
#include "policy_fixture.hpp"
#include "sched_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::scheduler {
namespace {

using namespace testing_support;
using fences::FenceRef;
using fences::Holder;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// --- memory: embedded-in-job ---------------------------------------------------------------------

fences::LifetimePolicy embedded(std::string_view preset = "split") {
    return policy(preset, [](auto& p) { p.hardware.memory = fences::MemoryRule::embedded_in_job; });
}

TEST(EmbeddedFence, KeepsTheJobsMemoryUntilItsLastPut) {
    SchedWorld world(embedded());
    const SchedulerRef gfx = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef a = world.entity("a", {gfx});
    const FenceRef held = world.push(a, 0, {.duration = 10});
    world.core.take(held);
    world.run();
    EXPECT_THAT(world.log.order(JobEvent::free_job), ElementsAre(0u));
    EXPECT_EQ(world.gpu.jobs.live(), 1u) << "the pair keeps the fence, and that the job";
    EXPECT_EQ(world.core.pinned_bytes(world.gpu.s_fences.pair(held).parent), fences::sizes::kJob);
    world.task_at(2000, "end", [&] {
        world.gpu.entity_fini(a);
        world.core.put(held, Holder::sync_file);
    });
    world.run();
    EXPECT_EQ(world.gpu.jobs.live(), 0u);
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(EmbeddedFence, IsUsedAgainWhenItsJobIsResubmitted) {
    for (const char* preset : {"split", "borrowed-lock"}) {
        SchedWorld world(embedded(preset));
        const SchedulerRef gfx = world.ring("gfx", with(Policy::fifo, 2));
        const EntityRef a = world.entity("a", {gfx});
        world.push(a, 0, {.duration = 100});
        world.push(a, 1, {.duration = 100});
        world.task_at(50, "reset", [&] { world.reset(0); });
        world.task_at(5000, "end", [&] {
            world.gpu.entity_fini(a);
            world.driver.close_entity(a);
        });
        world.run();
        EXPECT_THAT(world.log.order(JobEvent::run_job), ElementsAre(0u, 1u, 0u, 1u));
        EXPECT_EQ(world.log.when(JobEvent::finished, 1), 250u);
        EXPECT_EQ(world.gpu.jobs.live(), 0u);
        EXPECT_THAT(world.verdicts(), IsEmpty()) << preset;
    }
}

TEST(EmbeddedFence, OfAJobThatNeverRanGoesWithIt) {
    SchedWorld world(embedded());
    const SchedulerRef gfx = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef a = world.entity("a", {gfx});
    world.push(a, 0, {.duration = 100});
    world.push(a, 1, {.duration = 100});
    world.task_at(50, "kill", [&] { world.gpu.entity_fini(a); });
    world.run();
    EXPECT_THAT(world.log.of_job(1), Contains(HasSubstr("finished 1@100 err=-3")));
    EXPECT_EQ(world.gpu.jobs.live(), 0u);
    EXPECT_EQ(world.core.hardware.live(), 0u);
}

// --- job_refs: refcounted ------------------------------------------------------------------------

TEST(CountedJobs, CostThreeAtomicsAJobAndChangeNoEvent) {
    const auto play = [](fences::RefsRule rule, std::uint64_t& atomics) {
        // Not plain in either case, so that both are counted step by step.
        SchedWorld world(policy("split", [&](auto& p) {
            p.job_refs = rule;
            p.hardware.callbacks = fences::CallbacksRule::counted;
        }));
        const SchedulerRef gfx = world.ring("gfx", with_timeout(2, 1000));
        const EntityRef a = world.entity("a", {gfx});
        for (std::uint64_t id = 0; id < 10; ++id)
            world.push(a, id, {.duration = 20});
        world.run();
        EXPECT_EQ(world.gpu.jobs.live(), 0u);
        atomics = world.machine.counters.atomics;
        return world.log.lines();
    };
    std::uint64_t counted = 0;
    std::uint64_t uncounted = 0;
    EXPECT_EQ(play(fences::RefsRule::refcounted, counted),
              play(fences::RefsRule::scheduler, uncounted));
    EXPECT_EQ(counted, uncounted + 10 * 3) << "run_job's get and put, and the last put";
}

TEST(CountedJobs, OutliveWhoeverFreesThemWhileAnotherIsAtWork) {
    SchedWorld world(policy("split", [](auto& p) { p.job_refs = fences::RefsRule::refcounted; }));
    const SchedulerRef gfx = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef a = world.entity("a", {gfx});
    JobRef seen;
    world.push(a, 0, {.duration = 10});
    world.gpu.jobs.for_each_live([&](JobRef ref, const Job&) { seen = ref; });
    world.at(5, [&] { world.gpu.get_job(seen); });
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::free_job, 0), sim::kForever);
    ASSERT_TRUE(world.gpu.jobs.alive(seen)) << "the free work has dropped the list's reference";
    world.gpu.put_job_after_use(gfx, seen);
    EXPECT_FALSE(world.gpu.jobs.alive(seen));
    EXPECT_THAT(world.log.order(JobEvent::free_job), ElementsAre(0u));
}

TEST(CountedJobs, GoThroughRecoveryAsOthersDo) {
    const auto play = [](fences::RefsRule rule) {
        SchedWorld world(policy("split", [&](auto& p) { p.job_refs = rule; }));
        const SchedulerRef gfx = world.ring("gfx", with_timeout(2, 100));
        const EntityRef a = world.entity("a", {gfx});
        world.push(a, 0, {.duration = 150});
        world.push(a, 1, {.duration = 20});
        world.push(a, 2, {.duration = sim::kForever});
        world.task_at(9000, "end", [&] { world.gpu.entity_fini(a); });
        world.run();
        EXPECT_THAT(world.verdicts(), IsEmpty());
        EXPECT_EQ(world.gpu.jobs.live(), 0u);
        return world.log.lines();
    };
    EXPECT_EQ(play(fences::RefsRule::refcounted), play(fences::RefsRule::scheduler));
}

// --- queue_refs: refcounted ----------------------------------------------------------------------

fences::LifetimePolicy counted_queues() {
    return policy("split", [](auto& p) {
        p.queue_refs = fences::RefsRule::refcounted;
        p.hardware.lock = fences::LockRule::in_fence;
    });
}

TEST(CountedQueues, OutliveTheDeviceUntilTheirLastJobIsFreed) {
    SchedWorld world(counted_queues());
    const SchedulerRef gfx = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef a = world.entity("a", {gfx});
    const FenceRef held = world.push(a, 0, {.duration = 500});
    world.core.take(held);
    world.task_at(100, "unbind", [&] { world.driver.unbind(world.device); });
    world.at(200, [&] {
        ASSERT_TRUE(world.gpu.schedulers.alive(gfx));
        EXPECT_EQ(world.core.timeline_name(held), "gfx");
    });
    world.run();
    EXPECT_EQ(world.log.when(JobEvent::free_job, 0), 500u);
    EXPECT_FALSE(world.gpu.schedulers.alive(gfx));
    EXPECT_EQ(world.gpu.run_queues.live(), 0u);
    EXPECT_EQ(world.core.status(held), 1);
    EXPECT_DOUBLE_EQ(world.core.ledger.byte_seconds(Holder::job),
                     400e-9 * fences::sizes::kScheduler);
    world.core.put(held, Holder::sync_file);
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(CountedQueues, AreFreedAtOnceWhereNoJobIsLeft) {
    SchedWorld world(counted_queues());
    const SchedulerRef gfx = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef a = world.entity("a", {gfx});
    world.push(a, 0, {.duration = 5});
    world.task_at(100, "unbind", [&] { world.driver.unbind(world.device); });
    world.run();
    EXPECT_EQ(world.gpu.schedulers.live(), 0u);
    EXPECT_EQ(world.core.owners.live(), 0u);
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(CountedQueues, DoNotKeepTheDriversText) {
    SchedWorld world(counted_queues());
    const SchedulerRef gfx = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef a = world.entity("a", {gfx});
    world.push(a, 0, {.duration = 500});
    world.task_at(100, "unload", [&] { world.driver.unload(); });
    EXPECT_THROW(world.run(), sim::FatalHazard);
    EXPECT_THAT(world.verdicts(), ElementsAre("use-after-free of text"));
}

TEST(RefcountAll, WaitsForItsQueuesBeforeTheTextGoes) {
    SchedWorld world("refcount-all");
    const SchedulerRef gfx = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef a = world.entity("a", {gfx});
    world.push(a, 0, {.duration = 500});
    world.push(a, 1, {.duration = 500});
    world.task_at(100, "unload", [&] { world.driver.unload(); });
    world.run();
    EXPECT_THAT(world.verdicts(), IsEmpty());
    EXPECT_FALSE(world.driver.loaded());
    EXPECT_EQ(world.gpu.schedulers.live(), 0u);
    EXPECT_EQ(world.gpu.jobs.live(), 0u);
    EXPECT_EQ(world.core.hardware.live(), 0u);
    EXPECT_EQ(world.core.owners.live(), 0u);
}

// --- public_fence: finished-only -----------------------------------------------------------------

TEST(FinishedOnlyJobs, HaveNoScheduledEventAndDependenciesWaitForFinished) {
    const auto play = [](std::string_view preset) {
        SchedWorld world(preset);
        const SchedulerRef gfx = world.ring("gfx", with(Policy::fifo, 2));
        const EntityRef a = world.entity("a", {gfx});
        const EntityRef b = world.entity("b", {gfx});
        const FenceRef first = world.push(a, 0, {.duration = 100});
        world.push(b, 1, {.duration = 10, .after = {first}});
        world.task_at(5000, "end", [&] {
            world.gpu.entity_fini(a);
            world.gpu.entity_fini(b);
        });
        world.run();
        EXPECT_THAT(world.verdicts(), IsEmpty());
        return world.log;
    };
    const LogSink split = play("split");
    EXPECT_EQ(split.when(JobEvent::run_job, 1), 0u) << "on the hardware right behind the first";
    const LogSink only = play("refcount-all");
    EXPECT_EQ(only.when(JobEvent::run_job, 1), 100u);
    EXPECT_THAT(only.order(JobEvent::scheduled), IsEmpty());
    EXPECT_THAT(only.order(JobEvent::free_job), ElementsAre(0u, 1u));
}

TEST(FinishedOnlyJobs, AreChargedForTheirTimeByFair) {
    SchedulerArgs args = with(Policy::fair, 1);
    args.kernel = KernelVersion::mainline;
    SchedWorld world("refcount-all");
    const SchedulerRef gfx = world.ring("gfx", args);
    const EntityRef a = world.entity("a", {gfx});
    world.push(a, 0, {.duration = 3000});
    world.run();
    EXPECT_EQ(world.gpu.entity_stats.get(world.gpu.entities.get(a).stats).runtime, 3000u);
}

} // namespace
} // namespace fenceline::scheduler
