// sync_file and syncobj.
#include "fence_fixture.hpp"
#include "fences/container.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace fenceline::fences {
namespace {

using namespace testing_support;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> order;

const FenceOps kLogging{.type = "logging",
                        .driver_name =
                            [](FenceCore&, FenceRef) {
                                order.emplace_back("driver");
                                return std::string("drv");
                            },
                        .timeline_name =
                            [](FenceCore&, FenceRef) {
                                order.emplace_back("timeline");
                                return std::string("gfx");
                            }};

class ContainerTest : public testing::Test {
  protected:
    void SetUp() override { order.clear(); }
    [[nodiscard]] std::uint32_t references(FenceRef ref) {
        return world.core.get(ref).references.peek();
    }
    [[nodiscard]] std::uint64_t locks() const { return world.machine.counters.locks; }

    World world;
    Containers containers{world.core};
};

TEST_F(ContainerTest, AContainerHoldsAReferenceOfItsOwn) {
    const FenceRef fence = world.fence(kLogging);
    containers.put_in(ContainerKind::sync_file, "f", fence);
    EXPECT_EQ(references(fence), 2u);
    EXPECT_TRUE(containers.exists("f"));
    EXPECT_EQ(containers.open(), 1u);
    containers.close("f");
    EXPECT_EQ(references(fence), 1u);
    EXPECT_FALSE(containers.exists("f"));
    EXPECT_THROW(containers.close("f"), std::out_of_range);
    EXPECT_THROW((void)containers.query("f"), std::out_of_range);
}

TEST_F(ContainerTest, ASyncFileTellsNamesThenStatus) {
    const FenceRef fence = world.fence(kLogging);
    containers.put_in(ContainerKind::sync_file, "f", fence);
    SyncFileInfo info = containers.query("f");
    EXPECT_THAT(order, ElementsAre("timeline", "driver"));
    ASSERT_EQ(info.fences.size(), 1u);
    EXPECT_EQ(info.fences[0].driver, "drv");
    EXPECT_EQ(info.fences[0].timeline, "gfx");
    EXPECT_EQ(info.status, 0);
    EXPECT_EQ(info.fences[0].timestamp, 0u);
    world.run_until(60);
    world.core.set_error(fence, -5);
    world.core.signal(fence);
    info = containers.query("f");
    EXPECT_EQ(info.status, -5);
    EXPECT_EQ(info.fences[0].timestamp, 60u);
}

TEST_F(ContainerTest, ASyncFileFailsAtTheNamesBeforeTheLock) {
    static const FenceOps gone{.type = "gone", .timeline_name = [](FenceCore& core, FenceRef ref) {
                                   (void)core.owners.get(core.get(ref).lock_owner, "names");
                                   return std::string();
                               }};
    const OwnerRef lender = world.owner(OwnerKind::context, "a");
    containers.put_in(ContainerKind::sync_file, "f", world.fence(gone, 1, lender));
    world.core.owners.free(lender);
    EXPECT_THROW((void)containers.query("f"), sim::FatalHazard);
    EXPECT_THAT(world.verdicts(), ElementsAre("use-after-free of names"));
}

TEST_F(ContainerTest, ASyncobjOnlyHasAStatus) {
    const FenceRef fence = world.fence(kLogging);
    containers.put_in(ContainerKind::syncobj, "s", fence);
    EXPECT_EQ(containers.query("s").status, 0);
    world.core.set_error(fence, -5);
    world.core.signal(fence);
    const auto before = locks();
    EXPECT_EQ(containers.query("s").status, 1) << "an error does not show";
    EXPECT_EQ(locks(), before);
    EXPECT_THAT(order, IsEmpty());
}

TEST_F(ContainerTest, ASyncobjThatGetsANewFenceDropsTheOldOne) {
    const FenceRef first = world.fence(kLogging, 1);
    const FenceRef second = world.fence(kLogging, 2);
    containers.put_in(ContainerKind::syncobj, "s", first);
    containers.put_in(ContainerKind::syncobj, "s", second);
    EXPECT_EQ(references(first), 1u);
    EXPECT_EQ(references(second), 2u);
    EXPECT_EQ(containers.open(), 1u);
    containers.put_in(ContainerKind::syncobj, "s", second);
    EXPECT_EQ(references(second), 2u);
}

TEST_F(ContainerTest, TheFirstPollRegistersACallbackThatCloseRemoves) {
    const FenceRef fence = world.fence(kLogging);
    containers.put_in(ContainerKind::sync_file, "f", fence);
    EXPECT_FALSE(containers.poll("f"));
    EXPECT_FALSE(containers.poll("f"));
    EXPECT_NE(world.core.get(fence).first_callback, kNoCallback);
    EXPECT_EQ(world.core.get(fence).first_callback, world.core.get(fence).last_callback);
    const auto before = locks();
    containers.close("f");
    EXPECT_EQ(locks(), before + 1);
    EXPECT_EQ(world.core.get(fence).first_callback, kNoCallback);
}

TEST_F(ContainerTest, CloseAfterAPollTakesTheLockHoweverLongAgoTheSignalWas) {
    const OwnerRef lender = world.owner(OwnerKind::context, "a");
    const FenceRef fence = world.fence(kLogging, 1, lender);
    containers.put_in(ContainerKind::sync_file, "polled", fence);
    containers.put_in(ContainerKind::sync_file, "not polled", fence);
    (void)containers.poll("polled");
    world.core.signal(fence);
    world.core.owners.free(lender);
    containers.close("not polled");
    EXPECT_THAT(world.verdicts(), IsEmpty());
    EXPECT_THROW(containers.close("polled"), sim::FatalHazard);
    EXPECT_THAT(world.verdicts(), ElementsAre("use-after-free of lock"));
}

TEST_F(ContainerTest, PollingASignalledFenceSaysSo) {
    const FenceRef fence = world.fence(kLogging);
    world.core.signal(fence);
    containers.put_in(ContainerKind::sync_file, "f", fence);
    EXPECT_TRUE(containers.poll("f"));
    containers.close("f");
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST_F(ContainerTest, WaitHoldsTheFenceThoughTheNameIsClosedMeanwhile) {
    const FenceRef fence = world.fence(kLogging);
    containers.put_in(ContainerKind::syncobj, "s", fence);
    bool returned = false;
    world.machine.start_task("waiter", [&] {
        containers.wait("s");
        returned = true;
    });
    containers.close("s");
    EXPECT_EQ(references(fence), 2u);
    world.core.signal(fence);
    world.run();
    EXPECT_TRUE(returned);
    EXPECT_EQ(references(fence), 1u);
}

TEST_F(ContainerTest, ExitClosesEverything) {
    const FenceRef fence = world.fence(kLogging);
    for (const char* name : {"c", "a", "b"})
        containers.put_in(ContainerKind::sync_file, name, fence);
    EXPECT_EQ(references(fence), 4u);
    containers.close_all();
    EXPECT_EQ(references(fence), 1u);
    EXPECT_EQ(containers.open(), 0u);
}

TEST_F(ContainerTest, APrivateFenceInAPublicPlaceIsAHazardAndTheRunGoesOn) {
    const FenceRef fence = world.fence(kLogging);
    world.core.get(fence).flags.set_bit(world.machine, flag::is_private);
    containers.put_in(ContainerKind::sync_file, "f", fence);
    containers.put_in(ContainerKind::syncobj, "s", fence);
    EXPECT_THAT(world.verdicts(),
                ElementsAre("private-escape of fence", "private-escape of fence"));
    EXPECT_THAT(world.machine.hazards()[0].message,
                HasSubstr("hardware fence 7:1 is private and was put into sync_file f"));
    EXPECT_THAT(world.machine.hazards()[1].message, HasSubstr("syncobj s"));
    EXPECT_EQ(references(fence), 3u);
}

TEST_F(ContainerTest, TheLastHolderIsBooked) {
    const FenceRef fence = world.fence(kLogging);
    containers.put_in(ContainerKind::sync_file, "f", fence);
    world.core.signal(fence);
    world.core.put(fence, Holder::job);
    world.run_until(sim::kSecond);
    containers.close("f");
    EXPECT_DOUBLE_EQ(world.core.ledger.byte_seconds(Holder::sync_file), 64);
    EXPECT_DOUBLE_EQ(world.core.ledger.byte_seconds(), 64);
    EXPECT_EQ(world.core.ledger.longest().holder, Holder::sync_file);
}

} // namespace
} // namespace fenceline::fences
