// Delayed work: a timer that queues an item.
#include "sim/workqueue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace fenceline::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class DelayedWorkTest : public testing::Test {
  public:
    static void ran(void* self, std::uint64_t) {
        auto& test = *static_cast<DelayedWorkTest*>(self);
        test.log.push_back("work@" + std::to_string(test.machine.now()));
    }
    void at(Time when, std::function<void()> body) {
        bodies.push_back(std::move(body));
        machine.engine.arm(
            when,
            [](void* self, std::uint64_t index) {
                static_cast<DelayedWorkTest*>(self)->bodies[index]();
            },
            this, bodies.size() - 1);
    }
    void note_at(Time when, const std::string& name) {
        at(when, [this, name] { log.push_back(name + "@" + std::to_string(machine.now())); });
    }
    void run() { machine.engine.run(nullptr, 1'000'000); }

    Machine machine;
    std::vector<std::string> log;
    std::vector<std::function<void()>> bodies;
    Workqueue queue{machine, "q", 0};
    DelayedWork work{machine, queue, ran, this, 0};
};

TEST_F(DelayedWorkTest, RunsAfterItsDelayOnce) {
    EXPECT_TRUE(work.queue(10));
    EXPECT_TRUE(work.pending());
    run();
    EXPECT_FALSE(work.pending());
    EXPECT_THAT(log, ElementsAre("work@10"));
}

TEST_F(DelayedWorkTest, QueueingWhatIsPendingDoesNothing) {
    EXPECT_TRUE(work.queue(10));
    EXPECT_FALSE(work.queue(5));
    run();
    EXPECT_THAT(log, ElementsAre("work@10"));
}

TEST_F(DelayedWorkTest, TakesAPlaceWhenArmedAndAnotherWhenItFires) {
    work.queue(10);
    note_at(10, "armed later");
    run();
    // The timer fires first, but the item that it queues is behind what was due already.
    EXPECT_THAT(log, ElementsAre("armed later@10", "work@10"));
}

TEST_F(DelayedWorkTest, ADelayOfZeroQueuesAtOnce) {
    at(5, [this] {
        work.queue(0);
        machine.engine.post(
            [](void* self, std::uint64_t) {
                static_cast<DelayedWorkTest*>(self)->log.emplace_back("posted behind it");
            },
            this, 0);
    });
    run();
    EXPECT_THAT(log, ElementsAre("work@5", "posted behind it"));
}

TEST_F(DelayedWorkTest, ModMovesItLaterAndEarlier) {
    EXPECT_FALSE(work.mod(10));
    at(9, [this] { EXPECT_TRUE(work.mod(10)); });   // due at 19
    at(18, [this] { EXPECT_TRUE(work.mod(100)); }); // due at 118
    at(20, [this] { EXPECT_TRUE(work.mod(5)); });   // due at 25
    run();
    EXPECT_THAT(log, ElementsAre("work@25"));
}

TEST_F(DelayedWorkTest, ModTakesANewPlace) {
    work.mod(10);
    note_at(20, "timer");
    at(10, [] {}); // armed behind the work's timer, so the work has fired by then
    machine.engine.run(nullptr, 0);
    work.mod(20);
    run();
    EXPECT_THAT(log, ElementsAre("timer@20", "work@20"));
}

TEST_F(DelayedWorkTest, ModTakesBackAnItemThatIsQueuedAlready) {
    at(10, [this] {
        work.queue(0);
        EXPECT_TRUE(work.pending());
        EXPECT_TRUE(work.mod(7));
    });
    run();
    EXPECT_THAT(log, ElementsAre("work@17"));
}

TEST_F(DelayedWorkTest, CancelTakesBackTimerAndItem) {
    work.queue(10);
    EXPECT_TRUE(work.cancel());
    EXPECT_FALSE(work.cancel());
    at(20, [this] {
        work.queue(0);
        EXPECT_TRUE(work.cancel());
    });
    run();
    EXPECT_THAT(log, IsEmpty());
    EXPECT_FALSE(work.pending());
}

TEST_F(DelayedWorkTest, ReArmingForEveryJobCostsOneEntryOfTheQueue) {
    work.mod(1000);
    for (int i = 0; i < 100; ++i)
        work.mod(1000);
    EXPECT_EQ(machine.engine.pending(), 1u);
    run();
    EXPECT_THAT(log, ElementsAre("work@1000"));
}

TEST_F(DelayedWorkTest, PutOffForEverItNeverRuns) {
    work.mod(10);
    EXPECT_TRUE(work.mod(kForever));
    run();
    EXPECT_THAT(log, IsEmpty());
    EXPECT_FALSE(work.pending());
}

TEST_F(DelayedWorkTest, CancelSyncWaitsForTheItemThatRuns) {
    struct Blocking {
        DelayedWorkTest& test;
        Context* worker = nullptr;
    } blocking{*this};
    DelayedWork blocked(
        machine, queue,
        [](void* self, std::uint64_t) {
            auto& b = *static_cast<Blocking*>(self);
            b.worker = &b.test.machine.current();
            b.test.machine.block("something");
            b.test.log.push_back("ended@" + std::to_string(b.test.machine.now()));
        },
        &blocking, 0, 0, true);
    blocked.queue(1);
    at(2, [&] {
        machine.start_task("canceller", [&] {
            EXPECT_FALSE(blocked.cancel_sync());
            log.push_back("cancelled@" + std::to_string(machine.now()));
        });
    });
    at(5, [&] { machine.wake(*blocking.worker); });
    run();
    EXPECT_THAT(log, ElementsAre("ended@5", "cancelled@5"));
}

} // namespace
} // namespace fenceline::sim
