// What the kernel's selftest of dma-fence-unwrap demands, case by case.
#include "container_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::fences {
namespace {

using namespace testing_support;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

class UnwrapSelftest : public testing::Test {
  protected:
    /// A fence somebody waits for; containers take over the test's reference.
    FenceRef armed() {
        const FenceRef fence = world.lone();
        world.core.enable_sw_signaling(fence);
        return fence;
    }
    FenceRef chain(FenceRef prev, FenceRef fence) {
        return fence_chain_init(world.core, prev, fence, 1);
    }
    FenceRef merge(std::vector<FenceRef> fences) { return unwrap_merge(world.core, fences); }

    ContainerWorld world;
};

TEST_F(UnwrapSelftest, Sanitycheck) {
    world.drop(chain({}, world.array({armed()})));
    world.expect_nothing_left();
}

TEST_F(UnwrapSelftest, Array) {
    const FenceRef first = armed();
    const FenceRef second = armed();
    const FenceRef array = world.array({first, second});
    EXPECT_THAT(world.unwrapped(array), ElementsAre(first, second));
    world.drop(array);
    world.expect_nothing_left();
}

TEST_F(UnwrapSelftest, Chain) {
    const FenceRef first = armed();
    const FenceRef second = armed();
    const FenceRef link = chain(first, second);
    EXPECT_THAT(world.unwrapped(link), ElementsAre(second, first)) << "from the newest";
    world.drop(link);
    world.expect_nothing_left();
}

TEST_F(UnwrapSelftest, ChainArray) {
    const FenceRef first = armed();
    const FenceRef second = armed();
    const FenceRef link = chain({}, world.array({first, second}));
    EXPECT_THAT(world.unwrapped(link), ElementsAre(first, second));
    world.drop(link);
    world.expect_nothing_left();
}

TEST_F(UnwrapSelftest, Merge) {
    const FenceRef first = armed();
    const FenceRef second = armed();
    const FenceRef merged = merge({first, second});
    EXPECT_THAT(world.unwrapped(merged), UnorderedElementsAre(first, second));
    for (const FenceRef fence : {first, second, merged})
        world.drop(fence);
    world.expect_nothing_left();
}

TEST_F(UnwrapSelftest, MergeComplex) {
    const FenceRef first = armed();
    const FenceRef second = armed();
    const FenceRef there = merge({first, second});
    const FenceRef back = merge({second, first});
    const FenceRef stub = shared_stub_fence(world.core);
    const FenceRef all = merge({there, back, stub});
    EXPECT_THAT(world.unwrapped(all), UnorderedElementsAre(first, second))
        << "each once, and nothing that has signalled";
    for (const FenceRef fence : {first, second, there, back, stub, all})
        world.drop(fence);
    world.expect_nothing_left();
}

} // namespace
} // namespace fenceline::fences
