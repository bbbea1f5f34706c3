// What the kernel's selftest of dma-fence-chain demands, case by case.
#include "container_fixture.hpp"
#include "sim/random.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::fences {
namespace {

using namespace testing_support;
using testing::IsEmpty;

std::uint64_t each(std::size_t i) {
    return i + 1;
}
std::uint64_t every_second(std::size_t i) {
    return 2 * i + 2;
}

class ChainSelftest : public testing::Test {
  protected:
    ContainerWorld world;
};

TEST_F(ChainSelftest, Sanitycheck) {
    const FenceRef fence = world.lone();
    const FenceRef link = fence_chain_init(world.core, {}, world.core.take(fence), 1);
    world.core.enable_sw_signaling(link);
    world.core.signal(fence);
    world.drop(fence);
    world.drop(link);
    world.expect_nothing_left();
}

TEST_F(ChainSelftest, FindSeqno) {
    Chains chains(world, 64, each);
    EXPECT_TRUE(chains.find(chains.tail(), 0).ok);
    for (std::size_t i = 0; i < 64; ++i) {
        SCOPED_TRACE(i);
        const auto from_the_tail = chains.find(chains.tail(), i + 1);
        EXPECT_TRUE(from_the_tail.ok);
        EXPECT_EQ(from_the_tail.found, chains.links[i]);
        const auto itself = chains.find(chains.links[i], i + 1);
        EXPECT_TRUE(itself.ok);
        EXPECT_EQ(itself.found, chains.links[i]);
        EXPECT_FALSE(chains.find(chains.links[i], i + 2).ok) << "a point of the future";
        const auto previous = chains.find(chains.links[i], i);
        EXPECT_TRUE(previous.ok);
        if (i > 0) {
            EXPECT_EQ(previous.found, chains.links[i - 1]);
        }
    }
    chains.end();
    world.expect_nothing_left();
}

TEST_F(ChainSelftest, FindSignaled) {
    Chains chains(world, 2, each);
    world.core.signal(chains.fences[0]);
    const auto [ok, found] = chains.find(chains.tail(), 1);
    EXPECT_TRUE(ok);
    EXPECT_TRUE(!found || found == chains.links[0]);
    chains.end();
    world.expect_nothing_left();
}

TEST_F(ChainSelftest, FindOutOfOrder) {
    // The middle one of three has signalled: whoever wants it has to wait for the first.
    Chains chains(world, 3, each);
    world.core.signal(chains.fences[1]);
    const auto [ok, found] = chains.find(chains.tail(), 2);
    EXPECT_TRUE(ok);
    EXPECT_EQ(found, chains.links[0]);
    chains.end();
    world.expect_nothing_left();
}

TEST_F(ChainSelftest, FindGap) {
    Chains chains(world, 64, every_second);
    for (std::size_t i = 0; i < 64; ++i) {
        SCOPED_TRACE(i);
        const auto between = chains.find(chains.tail(), 2 * i + 1);
        EXPECT_TRUE(between.ok);
        EXPECT_EQ(between.found, chains.links[i]) << "the next point that there is";
        const auto itself = chains.find(chains.links[i], 2 * i + 2);
        EXPECT_TRUE(itself.ok);
        EXPECT_EQ(itself.found, chains.links[i]);
    }
    chains.end();
    world.expect_nothing_left();
}

TEST_F(ChainSelftest, FindRace) {
    // Searches and signals in any order, with what they cause happening in between or not.
    Chains chains(world, 4096, each);
    sim::Random random(1, "find race");
    for (int round = 0; round < 20'000; ++round) {
        const std::uint64_t seqno = 1 + random.next() % 4096;
        FenceRef fence = world.core.take(chains.tail());
        ASSERT_TRUE(fence_chain_find_seqno(world.core, fence, seqno));
        if (fence && world.core.seqno(fence) == seqno) {
            ASSERT_TRUE(fence_chain_find_seqno(world.core, fence, seqno)) << "finds itself";
        }
        world.drop(fence);
        world.core.try_signal(chains.fences[random.next() % 4095]);
        if (random.next() % 2 == 0)
            world.machine.engine.run(nullptr, random.next() % 8);
    }
    EXPECT_FALSE(chains.signalled(4095)) << "the newest has never been signalled";
    chains.end();
    world.expect_nothing_left();
}

TEST_F(ChainSelftest, SignalForward) {
    Chains chains(world, 64, each);
    for (std::size_t i = 0; i < 64; ++i) {
        world.core.signal(chains.fences[i]);
        EXPECT_TRUE(chains.signalled(i)) << i;
        if (i + 1 < 64) {
            EXPECT_FALSE(chains.signalled(i + 1)) << i;
        }
    }
    chains.end();
    world.expect_nothing_left();
}

TEST_F(ChainSelftest, SignalBackward) {
    Chains chains(world, 64, each);
    for (std::size_t i = 64; i-- > 0;) {
        world.core.signal(chains.fences[i]);
        if (i > 0) {
            EXPECT_FALSE(chains.signalled(i)) << i;
        }
    }
    for (std::size_t i = 0; i < 64; ++i)
        EXPECT_TRUE(chains.signalled(i)) << i;
    chains.end();
    world.expect_nothing_left();
}

class WaitForChain : public ChainSelftest {
  protected:
    /// Somebody waits for the newest link while the fences signal in this order.
    void wait_while(const std::function<void(std::vector<FenceRef>&)>& arrange) {
        Chains chains(world, 4096, each);
        bool returned = false;
        world.machine.start_task("waiter", [&] {
            world.core.wait(chains.tail());
            returned = true;
        });
        std::vector<FenceRef> order = chains.fences;
        arrange(order);
        for (std::size_t i = 0; i < order.size(); ++i) {
            world.core.signal(order[i]);
            if (i + 1 == order.size() / 2) {
                world.run();
                EXPECT_FALSE(returned);
            }
        }
        world.run();
        EXPECT_TRUE(returned);
        chains.end();
        world.expect_nothing_left();
    }
};

TEST_F(WaitForChain, Forward) {
    wait_while([](std::vector<FenceRef>&) {});
}

TEST_F(WaitForChain, Backward) {
    wait_while([](std::vector<FenceRef>& order) { std::reverse(order.begin(), order.end()); });
}

TEST_F(WaitForChain, Random) {
    wait_while([](std::vector<FenceRef>& order) {
        sim::Random random(1, "shuffle");
        for (std::size_t i = order.size(); i > 1; --i)
            std::swap(order[i - 1], order[random.next() % i]);
    });
}

} // namespace
} // namespace fenceline::fences
