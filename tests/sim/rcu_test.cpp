// RCU: grace periods and what waits for them.
#include "sim/rcu.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace fenceline::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RcuTest : public testing::Test {
  public:
    void call(const std::string& name) {
        names.push_back(name);
        rcu.call(
            [](void* self, std::uint64_t index) {
                auto& test = *static_cast<RcuTest*>(self);
                test.note(test.names[index]);
                if (test.then)
                    test.then(test.names[index]);
            },
            this, names.size() - 1);
    }
    void note(const std::string& what) {
        log.push_back(what + "@" + std::to_string(machine.now()));
    }
    void at(Time when, std::function<void()> body) {
        actions.push_back(std::move(body));
        machine.engine.arm(
            when,
            [](void* self, std::uint64_t index) { static_cast<RcuTest*>(self)->actions[index](); },
            this, actions.size() - 1);
    }
    void run() { machine.engine.run(nullptr, 1'000'000); }

    Machine machine;
    Rcu rcu{machine, 100};
    std::vector<std::string> names;
    std::vector<std::string> log;
    std::vector<std::function<void()>> actions;
    std::function<void(const std::string&)> then;
};

TEST_F(RcuTest, ACallbackWaitsOneToTwoPeriods) {
    call("at once");
    at(1, [&] { call("early"); });
    at(99, [&] { call("late"); });
    run();
    EXPECT_THAT(log, ElementsAre("at once@100", "early@200", "late@200"));
    EXPECT_EQ(machine.counters.grace_periods, 2u);
    EXPECT_EQ(machine.counters.rcu_callbacks, 3u);
}

TEST_F(RcuTest, APeriodStartsOnlyWhenSomebodyWaits) {
    at(1000, [&] { call("a"); });
    at(5000, [&] { call("b"); });
    run();
    EXPECT_THAT(log, ElementsAre("a@1100", "b@5100"));
    EXPECT_EQ(machine.counters.grace_periods, 2u);
}

TEST_F(RcuTest, WhatArrivesJustAsAPeriodEndsIsDecidedByItsPlace) {
    call("first");
    at(100, [&] { call("second"); }); // armed behind the period, so the period has ended by then
    run();
    EXPECT_THAT(log, ElementsAre("first@100", "second@200"));
}

TEST_F(RcuTest, ACallbackFromACallbackWaitsForAnotherPeriod) {
    then = [&](const std::string& name) {
        if (name == "a")
            call("nested");
    };
    call("first"); // starts a period, for which the others are too late
    call("a");
    call("b");
    run();
    EXPECT_THAT(log, ElementsAre("first@100", "a@200", "b@200", "nested@300"));
}

TEST_F(RcuTest, ACallbackWaitsForTheNextPeriodIfThatHasBegun) {
    then = [&](const std::string& name) {
        if (name == "a")
            call("nested");
    };
    call("a");
    at(50, [&] { call("b"); }); // starts a second period at 100
    run();
    EXPECT_THAT(log, ElementsAre("a@100", "b@200", "nested@300"));
}

TEST_F(RcuTest, CallbacksRunInRcuContextAndMustNotSleep) {
    std::string who;
    then = [&](const std::string&) {
        who = describe(machine.current());
        machine.block("a mutex");
    };
    call("a");
    EXPECT_THROW(run(), FatalHazard);
    EXPECT_EQ(who, "rcu callbacks");
}

TEST_F(RcuTest, PendingCountsBothPeriods) {
    EXPECT_EQ(rcu.pending(), 0u);
    call("a");
    call("b");
    EXPECT_EQ(rcu.pending(), 2u);
    run();
    EXPECT_EQ(rcu.pending(), 0u);
}

TEST_F(RcuTest, SynchronizeBlocksForAPeriod) {
    machine.start_task("idle", [&] {
        rcu.synchronize();
        note("idle");
    });
    at(30, [&] {
        machine.start_task("busy", [&] {
            rcu.synchronize();
            note("busy");
        });
    });
    run();
    EXPECT_THAT(log, ElementsAre("idle@100", "busy@200"));
}

TEST_F(RcuTest, BarrierWithoutCallbacksReturnsAtOnce) {
    machine.start_task("a", [&] {
        rcu.barrier();
        note("barrier");
    });
    EXPECT_THAT(log, ElementsAre("barrier@0"));
    EXPECT_EQ(machine.counters.grace_periods, 0u);
}

TEST_F(RcuTest, BarrierReturnsAfterEveryCallbackQueuedBefore) {
    call("a");
    at(20, [&] { call("b"); });
    at(30, [&] {
        machine.start_task("barrier", [&] {
            rcu.barrier();
            note("barrier");
        });
    });
    run();
    EXPECT_THAT(log, ElementsAre("a@100", "b@200", "barrier@200"));
}

TEST_F(RcuTest, ReadSidesAreNoObstacleInATimedRun) {
    rcu.read_lock();
    rcu.read_lock();
    rcu.read_unlock();
    rcu.read_unlock();
    call("a");
    run();
    EXPECT_THAT(log, ElementsAre("a@100"));
}

// When a run keeps going after a hazard in one callback, the others of the same period still run.
TEST_F(RcuTest, CallbacksBehindOneThatDiedStillRun) {
    then = [&](const std::string& name) {
        if (name == "bad")
            machine.block("a mutex");
    };
    call("first"); // starts a period, for which the others are too late
    call("bad");
    call("good");
    EXPECT_THROW(run(), FatalHazard);
    run();
    EXPECT_THAT(log, ElementsAre("first@100", "bad@200", "good@200"));
}

} // namespace
} // namespace fenceline::sim
