// The callback that stands in the fence itself (FenceCore::add_own_callback): it has to behave like
// any other, whoever else registers, leaves or waits.

#include "fence_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::fences {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing_support::Calls;
using testing_support::World;

constexpr std::uint64_t kOwner = 0x1234'5678'9abc'def0;

struct OwnWorld : World {
    OwnWorld() {
        core.set_own_callback(
            [](void* env, FenceRef, Fence& fence, std::uint64_t owner) {
                EXPECT_TRUE(fence.is_signaled_bit());
                Calls::call(env, {}, owner);
            },
            &calls);
    }
    CallbackRef add_own(FenceRef ref) { return core.add_own_callback(ref, core.get(ref), kOwner); }
    void add(FenceRef ref, std::uint64_t number) {
        ASSERT_TRUE(core.add_callback(ref, Calls::call, &calls, number));
    }

    Calls calls;
};

TEST(OwnCallback, RunsOnceWhenTheFenceSignals) {
    OwnWorld world;
    const FenceRef fence = world.fence();
    EXPECT_TRUE(world.add_own(fence));
    EXPECT_THAT(world.calls.seen, IsEmpty());
    world.core.signal(fence);
    EXPECT_THAT(world.calls.seen, ElementsAre(kOwner));
    EXPECT_TRUE(world.core.get(fence).callbacks.empty());
}

TEST(OwnCallback, IsNotRegisteredOnAFenceThatHasSignalled) {
    OwnWorld world;
    const FenceRef fence = world.fence();
    world.core.signal(fence);
    EXPECT_FALSE(world.add_own(fence));
    EXPECT_THAT(world.calls.seen, IsEmpty());
}

TEST(OwnCallback, KeepsItsPlaceAmongOthers) {
    OwnWorld world;
    const FenceRef before = world.fence();
    world.add(before, 1);
    EXPECT_TRUE(world.add_own(before));
    world.add(before, 2);
    world.core.signal(before);
    EXPECT_THAT(world.calls.seen, ElementsAre(1u, kOwner, 2u));

    world.calls.seen.clear();
    const FenceRef first = world.fence();
    EXPECT_TRUE(world.add_own(first));
    world.add(first, 1);
    world.add(first, 2);
    world.core.signal(first);
    EXPECT_THAT(world.calls.seen, ElementsAre(kOwner, 1u, 2u));
}

TEST(OwnCallback, CanBeRemovedAlone) {
    OwnWorld world;
    const FenceRef fence = world.fence();
    const CallbackRef own = world.add_own(fence);
    EXPECT_TRUE(world.core.remove_callback(fence, own));
    EXPECT_FALSE(world.core.remove_callback(fence, own));
    world.add(fence, 1);
    world.core.signal(fence);
    EXPECT_THAT(world.calls.seen, ElementsAre(1u));
}

TEST(OwnCallback, CanBeRemovedFromAmongOthers) {
    OwnWorld world;
    const FenceRef fence = world.fence();
    const CallbackRef own = world.add_own(fence);
    world.add(fence, 1);
    world.add(fence, 2);
    EXPECT_TRUE(world.core.remove_callback(fence, own));
    EXPECT_FALSE(world.core.remove_callback(fence, own));
    world.core.signal(fence);
    EXPECT_THAT(world.calls.seen, ElementsAre(1u, 2u));
}

TEST(OwnCallback, RemovingAfterSignalSaysThatItRan) {
    OwnWorld world;
    const FenceRef fence = world.fence();
    const CallbackRef own = world.add_own(fence);
    world.core.signal(fence);
    EXPECT_FALSE(world.core.remove_callback(fence, own));
}

TEST(OwnCallback, CountsLikeAnyOther) {
    World one;
    OwnWorld other;
    Calls calls;
    const FenceRef plain = one.fence();
    const FenceRef own = other.fence();
    ASSERT_TRUE(one.core.add_callback(plain, Calls::call, &calls, 1));
    ASSERT_TRUE(other.add_own(own));
    one.core.signal(plain);
    other.core.signal(own);
    EXPECT_EQ(one.machine.counters.atomics, other.machine.counters.atomics);
    EXPECT_EQ(one.machine.counters.locks, other.machine.counters.locks);
}

TEST(OwnCallback, IsMissedWhenTheFenceIsReleasedUnsignalled) {
    OwnWorld world;
    const FenceRef fence = world.fence();
    world.add_own(fence);
    world.core.put(fence, Holder::driver);
    EXPECT_THAT(world.verdicts(), ElementsAre("released-unsignalled of fence"));
    EXPECT_THAT(world.calls.seen, ElementsAre(kOwner)) << "who waits hears -EDEADLK";
}

} // namespace
} // namespace fenceline::fences
