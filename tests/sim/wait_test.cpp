// Wait queues and completions.
#include "sim/wait.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fenceline::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class WaitTest : public testing::Test {
  protected:
    void run() { machine.engine.run(nullptr, 1'000'000); }

    Machine machine;
    std::vector<std::string> log;
};

TEST_F(WaitTest, AConditionThatHoldsDoesNotBlock) {
    WaitQueue queue;
    queue.wait_event(machine, "nothing", [] { return true; });
    EXPECT_FALSE(queue.has_waiters());
    EXPECT_EQ(machine.counters.blocking_waits, 0u);
}

TEST_F(WaitTest, TheNewestWaiterIsWokenFirst) {
    WaitQueue queue;
    bool open = false;
    for (const char* name : {"a", "b", "c"})
        machine.start_task(name, [&, name] {
            queue.wait_event(machine, "the gate", [&] { return open; });
            log.push_back(name);
        });
    open = true;
    queue.wake_up(machine);
    EXPECT_FALSE(queue.has_waiters());
    run();
    EXPECT_THAT(log, ElementsAre("c", "b", "a"));
}

TEST_F(WaitTest, ASecondWakeUpBeforeTheWaiterRanTakesNoSecondPlace) {
    WaitQueue queue;
    bool open = false;
    machine.start_task("a", [&] {
        queue.wait_event(machine, "the gate", [&] { return open; });
        log.push_back("a");
    });
    open = true;
    queue.wake_up(machine);
    const std::size_t pending = machine.engine.pending();
    queue.wake_up(machine);
    EXPECT_EQ(machine.engine.pending(), pending);
    run();
    EXPECT_THAT(log, ElementsAre("a"));
}

TEST_F(WaitTest, AWokenWaiterLooksAtItsConditionAgain) {
    WaitQueue queue;
    int looks = 0;
    bool open = false;
    machine.start_task("a", [&] {
        queue.wait_event(machine, "the gate", [&] {
            ++looks;
            return open;
        });
        log.push_back("a");
    });
    queue.wake_up(machine);
    run();
    EXPECT_EQ(looks, 2);
    EXPECT_TRUE(queue.has_waiters());
    EXPECT_THAT(log, IsEmpty());
    open = true;
    queue.wake_up(machine);
    run();
    EXPECT_EQ(looks, 3);
    EXPECT_THAT(log, ElementsAre("a"));
}

TEST_F(WaitTest, ACompletionLetsEverybodyThroughUntilItIsReinitialised) {
    Completion done;
    EXPECT_FALSE(done.done());
    machine.start_task("early", [&] {
        done.wait(machine, "it");
        log.push_back("early");
    });
    done.complete_all(machine);
    EXPECT_TRUE(done.done());
    machine.start_task("late", [&] {
        done.wait(machine, "it");
        log.push_back("late");
    });
    EXPECT_THAT(log, ElementsAre("late"));
    run();
    EXPECT_THAT(log, ElementsAre("late", "early"));
    done.reinit(machine);
    machine.start_task("again", [&] {
        done.wait(machine, "it");
        log.push_back("again");
    });
    run();
    EXPECT_THAT(log, ElementsAre("late", "early"));
    machine.abandon_blocked();
}

TEST_F(WaitTest, ACompletionTakenBackBeforeTheWaiterRanKeepsItWaiting) {
    Completion done;
    machine.start_task("a", [&] {
        done.wait(machine, "it");
        log.push_back("a");
    });
    done.complete_all(machine);
    done.reinit(machine);
    run();
    EXPECT_THAT(log, IsEmpty());
    done.complete_all(machine);
    run();
    EXPECT_THAT(log, ElementsAre("a"));
}

// The kernel's completions queue their waiters first in, first out (a simple wait queue, to whose
// tail __prepare_to_swait adds), unlike wait queues, which wake the newest first.
TEST_F(WaitTest, ACompletionWakesTheOldestWaiterFirst) {
    Completion done;
    for (const char* name : {"a", "b", "c"})
        machine.start_task(name, [&, name] {
            done.wait(machine, "it");
            log.push_back(name);
        });
    done.complete_all(machine);
    run();
    EXPECT_THAT(log, ElementsAre("a", "b", "c"));
}

} // namespace
} // namespace fenceline::sim
