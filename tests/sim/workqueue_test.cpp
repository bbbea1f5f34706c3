// Ordered workqueues and the system's workqueue.
#include "sim/wait.hpp"
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

/// A work item that runs a closure.
struct Item {
    Item(std::function<void()> f, Time cost = 0, bool may_block = false)
        : body(std::move(f)), work(run, this, 0, cost, may_block) {}
    static void run(void* self, std::uint64_t) { static_cast<Item*>(self)->body(); }
    std::function<void()> body;
    Work work;
};

class WorkqueueTest : public testing::Test {
  public:
    std::function<void()> note(std::string name) {
        return [this, name] { log.push_back(name + "@" + std::to_string(machine.now())); };
    }
    void at(Time when, std::function<void()> body) {
        actions.push_back(std::move(body));
        machine.engine.arm(
            when,
            [](void* self, std::uint64_t index) {
                static_cast<WorkqueueTest*>(self)->actions[index]();
            },
            this, actions.size() - 1);
    }
    void post(std::string name) {
        actions.push_back(note(std::move(name)));
        machine.engine.post(
            [](void* self, std::uint64_t index) {
                static_cast<WorkqueueTest*>(self)->actions[index]();
            },
            this, actions.size() - 1);
    }
    void run() { machine.engine.run(nullptr, 1'000'000); }

    Machine machine;
    std::vector<std::string> log;
    std::vector<std::function<void()>> actions;
};

TEST_F(WorkqueueTest, ItemsRunOneAtATimeInOrder) {
    Workqueue queue(machine, "q", 0);
    Item a(note("a"));
    Item b(note("b"));
    Item c(note("c"));
    queue.queue(b.work);
    queue.queue(a.work);
    queue.queue(c.work);
    run();
    EXPECT_THAT(log, ElementsAre("b@0", "a@0", "c@0"));
}

TEST_F(WorkqueueTest, ItemsRunInTheWorkersContext) {
    Workqueue queue(machine, "gfx", 0);
    std::string who;
    Item item([&] { who = describe(machine.current()); });
    queue.queue(item.work);
    run();
    EXPECT_EQ(who, "worker gfx");
    EXPECT_EQ(machine.current().name, "set-up");
}

TEST_F(WorkqueueTest, QueueingTakesAPlaceBehindWhatIsDue) {
    Workqueue queue(machine, "q", 0);
    Item item(note("item"));
    post("before");
    queue.queue(item.work);
    post("after");
    run();
    EXPECT_THAT(log, ElementsAre("before@0", "item@0", "after@0"));
}

TEST_F(WorkqueueTest, QueueingWhatIsPendingDoesNothing) {
    Workqueue queue(machine, "q", 0);
    Item item(note("item"));
    EXPECT_TRUE(queue.queue(item.work));
    EXPECT_TRUE(item.work.pending());
    post("between");
    EXPECT_FALSE(queue.queue(item.work));
    run();
    EXPECT_THAT(log, ElementsAre("item@0", "between@0"));
    EXPECT_FALSE(item.work.pending());
    EXPECT_TRUE(queue.queue(item.work));
    run();
    EXPECT_THAT(log, ElementsAre("item@0", "between@0", "item@0"));
}

TEST_F(WorkqueueTest, AnItemCanQueueItselfAgain) {
    Workqueue queue(machine, "q", 0);
    int runs = 0;
    Item* self = nullptr;
    Item again([&] {
        note("again")();
        EXPECT_TRUE(self->work.running());
        EXPECT_FALSE(self->work.pending());
        if (++runs < 3) {
            EXPECT_TRUE(queue.queue(self->work));
        }
    });
    self = &again;
    Item other(note("other"));
    queue.queue(again.work);
    queue.queue(other.work);
    run();
    EXPECT_THAT(log, ElementsAre("again@0", "other@0", "again@0", "again@0"));
}

TEST_F(WorkqueueTest, AnItemBehindABlockedOneIsQueuedAnewWhenTheWorkerIsFree) {
    Workqueue queue(machine, "q", 0);
    Completion gate;
    Item blocked(
        [&] {
            note("start")();
            gate.wait(machine, "the gate");
            note("end")();
        },
        0, true);
    Item behind(note("behind"));
    queue.queue(blocked.work);
    queue.queue(behind.work);
    run();
    EXPECT_THAT(log, ElementsAre("start@0"));
    EXPECT_TRUE(blocked.work.running());
    EXPECT_TRUE(behind.work.pending());
    at(8, [&] {
        gate.complete_all(machine);
        post("posted at eight");
    });
    run();
    EXPECT_THAT(log, ElementsAre("start@0", "end@8", "posted at eight@8", "behind@8"));
}

TEST_F(WorkqueueTest, OrderHoldsWhenItemsArriveWhileTheWorkerIsBlocked) {
    Workqueue queue(machine, "q", 0);
    Completion gate;
    Item blocked([&] { gate.wait(machine, "the gate"); }, 0, true);
    Item a(note("a"));
    Item b(note("b"));
    Item c(note("c"));
    queue.queue(blocked.work);
    queue.queue(a.work);
    at(5, [&] {
        queue.queue(b.work);
        gate.complete_all(machine);
        queue.queue(c.work);
    });
    run();
    EXPECT_THAT(log, ElementsAre("a@5", "b@5", "c@5"));
}

TEST_F(WorkqueueTest, ABlockedItemOccupiesItsOwnQueueOnly) {
    Workqueue one(machine, "one", 0);
    Workqueue two(machine, "two", 0);
    Completion gate;
    Item blocked([&] { gate.wait(machine, "the gate"); }, 0, true);
    Item free(note("free"));
    one.queue(blocked.work);
    two.queue(free.work);
    run();
    EXPECT_THAT(log, ElementsAre("free@0"));
    machine.abandon_blocked();
}

TEST_F(WorkqueueTest, CancellingAPendingItemLeavesTheOrderOfOthers) {
    Workqueue queue(machine, "q", 0);
    Item a(note("a"));
    Item b(note("b"));
    Item c(note("c"));
    queue.queue(a.work);
    post("1");
    queue.queue(b.work);
    post("2");
    queue.queue(c.work);
    EXPECT_TRUE(queue.cancel_sync(b.work));
    EXPECT_FALSE(b.work.pending());
    EXPECT_FALSE(queue.cancel_sync(b.work));
    run();
    EXPECT_THAT(log, ElementsAre("a@0", "1@0", "2@0", "c@0"));
}

TEST_F(WorkqueueTest, CancellingTheLastAndRequeueingInOneInstantTakesANewPlace) {
    Workqueue queue(machine, "q", 0);
    Item a(note("a"));
    Item b(note("b"));
    queue.queue(a.work);
    queue.queue(b.work);
    post("between");
    EXPECT_TRUE(queue.cancel_sync(b.work));
    EXPECT_TRUE(queue.queue(b.work));
    EXPECT_TRUE(queue.cancel_sync(a.work));
    EXPECT_TRUE(queue.queue(a.work));
    post("last");
    run();
    EXPECT_THAT(log, ElementsAre("between@0", "b@0", "a@0", "last@0"));
}

TEST_F(WorkqueueTest, CancellingTheOnlyItemLeavesAUsableQueue) {
    Workqueue queue(machine, "q", 5);
    Item a(note("a"));
    Item b(note("b"));
    queue.queue(a.work);
    EXPECT_TRUE(queue.cancel_sync(a.work));
    run();
    EXPECT_THAT(log, IsEmpty());
    queue.queue(b.work);
    run();
    EXPECT_THAT(log, ElementsAre("b@10"));
}

TEST_F(WorkqueueTest, AnItemCancelledBehindABlockedOneDoesNotRun) {
    Workqueue queue(machine, "q", 0);
    Completion gate;
    Item blocked([&] { gate.wait(machine, "the gate"); }, 0, true);
    Item a(note("a"));
    Item b(note("b"));
    queue.queue(blocked.work);
    queue.queue(a.work);
    queue.queue(b.work);
    run();
    EXPECT_TRUE(queue.cancel_sync(a.work));
    gate.complete_all(machine);
    run();
    EXPECT_THAT(log, ElementsAre("b@0"));
}

TEST_F(WorkqueueTest, CancelSyncWaitsForARunningItem) {
    Workqueue queue(machine, "q", 0);
    Completion gate;
    Item blocked(
        [&] {
            gate.wait(machine, "the gate");
            note("item ends")();
        },
        0, true);
    queue.queue(blocked.work);
    run();
    machine.start_task("canceller", [&] {
        EXPECT_FALSE(queue.cancel_sync(blocked.work));
        note("cancelled")();
    });
    run();
    EXPECT_THAT(log, IsEmpty());
    at(3, [&] { gate.complete_all(machine); });
    run();
    EXPECT_THAT(log, ElementsAre("item ends@3", "cancelled@3"));
}

TEST_F(WorkqueueTest, CancelSyncDropsTheNextRunAndWaitsForThePresentOne) {
    Workqueue queue(machine, "q", 0);
    Completion gate;
    int runs = 0;
    Item blocked(
        [&] {
            ++runs;
            gate.wait(machine, "the gate");
        },
        0, true);
    queue.queue(blocked.work);
    run();
    EXPECT_TRUE(queue.queue(blocked.work));
    machine.start_task("canceller", [&] { EXPECT_TRUE(queue.cancel_sync(blocked.work)); });
    gate.complete_all(machine);
    run();
    EXPECT_EQ(runs, 1);
    EXPECT_THAT(machine.blocked(), IsEmpty());
}

TEST_F(WorkqueueTest, AnItemCanCancelItself) {
    Workqueue queue(machine, "q", 0);
    Item* self = nullptr;
    Item item([&] {
        queue.queue(self->work);
        EXPECT_TRUE(queue.cancel_sync(self->work));
        note("item")();
    });
    self = &item;
    queue.queue(item.work);
    run();
    EXPECT_THAT(log, ElementsAre("item@0"));
}

TEST_F(WorkqueueTest, WakingAnIdleWorkerCostsAndABusyOneDoesNot) {
    Workqueue queue(machine, "q", 10);
    Item b(note("b"));
    Item a([&] {
        note("a")();
        queue.queue(b.work);
    });
    queue.queue(a.work);
    run();
    EXPECT_THAT(log, ElementsAre("a@10", "b@10"));
}

TEST_F(WorkqueueTest, WhatIsQueuedDuringTheWakeUpStartsWithIt) {
    Workqueue queue(machine, "q", 10);
    Item a(note("a"));
    Item b(note("b"));
    Item c(note("c"));
    queue.queue(a.work);
    at(4, [&] { queue.queue(b.work); });
    at(30, [&] { queue.queue(c.work); });
    run();
    EXPECT_THAT(log, ElementsAre("a@10", "b@10", "c@40"));
}

TEST_F(WorkqueueTest, AnItemsCostKeepsTheWorkerBusyAndItsEffectsStandAtItsStart) {
    Workqueue queue(machine, "q", 0);
    Item costly(note("costly"), 7);
    Item cheap(note("cheap"));
    queue.queue(costly.work);
    queue.queue(cheap.work);
    at(3, [&] { queue.queue(costly.work); });
    run();
    EXPECT_THAT(log, ElementsAre("costly@0", "cheap@7", "costly@7"));
}

TEST_F(WorkqueueTest, AWorkerThatIsBusyWithACostNeedsNoWakeUp) {
    Workqueue queue(machine, "q", 100);
    Item costly(note("costly"), 7);
    Item other(note("other"));
    queue.queue(costly.work);
    at(105, [&] { queue.queue(other.work); });
    at(500, [&] { queue.queue(other.work); });
    run();
    EXPECT_THAT(log, ElementsAre("costly@100", "other@107", "other@600"));
}

TEST_F(WorkqueueTest, AnItemThatDiesOfAHazardLeavesTheWorkerToTheNext) {
    for (const bool may_block : {false, true}) {
        log.clear();
        Workqueue queue(machine, "q", 0);
        Item bad([&] { machine.block("a mutex, in an interrupt"); }, 0, false);
        Context irq(ContextKind::irq, "x", machine.next_context_id());
        Item worse(
            [&] {
                const ContextScope scope(machine, irq);
                machine.block("a mutex, in an interrupt");
            },
            0, true);
        Item good(note("good"));
        queue.queue(may_block ? worse.work : bad.work);
        queue.queue(good.work);
        EXPECT_THROW(run(), FatalHazard);
        run();
        EXPECT_EQ(log.size(), 1u);
    }
}

TEST_F(WorkqueueTest, SystemRunsItemsInOrderAfterItsCost) {
    SystemWorkqueue queue(machine, 6);
    const EventFn fn = [](void* self, std::uint64_t arg) {
        auto& test = *static_cast<WorkqueueTest*>(self);
        test.note(std::to_string(arg) + " in " + describe(test.machine.current()))();
    };
    queue.schedule(fn, this, 1);
    queue.schedule(fn, this, 2);
    at(2, [&] { queue.schedule(fn, this, 3); });
    run();
    EXPECT_THAT(log, ElementsAre("1 in worker system_wq@6", "2 in worker system_wq@6",
                                 "3 in worker system_wq@8"));
}

TEST_F(WorkqueueTest, SystemTakesAPlaceForEachItem) {
    SystemWorkqueue queue(machine, 0);
    const EventFn fn = [](void* self, std::uint64_t arg) {
        static_cast<WorkqueueTest*>(self)->note(std::to_string(arg))();
    };
    queue.schedule(fn, this, 1);
    post("between");
    queue.schedule(fn, this, 2);
    run();
    EXPECT_THAT(log, ElementsAre("1@0", "between@0", "2@0"));
}

} // namespace
} // namespace fenceline::sim
