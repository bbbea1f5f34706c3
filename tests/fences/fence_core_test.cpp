// The life of a fence: dma-fence.c.
#include "fence_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::fences {
namespace {

using namespace testing_support;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(FenceRef, SaysWhichPartOfWhichMemoryItMeans) {
    for (const FencePart part : {FencePart::hardware, FencePart::scheduled, FencePart::finished}) {
        const FenceRef ref(part, 12344, 7);
        EXPECT_EQ(ref.part(), part);
        EXPECT_EQ(ref.index(), 12344u);
        EXPECT_EQ(FenceRef::unpack(ref.pack()), ref);
    }
    const FenceRef finished(FencePart::finished, 12, 9);
    EXPECT_EQ(finished.sibling(FencePart::scheduled), FenceRef(FencePart::scheduled, 12, 9));
    EXPECT_FALSE(FenceRef{});
}

TEST(Fence, BeginsUnsignalledWithOneReference) {
    World world;
    const FenceRef fence = world.fence();
    EXPECT_FALSE(world.core.is_signaled(fence));
    EXPECT_EQ(world.core.status(fence), 0);
    EXPECT_EQ(world.core.get(fence).references.peek(), 1u);
}

TEST(Fence, CallbacksRunOnceInTheOrderOfAddition) {
    World world;
    Calls calls;
    const FenceRef fence = world.fence();
    for (const std::uint64_t number : {3u, 1u, 2u})
        EXPECT_TRUE(world.core.add_callback(fence, Calls::call, &calls, number));
    EXPECT_THAT(calls.seen, IsEmpty());
    EXPECT_TRUE(world.core.signal(fence));
    EXPECT_THAT(calls.seen, ElementsAre(3u, 1u, 2u));
    EXPECT_EQ(world.core.signalled(), 1u);
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(Fence, CallbacksSeeTheFlagTheTimestampAndTheLock) {
    World world;
    const FenceRef fence = world.fence();
    static bool flag, held;
    static sim::Time timestamp;
    world.core.add_callback(
        fence,
        [](void* env, FenceRef ref, std::uint64_t) {
            auto& core = *static_cast<FenceCore*>(env);
            const Fence& memory = core.get(ref);
            flag = memory.is_signaled_bit();
            held = memory.lock.held_by_current(core.machine);
            timestamp = memory.timestamp;
        },
        &world.core, 0);
    world.run_until(50);
    world.core.signal(fence);
    EXPECT_TRUE(flag);
    EXPECT_TRUE(held);
    EXPECT_EQ(timestamp, 50u);
    EXPECT_FALSE(world.core.get(fence).lock.held_by_current(world.machine));
}

TEST(Fence, AddingAfterSignalIsRefused) {
    World world;
    Calls calls;
    const FenceRef fence = world.fence();
    world.core.signal(fence);
    const auto locks = world.machine.counters.locks;
    EXPECT_FALSE(world.core.add_callback(fence, Calls::call, &calls, 1));
    EXPECT_EQ(world.machine.counters.locks, locks) << "the flag is looked at without the lock";
    EXPECT_THAT(calls.seen, IsEmpty());
}

TEST(Fence, ARemovedCallbackDoesNotRun) {
    for (const std::uint64_t removed : {0u, 1u, 2u}) {
        World world;
        Calls calls;
        const FenceRef fence = world.fence();
        std::vector<CallbackRef> callbacks;
        for (std::uint64_t number = 0; number < 3; ++number)
            callbacks.push_back(*world.core.add_callback(fence, Calls::call, &calls, number));
        EXPECT_TRUE(world.core.remove_callback(fence, callbacks[removed]));
        EXPECT_FALSE(world.core.remove_callback(fence, callbacks[removed]));
        world.core.add_callback(fence, Calls::call, &calls, 3);
        world.core.signal(fence);
        std::vector<std::uint64_t> expected{0, 1, 2, 3};
        std::erase(expected, removed);
        EXPECT_EQ(calls.seen, expected);
    }
}

TEST(Fence, RemovingAllLeavesAUsableList) {
    World world;
    Calls calls;
    const FenceRef fence = world.fence();
    const auto first = *world.core.add_callback(fence, Calls::call, &calls, 1);
    const auto second = *world.core.add_callback(fence, Calls::call, &calls, 2);
    EXPECT_TRUE(world.core.remove_callback(fence, second));
    EXPECT_TRUE(world.core.remove_callback(fence, first));
    world.core.add_callback(fence, Calls::call, &calls, 3);
    world.core.signal(fence);
    EXPECT_THAT(calls.seen, ElementsAre(3u));
}

TEST(Fence, RemovingAfterSignalSaysThatItRanAndStillTakesTheLock) {
    World world;
    Calls calls;
    const FenceRef fence = world.fence();
    const auto callback = *world.core.add_callback(fence, Calls::call, &calls, 1);
    world.core.signal(fence);
    const auto locks = world.machine.counters.locks;
    EXPECT_FALSE(world.core.remove_callback(fence, callback));
    EXPECT_EQ(world.machine.counters.locks, locks + 1);
}

TEST(Fence, ACallbackMayDropTheReferenceOfItsRegistrant) {
    World world;
    const FenceRef fence = world.fence();
    world.core.take(fence);
    world.core.add_callback(
        fence,
        [](void* env, FenceRef ref, std::uint64_t) {
            static_cast<FenceCore*>(env)->put(ref, Holder::dependency);
        },
        &world.core, 0);
    world.core.signal(fence);
    EXPECT_EQ(world.core.get(fence).references.peek(), 1u);
}

TEST(Fence, ACallbackThatTakesTheSameLockIsADeadlock) {
    World world;
    const FenceRef fence = world.fence();
    world.core.add_callback(
        fence,
        [](void* env, FenceRef ref, std::uint64_t) {
            (void)static_cast<FenceCore*>(env)->status(ref);
        },
        &world.core, 0);
    EXPECT_THROW(world.core.signal(fence), sim::FatalHazard);
    EXPECT_THAT(world.verdicts(), ElementsAre("deadlock of lock"));
}

TEST(Fence, StatusIsOneOrTheError) {
    World world;
    const FenceRef good = world.fence();
    const FenceRef bad = world.fence();
    world.core.set_error(bad, -5);
    EXPECT_EQ(world.core.status(bad), 0);
    world.core.signal(good);
    world.core.signal(bad);
    EXPECT_EQ(world.core.status(good), 1);
    EXPECT_EQ(world.core.status(bad), -5);
}

TEST(Fence, ASecondSignalIsReportedAndChangesNothing) {
    World world;
    Calls calls;
    const FenceRef fence = world.fence();
    world.core.add_callback(fence, Calls::call, &calls, 1);
    world.core.signal(fence);
    world.run_until(30);
    EXPECT_FALSE(world.core.signal(fence));
    EXPECT_THAT(world.verdicts(), ElementsAre("double-signal of fence"));
    EXPECT_EQ(world.core.get(fence).timestamp, 0u);
    EXPECT_THAT(calls.seen, SizeIs(1));
}

TEST(Fence, TheLastPutFreesAfterAGracePeriod) {
    World world;
    const FenceRef fence = world.fence();
    world.core.take(fence);
    world.core.signal(fence);
    world.core.put(fence, Holder::job);
    EXPECT_EQ(world.rcu.pending(), 0u);
    world.core.put(fence, Holder::job);
    EXPECT_TRUE(world.core.alive(fence));
    world.run();
    EXPECT_EQ(world.machine.now(), 100u);
    EXPECT_FALSE(world.core.alive(fence));
    EXPECT_THROW((void)world.core.is_signaled(fence), sim::FatalHazard);
    EXPECT_THAT(world.verdicts(), ElementsAre("use-after-free of fence"));
}

TEST(Fence, PuttingNothingDoesNothing) {
    World world;
    world.core.put(FenceRef{}, Holder::job);
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(Fence, OneTooManyPutsIsAnUnderflow) {
    World world;
    const FenceRef fence = world.fence();
    world.core.signal(fence);
    world.core.put(fence, Holder::job);
    EXPECT_THROW(world.core.put(fence, Holder::job), sim::FatalHazard);
    EXPECT_THAT(world.verdicts(), ElementsAre("refcount-underflow of fence"));
}

TEST(Fence, AnRcuReaderIsRefusedAFenceThatIsGoing) {
    World world;
    const FenceRef fence = world.fence();
    EXPECT_EQ(world.core.take_rcu(fence), fence);
    world.core.signal(fence);
    world.core.put(fence, Holder::job);
    world.core.put(fence, Holder::job);
    EXPECT_FALSE(world.core.take_rcu(fence)) << "in the grace period the memory is still there";
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(Fence, ReleasedWithWaitersItIsReportedAndSignalledWithAnError) {
    World world;
    const FenceRef fence = world.fence();
    static std::int32_t error;
    error = 0;
    world.core.add_callback(
        fence,
        [](void* env, FenceRef ref, std::uint64_t) {
            error = static_cast<FenceCore*>(env)->get(ref).error;
        },
        &world.core, 0);
    world.core.put(fence, Holder::job);
    EXPECT_THAT(world.verdicts(), ElementsAre("released-unsignalled of fence"));
    EXPECT_EQ(error, -35);
    world.run();
    EXPECT_FALSE(world.core.alive(fence));
}

TEST(Fence, ReleasedWithoutWaitersItJustGoes) {
    World world;
    const FenceRef fence = world.fence();
    world.core.put(fence, Holder::job);
    world.run();
    EXPECT_THAT(world.verdicts(), IsEmpty());
    EXPECT_FALSE(world.core.alive(fence));
}

TEST(Fence, WaitBlocksUntilTheSignal) {
    World world;
    const FenceRef fence = world.fence();
    sim::Time returned = 0;
    world.machine.start_task("waiter", [&] {
        world.core.wait(fence);
        returned = world.machine.now();
    });
    ASSERT_THAT(world.machine.blocked(), SizeIs(1));
    EXPECT_EQ(world.machine.blocked()[0]->waiting_for, "a fence to signal");
    world.run_until(40);
    world.core.signal(fence);
    world.run();
    EXPECT_EQ(returned, 40u);
    EXPECT_THAT(world.machine.blocked(), IsEmpty());
}

TEST(Fence, WaitForASignalledFenceReturnsAtOnce) {
    World world;
    const FenceRef fence = world.fence();
    world.core.signal(fence);
    const auto locks = world.machine.counters.locks;
    world.core.wait(fence);
    EXPECT_EQ(world.machine.counters.locks, locks + 2);
    EXPECT_EQ(world.machine.counters.blocking_waits, 0u);
}

TEST(Fence, OfSeveralWaitersTheNewestGoesOnFirst) { // it stands at the head of the list
    World world;
    const FenceRef fence = world.fence();
    std::vector<std::string> log;
    for (const char* name : {"a", "b", "c"})
        world.machine.start_task(name, [&, name] {
            world.core.wait(fence);
            log.push_back(name);
        });
    world.core.signal(fence);
    world.run();
    EXPECT_THAT(log, ElementsAre("c", "b", "a"));
}

TEST(Fence, ContextNumbersAreNeverGivenTwice) {
    World world;
    const std::uint32_t first = world.core.context_alloc(2);
    EXPECT_EQ(world.core.context_alloc(1), first + 2);
    EXPECT_EQ(world.core.context_alloc(3), first + 3);
}

TEST(Fence, ReportsNameItsContextWhereThatHasAName) {
    World world;
    const FenceRef fence = world.fence();
    EXPECT_EQ(world.core.describe(fence), "hardware fence 7:1");
    world.core.name_context(7, "a/gfx");
    EXPECT_EQ(world.core.describe(fence), "hardware fence a/gfx:1");
    const FenceRef pair = world.pair(world.owner(OwnerKind::scheduler, "gfx"), 9, 4);
    EXPECT_EQ(world.core.describe(pair.sibling(FencePart::scheduled)), "scheduled fence 9:4");
    EXPECT_EQ(world.core.describe(pair), "finished fence 10:4");
    EXPECT_EQ(world.core.describe(FenceRef(FencePart::finished, pair.index(), 1)), "fence");
}

TEST(Fence, LeaksAreNamed) {
    World world;
    const FenceRef fence = world.fence();
    world.core.report_leaks();
    ASSERT_THAT(world.machine.hazards(), SizeIs(1));
    EXPECT_THAT(world.machine.hazards()[0].message, HasSubstr("7:1"));
    world.core.put(fence, Holder::job);
}

// dma_fence_default_wait takes the fence's lock again after it was woken, so a waiter is a user of
// the lock even when its owner dies between the signal and the waiter's turn.
TEST(Fence, AWokenWaiterTakesTheLockAgain) {
    static const FenceOps plain{.type = "plain"};
    World world;
    const OwnerRef lender = world.owner(OwnerKind::context, "a");
    const FenceRef fence = world.fence(plain, 1, lender);
    world.machine.start_task("waiter", [&] { world.core.wait(fence); });
    world.core.signal(fence);
    world.core.owners.free(lender);
    EXPECT_THROW(world.run(), sim::FatalHazard);
    EXPECT_THAT(world.verdicts(), ElementsAre("use-after-free of lock"));
}

} // namespace
} // namespace fenceline::fences
