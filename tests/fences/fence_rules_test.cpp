// Rules that concern a fence by itself: ops that are detached, names, pinned modules, counted
// callbacks, sizes.
#include "fence_fixture.hpp"
#include "fences/sizes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::fences {
namespace {

using namespace testing_support;
using testing::ElementsAre;
using testing::IsEmpty;

/// A driver with a context, and a fence of it that nobody else holds.
struct Driver : World {
    explicit Driver(const LifetimePolicy& policy)
        : World(policy), context(h_fences.create_context("app/gfx")) {}
    FenceRef make(std::uint32_t seqno = 1) { return h_fences.create({context, {}, {}}, 7, seqno); }
    std::string names(FenceRef ref) {
        return core.driver_name(ref) + "/" + core.timeline_name(ref);
    }
    OwnerRef context;
};

LifetimePolicy hardware(FenceRules rules) {
    LifetimePolicy policy = preset("inline-lock");
    policy.hardware = rules;
    return policy;
}

// --- ops: detach_on_signal -----------------------------------------------------------------------

TEST(DetachedOps, AreGoneOnceTheFenceHasSignalledSoThatTheModuleMayGo) {
    Driver driver(hardware({.ops = OpsRule::detach_on_signal}));
    const FenceRef ref = driver.make();
    EXPECT_EQ(driver.names(ref), "drv/app/gfx");
    EXPECT_FALSE(driver.core.is_detached(driver.core.get(ref)));
    driver.core.signal(ref);
    EXPECT_TRUE(driver.core.is_detached(driver.core.get(ref)));
    driver.core.owners.free(driver.context);
    driver.core.modules.free(driver.driver);
    EXPECT_EQ(driver.names(ref), "detached-driver/signaled-timeline");
    EXPECT_TRUE(driver.core.is_signaled(ref));
    driver.core.set_deadline(ref, 5);
    EXPECT_EQ(driver.core.status(ref), 1);
    EXPECT_EQ(driver.core.deadline_of(ref), std::nullopt);
    driver.core.put(ref, Holder::sync_file);
    driver.run();
    EXPECT_EQ(driver.core.hardware.live(), 0u);
    EXPECT_THAT(driver.verdicts(), IsEmpty());
}

TEST(DetachedOps, StayWhileTheFenceHasNotSignalled) {
    Driver driver(hardware({.ops = OpsRule::detach_on_signal}));
    const FenceRef ref = driver.make();
    driver.core.modules.free(driver.driver);
    EXPECT_THROW((void)driver.core.driver_name(ref), sim::FatalHazard);
    EXPECT_THAT(driver.verdicts(), ElementsAre("use-after-free of ops"));
}

TEST(DetachedOps, StayForEverWhereThereIsARelease) {
    Driver driver(hardware({.context = ContextRule::refcounted,
                            .release = ReleaseRule::callback,
                            .ops = OpsRule::detach_on_signal}));
    const FenceRef ref = driver.make();
    driver.core.signal(ref);
    EXPECT_FALSE(driver.core.is_detached(driver.core.get(ref)));
    driver.core.modules.free(driver.driver);
    EXPECT_THROW(driver.core.put(ref, Holder::sync_file), sim::FatalHazard);
    EXPECT_THAT(driver.verdicts(), ElementsAre("use-after-free of ops"));
}

TEST(DetachedOps, DoNotTakeTheSlabWithThem) {
    Driver driver(hardware({.ops = OpsRule::detach_on_signal, .memory = MemoryRule::slab}));
    const FenceRef ref = driver.make();
    driver.core.signal(ref);
    EXPECT_EQ(driver.core.modules.get(driver.driver).slab_objects, 1u);
    driver.core.put(ref, Holder::sync_file);
    driver.run();
    EXPECT_EQ(driver.core.modules.get(driver.driver).slab_objects, 0u);
}

// --- names ---------------------------------------------------------------------------------------

TEST(SafeNames, AreConstantsAfterTheSignalAndTheDriversBefore) {
    Driver driver(hardware({.names = NamesRule::safe}));
    const FenceRef ref = driver.make();
    EXPECT_EQ(driver.names(ref), "drv/app/gfx");
    driver.core.signal(ref);
    driver.core.owners.free(driver.context);
    driver.core.modules.free(driver.driver);
    EXPECT_EQ(driver.names(ref), "detached-driver/signaled-timeline");
}

TEST(SafeNames, AreReadInTheContextBeforeTheSignalEvenWhereThatIsGone) {
    Driver driver(hardware({.names = NamesRule::safe}));
    const FenceRef ref = driver.make();
    driver.core.owners.free(driver.context);
    EXPECT_THROW((void)driver.core.timeline_name(ref), sim::FatalHazard);
    EXPECT_THAT(driver.verdicts(), ElementsAre("use-after-free of names"));
}

TEST(ConstantNames, AreTheDriversOwnWayAndNeedItsText) {
    Driver driver(hardware({.names = NamesRule::constant_after_signal}));
    const FenceRef ref = driver.make();
    EXPECT_EQ(driver.names(ref), "drv/app/gfx");
    driver.core.signal(ref);
    driver.core.owners.free(driver.context);
    EXPECT_EQ(driver.names(ref), "detached-driver/signaled-timeline");
    driver.core.modules.free(driver.driver);
    EXPECT_THROW((void)driver.core.timeline_name(ref), sim::FatalHazard);
    EXPECT_THAT(driver.verdicts(), ElementsAre("use-after-free of ops"));
}

TEST(CopiedNames, DieWithTheFenceAndTakeMemory) {
    Driver driver(hardware({.names = NamesRule::copied}));
    const FenceRef ref = driver.make();
    driver.core.owners.free(driver.context);
    driver.core.modules.free(driver.driver);
    EXPECT_EQ(driver.names(ref), "drv/app/gfx");
    // "drv" and "app/gfx" with their ends: 12 bytes, which kmalloc rounds to 16.
    EXPECT_EQ(driver.core.pinned_bytes(ref), 64u + 16u);
}

TEST(CopiedNames, OfThePublicPairAnswerForBothHalves) {
    LifetimePolicy policy = preset("split");
    policy.public_rules.names = NamesRule::copied;
    World world(policy);
    const OwnerRef sched = world.owner(OwnerKind::scheduler, "gfx");
    const FenceRef pair = world.pair(sched);
    world.core.owners.free(sched);
    EXPECT_EQ(world.core.timeline_name(pair), "gfx");
    EXPECT_EQ(world.core.timeline_name(pair.sibling(FencePart::scheduled)), "gfx");
    EXPECT_EQ(world.core.driver_name(pair), "drm_sched");
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

// --- module --------------------------------------------------------------------------------------

TEST(PinnedModule, IsHeldByEachFenceUntilItsMemoryGoesAndCostsTwoAtomics) {
    Driver driver(hardware({.module = ModuleRule::pinned_by_fence}));
    const std::uint64_t before = driver.machine.counters.atomics;
    const FenceRef ref = driver.make();
    EXPECT_EQ(driver.machine.counters.atomics, before + 1);
    const auto users = [&] { return driver.core.modules.get(driver.driver).users.peek(); };
    EXPECT_EQ(users(), 1u);
    EXPECT_EQ(driver.core.first_user_of(driver.driver), "hardware fence 7:1");
    driver.core.signal(ref);
    driver.core.put(ref, Holder::sync_file);
    EXPECT_EQ(users(), 1u) << "its memory is there until a grace period has passed";
    driver.run();
    EXPECT_EQ(users(), 0u);
}

TEST(PinnedModule, ByTheContextIsHeldUntilTheContextDies) {
    Driver driver(hardware({.context = ContextRule::refcounted,
                            .release = ReleaseRule::callback,
                            .module = ModuleRule::pinned_by_context}));
    const auto users = [&] { return driver.core.modules.get(driver.driver).users.peek(); };
    EXPECT_EQ(users(), 1u);
    const FenceRef ref = driver.make();
    EXPECT_EQ(users(), 1u);
    EXPECT_EQ(driver.core.first_user_of(driver.driver), "context app/gfx");
    driver.h_fences.abandon_context(driver.context);
    driver.core.signal(ref);
    EXPECT_EQ(users(), 1u) << "the fence counts the context";
    driver.core.put(ref, Holder::sync_file);
    EXPECT_EQ(users(), 0u);
}

// --- callbacks: counted --------------------------------------------------------------------------

TEST(CountedCallbacks, HoldTheFenceUntilTheyRanOrWereRemoved) {
    Driver driver(hardware({.callbacks = CallbacksRule::counted}));
    Calls calls;
    const FenceRef ref = driver.make();
    const auto references = [&] { return driver.core.get(ref).references.peek(); };
    const auto first = driver.core.add_callback(ref, Calls::call, &calls, 1);
    (void)driver.core.add_callback(ref, Calls::call, &calls, 2);
    EXPECT_EQ(references(), 3u);
    EXPECT_TRUE(driver.core.remove_callback(ref, *first));
    EXPECT_EQ(references(), 2u);
    EXPECT_FALSE(driver.core.remove_callback(ref, *first));
    EXPECT_EQ(references(), 2u);
    driver.core.signal(ref);
    EXPECT_THAT(calls.seen, ElementsAre(2u));
    EXPECT_EQ(references(), 1u);
}

TEST(CountedCallbacks, KeepAFenceThatItsOwnerHasPut) {
    Driver driver(hardware({.callbacks = CallbacksRule::counted}));
    Calls calls;
    const FenceRef ref = driver.make();
    (void)driver.core.add_callback(ref, Calls::call, &calls, 1);
    driver.core.put(ref, Holder::driver);
    driver.run();
    driver.core.signal(ref);
    driver.run();
    EXPECT_THAT(calls.seen, ElementsAre(1u));
    EXPECT_EQ(driver.core.hardware.live(), 0u);
    EXPECT_THAT(driver.verdicts(), IsEmpty());
}

TEST(CountedCallbacks, CountWhoeverSleepsAsWell) {
    Driver driver(hardware({.callbacks = CallbacksRule::counted}));
    const FenceRef ref = driver.make();
    driver.machine.start_task("waiter", [&] { (void)driver.core.wait_timeout(ref, 50); });
    EXPECT_EQ(driver.core.get(ref).references.peek(), 2u);
    driver.run();
    EXPECT_EQ(driver.core.get(ref).references.peek(), 1u) << "it gave up";
}

// --- the public pair -----------------------------------------------------------------------------

TEST(CountedPublicContext, KeepsTheNameUntilThePairGoes) {
    LifetimePolicy policy = preset("split");
    policy.public_rules.context = ContextRule::refcounted;
    World world(policy);
    const OwnerRef sched = world.owner(OwnerKind::scheduler, "gfx");
    world.core.owners.get(sched).references.init();
    const FenceRef pair = world.pair(sched);
    world.core.abandon_context(sched);
    EXPECT_EQ(world.core.timeline_name(pair), "gfx");
    world.s_fences.scheduled(pair, {});
    world.s_fences.finished(pair, 0);
    EXPECT_EQ(world.core.ledger.peak_bytes(), 192u + kContextBytes);
    world.core.put(pair, Holder::sync_file);
    world.run();
    EXPECT_EQ(world.core.owners.live(), 0u);
    EXPECT_EQ(world.core.pairs.live(), 0u);
}

TEST(BorrowedPublicLock, GoesWithWhoeverItBelongsTo) {
    LifetimePolicy policy = preset("split");
    policy.public_rules.lock = LockRule::queue;
    World world(policy);
    const OwnerRef sched = world.owner(OwnerKind::scheduler, "gfx");
    const FenceRef pair = world.s_fences.create();
    world.s_fences.init(pair, sched, 1, 1, sched);
    world.s_fences.scheduled(pair, {});
    world.s_fences.finished(pair, 0);
    EXPECT_EQ(world.core.status(pair), 1);
    world.core.owners.free(sched);
    EXPECT_THROW((void)world.core.status(pair), sim::FatalHazard);
    EXPECT_THAT(world.verdicts(), ElementsAre("use-after-free of lock"));
}

TEST(FinishedOnly, IsOneFenceThatLetsGoOfItsParentAtSignal) {
    World world(preset("refcount-all"));
    const OwnerRef sched = world.owner(OwnerKind::scheduler, "gfx");
    const FenceRef ref = world.pair(sched);
    const FenceRef parent = world.fence();
    world.s_fences.scheduled(ref, parent);
    EXPECT_EQ(world.core.signalled(), 0u) << "there is nothing else to signal";
    EXPECT_EQ(world.core.peak_alive(), 2u);
    EXPECT_EQ(world.core.get(parent).references.peek(), 2u);
    world.s_fences.finished(ref, 0);
    EXPECT_EQ(world.core.get(parent).references.peek(), 1u);
    EXPECT_TRUE(world.core.is_detached(world.core.get(ref)));
    EXPECT_EQ(world.core.ledger.peak_bytes(), 128u);
    world.core.put(ref, Holder::sync_file);
    world.run();
    EXPECT_EQ(world.core.pairs.live(), 0u);
}

// --- sizes ---------------------------------------------------------------------------------------

TEST(Sizes, AreThoseOfTheLayoutsForEachConfiguration) {
    using enum KernelConfig;
    const auto of = [](auto bytes) {
        return std::vector<std::uint64_t>{bytes(plain), bytes(rt), bytes(lockdep)};
    };
    EXPECT_THAT(of([](auto c) { return sizes::fence(false, c); }), ElementsAre(64u, 64u, 64u));
    EXPECT_THAT(of([](auto c) { return sizes::fence(true, c); }), ElementsAre(64u, 88u, 128u));
    EXPECT_THAT(of([](auto c) { return sizes::pair(LockRule::shared, c); }),
                ElementsAre(176u, 200u, 240u));
    EXPECT_THAT(of([](auto c) { return sizes::pair(LockRule::in_fence, c); }),
                ElementsAre(168u, 216u, 296u));
}

TEST(Sizes, OfFencesFollowTheirRules) {
    EXPECT_EQ(hardware_fence_bytes(preset("split")), kFenceBytes);
    EXPECT_EQ(sched_fence_bytes(preset("split")), kSchedFenceBytes);
    EXPECT_EQ(sched_fence_bytes(preset("split"), KernelConfig::lockdep), 256u);
    EXPECT_EQ(hardware_fence_bytes(hardware({.memory = MemoryRule::shared_allocation})), 96u)
        << "64 and 24, in kmalloc's next size";
    EXPECT_EQ(hardware_fence_bytes(hardware({.memory = MemoryRule::embedded_in_job})), sizes::kJob);
    EXPECT_EQ(sched_fence_bytes(preset("refcount-all")), 128u) << "64 and 40";
    for (const Preset& p : presets())
        if (p.policy.plain_jobs()) { // the fast way books these constants
            EXPECT_EQ(hardware_fence_bytes(p.policy), kFenceBytes) << p.name;
            EXPECT_EQ(sched_fence_bytes(p.policy), kSchedFenceBytes) << p.name;
        }
}

} // namespace
} // namespace fenceline::fences
