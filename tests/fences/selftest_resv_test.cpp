// What the kernel's selftest of dma-resv demands, case by case, for each usage.
#include "container_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::fences {
namespace {

using namespace testing_support;
using testing::ElementsAre;

class ResvSelftest : public testing::TestWithParam<ResvUsage> {
  protected:
    void SetUp() override {
        fence = world.lone();
        world.core.enable_sw_signaling(fence);
    }
    void add() {
        resv.lock();
        resv.reserve_fences(1);
        resv.add_fence(fence, GetParam());
    }
    void end() {
        resv.fini();
        world.drop(fence);
        world.expect_nothing_left();
    }

    ContainerWorld world;
    Resv resv{world.core};
    FenceRef fence;
};

TEST_P(ResvSelftest, Sanitycheck) {
    world.core.signal(fence);
    resv.lock();
    resv.unlock();
    end();
}

TEST_P(ResvSelftest, Signaling) {
    add();
    EXPECT_FALSE(resv.test_signaled(GetParam()));
    world.core.signal(fence);
    EXPECT_TRUE(resv.test_signaled(GetParam()));
    resv.unlock();
    end();
}

TEST_P(ResvSelftest, ForEach) {
    add();
    ResvCursor cursor(resv, GetParam());
    EXPECT_EQ(resv.iter_first(cursor), fence);
    EXPECT_EQ(cursor.fence_usage, GetParam());
    EXPECT_FALSE(resv.iter_next(cursor));
    world.core.signal(fence);
    resv.unlock();
    end();
}

TEST_P(ResvSelftest, ForEachUnlocked) {
    add();
    resv.unlock();
    ResvCursor cursor(resv, GetParam());
    EXPECT_EQ(resv.iter_first_unlocked(cursor), fence);
    EXPECT_TRUE(cursor.is_restarted);
    EXPECT_EQ(cursor.fence_usage, GetParam());
    // The list is replaced while we look at it, as its owner may at any time.
    resv.lock();
    resv.reserve_fences(resv.capacity());
    resv.unlock();
    EXPECT_EQ(resv.iter_next_unlocked(cursor), fence) << "from the beginning";
    EXPECT_TRUE(cursor.is_restarted);
    EXPECT_FALSE(resv.iter_next_unlocked(cursor));
    resv.iter_end(cursor);
    world.core.signal(fence);
    end();
}

TEST_P(ResvSelftest, GetFences) {
    add();
    resv.unlock();
    const std::vector<FenceRef> fences = resv.get_fences(GetParam());
    ASSERT_THAT(fences, ElementsAre(fence));
    EXPECT_EQ(world.references(fence), 3u) << "with a reference of the caller's";
    world.core.signal(fence);
    world.drop(fences[0]);
    end();
}

std::string usage_name(const testing::TestParamInfo<ResvUsage>& info) {
    constexpr const char* names[] = {"Kernel", "Write", "Read", "Bookkeep"};
    return names[static_cast<std::size_t>(info.param)];
}
INSTANTIATE_TEST_SUITE_P(Usages, ResvSelftest,
                         testing::Values(ResvUsage::kernel, ResvUsage::write, ResvUsage::read,
                                         ResvUsage::bookkeep),
                         usage_name);

} // namespace
} // namespace fenceline::fences
