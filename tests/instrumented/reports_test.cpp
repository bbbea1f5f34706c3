// What reports say in the instrumented form: call chains, births and deaths, who holds a lock.
#include "fences/container.hpp"
#include "fences/hardware_fence.hpp"
#include "sim/lock.hpp"
#include "sim/rcu.hpp"
#include "sim/workqueue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline {
namespace {

using sim::FatalHazard;
using sim::Frame;
using sim::Machine;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr sim::HazardClass kMild{"mild", "for tests", false};

void mild(Machine& machine) {
    machine.report({.kind = &kMild, .subject = "x", .object = "x", .message = "x"});
}

TEST(Frames, AreTheCallChainOutermostFirst) {
    Machine machine;
    {
        const Frame outer(machine, "outer");
        { const Frame gone(machine, "gone"); }
        const Frame inner(machine, "inner");
        mild(machine);
    }
    mild(machine);
    EXPECT_THAT(machine.hazards()[0].access.frames, ElementsAre("outer", "inner"));
    EXPECT_THAT(machine.hazards()[1].access.frames, IsEmpty());
}

TEST(Frames, BelongToTheirContext) {
    Machine machine;
    const Frame outer(machine, "set-up function");
    machine.start_task("a", [&] {
        const Frame frame(machine, "a function");
        machine.block("something");
        mild(machine);
    });
    machine.start_task("b", [&] {
        const Frame frame(machine, "b function");
        mild(machine);
    });
    machine.wake(*machine.blocked().front());
    machine.engine.run(nullptr, 10);
    EXPECT_THAT(machine.hazards()[0].access.frames, ElementsAre("b function"));
    EXPECT_THAT(machine.hazards()[1].access.frames, ElementsAre("a function"));
    EXPECT_EQ(machine.hazards()[1].access.context, "task a");
}

TEST(Frames, AreUnwoundByAHazard) {
    Machine machine;
    sim::Context worker(sim::ContextKind::worker, "w", machine.next_context_id());
    try {
        const sim::ContextScope scope(machine, worker);
        const Frame frame(machine, "f");
        machine.block("nothing");
    } catch (const FatalHazard&) {
    }
    EXPECT_THAT(worker.frames, IsEmpty());
    EXPECT_THAT(machine.hazards()[0].access.frames, ElementsAre("f"));
}

TEST(Reports, ShowTheChainInnermostFirst) {
    Machine machine;
    const Frame outer(machine, "outer");
    const Frame inner(machine, "inner");
    mild(machine);
    EXPECT_EQ(sim::report_text(machine.hazards()[0]), "HAZARD: mild of x: x\n"
                                                      "  object: x\n"
                                                      "  noticed at 0 ns by task set-up\n"
                                                      "    inner\n"
                                                      "    outer\n");
}

TEST(Locks, OnlyTheHolderMayRelease) {
    Machine machine;
    sim::SpinLock lock;
    sim::Context irq(sim::ContextKind::irq, "gfx", machine.next_context_id());
    lock.lock(machine, "l");
    {
        const sim::ContextScope scope(machine, irq);
        EXPECT_FALSE(lock.held_by_current(machine));
        EXPECT_THROW(lock.unlock(machine, "l"), FatalHazard);
    }
    EXPECT_TRUE(lock.held_by_current(machine));
    lock.unlock(machine, "l");
    ASSERT_THAT(machine.hazards(), SizeIs(1));
    EXPECT_EQ(machine.hazards()[0].message,
              "spinlock l is released by somebody who does not hold it");
    EXPECT_EQ(machine.hazards()[0].access.context, "irq gfx");
}

class World : public testing::Test {
  protected:
    void at(sim::Time when, std::function<void()> body) {
        actions.push_back(std::move(body));
        machine.engine.arm(
            when,
            [](void* self, std::uint64_t index) { static_cast<World*>(self)->actions[index](); },
            this, actions.size() - 1);
    }
    void run() { machine.engine.run(nullptr, 1'000'000); }

    /// Slots and generations are the same in every run, so that of the first owner is known from
    /// another one.
    static fences::OwnerRef first_owner() { return Parts().driver.create_context("other"); }

    struct Parts {
        Machine machine;
        sim::Rcu rcu{machine, 100};
        fences::FenceCore core{machine, rcu, fences::find_preset("borrowed-lock")->policy};
        fences::HardwareFences driver{core, core.modules.alloc(fences::Module{"drv", 0})};
        fences::Containers containers{core};
    };
    Parts parts;
    Machine& machine = parts.machine;
    fences::FenceCore& core = parts.core;
    fences::HardwareFences& driver = parts.driver;
    fences::Containers& containers = parts.containers;
    std::vector<std::function<void()>> actions;
};

TEST_F(World, AWantedObjectsBirthAndDeathAreInTheReport) {
    fences::OwnerRef context;
    fences::FenceRef fence;
    const fences::OwnerRef first = first_owner();
    machine.want("owner", first.pack());
    at(10, [&] {
        machine.start_task("open", [&] {
            const Frame frame(machine, "driver: open");
            context = driver.create_context("a/gfx");
            fence = driver.create({context, {}, {}}, 1, 1);
            containers.put_in(fences::ContainerKind::sync_file, "f", fence);
        });
    });
    at(20, [&] { machine.start_task("close", [&] { driver.abandon_context(context); }); });
    at(30, [&] { machine.start_task("user", [&] { containers.query("f"); }); });
    EXPECT_THROW(run(), FatalHazard);
    ASSERT_EQ(context, first);
    const sim::Hazard& hazard = machine.hazards().front();
    EXPECT_EQ(sim::headline(hazard),
              "use-after-free of names: context a/gfx is accessed after its death");
    EXPECT_EQ(hazard.object, "context a/gfx");
    EXPECT_EQ(hazard.key, first.pack());
    EXPECT_EQ(hazard.pool, "owner");
    EXPECT_EQ(hazard.allocated.time, 10u);
    EXPECT_EQ(hazard.allocated.context, "task open");
    EXPECT_THAT(hazard.allocated.frames, ElementsAre("driver: open"));
    EXPECT_EQ(hazard.freed.time, 20u);
    EXPECT_EQ(hazard.freed.context, "task close");
    EXPECT_THAT(hazard.freed.frames, ElementsAre("driver: free the context"));
    EXPECT_EQ(hazard.access.time, 30u);
    EXPECT_EQ(hazard.access.context, "task user");
    EXPECT_THAT(hazard.access.frames,
                ElementsAre("sync_file_ioctl_fence_info", "fence->ops->get_timeline_name",
                            "driver: get_timeline_name"));
}

TEST_F(World, AnObjectThatNobodyAskedForHasNoHistory) {
    const fences::OwnerRef context = driver.create_context("a/gfx");
    driver.abandon_context(context);
    EXPECT_THROW((void)core.owners.get(context, "lock"), FatalHazard);
    const sim::Hazard& hazard = machine.hazards().front();
    EXPECT_FALSE(hazard.allocated.known);
    EXPECT_FALSE(hazard.freed.known);
    EXPECT_EQ(hazard.message, "a owner is accessed after its death");
    EXPECT_TRUE(hazard.access.known);
}

TEST_F(World, AHistoryIsThatOfOneLifeOnly) {
    const fences::OwnerRef first = driver.create_context("first");
    machine.want("owner", fences::OwnerRef{first.index(), first.generation() + 2}.pack());
    driver.abandon_context(first);
    const fences::OwnerRef second = driver.create_context("second");
    EXPECT_EQ(second.index(), first.index());
    driver.abandon_context(second);
    EXPECT_THROW((void)core.owners.get(second, "lock"), FatalHazard);
    EXPECT_THROW((void)core.owners.get(first, "lock"), FatalHazard);
    EXPECT_EQ(machine.hazards()[0].object, "context second");
    EXPECT_FALSE(machine.hazards()[1].freed.known);
}

TEST_F(World, ADoubleFreeSaysWhoFreedItFirst) {
    const fences::OwnerRef first = first_owner();
    machine.want("owner", first.pack());
    const fences::OwnerRef context = driver.create_context("a/gfx");
    machine.start_task("one", [&] { core.owners.free(context); });
    EXPECT_THROW(machine.start_task("two", [&] { core.owners.free(context); }), FatalHazard);
    const std::string text = sim::report_text(machine.hazards().front());
    EXPECT_THAT(text, HasSubstr("context a/gfx is freed twice"));
    EXPECT_THAT(text, HasSubstr("freed again at 0 ns by task two"));
    EXPECT_THAT(text, HasSubstr("freed at 0 ns by task one"));
}

TEST(Fibers, WithFibersForAllEveryWorkItemMayBlock) {
    Machine machine;
    machine.fibers_for_all = true;
    sim::Workqueue queue(machine, "q", 0);
    sim::Work work([](void* self, std::uint64_t) { static_cast<Machine*>(self)->block("a gate"); },
                   &machine, 0);
    queue.queue(work);
    machine.engine.run(nullptr, 10);
    ASSERT_THAT(machine.blocked(), SizeIs(1));
    machine.wake(*machine.blocked().front());
    machine.engine.run(nullptr, 10);
    EXPECT_THAT(machine.blocked(), IsEmpty());
    EXPECT_THAT(machine.hazards(), IsEmpty());
}

// The same context has the same name in both forms, or reports of one run would differ from those
// of the other.
TEST(Fibers, AnItemOfTheSystemWorkqueueRunsInAWorkerOnAFiberToo) {
    for (const bool fibers : {false, true}) {
        Machine machine;
        machine.fibers_for_all = fibers;
        sim::SystemWorkqueue queue(machine, 0);
        queue.schedule([](void* self, std::uint64_t) { mild(*static_cast<Machine*>(self)); },
                       &machine, 0);
        machine.engine.run(nullptr, 10);
        EXPECT_EQ(machine.hazards()[0].access.context, "worker system_wq") << fibers;
    }
}

} // namespace
} // namespace fenceline
