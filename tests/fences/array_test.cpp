// dma_fence_array.
#include "container_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::fences {
namespace {

using namespace testing_support;
using testing::ElementsAre;
using testing::IsEmpty;

class ArrayTest : public testing::Test {
  protected:
    FenceRef make(std::size_t count, bool any = false) {
        std::vector<FenceRef> held;
        for (std::size_t i = 0; i < count; ++i) {
            members.push_back(world.lone());
            held.push_back(world.core.take(members.back()));
        }
        return world.array(std::move(held), any);
    }
    void end(FenceRef array) {
        world.drop(array);
        for (const FenceRef member : members)
            world.drop(member);
        world.expect_nothing_left();
    }

    ContainerWorld world;
    std::vector<FenceRef> members;
    Calls calls;
};

TEST_F(ArrayTest, SignalsAfterItsLastFenceThroughIrqWork) {
    const FenceRef array = make(2);
    ASSERT_TRUE(world.core.add_callback(array, Calls::call, &calls, 1));
    world.core.signal(members[1]);
    world.core.signal(members[0]);
    EXPECT_THAT(calls.seen, IsEmpty()) << "a place of its own in the order";
    world.machine.engine.run(nullptr, 1);
    EXPECT_THAT(calls.seen, ElementsAre(1));
    EXPECT_EQ(world.core.status(array), 1);
    end(array);
}

TEST_F(ArrayTest, OnAnySignalsAfterTheFirst) {
    const FenceRef array = make(3, true);
    ASSERT_TRUE(world.core.add_callback(array, Calls::call, &calls, 1));
    world.core.signal(members[1]);
    world.run();
    EXPECT_THAT(calls.seen, ElementsAre(1));
    world.core.signal(members[0]);
    world.core.signal(members[2]);
    world.run();
    EXPECT_EQ(calls.seen.size(), 1u);
    EXPECT_EQ(world.references(array), 1u) << "every callback has given its reference back";
    end(array);
}

TEST_F(ArrayTest, PollingSignalsBeforeTheIrqWork) {
    const FenceRef array = make(1);
    ASSERT_TRUE(world.core.add_callback(array, Calls::call, &calls, 1));
    world.core.signal(members[0]);
    EXPECT_TRUE(world.core.is_signaled(array));
    EXPECT_THAT(calls.seen, ElementsAre(1));
    world.run();
    EXPECT_EQ(calls.seen.size(), 1u);
    end(array); // and the irq work that came too late is no double signal
}

TEST_F(ArrayTest, WithoutAnybodyWaitingItLooksAtItsFences) {
    const FenceRef array = make(2);
    world.core.signal(members[0]);
    EXPECT_FALSE(world.core.is_signaled(array));
    world.core.signal(members[1]);
    world.run();
    EXPECT_FALSE(world.core.get(array).is_signaled_bit()) << "nobody has asked";
    EXPECT_TRUE(world.core.is_signaled(array));
    end(array);
}

TEST_F(ArrayTest, OfFencesThatHaveSignalledItTakesNoCallback) {
    const FenceRef array = make(2);
    world.core.signal(members[0]);
    world.core.signal(members[1]);
    EXPECT_FALSE(world.core.add_callback(array, Calls::call, &calls, 1));
    EXPECT_EQ(world.core.status(array), 1);
    end(array);
}

TEST_F(ArrayTest, TheFirstErrorIsItsError) {
    const FenceRef array = make(3);
    world.core.enable_sw_signaling(array);
    world.core.signal(members[0]);
    world.core.set_error(members[1], -5);
    world.core.signal(members[1]);
    world.core.set_error(members[2], -62);
    world.core.signal(members[2]);
    world.run();
    EXPECT_EQ(world.core.status(array), -5);
    end(array);
}

TEST_F(ArrayTest, AnErrorThatAPollDidNotWaitForIsNotSeen) {
    // Only callbacks carry errors: an array that is only ever polled has none.
    const FenceRef array = make(1);
    world.core.set_error(members[0], -5);
    world.core.signal(members[0]);
    EXPECT_TRUE(world.core.is_signaled(array));
    EXPECT_EQ(world.core.status(array), 1);
    end(array);
}

TEST_F(ArrayTest, AnErrorAfterItHasSignalledChangesNothing) {
    const FenceRef array = make(2, true);
    world.core.enable_sw_signaling(array);
    world.core.signal(members[0]);
    world.run();
    world.core.set_error(members[1], -5);
    world.core.signal(members[1]);
    EXPECT_EQ(world.core.status(array), 1);
    end(array);
}

TEST_F(ArrayTest, AnArrayInAnArrayIsReported) {
    const FenceRef inner = make(1);
    const FenceRef outer = world.array({inner});
    EXPECT_THAT(world.verdicts(), ElementsAre("nested-container of fence"));
    world.drop(outer);
}

TEST_F(ArrayTest, MatchesAContextWhenAllItsFencesDo) {
    const FenceRef array = world.array({world.lone(40, 1), world.lone(40, 2)});
    EXPECT_TRUE(fence_match_context(world.core, array, 40));
    EXPECT_FALSE(fence_match_context(world.core, array, world.core.get(array).context));
    const FenceRef mixed = world.array({world.lone(40, 3), world.lone(41, 1)});
    EXPECT_FALSE(fence_match_context(world.core, mixed, 40));
    world.drop(array);
    world.drop(mixed);
}

TEST_F(ArrayTest, PinsWhatTheKernelsObjectsTake) {
    const FenceRef array = make(2);
    for (const FenceRef member : members)
        world.core.signal(member);
    EXPECT_TRUE(world.core.is_signaled(array));
    // 120 bytes and 32 a callback go into the bucket of 192; the table of two into that of 16.
    EXPECT_EQ(world.core.ledger.peak_bytes(), 2 * 64 + 192 + 16u);
    world.run_until(sim::kSecond);
    world.drop(array);
    EXPECT_DOUBLE_EQ(world.core.ledger.byte_seconds(Holder::workload), 208);
}

TEST_F(ArrayTest, ItsMemoryGoesAfterAGracePeriod) {
    const FenceRef array = make(1);
    world.drop(array);
    EXPECT_TRUE(world.core.alive(array));
    EXPECT_EQ(world.references(members[0]), 1u) << "what it held goes at once";
    world.run();
    EXPECT_FALSE(world.core.alive(array));
    EXPECT_EQ(world.machine.now(), 100u);
}

} // namespace
} // namespace fenceline::fences
