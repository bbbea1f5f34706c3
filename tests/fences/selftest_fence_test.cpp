// What the kernel's selftest of dma-fence demands, case by case.
#include "container_fixture.hpp"
#include "sim/random.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace fenceline::fences {
namespace {

using namespace testing_support;
using testing::ElementsAre;
using testing::IsEmpty;

class FenceSelftest : public testing::Test {
  protected:
    void SetUp() override { fence = world.lone(); }
    void put_and_check() {
        world.drop(fence);
        world.expect_nothing_left();
    }

    ContainerWorld world;
    FenceRef fence;
    Calls calls;
};

TEST_F(FenceSelftest, Sanitycheck) {
    world.core.enable_sw_signaling(fence);
    world.core.signal(fence);
    put_and_check();
}

TEST_F(FenceSelftest, Signaling) {
    world.core.enable_sw_signaling(fence);
    EXPECT_FALSE(world.core.is_signaled(fence));
    EXPECT_TRUE(world.core.try_signal(fence));
    EXPECT_TRUE(world.core.is_signaled(fence));
    EXPECT_FALSE(world.core.try_signal(fence)) << "the second time";
    put_and_check();
}

TEST_F(FenceSelftest, AddCallback) {
    ASSERT_TRUE(world.core.add_callback(fence, Calls::call, &calls, 5));
    world.core.signal(fence);
    EXPECT_THAT(calls.seen, ElementsAre(5));
    put_and_check();
}

TEST_F(FenceSelftest, LateAddCallback) {
    world.core.enable_sw_signaling(fence);
    world.core.signal(fence);
    EXPECT_FALSE(world.core.add_callback(fence, Calls::call, &calls, 5));
    world.core.try_signal(fence);
    EXPECT_THAT(calls.seen, IsEmpty());
    put_and_check();
}

TEST_F(FenceSelftest, RmCallback) {
    const auto callback = world.core.add_callback(fence, Calls::call, &calls, 5);
    ASSERT_TRUE(callback);
    EXPECT_TRUE(world.core.remove_callback(fence, *callback));
    world.core.signal(fence);
    EXPECT_THAT(calls.seen, IsEmpty());
    put_and_check();
}

TEST_F(FenceSelftest, LateRmCallback) {
    const auto callback = world.core.add_callback(fence, Calls::call, &calls, 5);
    ASSERT_TRUE(callback);
    world.core.signal(fence);
    EXPECT_THAT(calls.seen, ElementsAre(5));
    EXPECT_FALSE(world.core.remove_callback(fence, *callback));
    put_and_check();
}

TEST_F(FenceSelftest, Status) {
    world.core.enable_sw_signaling(fence);
    EXPECT_EQ(world.core.status(fence), 0);
    world.core.signal(fence);
    EXPECT_EQ(world.core.status(fence), 1);
    put_and_check();
}

TEST_F(FenceSelftest, Error) {
    world.core.enable_sw_signaling(fence);
    world.core.set_error(fence, -5);
    EXPECT_EQ(world.core.status(fence), 0) << "not before it signals";
    world.core.signal(fence);
    EXPECT_EQ(world.core.status(fence), -5);
    put_and_check();
}

TEST_F(FenceSelftest, Wait) {
    world.core.enable_sw_signaling(fence);
    EXPECT_FALSE(world.core.wait_timeout(fence, 0));
    world.core.signal(fence);
    EXPECT_TRUE(world.core.wait_timeout(fence, 0));
    put_and_check();
}

TEST_F(FenceSelftest, WaitTimeout) {
    std::vector<std::pair<bool, sim::Time>> answers;
    world.machine.start_task("waiter", [&] {
        for (const sim::Time timeout : {10, 20}) {
            const bool signalled = world.core.wait_timeout(fence, timeout);
            answers.emplace_back(signalled, world.machine.now());
        }
    });
    world.machine.engine.arm(
        25,
        [](void* self, std::uint64_t packed) {
            static_cast<FenceCore*>(self)->signal(FenceRef::unpack(packed));
        },
        &world.core, fence.pack());
    world.run();
    EXPECT_THAT(answers,
                ElementsAre(std::pair(false, sim::Time{10}), std::pair(true, sim::Time{25})));
    EXPECT_TRUE(world.core.get(fence).callbacks.empty());
    put_and_check();
}

TEST_F(FenceSelftest, ASignalAtTheInstantOfTheTimeoutWakesTheWaiterOnce) {
    for (const bool signal_first : {true, false}) {
        const FenceRef other = world.lone();
        const sim::Time when = world.machine.now() + 10;
        const auto arm_signal = [&] {
            world.machine.engine.arm(
                when,
                [](void* self, std::uint64_t packed) {
                    static_cast<FenceCore*>(self)->signal(FenceRef::unpack(packed));
                },
                &world.core, other.pack());
        };
        if (signal_first)
            arm_signal();
        int returned = 0;
        world.machine.start_task("waiter", [&] {
            EXPECT_TRUE(world.core.wait_timeout(other, 10)) << signal_first;
            ++returned;
        });
        if (!signal_first)
            arm_signal();
        world.run();
        EXPECT_EQ(returned, 1);
        world.drop(other);
    }
    put_and_check();
}

TEST_F(FenceSelftest, Stub) {
    std::array<FenceRef, 64> stubs;
    for (FenceRef& stub : stubs) {
        stub = shared_stub_fence(world.core);
        EXPECT_TRUE(world.core.is_signaled(stub));
        EXPECT_EQ(stub, stubs[0]) << "everybody shares one";
    }
    for (const FenceRef stub : stubs)
        world.drop(stub);
    EXPECT_EQ(world.core.ledger.peak_bytes(), 0u) << "static memory pins nothing";
    put_and_check();
}

/// Two tasks, each with a fence of its own in a place that the other looks at: each puts a callback
/// on the other's fence and signals its own, before or after, and must see the callback run.
class RaceSignalCallback : public FenceSelftest, public testing::WithParamInterface<bool> {
  protected:
    void pause() {
        if (random.next() % 2 == 0)
            return;
        sim::Context* self = &world.machine.current();
        world.machine.engine.post(
            [](void* machine, std::uint64_t context) {
                static_cast<sim::Machine*>(machine)->wake(
                    *reinterpret_cast<sim::Context*>(context));
            },
            &world.machine, reinterpret_cast<std::uintptr_t>(self));
        world.machine.block("its next turn");
    }
    void one_pass(std::size_t self) {
        const bool before = GetParam();
        const FenceRef own = world.lone();
        world.core.enable_sw_signaling(own);
        shared[self] = own;
        pause();
        const FenceRef other = shared[1 - self];
        const FenceRef taken = other ? world.core.take_rcu(other) : FenceRef{};
        if (before)
            world.core.signal(own);
        pause();
        Calls seen;
        const bool armed = taken && world.core.add_callback(taken, Calls::call, &seen, 1);
        pause();
        if (!before)
            world.core.signal(own);
        if (armed) {
            ++hits;
            if (seen.seen.empty())
                world.core.wait(taken);
            EXPECT_EQ(seen.seen.size(), 1u);
        }
        world.core.put(taken, Holder::workload);
        shared[self] = {};
        world.drop(own);
    }

    std::array<FenceRef, 2> shared;
    sim::Random random{1, "race"};
    int hits = 0;
};

TEST_P(RaceSignalCallback, EveryArmedCallbackIsSeen) {
    for (std::size_t self = 0; self < 2; ++self)
        world.machine.start_task("racer", [this, self] {
            for (int pass = 0; pass < 2000; ++pass)
                one_pass(self);
        });
    world.run();
    EXPECT_GT(hits, 100);
    world.core.signal(fence);
    put_and_check();
}

INSTANTIATE_TEST_SUITE_P(Signalling, RaceSignalCallback, testing::Bool(),
                         [](const auto& parameter) {
                             return parameter.param ? "BeforeAddCallback" : "AfterAddCallback";
                         });

} // namespace
} // namespace fenceline::fences
