// dma_resv beyond its selftest.
#include "container_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::fences {
namespace {

using namespace testing_support;
using testing::ElementsAre;
using testing::IsEmpty;

class ResvTest : public testing::Test {
  protected:
    void SetUp() override { resv.lock(); }
    void TearDown() override {
        resv.unlock();
        resv.fini();
    }
    void add(FenceRef fence, ResvUsage usage = ResvUsage::write) {
        resv.reserve_fences(1);
        resv.add_fence(fence, usage);
    }
    std::vector<FenceRef> fences(ResvUsage usage = ResvUsage::bookkeep) {
        std::vector<FenceRef> list;
        ResvCursor cursor(resv, usage);
        for (FenceRef fence = resv.iter_first(cursor); fence; fence = resv.iter_next(cursor))
            list.push_back(fence);
        return list;
    }

    ContainerWorld world;
    Resv resv{world.core};
};

TEST_F(ResvTest, AUsageIncludesTheStrongerOnes) {
    const FenceRef kernel = world.lone();
    const FenceRef write = world.lone();
    const FenceRef read = world.lone();
    const FenceRef bookkeep = world.lone();
    add(bookkeep, ResvUsage::bookkeep);
    add(read, ResvUsage::read);
    add(write, ResvUsage::write);
    add(kernel, ResvUsage::kernel);
    EXPECT_THAT(fences(ResvUsage::kernel), ElementsAre(kernel));
    EXPECT_THAT(fences(ResvUsage::write), ElementsAre(write, kernel));
    EXPECT_THAT(fences(ResvUsage::read), ElementsAre(read, write, kernel));
    EXPECT_THAT(fences(), ElementsAre(bookkeep, read, write, kernel));
    EXPECT_EQ(resv_usage_rw(true), ResvUsage::read) << "a writer waits for readers too";
    EXPECT_EQ(resv_usage_rw(false), ResvUsage::write);
}

TEST_F(ResvTest, ALaterFenceOfTheContextTakesThePlaceOfTheOlder) {
    const FenceRef older = world.lone(50, 1);
    const FenceRef other = world.lone(40, 1);
    const FenceRef later = world.lone(50, 2);
    add(older);
    add(other);
    add(later);
    EXPECT_THAT(fences(), ElementsAre(later, other));
    EXPECT_EQ(world.references(older), 1u);
    add(older);
    EXPECT_THAT(fences(), ElementsAre(later, other, older)) << "an older one does not";
}

TEST_F(ResvTest, AWeakerUsageDoesNotTakeThePlaceOfAStronger) {
    const FenceRef written = world.lone(50, 1);
    const FenceRef read = world.lone(50, 2);
    add(written, ResvUsage::write);
    add(read, ResvUsage::read);
    EXPECT_THAT(fences(), ElementsAre(written, read));
    const FenceRef rewritten = world.lone(50, 3);
    add(rewritten, ResvUsage::write);
    EXPECT_THAT(fences(), ElementsAre(rewritten, read)) << "the first that it may replace";
}

TEST_F(ResvTest, AddingTheSameFenceAgainHoldsItOnce) {
    const FenceRef fence = world.lone();
    add(fence, ResvUsage::read);
    add(fence, ResvUsage::write);
    EXPECT_THAT(fences(), ElementsAre(fence));
    EXPECT_THAT(fences(ResvUsage::write), ElementsAre(fence)) << "with the stronger usage";
    EXPECT_EQ(world.references(fence), 2u);
}

TEST_F(ResvTest, AFenceThatHasSignalledGivesItsPlaceToAny) {
    const FenceRef done = world.lone();
    const FenceRef fence = world.lone();
    add(done);
    world.core.signal(done);
    EXPECT_THAT(fences(), ElementsAre(done)) << "with the lock held all are seen";
    add(fence, ResvUsage::bookkeep);
    EXPECT_THAT(fences(), ElementsAre(fence));
}

TEST_F(ResvTest, AGreaterListReplacesTheOldOneWithoutWhatHasSignalled) {
    std::vector<FenceRef> all;
    for (int i = 0; i < 5; ++i) {
        all.push_back(world.lone());
        add(all.back());
    }
    EXPECT_EQ(resv.capacity(), 5u) << "kmalloc rounds up what four take";
    world.core.signal(all[1]);
    resv.reserve_fences(1);
    EXPECT_EQ(resv.capacity(), 13u);
    EXPECT_THAT(fences(), ElementsAre(all[0], all[2], all[3], all[4]));
    EXPECT_EQ(world.references(all[1]), 1u);
    EXPECT_EQ(world.core.resv_lists.live(), 2u) << "readers may still look at the old one";
    world.run();
    EXPECT_EQ(world.core.resv_lists.live(), 1u);
}

TEST_F(ResvTest, ReplaceTakesOverEveryFenceOfTheContext) {
    const FenceRef written = world.lone(50, 1);
    const FenceRef read = world.lone(50, 2);
    const FenceRef other = world.lone(40, 1);
    add(written, ResvUsage::write);
    add(other, ResvUsage::read);
    add(read, ResvUsage::read);
    const FenceRef instead = world.lone();
    resv.replace_fences(50, instead, ResvUsage::bookkeep);
    EXPECT_THAT(fences(), ElementsAre(instead, other, instead));
    EXPECT_THAT(fences(ResvUsage::read), ElementsAre(other));
    EXPECT_EQ(world.references(instead), 3u);
    EXPECT_EQ(world.references(written), 1u);
}

TEST_F(ResvTest, CopyTakesWhatHasNotSignalled) {
    const FenceRef done = world.lone();
    const FenceRef fence = world.lone();
    add(done, ResvUsage::write);
    add(fence, ResvUsage::read);
    world.core.signal(done);
    Resv copy(world.core);
    copy.lock();
    copy.copy_fences(resv);
    EXPECT_EQ(copy.count(), 1u);
    EXPECT_TRUE(copy.test_signaled(ResvUsage::write));
    EXPECT_FALSE(copy.test_signaled(ResvUsage::read));
    EXPECT_EQ(world.references(fence), 3u);
    copy.unlock();
    copy.fini();
}

TEST_F(ResvTest, ASingletonIsTheFenceItselfOrAnArray) {
    EXPECT_FALSE(resv.get_singleton(ResvUsage::bookkeep));
    const FenceRef first = world.lone();
    const FenceRef second = world.lone();
    add(first);
    const FenceRef one = resv.get_singleton(ResvUsage::write);
    EXPECT_EQ(one, first);
    add(second);
    const FenceRef both = resv.get_singleton(ResvUsage::write);
    EXPECT_THAT(world.unwrapped(both), ElementsAre(first, second));
    world.drop(one);
    world.drop(both);
}

TEST_F(ResvTest, WaitIsForAllOfTheUsageAndStartsAnewWhenTheListIsReplaced) {
    const FenceRef first = world.lone();
    const FenceRef reader = world.lone();
    add(first);
    add(reader, ResvUsage::read);
    std::vector<sim::Time> returned;
    const auto wait = [&](sim::Time timeout) {
        world.machine.start_task("waiter", [&, timeout] {
            if (resv.wait(ResvUsage::write, timeout))
                returned.push_back(world.machine.now());
        });
    };
    wait(sim::kForever);
    wait(20);
    world.run_until(50);
    std::vector<FenceRef> more;
    for (int i = 0; i < 6; ++i) {
        more.push_back(world.lone());
        add(more.back());
    }
    world.core.signal(first);
    world.run_until(60);
    EXPECT_THAT(returned, IsEmpty());
    for (const FenceRef fence : more)
        world.core.signal(fence);
    world.run_until(70);
    EXPECT_THAT(returned, ElementsAre(60)) << "readers do not matter; the other's time was up";
    EXPECT_EQ(world.references(reader), 2u);
}

TEST_F(ResvTest, TheListGoesAGracePeriodAfterFini) {
    const FenceRef fence = world.lone();
    add(fence);
    resv.fini();
    EXPECT_EQ(world.references(fence), 1u);
    EXPECT_EQ(world.core.resv_lists.live(), 1u);
    world.run();
    EXPECT_EQ(world.core.resv_lists.live(), 0u);
    EXPECT_EQ(world.machine.now(), 100u);
}

TEST_F(ResvTest, ItsLockIsHandedOnInTime) {
    std::vector<int> order;
    world.machine.start_task("second", [&] {
        resv.lock();
        order.push_back(2);
        resv.unlock();
    });
    order.push_back(1);
    resv.unlock();
    world.run();
    EXPECT_THAT(order, ElementsAre(1, 2));
    resv.lock();
}

TEST_F(ResvTest, AContainerInItIsReported) {
    const FenceRef array = world.array({world.lone()});
    add(array);
    EXPECT_THAT(world.verdicts(), ElementsAre("nested-container of fence"));
}

} // namespace
} // namespace fenceline::fences
