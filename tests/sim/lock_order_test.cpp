// The order in which spinlocks are taken.
#include "sim/lock.hpp"
#include "sim/wait.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>

namespace fenceline::sim {
namespace {

using testing::HasSubstr;

class LockOrderTest : public testing::Test {
  protected:
    /// Takes `outer`, then `inner`, as that kind of context.
    void nest(std::string_view outer, std::string_view inner,
              ContextKind kind = ContextKind::task) {
        Context context(kind, "c", machine.next_context_id());
        const ContextScope scope(machine, context);
        SpinLock a;
        SpinLock b;
        const SpinGuard first(machine, a, outer);
        const SpinGuard second(machine, b, inner);
    }
    void take(std::string_view name, ContextKind kind) {
        Context context(kind, "c", machine.next_context_id());
        const ContextScope scope(machine, context);
        SpinLock lock;
        const SpinGuard guard(machine, lock, name);
    }
    void expect_fault(std::string_view text) {
        ASSERT_EQ(machine.hazards().size(), 1u);
        EXPECT_EQ(machine.hazards()[0].kind, &hazards::lock_order);
        EXPECT_THAT(machine.hazards()[0].message, HasSubstr(text));
    }

    Machine machine;
};

TEST_F(LockOrderTest, OneOrderIsRight) {
    nest("a", "b");
    nest("b", "c");
    nest("a", "c");
    nest("a", "b");
    EXPECT_TRUE(machine.hazards().empty());
}

TEST_F(LockOrderTest, BothOrdersAreAFaultAlthoughTheyNeverMet) {
    nest("a", "b");
    nest("b", "a");
    expect_fault("a is taken with b held, and b with a held");
}

TEST_F(LockOrderTest, SoAreBothOrdersByWayOfAThird) {
    nest("a", "b");
    nest("b", "c");
    nest("c", "a");
    expect_fault("a is taken with c held");
}

TEST_F(LockOrderTest, EachFaultIsReportedOnce) {
    nest("a", "b");
    for (int i = 0; i < 3; ++i)
        nest("b", "a");
    expect_fault("a is taken");
}

TEST_F(LockOrderTest, LocksOfOneClassMayNest) {
    nest("a", "a");
    EXPECT_TRUE(machine.hazards().empty());
}

TEST_F(LockOrderTest, ALockThatInterruptsTakeIsNeverTakenWithInterruptsEnabled) {
    machine.lock_order.declare_irq_unsafe("u");
    take("u", ContextKind::task);
    EXPECT_TRUE(machine.hazards().empty());
    take("u", ContextKind::irq);
    expect_fault("u is taken in interrupts, and elsewhere with interrupts enabled");
}

TEST_F(LockOrderTest, NorBehindALockThatInterruptsTake) {
    machine.lock_order.declare_irq_unsafe("u");
    take("s", ContextKind::irq);
    nest("s", "u");
    expect_fault("u, which leaves interrupts enabled elsewhere, is taken with s held");
}

TEST_F(LockOrderTest, AlsoWhenTheInterruptComesLater) {
    machine.lock_order.declare_irq_unsafe("u");
    nest("s", "u");
    EXPECT_TRUE(machine.hazards().empty());
    take("s", ContextKind::irq);
    expect_fault("u, which leaves interrupts enabled elsewhere, is taken with s held");
}

TEST_F(LockOrderTest, IrqSafeLocksMayBeTakenAnywhere) {
    take("s", ContextKind::irq);
    take("s", ContextKind::task);
    nest("s", "t");
    EXPECT_TRUE(machine.hazards().empty());
}

TEST_F(LockOrderTest, BlockingWithASpinlockHeldIsReported) {
    Completion never;
    EXPECT_THROW(machine.start_task("t",
                                    [&] {
                                        SpinLock lock;
                                        const SpinGuard guard(machine, lock, "a");
                                        never.wait(machine, "it");
                                    }),
                 FatalHazard);
    ASSERT_EQ(machine.hazards().size(), 1u);
    EXPECT_EQ(machine.hazards()[0].kind, &hazards::atomic_sleep);
    EXPECT_THAT(machine.hazards()[0].message, HasSubstr("with a spinlock held"));
}

} // namespace
} // namespace fenceline::sim
