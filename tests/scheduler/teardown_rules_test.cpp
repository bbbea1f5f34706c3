// What the policy demands before the driver goes: cancel, assert, wait; modules that are pinned;
// rights to signal that are dropped; and what happens when the driver does nothing of it.
#include "policy_fixture.hpp"
#include "sched_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::scheduler {
namespace {

using namespace testing_support;
using fences::FenceRef;
using fences::Holder;
using fences::TeardownRule;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

fences::LifetimePolicy with_teardown(std::string_view preset, TeardownRule rule) {
    return policy(preset, [rule](auto& p) { p.teardown = rule; });
}

/// Two jobs of which the first is on the ring, and a task that unloads the driver at 30.
struct Busy : SchedWorld {
    explicit Busy(const fences::LifetimePolicy& p)
        : SchedWorld(p), gfx(ring("gfx", with(Policy::fifo, 1))), a(entity("a", {gfx})) {
        push(a, 0, {.duration = 100});
        push(a, 1, {.duration = 100});
    }
    void unload_at(sim::Time when) {
        at(when, [this] {
            machine.start_task(
                "rmmod",
                [this] {
                    refusal = driver.unload();
                    unloaded = machine.now();
                },
                &waits);
        });
    }
    SchedulerRef gfx;
    EntityRef a;
    std::vector<sim::WaitRecord> waits;
    std::string refusal;
    sim::Time unloaded = sim::kForever;
};

// --- teardown ------------------------------------------------------------------------------------

TEST(Cancel, EverythingFinishesWithAnErrorBeforeAnythingIsFreed) {
    for (const char* preset : {"split", "borrowed-lock", "refcount-all"}) {
        Busy world(with_teardown(preset, TeardownRule::cancel));
        world.unload_at(30);
        world.run();
        EXPECT_THAT(world.log.of_job(0), Contains("finished 0@30 err=-125")) << preset;
        EXPECT_THAT(world.log.of_job(1), Contains("finished 1@30 err=-125")) << preset;
        EXPECT_THAT(world.log.order(JobEvent::free_job), testing::SizeIs(2)) << preset;
        EXPECT_FALSE(world.driver.loaded());
        EXPECT_EQ(world.gpu.jobs.live(), 0u);
        EXPECT_EQ(world.gpu.schedulers.live(), 0u);
        EXPECT_THAT(world.verdicts(), IsEmpty()) << preset;
    }
}

TEST(AssertSignalled, FindsTheFirstFenceThatHasNot) {
    Busy world(with_teardown("inline-lock", TeardownRule::assert_signalled));
    world.unload_at(30);
    EXPECT_THROW(world.run(), sim::FatalHazard);
    ASSERT_THAT(world.verdicts(), ElementsAre("unsignalled-at-teardown of fence"));
    EXPECT_THAT(world.machine.hazards()[0].message, HasSubstr("the first is hardware fence a:1"));
}

TEST(AssertSignalled, HasNothingToSayWhenAllIsDoneAndCostsTwoAtomicsAFence) {
    const auto atomics = [](TeardownRule rule) {
        Busy world(policy("detached-ops", [rule](auto& p) { p.teardown = rule; }));
        world.unload_at(3000);
        world.run();
        EXPECT_THAT(world.verdicts(), IsEmpty());
        return world.machine.counters.atomics;
    };
    EXPECT_EQ(atomics(TeardownRule::assert_signalled), atomics(TeardownRule::none) + 2 * 2);
}

TEST(WaitForReferences, BlocksUntilTheLastHolderLetsGoAndSaysForWhom) {
    for (const char* preset : {"split", "borrowed-lock"}) {
        Busy world(with_teardown(preset, TeardownRule::wait_for_references));
        FenceRef held;
        world.at(1, [&] {
            world.gpu.jobs.for_each_live([&](JobRef, const Job& job) {
                if (job.id == 0)
                    held = world.core.take(job.hardware ? job.hardware : job.s_fence);
            });
        });
        world.at(10'000, [&] { world.core.put(held, Holder::sync_file); });
        world.unload_at(1000);
        world.run();
        EXPECT_GT(world.unloaded, 10'000u) << preset;
        ASSERT_FALSE(world.waits.empty());
        std::vector<std::string> reasons;
        for (const sim::WaitRecord& wait : world.waits)
            reasons.emplace_back(wait.reason);
        EXPECT_THAT(reasons, Contains(HasSubstr("to be released, the first is"))) << preset;
        EXPECT_THAT(world.verdicts(), IsEmpty()) << preset;
        EXPECT_EQ(world.core.hardware.live(), 0u);
    }
}

TEST(BrokenContract, DoesNothingOfTheSort) {
    for (const TeardownRule rule :
         {TeardownRule::drain, TeardownRule::cancel, TeardownRule::wait_for_references}) {
        fences::LifetimePolicy broken = with_teardown("borrowed-lock", rule);
        broken.keeps_contract = false;
        Busy world(broken);
        world.unload_at(30);
        EXPECT_THROW(world.run(), sim::FatalHazard);
        EXPECT_EQ(world.unloaded, 30u);
        EXPECT_THAT(world.waits, IsEmpty());
    }
}

// --- module --------------------------------------------------------------------------------------

TEST(PinnedDriver, IsNotUnloadedWhileAFenceIsLeft) {
    Busy world(policy("borrowed-lock",
                      [](auto& p) { p.hardware.module = fences::ModuleRule::pinned_by_fence; }));
    world.unload_at(30);
    world.run(50);
    EXPECT_EQ(world.refusal,
              "refused, module drv is in use: 2 references, the first of hardware fence a:1");
    EXPECT_TRUE(world.driver.loaded());
    EXPECT_TRUE(world.driver.bound(world.device));
    world.task_at(3000, "close", [&] {
        world.gpu.entity_fini(world.a); // it kept the last fence
        world.driver.close_entity(world.a);
    });
    world.unload_at(4000);
    world.run();
    EXPECT_EQ(world.refusal, "");
    EXPECT_FALSE(world.driver.loaded());
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(PinnedDriver, IsHeldByContextsThatAreOpen) {
    Busy world(policy("refcounted-context",
                      [](auto& p) { p.hardware.module = fences::ModuleRule::pinned_by_context; }));
    world.unload_at(3000);
    world.run();
    EXPECT_EQ(world.refusal, "refused, module drv is in use: 1 reference, the first of context a");
}

TEST(PinnedDriver, GoesAllTheSameWhenItIsForced) {
    fences::LifetimePolicy forced = policy(
        "borrowed-lock", [](auto& p) { p.hardware.module = fences::ModuleRule::pinned_by_fence; });
    forced.keeps_contract = false;
    Busy world(forced);
    world.unload_at(30);
    EXPECT_THROW(world.run(), sim::FatalHazard);
    EXPECT_FALSE(world.driver.loaded());
}

// --- signal_on_drop ------------------------------------------------------------------------------

TEST(SignalOnDrop, AJobThatIsNotResubmittedFailsInsteadOfNever) {
    const auto play = [](bool rule) {
        SchedWorld world(policy("borrowed-lock", [rule](auto& p) { p.signal_on_drop = rule; }));
        const SchedulerRef gfx =
            world.ring("gfx", with_timeout(1, 100), 0, 0, OnTimeout::reset_no_resubmit);
        const EntityRef a = world.entity("a", {gfx});
        world.push(a, 0, {.duration = sim::kForever});
        FenceRef own;
        world.at(1, [&] {
            world.gpu.jobs.for_each_live(
                [&](JobRef, const Job& job) { own = world.core.take(job.hardware); });
        });
        std::int32_t at_reset = 0;
        world.at(100, [&] { at_reset = world.core.status(own); });
        world.run();
        EXPECT_THAT(world.verdicts(), IsEmpty());
        return std::pair{at_reset, world.core.status(own)};
    };
    // Without the rule free_job is what tells whoever waits.
    EXPECT_EQ(play(true).second, kEcanceled);
    EXPECT_EQ(play(false).second, kEcanceled);
}

TEST(SignalOnDrop, ADeviceThatGoesWithJobsOnTheRingSignalsThem) {
    for (const char* preset : {"split", "inline-lock", "refcount-all"}) {
        Busy world(policy(preset, [](auto& p) {
            p.signal_on_drop = true;
            p.teardown = TeardownRule::none;
        }));
        world.unload_at(30);
        try { // job 1 is killed by a work item that may come after the scheduler's end
            world.run();
        } catch (const sim::FatalHazard&) {
        }
        EXPECT_THAT(world.log.of_job(0), Contains("finished 0@30 err=-125")) << preset;
        for (const std::string& verdict : world.verdicts())
            EXPECT_THAT(verdict, testing::Not(HasSubstr("lock"))) << preset;
    }
}

// --- callbacks, borrowed public locks ------------------------------------------------------------

TEST(CountedCallbacks, OfASchedulerAreRemovedBeforeItGoes) {
    const auto play = [](fences::CallbacksRule rule) {
        Busy world(policy("inline-lock", [rule](auto& p) { p.hardware.callbacks = rule; }));
        world.task_at(30, "unbind", [&] { world.driver.unbind(world.device); });
        try {
            world.run();
        } catch (const sim::FatalHazard&) {
        }
        return world.verdicts();
    };
    EXPECT_THAT(play(fences::CallbacksRule::uncounted), ElementsAre("use-after-free of scheduler"));
    EXPECT_THAT(play(fences::CallbacksRule::counted),
                testing::Not(Contains("use-after-free of scheduler")));
}

TEST(BorrowedPublicLock, OfEachOwnerIsGoneWithIt) {
    using fences::LockRule;
    for (const LockRule rule :
         {LockRule::ring, LockRule::queue, LockRule::device, LockRule::context}) {
        SchedWorld world(policy("split", [rule](auto& p) {
            p.public_rules.lock = rule;
            p.hardware.lock = LockRule::in_fence;
        }));
        const SchedulerRef gfx = world.ring("gfx", with(Policy::fifo, 1));
        const EntityRef a = world.entity("a", {gfx});
        const FenceRef held = world.core.take(world.push(a, 0, {.duration = 10}));
        world.run();
        EXPECT_EQ(world.core.status(held), 1);
        world.task_at(1000, "end", [&] {
            world.gpu.entity_fini(a);
            world.driver.close_entity(a);
        });
        world.run();
        if (rule != LockRule::context) {
            EXPECT_EQ(world.core.status(held), 1);
            world.task_at(2000, "unbind", [&] { world.driver.unbind(world.device); });
            world.run();
        }
        EXPECT_THROW((void)world.core.status(held), sim::FatalHazard);
        EXPECT_THAT(world.verdicts(), ElementsAre("use-after-free of lock"));
    }
}

TEST(BorrowedPublicLock, ThatIsTheHardwareFencesOwnDeadlocksInTheCallback) {
    SchedWorld world(
        policy("split", [](auto& p) { p.public_rules.lock = fences::LockRule::ring; }));
    const SchedulerRef gfx = world.ring("gfx", with(Policy::fifo, 1));
    const EntityRef a = world.entity("a", {gfx});
    world.push(a, 0, {.duration = 10});
    EXPECT_THROW(world.run(), sim::FatalHazard);
    EXPECT_THAT(world.verdicts(), ElementsAre("deadlock of lock"));
}

} // namespace
} // namespace fenceline::scheduler
