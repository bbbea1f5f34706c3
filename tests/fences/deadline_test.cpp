// Deadlines: who keeps them, and how they get from the public fence to the driver's.
#include "container_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::fences {
namespace {

using namespace testing_support;
using testing::Optional;

class DeadlineTest : public testing::Test {
  protected:
    DeadlineTest() : world(preset("split")) {
        ring = world.owner(OwnerKind::ring, "gfx");
        sched = world.owner(OwnerKind::scheduler, "gfx");
        pair = world.pair(sched);
        hardware = world.h_fences.create({{}, ring, {}}, 3, 1);
    }
    ContainerWorld world;
    OwnerRef ring;
    OwnerRef sched;
    FenceRef pair;
    FenceRef hardware;
};

TEST_F(DeadlineTest, TheEarliestStays) {
    EXPECT_EQ(world.core.deadline_of(pair), std::nullopt);
    world.core.set_deadline(pair, 500);
    world.core.set_deadline(pair, 700);
    EXPECT_THAT(world.core.deadline_of(pair), Optional(500u));
    world.core.set_deadline(pair, 300);
    EXPECT_THAT(world.core.deadline_of(pair), Optional(300u));
}

TEST_F(DeadlineTest, WaitsForTheParentWhereThereIsNoneYet) {
    world.core.set_deadline(pair, 500);
    EXPECT_EQ(world.core.deadline_of(hardware), std::nullopt);
    world.s_fences.scheduled(pair, hardware);
    EXPECT_THAT(world.core.deadline_of(hardware), Optional(500u));
}

TEST_F(DeadlineTest, IsPassedOnToAParentThatIsKnown) {
    world.s_fences.scheduled(pair, hardware);
    EXPECT_EQ(world.core.deadline_of(hardware), std::nullopt);
    world.core.set_deadline(pair, 500);
    EXPECT_THAT(world.core.deadline_of(hardware), Optional(500u));
    world.core.set_deadline(pair, 600);
    EXPECT_THAT(world.core.deadline_of(hardware), Optional(500u)) << "a later one stays here";
}

TEST_F(DeadlineTest, ScheduledAndWhatHasSignalledDoNotCare) {
    const FenceRef scheduled = pair.sibling(FencePart::scheduled);
    world.core.set_deadline(scheduled, 500);
    EXPECT_EQ(world.core.deadline_of(scheduled), std::nullopt);
    world.s_fences.scheduled(pair, hardware);
    world.s_fences.finished(pair, 0);
    world.core.set_deadline(pair, 500);
    EXPECT_EQ(world.core.deadline_of(pair), std::nullopt);
}

TEST_F(DeadlineTest, ArraysAndChainsTellTheirFences) {
    const FenceRef other = world.h_fences.create({{}, ring, {}}, 4, 1);
    const FenceRef third = world.h_fences.create({{}, ring, {}}, 5, 1);
    const FenceRef array = world.array({world.core.take(hardware), world.core.take(other)});
    const FenceRef first = fence_chain_init(world.core, {}, array, 1);
    const FenceRef tail = fence_chain_init(world.core, first, world.core.take(third), 2);
    world.core.signal(other);
    world.core.set_deadline(tail, 500);
    EXPECT_THAT(world.core.deadline_of(third), Optional(500u));
    EXPECT_THAT(world.core.deadline_of(hardware), Optional(500u));
    EXPECT_EQ(world.core.deadline_of(other), std::nullopt);
}

TEST_F(DeadlineTest, ADmaResvTellsThoseOfTheUsage) {
    const FenceRef reader = world.h_fences.create({{}, ring, {}}, 4, 1);
    Resv resv(world.core);
    resv.lock();
    resv.reserve_fences(2);
    resv.add_fence(hardware, ResvUsage::write);
    resv.add_fence(reader, ResvUsage::read);
    resv.unlock();
    resv.set_deadline(ResvUsage::write, 500);
    EXPECT_THAT(world.core.deadline_of(hardware), Optional(500u));
    EXPECT_EQ(world.core.deadline_of(reader), std::nullopt);
    resv.fini();
}

TEST_F(DeadlineTest, GoesWithItsFence) {
    world.core.set_deadline(hardware, 500);
    world.core.signal(hardware);
    world.drop(hardware);
    world.run();
    EXPECT_EQ(world.core.deadline_of(hardware), std::nullopt);
}

// --- references of the input ---------------------------------------------------------------------

class HoldForInput : public DeadlineTest {};

TEST_F(HoldForInput, KeepsTheFenceButNotOnTheLedger) {
    world.s_fences.scheduled(pair, hardware);
    world.core.put(hardware, Holder::driver);
    world.core.hold_for_input(pair);
    world.core.signal(hardware);
    world.s_fences.finished(pair, 0);
    world.run_until(sim::kSecond);
    world.core.put(pair, Holder::job);
    world.run_until(10 * sim::kSecond);
    EXPECT_TRUE(world.core.alive(pair));
    EXPECT_EQ(world.references(hardware), 1u);
    EXPECT_DOUBLE_EQ(world.core.ledger.byte_seconds(Holder::job), 192);
    EXPECT_DOUBLE_EQ(world.core.ledger.byte_seconds(Holder::sched_fence), 64);
    world.core.drop_for_input(pair);
    world.run();
    EXPECT_FALSE(world.core.alive(pair));
    EXPECT_FALSE(world.core.alive(hardware));
    EXPECT_DOUBLE_EQ(world.core.ledger.byte_seconds(), 256) << "nothing for the nine seconds";
    EXPECT_EQ(world.core.ledger.unreleased(), 0u);
}

TEST_F(HoldForInput, AParentThatSomebodyElseHoldsIsBookedWhenHeLetsGo) {
    world.s_fences.scheduled(pair, hardware);
    world.core.hold_for_input(pair);
    world.core.signal(hardware);
    world.s_fences.finished(pair, 0);
    world.core.put(pair, Holder::job);
    world.run_until(2 * sim::kSecond);
    world.core.put(hardware, Holder::driver);
    EXPECT_DOUBLE_EQ(world.core.ledger.byte_seconds(Holder::driver), 128);
    world.run_until(10 * sim::kSecond);
    world.core.drop_for_input(pair);
    EXPECT_DOUBLE_EQ(world.core.ledger.byte_seconds(), 128);
}

TEST_F(HoldForInput, WhoHoldsOnLongerIsBookedAsEver) {
    world.s_fences.scheduled(pair, {});
    world.core.hold_for_input(pair);
    world.s_fences.finished(pair, 0);
    world.core.drop_for_input(pair);
    world.run_until(sim::kSecond);
    world.core.put(pair, Holder::syncobj);
    EXPECT_DOUBLE_EQ(world.core.ledger.byte_seconds(Holder::syncobj), 192);
}

TEST_F(HoldForInput, IsNoOperationOfTheModel) {
    const auto atomics = world.machine.counters.atomics;
    world.core.hold_for_input(pair);
    world.core.drop_for_input(pair);
    EXPECT_EQ(world.machine.counters.atomics, atomics);
}

} // namespace
} // namespace fenceline::fences
