// Atomics, spinlocks, reference counts.
#include "sim/atomic.hpp"
#include "sim/lock.hpp"
#include "sim/refcount.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::sim {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

TEST(Atomic, CountsReadModifyWritesAndNothingElse) {
    Machine machine;
    Atomic<std::uint32_t> value(5);
    EXPECT_EQ(value.read(machine), 5u);
    value.set(machine, 7);
    EXPECT_EQ(value.peek(), 7u);
    EXPECT_FALSE(value.test_bit(machine, 8));
    EXPECT_EQ(machine.counters.atomics, 0u);
    value.add(machine, 3);
    value.sub(machine, 1);
    EXPECT_EQ(value.inc_return(machine), 10u);
    EXPECT_EQ(value.compare_exchange(machine, 10, 4), 10u);
    EXPECT_EQ(value.compare_exchange(machine, 10, 5), 4u);
    EXPECT_EQ(value.peek(), 4u);
    value.set_bit(machine, 8);
    EXPECT_FALSE(value.test_and_set_bit(machine, 16));
    EXPECT_TRUE(value.test_and_set_bit(machine, 16));
    EXPECT_EQ(value.peek(), 28u);
    EXPECT_EQ(machine.counters.atomics, 8u);
}

TEST(SpinLock, CountsAcquisitions) {
    Machine machine;
    SpinLock lock;
    for (int i = 0; i < 3; ++i) {
        const SpinGuard guard(machine, lock, "l");
        EXPECT_TRUE(lock.held_by_current(machine));
    }
    EXPECT_FALSE(lock.held_by_current(machine));
    EXPECT_EQ(machine.counters.locks, 3u);
    EXPECT_THAT(machine.hazards(), IsEmpty());
}

TEST(SpinLock, TakingItTwiceIsADeadlock) {
    Machine machine;
    SpinLock lock;
    lock.lock(machine, "rq->lock");
    EXPECT_THROW(lock.lock(machine, "rq->lock"), FatalHazard);
    ASSERT_THAT(machine.hazards(), SizeIs(1));
    EXPECT_EQ(machine.hazards()[0].kind, &hazards::deadlock);
    EXPECT_EQ(headline(machine.hazards()[0]),
              "deadlock of lock: spinlock rq->lock is taken while it is held");
}

TEST(SpinLock, ReleasingAFreeLockIsReported) {
    Machine machine;
    SpinLock lock;
    EXPECT_THROW(lock.unlock(machine, "l"), FatalHazard);
    EXPECT_EQ(machine.hazards()[0].message,
              "spinlock l is released by somebody who does not hold it");
}

TEST(SpinLock, AGuardLetsGoWhenAHazardUnwinds) {
    Machine machine;
    SpinLock lock;
    RefCount count;
    try {
        const SpinGuard guard(machine, lock, "l");
        count.get(machine, "thing");
    } catch (const FatalHazard&) {
    }
    EXPECT_FALSE(lock.held_by_current(machine));
    EXPECT_THAT(machine.hazards(), SizeIs(1));
}

TEST(RefCount, TheLastPutSaysSo) {
    Machine machine;
    RefCount count;
    count.init();
    count.get(machine, "thing");
    EXPECT_EQ(count.peek(), 2u);
    EXPECT_FALSE(count.put(machine, "thing"));
    EXPECT_TRUE(count.put(machine, "thing"));
    EXPECT_EQ(count.peek(), 0u);
    EXPECT_EQ(machine.counters.atomics, 3u);
}

TEST(RefCount, DroppingAReferenceOnZeroIsAnUnderflow) {
    Machine machine;
    RefCount count;
    EXPECT_THROW(count.put(machine, "fence"), FatalHazard);
    EXPECT_EQ(headline(machine.hazards()[0]),
              "refcount-underflow of fence: a reference was dropped on a count of zero");
    EXPECT_EQ(count.peek(), 0u);
}

TEST(RefCount, TakingAReferenceOnZeroIsReportedToo) {
    Machine machine;
    RefCount count;
    EXPECT_THROW(count.get(machine, "fence"), FatalHazard);
    EXPECT_EQ(headline(machine.hazards()[0]),
              "refcount-underflow of fence: a reference was taken on a count of zero");
    EXPECT_EQ(count.peek(), 0u);
}

TEST(RefCount, GetUnlessZeroRefusesTheDead) {
    Machine machine;
    RefCount count;
    EXPECT_FALSE(count.get_unless_zero(machine));
    EXPECT_EQ(count.peek(), 0u);
    count.init();
    EXPECT_TRUE(count.get_unless_zero(machine));
    EXPECT_EQ(count.peek(), 2u);
    EXPECT_THAT(machine.hazards(), IsEmpty());
}

} // namespace
} // namespace fenceline::sim
