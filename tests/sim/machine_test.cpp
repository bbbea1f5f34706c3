// The machine: contexts, blocking, hazards, deadlock.
#include "sim/machine.hpp"
#include "sim/wait.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace fenceline::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr HazardClass kMild{"mild", "for tests", false};
constexpr HazardClass kGrave{"grave", "for tests", true};

void run(Machine& machine) {
    machine.engine.run(nullptr, 1'000'000);
}

TEST(Machine, ATaskRunsAtOnceAndGoesOnWhenWoken) {
    Machine machine;
    std::vector<std::string> log;
    Context* task = nullptr;
    machine.start_task("a", [&] {
        task = &machine.current();
        log.push_back("start");
        machine.block("a signal");
        log.push_back("end at " + std::to_string(machine.now()));
    });
    log.push_back("after start");
    ASSERT_THAT(machine.blocked(), ElementsAre(task));
    EXPECT_EQ(task->waiting_for, "a signal");
    machine.engine.arm(
        7,
        [](void* m, std::uint64_t c) {
            static_cast<Machine*>(m)->wake(*reinterpret_cast<Context*>(c));
        },
        &machine, reinterpret_cast<std::uintptr_t>(task));
    run(machine);
    EXPECT_THAT(log, ElementsAre("start", "after start", "end at 7"));
    EXPECT_THAT(machine.blocked(), IsEmpty());
    EXPECT_EQ(machine.counters.blocking_waits, 1u);
}

TEST(Machine, AWakeUpTakesAPlaceBehindWhatIsDue) {
    Machine machine;
    std::vector<std::string> log;
    Context* task = nullptr;
    machine.start_task("a", [&] {
        task = &machine.current();
        machine.block("a signal");
        log.push_back("task");
    });
    const auto note = [](void* self, std::uint64_t) {
        static_cast<std::vector<std::string>*>(self)->push_back("event");
    };
    machine.engine.post(note, &log, 0);
    machine.wake(*task);
    EXPECT_THAT(log, IsEmpty());
    run(machine);
    EXPECT_THAT(log, ElementsAre("event", "task"));
}

TEST(Machine, RecordsTheWaitsOfATaskThatAsksForIt) {
    Machine machine;
    WaitQueue queue;
    bool ready = false;
    std::vector<WaitRecord> waits;
    machine.start_task(
        "unload", [&] { queue.wait_event(machine, "the end", [&] { return ready; }); }, &waits);
    machine.engine.arm(
        5, [](void* self, std::uint64_t) { *static_cast<bool*>(self) = true; }, &ready, 0);
    struct Env {
        Machine& machine;
        WaitQueue& queue;
    } env{machine, queue};
    machine.engine.arm(
        9,
        [](void* self, std::uint64_t) {
            static_cast<Env*>(self)->queue.wake_up(static_cast<Env*>(self)->machine);
        },
        &env, 0);
    run(machine);
    ASSERT_THAT(waits, SizeIs(1));
    EXPECT_EQ(waits[0].reason, "the end");
    EXPECT_EQ(waits[0].from, 0u);
    EXPECT_EQ(waits[0].to, 9u);
}

TEST(Machine, ContextScopeNests) {
    Machine machine;
    Context irq(ContextKind::irq, "gfx", machine.next_context_id());
    Context worker(ContextKind::worker, "gfx", machine.next_context_id());
    EXPECT_NE(irq.id, worker.id);
    EXPECT_EQ(machine.here().context, "task set-up");
    {
        const ContextScope outer(machine, worker);
        {
            const ContextScope inner(machine, irq);
            EXPECT_EQ(machine.here().context, "irq gfx");
        }
        EXPECT_EQ(machine.here().context, "worker gfx");
    }
    EXPECT_EQ(machine.here().context, "task set-up");
}

TEST(Machine, ATaskStartedByATaskIsTheCurrentOneUntilItBlocks) {
    Machine machine;
    std::vector<std::string> log;
    machine.start_task("outer", [&] {
        machine.start_task("inner", [&] {
            log.push_back(machine.current().name);
            machine.block("nothing");
        });
        log.push_back(machine.current().name);
    });
    log.push_back(machine.current().name);
    EXPECT_THAT(log, ElementsAre("inner", "outer", "set-up"));
    machine.abandon_blocked();
}

TEST(Machine, EnterRunsWhatCannotBlockWithoutAFiber) {
    Machine machine;
    Context worker(ContextKind::worker, "w", machine.next_context_id());
    bool ended = false;
    machine.enter(
        worker, false, [&] { EXPECT_EQ(worker.fiber, nullptr); }, [&] { ended = true; });
    EXPECT_TRUE(ended);
}

TEST(Machine, EnterSaysWhenABlockedContextHasReallyEnded) {
    Machine machine;
    Context worker(ContextKind::worker, "w", machine.next_context_id());
    bool ended = false;
    machine.enter(
        worker, true, [&] { machine.block("something"); }, [&] { ended = true; });
    EXPECT_FALSE(ended);
    machine.wake(worker);
    run(machine);
    EXPECT_TRUE(ended);
    EXPECT_EQ(worker.fiber, nullptr);
}

TEST(Machine, SleepingWhereNothingMaySleepIsAHazard) {
    Machine machine;
    Context irq(ContextKind::irq, "gfx", machine.next_context_id());
    const ContextScope scope(machine, irq);
    EXPECT_THROW(machine.block("a mutex"), FatalHazard);
    ASSERT_THAT(machine.hazards(), SizeIs(1));
    EXPECT_EQ(machine.hazards()[0].kind, &hazards::atomic_sleep);
    EXPECT_EQ(machine.hazards()[0].message, "irq gfx blocked on a mutex");
    EXPECT_THAT(machine.blocked(), IsEmpty());
}

TEST(Machine, AnInterruptOnTopOfATaskMustNotSleepEither) {
    Machine machine;
    Context irq(ContextKind::irq, "gfx", machine.next_context_id());
    EXPECT_THROW(machine.start_task("a",
                                    [&] {
                                        const ContextScope scope(machine, irq);
                                        machine.block("a mutex");
                                    }),
                 FatalHazard);
    EXPECT_THAT(machine.blocked(), IsEmpty());
}

TEST(Machine, ReportsFillInWhoWhenAndWhere) {
    Machine machine;
    machine.engine.arm(
        30,
        [](void* self, std::uint64_t) {
            auto& m = *static_cast<Machine*>(self);
            Context worker(ContextKind::worker, "gfx", m.next_context_id());
            const ContextScope scope(m, worker);
            m.report({.kind = &kMild, .subject = "thing", .object = "thing 1", .message = "odd"});
        },
        &machine, 0);
    run(machine);
    ASSERT_THAT(machine.hazards(), SizeIs(1));
    const Hazard& hazard = machine.hazards()[0];
    EXPECT_EQ(hazard.access.time, 30u);
    EXPECT_EQ(hazard.access.context, "worker gfx");
    EXPECT_EQ(hazard.event, 1u);
    EXPECT_EQ(headline(hazard), "mild of thing: odd");
    EXPECT_EQ(report_text(hazard), "HAZARD: mild of thing: odd\n"
                                   "  object: thing 1\n"
                                   "  noticed at 30 ns by worker gfx\n");
}

TEST(Machine, AFatalHazardEndsItsTaskOnly) {
    Machine machine;
    bool unwound = false;
    struct Guard {
        bool& flag;
        ~Guard() { flag = true; }
    };
    machine.start_task("healthy", [&] { machine.block("nothing"); });
    EXPECT_THROW(machine.start_task(
                     "bad",
                     [&] {
                         const Guard guard{unwound};
                         machine.report(
                             {.kind = &kGrave, .subject = "x", .object = "x", .message = "x"});
                     }),
                 FatalHazard);
    EXPECT_TRUE(unwound);
    EXPECT_EQ(machine.current().name, "set-up");
    ASSERT_THAT(machine.blocked(), SizeIs(1));
    EXPECT_EQ(machine.blocked()[0]->name, "healthy");
    machine.abandon_blocked();
}

TEST(Machine, AHazardAfterAWaitComesOutOfTheEngine) {
    Machine machine;
    Context* task = nullptr;
    machine.start_task("bad", [&] {
        task = &machine.current();
        machine.block("a signal");
        machine.report({.kind = &kGrave, .subject = "x", .object = "x", .message = "x"});
    });
    machine.wake(*task);
    EXPECT_THROW(run(machine), FatalHazard);
    EXPECT_EQ(machine.hazards()[0].access.context, "task bad");
    EXPECT_EQ(machine.current().name, "set-up");
    run(machine);
}

TEST(Machine, ADeadlockReportSaysWhoWaitsForWhat) {
    Machine machine;
    machine.start_task("a", [&] { machine.block("a lock of b"); });
    machine.engine.arm(
        40,
        [](void* self, std::uint64_t) {
            auto& m = *static_cast<Machine*>(self);
            m.start_task("b", [&m] { m.block("a fence"); });
        },
        &machine, 0);
    run(machine);
    EXPECT_THROW(machine.check_deadlock(), FatalHazard);
    ASSERT_THAT(machine.hazards(), SizeIs(1));
    const Hazard& hazard = machine.hazards()[0];
    EXPECT_EQ(hazard.kind, &hazards::deadlock);
    EXPECT_EQ(hazard.object, "task a");
    EXPECT_THAT(hazard.message, HasSubstr("task a waits for a lock of b since 0 ns"));
    EXPECT_THAT(hazard.message, HasSubstr("task b waits for a fence since 40 ns"));
    machine.abandon_blocked();
}

TEST(Machine, NobodyBlockedIsNoDeadlock) {
    Machine machine;
    machine.start_task("a", [] {});
    machine.check_deadlock();
    EXPECT_THAT(machine.hazards(), IsEmpty());
}

TEST(Machine, AbandoningUnwindsWhateverIsBlocked) {
    Machine machine;
    std::vector<std::string> log;
    struct Guard {
        std::vector<std::string>& log;
        std::string name;
        ~Guard() { log.push_back(name); }
    };
    for (const char* name : {"a", "b"})
        machine.start_task(name, [&machine, &log, name] {
            const Guard guard{log, name};
            machine.block("nothing");
            log.push_back("never");
        });
    machine.abandon_blocked();
    EXPECT_THAT(log, ElementsAre("a", "b"));
    EXPECT_THAT(machine.blocked(), IsEmpty());
}

TEST(Machine, AbandoningUnwindsTasksThatWereWokenAndHaveNotRun) {
    Machine machine;
    bool unwound = false;
    struct Guard {
        bool& flag;
        ~Guard() { flag = true; }
    };
    machine.start_task("a", [&] {
        const Frame frame(machine, "some function");
        const Guard guard{unwound};
        machine.block("nothing");
    });
    machine.wake(*machine.blocked().front());
    machine.abandon_blocked();
    EXPECT_TRUE(unwound);
}

// A context that dies of a hazard has ended, whether it runs on a fiber or not.
TEST(Machine, EnterSaysThatAContextEndedThatDiedOfAHazard) {
    for (const bool may_block : {true, false}) {
        Machine machine;
        Context worker(ContextKind::worker, "w", machine.next_context_id());
        bool ended = false;
        const auto die = [&] {
            machine.report({.kind = &kGrave, .subject = "x", .object = "x", .message = "x"});
        };
        EXPECT_THROW(machine.enter(worker, may_block, die, [&] { ended = true; }), FatalHazard);
        EXPECT_TRUE(ended) << may_block;
    }
}

TEST(Machine, TheTimedFormAnnouncesNothing) {
    struct Listener final : Observer {
        void operation(Op, const void*, std::string_view) override { ++seen; }
        int seen = 0;
    };
    Machine machine;
    Listener listener;
    machine.observe(&listener);
    machine.start_task("a", [&] {
        const Frame frame(machine, "f");
        machine.point(Op::lock, nullptr);
        EXPECT_THAT(machine.here().frames, IsEmpty());
    });
    EXPECT_EQ(listener.seen, 0);
}

TEST(Machine, ASleepTakesItsPlaceWhenItBegins) {
    Machine machine;
    std::vector<std::string> log;
    machine.start_task("a", [&] {
        machine.sleep_until(5, "a sleep");
        log.push_back("task at " + std::to_string(machine.now()));
    });
    machine.engine.arm(
        5, [](void* l, std::uint64_t) { static_cast<decltype(log)*>(l)->push_back("timer"); }, &log,
        0);
    run(machine);
    EXPECT_THAT(log, ElementsAre("task at 5", "timer"));
}

/// A task that waits in `wait` until it is interrupted at 3, if it is still there; what it did.
template <class Wait>
std::vector<std::string> interrupted(Machine& machine, Wait wait, Context*& task) {
    auto log = std::make_shared<std::vector<std::string>>();
    struct Interrupter {
        Machine& machine;
        Context*& task;
    } interrupter{machine, task};
    machine.start_task("a", [&machine, &task, wait, log] {
        task = &machine.current();
        try {
            wait();
            log->push_back("went on");
        } catch (const Interrupted&) {
            log->push_back("gave up at " + std::to_string(machine.now()));
        }
        task = nullptr; // the context goes with the task
    });
    machine.engine.arm(
        3,
        [](void* self, std::uint64_t) {
            const auto& [in, whom] = *static_cast<Interrupter*>(self);
            if (whom != nullptr)
                in.interrupt(*whom);
        },
        &interrupter, 0);
    run(machine);
    return *log;
}

TEST(Machine, WhoIsInterruptedGivesUpItsSleepAndItsTimer) {
    Machine machine;
    Context* task = nullptr;
    EXPECT_THAT(interrupted(
                    machine, [&] { machine.sleep_until(9, "a sleep"); }, task),
                ElementsAre("gave up at 3"));
    EXPECT_EQ(machine.now(), 3u); // the timer never fired
    EXPECT_THAT(machine.blocked(), IsEmpty());
}

TEST(Machine, WhoIsInterruptedLeavesItsWaitQueue) {
    Machine machine;
    WaitQueue queue;
    Context* task = nullptr;
    EXPECT_THAT(
        interrupted(
            machine, [&] { queue.wait_event(machine, "never", [] { return false; }); }, task),
        ElementsAre("gave up at 3"));
    EXPECT_FALSE(queue.has_waiters());
}

// Timer and interrupt meet at one instant, in both orders: the task moves once.
TEST(Machine, AnInterruptAndAWakeUpAtOneInstantAreOne) {
    Machine machine;
    Context* task = nullptr;
    EXPECT_THAT(interrupted(
                    machine, [&] { machine.sleep_until(3, "a sleep"); }, task),
                ElementsAre("went on"));
    Machine other;
    int rounds = 0;
    Context* second = nullptr;
    other.start_task("b", [&] {
        second = &other.current();
        try {
            other.block("a signal");
        } catch (const Interrupted&) {
            ++rounds;
        }
    });
    other.interrupt(*second);
    other.wake(*second);
    run(other);
    EXPECT_EQ(rounds, 1);
}

} // namespace
} // namespace fenceline::sim
