// Runs under a schedule: who is held where, who waits for whose lock, and what cannot be followed.
#include "sim/atomic.hpp"
#include "sim/heap.hpp"
#include "sim/interleaver.hpp"
#include "sim/lock.hpp"
#include "sim/rcu.hpp"
#include "sim/refcount.hpp"
#include "sim/wait.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fenceline::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class InterleaverTest : public testing::Test {
  public: // event functions use it
    InterleaverTest() { machine.fibers_for_all = true; }
    ~InterleaverTest() override {
        interleaver.reset();
        machine.abandon_blocked();
    }
    void follow(std::vector<ScheduleStep> steps) {
        schedule.steps = std::move(steps);
        interleaver = std::make_unique<Interleaver>(machine, schedule);
    }
    void run() {
        while (machine.engine.run(nullptr, 1000)) {
        }
        if (interleaver->holding())
            interleaver->stalled();
    }
    /// A task that calls the functions, one after the other, and notes when each is really entered.
    void task(const std::string& name, std::vector<std::string_view> functions) {
        machine.start_task(name, [this, name, functions] {
            for (const std::string_view function : functions) {
                Frame frame(machine, function);
                log.push_back(name + " " + std::string(function));
            }
        });
    }

    void start_late() { task("late", {"f"}); }
    void start_other() { task("other", {"go"}); }

    Machine machine;
    Schedule schedule;
    std::unique_ptr<Interleaver> interleaver;
    std::vector<std::string> log;
};

TEST_F(InterleaverTest, WithoutStepsContextsMoveInTimedOrder) {
    follow({});
    task("a", {"f", "g"});
    task("b", {"f"});
    run();
    EXPECT_THAT(log, ElementsAre("a f", "a g", "b f"));
    EXPECT_NO_THROW(interleaver->finish());
}

TEST_F(InterleaverTest, AContextIsHeldUntilTheStepsBeforeItsOwnHaveHappened) {
    follow({{"task:b", "call g"}, {"task:a", "call g"}, {"task:b", "call h"}});
    task("a", {"f", "g", "h"});
    task("b", {"f", "g", "h"});
    run();
    EXPECT_THAT(log, ElementsAre("a f", "b f", "b g", "a g", "a h", "b h"));
    EXPECT_NO_THROW(interleaver->finish());
}

TEST_F(InterleaverTest, TheFirstMatchAfterTheLastStepOfTheContextCounts) {
    follow({{"task:a", "call f"}, {"task:b", "call f"}, {"task:a", "call f"}});
    task("a", {"f", "f"});
    task("b", {"f"});
    run();
    EXPECT_THAT(log, ElementsAre("a f", "b f", "a f"));
}

TEST_F(InterleaverTest, TheFunctionThatMakesAnOperationTellsItFromOthers) {
    Atomic<std::uint32_t> value;
    follow({{"task:b", "call go"}, {"task:a", "rmw in second"}});
    machine.start_task("a", [&] {
        {
            Frame frame(machine, "first");
            value.add(machine, 1);
        }
        Frame frame(machine, "second");
        value.add(machine, 10);
        log.push_back("a done");
    });
    EXPECT_EQ(value.peek(), 1u);
    task("b", {"go"});
    run();
    EXPECT_THAT(log, ElementsAre("b go", "a done"));
    EXPECT_EQ(value.peek(), 11u);
}

TEST_F(InterleaverTest, TimeGoesOnForTheOthers) {
    follow({{"task:late", "call f"}, {"task:a", "call f"}});
    task("a", {"f"});
    machine.engine.arm(
        500, [](void* self, std::uint64_t) { static_cast<InterleaverTest*>(self)->start_late(); },
        this, 0);
    run();
    EXPECT_THAT(log, ElementsAre("late f", "a f"));
    EXPECT_EQ(machine.now(), 500u);
}

TEST_F(InterleaverTest, WhoeverWantsAHeldLockWaitsForIt) {
    SpinLock lock;
    follow({{"task:b", "lock l"}, {"task:a", "unlock l"}});
    for (const std::string name : {"a", "b"})
        machine.start_task(name, [&, name] {
            const SpinGuard guard(machine, lock, "l");
            log.push_back(name);
        });
    run();
    EXPECT_THAT(log, ElementsAre("a", "b"));
    EXPECT_TRUE(machine.hazards().empty());
}

TEST_F(InterleaverTest, LocksTakenInOppositeOrderAreADeadlock) {
    SpinLock first;
    SpinLock second;
    follow({{"task:b", "lock first"}, {"task:a", "lock second"}});
    machine.start_task("a", [&] {
        const SpinGuard outer(machine, first, "first");
        const SpinGuard inner(machine, second, "second");
    });
    machine.start_task("b", [&] {
        const SpinGuard outer(machine, second, "second");
        const SpinGuard inner(machine, first, "first");
    });
    EXPECT_THROW(run(), FatalHazard);
    ASSERT_EQ(machine.hazards().size(), 1u);
    EXPECT_EQ(machine.hazards()[0].kind, &hazards::deadlock);
    EXPECT_THAT(machine.hazards()[0].message,
                testing::AllOf(HasSubstr("task b waits for spinlock first"),
                               HasSubstr("task a waits for spinlock second")));
    interleaver.reset(); // before the locks that they wait for go
}

TEST_F(InterleaverTest, TheDeadAreFoundOutByTheirAddress) {
    struct Object {
        RefCount count{1};
    };
    Pool<Object> pool(machine, "object", [](const Object&) { return std::string("object"); });
    const auto handle = pool.alloc();
    follow({{"task:b", "free object"}, {"task:a", "get object"}});
    machine.start_task("a", [&] {
        Object& object = pool.get(handle); // a pointer load, and then
        object.count.get(machine, "object");
    });
    machine.start_task("b", [&] { pool.free(handle); });
    EXPECT_THROW(run(), FatalHazard);
    ASSERT_EQ(machine.hazards().size(), 1u);
    EXPECT_EQ(machine.hazards()[0].kind, &hazards::use_after_free);
    EXPECT_EQ(machine.hazards()[0].access.context, "task a");
}

/// The holder finds the lock's owner dead, and its guard must not find that again while it unwinds.
TEST_F(InterleaverTest, AGuardOfALockThatDiedLetsGoQuietly) {
    struct Object {
        SpinLock lock;
        Atomic<std::uint32_t> flag;
    };
    Pool<Object> pool(machine, "object", [](const Object&) { return std::string("object"); });
    const auto handle = pool.alloc();
    follow({{"task:b", "free object"}, {"task:a", "rmw"}});
    machine.start_task("a", [&] {
        Object& object = pool.get(handle);
        const SpinGuard guard(machine, object.lock, "l");
        object.flag.add(machine, 1);
    });
    machine.start_task("b", [&] { pool.free(handle); });
    EXPECT_THROW(run(), FatalHazard);
    ASSERT_EQ(machine.hazards().size(), 1u);
    EXPECT_EQ(machine.hazards()[0].kind, &hazards::use_after_free);
}

TEST_F(InterleaverTest, OfTwoContextsWithOneNameTheFirstMakesTheStep) {
    follow({{"task:b", "call g"}, {"task:a", "call f"}, {"task:b", "call h"}});
    task("a", {"f"});
    task("a", {"f"});
    task("b", {"g", "h"});
    run();
    EXPECT_THAT(log, ElementsAre("b g", "a f", "a f", "b h"));
    EXPECT_NO_THROW(interleaver->finish());
}

TEST_F(InterleaverTest, AGracePeriodWaitsForReadersThatBeganBeforeIt) {
    Rcu rcu(machine, 100);
    follow({{"task:other", "call go"}, {"task:reader", "rcu_read_unlock"}});
    machine.start_task("reader", [&] {
        rcu.read_lock();
        rcu.read_unlock();
        log.push_back("reader left");
    });
    rcu.call([](void* self,
                std::uint64_t) { static_cast<InterleaverTest*>(self)->log.push_back("callback"); },
             this, 0);
    machine.engine.arm(
        500, [](void* self, std::uint64_t) { static_cast<InterleaverTest*>(self)->start_other(); },
        this, 0);
    run();
    EXPECT_THAT(log, ElementsAre("other go", "reader left", "callback"));
}

TEST_F(InterleaverTest, AWakeUpBetweenDecidingToBlockAndBlockingIsNotLost) {
    Completion done;
    follow({{"task:b", "call complete"}, {"task:b", "call over"}, {"task:a", "wait it"}});
    machine.start_task("a", [&] {
        done.wait(machine, "it");
        log.push_back("a woken");
    });
    machine.start_task("b", [&] {
        {
            Frame frame(machine, "complete");
            done.complete_all(machine);
        }
        Frame frame(machine, "over");
        log.push_back("b over");
    });
    run();
    EXPECT_THAT(log, ElementsAre("b over", "a woken"));
    EXPECT_TRUE(machine.blocked().empty());
}

TEST_F(InterleaverTest, AStepThatNeverComesIsAnErrorThatSaysWhereTheRunWas) {
    follow({{"task:b", "call never"}, {"task:a", "call f"}});
    task("a", {"f"});
    try {
        run();
        FAIL() << "followed";
    } catch (const ScheduleError& error) {
        EXPECT_EQ(error.step(), 0u);
        EXPECT_THAT(error.what(), HasSubstr("task:b never came to \"call never\""));
        EXPECT_THAT(error.what(), HasSubstr("task a is held at step 1 (call f)"));
    }
    EXPECT_TRUE(log.empty());
}

TEST_F(InterleaverTest, StepsThatAreLeftAtTheEndAreAnError) {
    follow({{"task:a", "call f"}, {"task:a", "call g"}});
    task("a", {"f"});
    run();
    EXPECT_THROW(interleaver->finish(), ScheduleError);
}

TEST_F(InterleaverTest, WhatArrivesForASuspendedContextWaitsItsTurn) {
    Context irq(ContextKind::irq, "ring", machine.next_context_id());
    follow({{"task:t", "call go"}, {"irq:ring", "call f"}});
    for (const std::string_view name : {"1", "2"})
        machine.run_in(irq, [this, name] {
            log.push_back("enter " + std::string(name));
            Frame frame(machine, "f");
            log.push_back("f " + std::string(name));
        });
    task("t", {"go"});
    run();
    EXPECT_THAT(log, ElementsAre("enter 1", "t go", "f 1", "enter 2", "f 2"));
}

TEST_F(InterleaverTest, NobodyIsSuspendedWhileHeHandlesAnException) {
    follow({{"task:b", "call g"}, {"task:a", "call f"}});
    machine.start_task("a", [&] {
        try {
            throw Interrupted();
        } catch (const Interrupted&) {
            Frame frame(machine, "f"); // would be held, were it not for the handler
            log.push_back("a f");
        }
    });
    EXPECT_THAT(log, ElementsAre("a f"));
}

} // namespace
} // namespace fenceline::sim
