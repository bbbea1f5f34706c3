// sync_file, syncobj, timelines and dma_resv.
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
    EXPECT_FALSE(world.core.get(fence).callbacks.empty());
    EXPECT_EQ(world.core.get(fence).callbacks.first(), world.core.get(fence).callbacks.last());
    const auto before = locks();
    containers.close("f");
    EXPECT_EQ(locks(), before + 1);
    EXPECT_TRUE(world.core.get(fence).callbacks.empty());
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

// --- further kinds, and merging ------------------------------------------------------------------

class ContainerKindsTest : public ContainerTest {
  protected:
    FenceRef lone(std::uint32_t seqno = 1) {
        const FenceRef fence = world.fence(kLogging, seqno);
        world.core.get(fence).context = world.core.context_alloc(1);
        return fence;
    }
};

TEST_F(ContainerKindsTest, AChainGetsAFurtherPointEachTime) {
    const FenceRef first = lone();
    const FenceRef second = lone();
    containers.put_in(ContainerKind::chain, "c", first);
    containers.put_in(ContainerKind::chain, "c", second);
    EXPECT_EQ(containers.open(), 1u);
    EXPECT_EQ(containers.query("c").point, 0u);
    world.core.signal(second);
    EXPECT_FALSE(containers.poll("c"));
    world.core.signal(first);
    EXPECT_TRUE(containers.poll("c"));
    const SyncFileInfo info = containers.query("c");
    EXPECT_EQ(info.point, 2u);
    EXPECT_EQ(info.status, 1);
    EXPECT_THAT(info.fences, IsEmpty());
    containers.close("c");
    EXPECT_EQ(references(first), 1u);
    EXPECT_EQ(references(second), 1u);
}

TEST_F(ContainerKindsTest, AResvGetsAFurtherWriteFence) {
    const FenceRef first = lone();
    const FenceRef second = lone();
    containers.put_in(ContainerKind::resv, "r", first);
    containers.put_in(ContainerKind::resv, "r", second);
    bool returned = false;
    world.machine.start_task("waiter", [&] {
        containers.wait("r");
        returned = true;
    });
    world.core.signal(first);
    world.run();
    EXPECT_FALSE(returned);
    EXPECT_EQ(containers.query("r").status, 0);
    containers.close("r"); // the waiter keeps it
    EXPECT_EQ(references(second), 3u);
    world.core.signal(second);
    world.run();
    EXPECT_TRUE(returned);
    EXPECT_EQ(references(second), 1u);
    EXPECT_EQ(world.core.resv_lists.live(), 0u);
}

TEST_F(ContainerKindsTest, ANameOfAnotherKindIsClosedFirst) {
    const FenceRef first = lone();
    const FenceRef second = lone();
    containers.put_in(ContainerKind::chain, "n", first);
    containers.put_in(ContainerKind::resv, "n", second);
    EXPECT_EQ(references(first), 1u);
    EXPECT_EQ(containers.kind_of("n"), ContainerKind::resv);
    containers.put_in(ContainerKind::sync_file, "n", first);
    containers.put_in(ContainerKind::sync_file, "n", second);
    EXPECT_EQ(references(first), 1u);
    EXPECT_EQ(references(second), 2u);
    EXPECT_EQ(containers.open(), 1u);
}

TEST_F(ContainerKindsTest, APrivateFenceInAnyOfThemIsAHazard) {
    const FenceRef fence = lone();
    world.core.get(fence).flags.set_bit(world.machine, flag::is_private);
    containers.put_in(ContainerKind::resv, "r", fence);
    containers.put_in(ContainerKind::chain, "c", fence);
    EXPECT_THAT(world.machine.hazards()[0].message, HasSubstr("was put into resv r"));
    EXPECT_THAT(world.machine.hazards()[1].message, HasSubstr("was put into chain c"));
}

TEST_F(ContainerKindsTest, AMergedSyncFileTellsAboutEachFence) {
    const FenceRef first = lone();
    const FenceRef second = lone();
    containers.put_in(ContainerKind::sync_file, "a", first);
    containers.put_in(ContainerKind::sync_file, "b", second);
    containers.merge("m", "a", "b");
    containers.close("a");
    containers.close("b");
    EXPECT_EQ(references(first), 2u);
    EXPECT_EQ(containers.query("m").fences.size(), 2u);
    EXPECT_THAT(order, ElementsAre("timeline", "driver", "timeline", "driver"));
    EXPECT_EQ(containers.query("m").status, 0);
    world.core.set_error(second, -5);
    world.core.signal(second);
    world.core.signal(first);
    EXPECT_EQ(containers.query("m").status, -5);
    EXPECT_TRUE(containers.poll("m"));
    containers.close("m");
    EXPECT_EQ(references(first), 1u);
    EXPECT_EQ(references(second), 1u);
}

TEST_F(ContainerKindsTest, MergingWhatHasSignalledGivesAStub) {
    const FenceRef fence = lone();
    containers.put_in(ContainerKind::sync_file, "a", fence);
    world.core.signal(fence);
    containers.merge("m", "a", "a");
    EXPECT_TRUE(containers.poll("m"));
    ASSERT_EQ(containers.query("m").fences.size(), 1u);
    EXPECT_EQ(containers.query("m").fences[0].timeline, "stub");
    EXPECT_EQ(references(fence), 2u);
}

TEST_F(ContainerKindsTest, EachGivesOneFenceForAll) {
    const FenceRef first = lone();
    const FenceRef second = lone();
    for (const auto kind : {ContainerKind::chain, ContainerKind::resv}) {
        containers.put_in(kind, "n", first);
        containers.put_in(kind, "n", second);
        const FenceRef all = containers.take_fence("n");
        EXPECT_TRUE(world.core.is_container(all));
        EXPECT_FALSE(world.core.is_signaled(all));
        world.core.put(all, Holder::workload);
    }
    containers.put_in(ContainerKind::syncobj, "n", first);
    EXPECT_EQ(containers.take_fence("n"), first);
}

TEST_F(ContainerKindsTest, TheLedgerTellsThemApart) {
    const FenceRef fences[] = {lone(), lone()};
    containers.put_in(ContainerKind::chain, "c", fences[0]);
    containers.put_in(ContainerKind::resv, "r", fences[1]);
    for (const FenceRef fence : fences) {
        world.core.signal(fence);
        world.core.put(fence, Holder::job);
    }
    (void)containers.poll("c"); // only now has the link signalled
    world.run_until(sim::kSecond);
    containers.close_all();
    EXPECT_DOUBLE_EQ(world.core.ledger.byte_seconds(Holder::timeline), 128);
    EXPECT_DOUBLE_EQ(world.core.ledger.byte_seconds(Holder::container), 64) << "in the link";
    EXPECT_DOUBLE_EQ(world.core.ledger.byte_seconds(Holder::resv), 64);
}

} // namespace
} // namespace fenceline::fences
