// The bundled driver: what it creates, frees and waits for under each lifetime policy.
#include "sched_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::scheduler {
namespace {

using namespace testing_support;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::string> kPresets{"borrowed-lock",   "inline-lock", "refcounted-context",
                                        "drain-on-unload", "split",       "split-safe-names",
                                        "detached-ops",    "refcount-all"};

class EveryPreset : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Presets, EveryPreset, testing::ValuesIn(kPresets), [](const auto& info) {
    std::string name = info.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

// A job that is killed in its queue never reaches the ring; where the driver's own fence is the public
// one, somebody may wait for it all the same.
TEST_P(EveryPreset, WhoeverWaitsForAKilledJobHearsOfIt) {
    SchedWorld world(GetParam());
    const SchedulerRef gfx = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef a = world.entity("a", {gfx});
    world.push(a, 0, {.duration = 100});
    fences::FenceRef given;
    world.at(10, [&] {
        const JobRef job = world.gpu.job_init(a, 1);
        world.gpu.jobs.get(job).id = 1;
        world.gpu.jobs.get(job).ordinal = world.ordinals++;
        world.gpu.job_arm(job);
        world.driver.prepare_fence(job);
        const fences::FenceRef own = world.gpu.jobs.get(job).hardware;
        given = world.core.take(own ? own : world.gpu.jobs.get(job).s_fence);
        world.gpu.push_job(job);
    });
    world.task_at(20, "kill", [&] { world.gpu.entity_fini(a); });
    world.run();
    EXPECT_EQ(world.core.status(given), kEsrch);
    world.core.put(given, fences::Holder::workload);
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST_P(EveryPreset, TheEventLogDoesNotDependOnTheLifetimePolicy) {
    const auto play = [](const std::string& preset) {
        SchedWorld world(preset);
        const SchedulerRef gfx = world.ring("gfx", with(Policy::rr, 2), 3, 5);
        const SchedulerRef dma = world.ring("dma", with(Policy::fifo, 1));
        const EntityRef a = world.entity("a", {gfx});
        const EntityRef b = world.entity("b", {gfx, dma});
        fences::FenceRef last;
        for (std::uint64_t id = 0; id < 10; ++id)
            last = world.push(id % 3 == 0 ? b : a, id, {.duration = id % 4});
        world.push(b, 10, {.after = {last}});
        world.task_at(3, "kill", [&] { world.gpu.entity_fini(a); });
        world.run();
        EXPECT_THAT(world.verdicts(), IsEmpty());
        return world.log.lines();
    };
    std::vector<std::string> expected = play("split");
    if (GetParam() == "refcount-all") // but for the fence that it does not have
        std::erase_if(expected, [](const auto& line) { return line.starts_with("scheduled"); });
    EXPECT_EQ(play(GetParam()), expected);
}

TEST_P(EveryPreset, AnOrderlyEndLeavesNothing) {
    SchedWorld world(GetParam());
    const SchedulerRef gfx = world.ring("gfx", with(Policy::fifo, 2));
    const EntityRef a = world.entity("a", {gfx});
    for (std::uint64_t id = 0; id < 5; ++id)
        world.push(a, id);
    world.task_at(1000, "teardown", [&] {
        world.gpu.entity_destroy(a);
        world.driver.close_entity(a);
        world.driver.unload();
    });
    world.run();
    EXPECT_THAT(world.verdicts(), IsEmpty());
    EXPECT_THAT(world.machine.blocked(), IsEmpty());
    EXPECT_FALSE(world.driver.loaded());
    EXPECT_FALSE(world.driver.bound(world.device));
    EXPECT_EQ(world.core.hardware.live(), 0u);
    EXPECT_EQ(world.core.pairs.live(), 0u);
    EXPECT_EQ(world.core.owners.live(), 0u);
    EXPECT_EQ(world.gpu.jobs.live(), 0u);
    EXPECT_EQ(world.gpu.schedulers.live(), 0u);
    EXPECT_EQ(world.gpu.run_queues.live(), 0u);
    EXPECT_EQ(world.core.modules.live(), 1u) << "gpu_sched stays";
}

TEST_P(EveryPreset, WhereTheDriversFenceEscapesItExistsBeforeThePush) {
    SchedWorld world(GetParam());
    const SchedulerRef gfx = world.ring("gfx", with(Policy::fifo, 2));
    const EntityRef a = world.entity("a", {gfx});
    const bool escapes = world.core.policy.public_fence == fences::PublicFence::hardware;
    world.push(a, 0);
    EXPECT_EQ(world.core.hardware.live(), escapes ? 1u : 0u);
    world.run(5);
    EXPECT_EQ(world.core.hardware.live(), 1u);
    bool is_private = false;
    world.core.hardware.for_each_live([&](auto, fences::HardwareFence& fence) {
        is_private = (fence.base.flags.peek() & fences::flag::is_private) != 0;
    });
    EXPECT_EQ(is_private, !escapes);
}

// The format allows jobs after an entity's end; its context is gone by then, whoever counted it. A
// policy must not invent a use of it that the others do not have.
TEST_P(EveryPreset, APushAfterTheEntitysEndIsTheSameUnderEveryPolicy) {
    SchedWorld world(GetParam());
    const SchedulerRef gfx = world.ring("gfx", with(Policy::fifo, 2));
    const EntityRef a = world.entity("a", {gfx});
    world.task_at(5, "fini", [&] {
        world.gpu.entity_fini(a);
        world.driver.close_entity(a);
    });
    world.at(6, [&] { world.push(a, 0); });
    EXPECT_NO_THROW(world.run());
    EXPECT_THAT(world.verdicts(), IsEmpty());
    EXPECT_THAT(world.log.lines(), ElementsAre("queue 0@6"));
}

TEST(RingDriver, UnbindingEndsItsEntitiesAndFreesWhatIsTheDevices) {
    SchedWorld world;
    const SchedulerRef gfx = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef a = world.entity("a", {gfx});
    for (std::uint64_t id = 0; id < 3; ++id)
        world.push(a, id, {.duration = 0});
    world.task_at(100, "unbind", [&] { world.driver.unbind(world.device); });
    world.run();
    EXPECT_TRUE(world.gpu.entities.get(a).fini_done);
    EXPECT_EQ(world.gpu.schedulers.live(), 0u);
    EXPECT_TRUE(world.driver.loaded());
    EXPECT_EQ(world.core.owners.live(), 0u);
    EXPECT_THAT(world.verdicts(), IsEmpty());
    world.task_at(200, "again", [&] { world.driver.unbind(world.device); });
    world.run();
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(RingDriver, UnbindingLeavesOtherDevicesAlone) {
    SchedWorld world;
    const SchedulerRef gfx = world.ring("gfx");
    world.device = world.driver.add_device("other");
    const SchedulerRef dma = world.ring("dma");
    const EntityRef a = world.entity("a", {gfx});
    const EntityRef b = world.entity("b", {dma});
    world.push(a, 0);
    world.push(b, 1, {.duration = 500});
    world.push(b, 2);
    world.task_at(100, "unbind", [&] { world.driver.unbind(0); });
    world.run();
    EXPECT_FALSE(world.gpu.entities.get(b).fini_done);
    EXPECT_EQ(world.log.when(JobEvent::free_job, 2), 510u);
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(RingDriver, DrainingWaitsForTheHardwareAndAGracePeriod) {
    SchedWorld world("drain-on-unload");
    const SchedulerRef gfx = world.ring("gfx", with(Policy::fifo, 4), 0, 40);
    const EntityRef a = world.entity("a", {gfx});
    world.push(a, 0, {.duration = 300});
    world.push(a, 1, {.duration = 300});
    sim::Time unbound = 0;
    world.task_at(10, "unbind", [&] {
        world.driver.unbind(world.device);
        unbound = world.machine.now();
    });
    world.run();
    EXPECT_GE(unbound, 640u + 100u);
    EXPECT_LE(unbound, 640u + 400u) << "at most two grace periods of 100 for each wait";
    EXPECT_THAT(world.machine.blocked(), IsEmpty());
}

TEST(RingDriver, DrainingAHungRingNeverEnds) {
    SchedWorld world("drain-on-unload");
    const SchedulerRef gfx = world.ring("gfx");
    const EntityRef a = world.entity("a", {gfx});
    world.push(a, 0, {.duration = sim::kForever});
    world.task_at(10, "unload", [&] { world.driver.unload(); });
    world.run();
    EXPECT_THROW(world.machine.check_deadlock(), sim::FatalHazard);
    EXPECT_THAT(world.machine.hazards().back().message,
                HasSubstr("task unload waits for the hardware to drain since 10 ns"));
}

TEST(RingDriver, WithoutDrainingTheInterruptFindsTheLockGone) {
    for (const char* preset : {"borrowed-lock", "split"}) {
        SchedWorld world(preset);
        const SchedulerRef gfx = world.ring("gfx");
        const EntityRef a = world.entity("a", {gfx});
        world.push(a, 0, {.duration = 300});
        world.task_at(10, "unbind", [&] { world.driver.unbind(world.device); });
        EXPECT_THROW(world.run(), sim::FatalHazard) << preset;
        EXPECT_THAT(world.verdicts(), ElementsAre("use-after-free of lock")) << preset;
        EXPECT_EQ(world.machine.hazards()[0].access.context, "irq gfx");
        EXPECT_EQ(world.machine.hazards()[0].access.time, 300u);
    }
}

TEST(RingDriver, UnloadingWithFencesInTheSlabIsAHazard) {
    SchedWorld world("drain-on-unload");
    const SchedulerRef gfx = world.ring("gfx");
    const EntityRef a = world.entity("a", {gfx});
    world.push(a, 0);
    fences::FenceRef held;
    world.core.hardware.for_each_live([&](auto handle, fences::HardwareFence&) {
        held = {fences::FencePart::hardware, handle.index(), handle.generation()};
    });
    world.core.take(held);
    world.task_at(100, "unload", [&] { world.driver.unload(); });
    EXPECT_THROW(world.run(), sim::FatalHazard);
    EXPECT_THAT(world.verdicts(), ElementsAre("slab-in-use of slab"));
    EXPECT_THAT(world.machine.hazards()[0].message, HasSubstr("1 fence"));
}

TEST(RingDriver, FencesReleasedBeforeTheUnloadComeBackToTheSlabFirst) {
    SchedWorld world("drain-on-unload");
    const SchedulerRef gfx = world.ring("gfx");
    const EntityRef a = world.entity("a", {gfx});
    for (std::uint64_t id = 0; id < 3; ++id)
        world.push(a, id);
    world.task_at(35, "unload", [&] { world.driver.unload(); });
    world.run();
    EXPECT_THAT(world.verdicts(), IsEmpty());
    EXPECT_FALSE(world.driver.loaded());
    EXPECT_EQ(world.core.hardware.live(), 0u);
}

} // namespace
} // namespace fenceline::scheduler
