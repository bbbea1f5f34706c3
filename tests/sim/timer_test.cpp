// Timers that live as long as their owner: armed, cancelled and armed again at no cost in entries.
#include "sim/engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fenceline::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class TimerTest : public testing::Test {
  protected:
    /// A timer that writes its name down, and does `then`.
    struct Named {
        Named(TimerTest& test, std::string timer_name, std::function<void()> what = {})
            : owner(test), name(std::move(timer_name)), then(std::move(what)),
              timer(test.engine, fired, this) {}
        static void fired(void* self, std::uint64_t) {
            auto& named = *static_cast<Named*>(self);
            named.owner.note(named.name);
            if (named.then)
                named.then();
        }
        TimerTest& owner;
        std::string name;
        std::function<void()> then;
        Timer timer;
    };

    void note(const std::string& name) { log.push_back(name + "@" + std::to_string(engine.now())); }
    /// Does `what` at `when`, once.
    void at(Time when, std::function<void()> what) {
        actions_.push_back(std::make_unique<std::function<void()>>(std::move(what)));
        engine.arm(
            when, [](void* self, std::uint64_t) { (*static_cast<std::function<void()>*>(self))(); },
            actions_.back().get(), 0);
    }
    void note_at(Time when, const std::string& name) {
        at(when, [this, name] { note(name); });
    }
    bool run(Time until = kForever) { return engine.run(nullptr, 1'000'000, until); }

    Engine engine;
    std::vector<std::string> log;

  private:
    std::vector<std::unique_ptr<std::function<void()>>> actions_;
};

TEST_F(TimerTest, FiresEachTimeItIsArmed) {
    Named named(*this, "timer");
    EXPECT_FALSE(named.timer.armed());
    EXPECT_FALSE(named.timer.cancel());
    named.timer.arm(5);
    EXPECT_TRUE(named.timer.armed());
    run();
    EXPECT_FALSE(named.timer.armed());
    named.timer.arm(9);
    run();
    EXPECT_THAT(log, ElementsAre("timer@5", "timer@9"));
}

TEST_F(TimerTest, CanBeArmedByWhatItRuns) {
    Named named(*this, "timer");
    named.then = [&] {
        EXPECT_FALSE(named.timer.armed());
        if (engine.now() < 15)
            named.timer.arm(engine.now() + 5);
    };
    named.timer.arm(5);
    run();
    EXPECT_THAT(log, ElementsAre("timer@5", "timer@10", "timer@15"));
}

TEST_F(TimerTest, CancelledItDoesNotRunAndTheClockDoesNotGoThere) {
    Named named(*this, "timer");
    note_at(3, "other");
    named.timer.arm(5);
    EXPECT_TRUE(named.timer.cancel());
    EXPECT_FALSE(named.timer.cancel());
    run();
    EXPECT_THAT(log, ElementsAre("other@3"));
    EXPECT_EQ(engine.now(), 3u);
    EXPECT_TRUE(engine.idle());
    EXPECT_EQ(engine.executed(), 1u);
}

TEST_F(TimerTest, ArmedAgainAfterCancelItIsBehindEverythingArmedBefore) {
    Named same(*this, "same");
    Named later(*this, "later");
    same.timer.arm(5);
    later.timer.arm(3);
    note_at(5, "first at five");
    same.timer.cancel();
    later.timer.cancel();
    same.timer.arm(5);
    later.timer.arm(5);
    note_at(5, "last at five");
    run();
    EXPECT_THAT(log, ElementsAre("first at five@5", "same@5", "later@5", "last at five@5"));
}

TEST_F(TimerTest, ArmedWhileArmedItMovesAndTakesANewPlace) {
    Named named(*this, "timer");
    named.timer.arm(5);
    note_at(5, "five");
    note_at(2, "two");
    named.timer.arm(5);
    run(2);
    named.timer.arm(4);
    note_at(4, "four");
    run();
    EXPECT_THAT(log, ElementsAre("two@2", "timer@4", "four@4", "five@5"));
}

TEST_F(TimerTest, ArmedEarlierThanItsPendingEntryItStillFiresOnce) {
    Named named(*this, "timer");
    named.timer.arm(50);
    at(10, [&] { named.timer.arm(20); });
    at(30, [&] { named.timer.arm(50); }); // where an entry that means nothing any more still is
    note_at(50, "fifty");
    run();
    EXPECT_THAT(log, ElementsAre("timer@20", "fifty@50", "timer@50"));
}

TEST_F(TimerTest, ArmedForNowItIsBehindWhatIsDueAndCanBeCancelled) {
    Named kept(*this, "kept");
    Named dropped(*this, "dropped");
    at(5, [&] {
        at(5, [&] { note("posted"); });
        kept.timer.arm(5);
        dropped.timer.arm(5);
        EXPECT_TRUE(dropped.timer.armed());
        at(5, [&] { note("posted behind"); });
        EXPECT_TRUE(dropped.timer.cancel());
        EXPECT_FALSE(dropped.timer.armed());
    });
    note_at(5, "due");
    run();
    EXPECT_THAT(log, ElementsAre("due@5", "posted@5", "kept@5", "posted behind@5"));
}

// The entry that is left from before is due at this very instant and comes up first.
TEST_F(TimerTest, ArmedForNowWhileItsOldEntryIsDueItKeepsItsPlace) {
    Named named(*this, "timer");
    at(5, [&] {
        named.timer.arm(5);
        at(5, [&] { note("behind"); });
    });
    named.timer.arm(5);
    note_at(5, "due");
    run();
    EXPECT_THAT(log, ElementsAre("due@5", "timer@5", "behind@5"));
}

TEST_F(TimerTest, FromThePresentItCanBeMovedIntoTheFuture) {
    Named named(*this, "timer");
    at(5, [&] {
        named.timer.arm(5);
        named.timer.arm(8);
    });
    run();
    EXPECT_THAT(log, ElementsAre("timer@8"));
}

TEST_F(TimerTest, ArmedForEverItIsNotArmed) {
    Named named(*this, "timer");
    named.timer.arm(5);
    named.timer.arm(kForever);
    EXPECT_FALSE(named.timer.armed());
    run();
    EXPECT_THAT(log, IsEmpty());
    EXPECT_TRUE(engine.idle());
}

TEST_F(TimerTest, DestroyedWhileArmedItDoesNotRunNorDoesItsSuccessor) {
    auto first = std::make_unique<Named>(*this, "first");
    auto present = std::make_unique<Named>(*this, "present");
    first->timer.arm(5);
    present->timer.arm(0);
    first.reset();
    present.reset();
    Named second(*this, "second"); // takes over what the first one had
    Named third(*this, "third");
    note_at(5, "due");
    second.timer.arm(7);
    run();
    EXPECT_THAT(log, ElementsAre("due@5", "second@7"));
}

TEST_F(TimerTest, DestroyedByWhatItRuns) {
    auto named = std::make_unique<Named>(*this, "timer");
    Named* raw = named.get();
    raw->then = [&] { at(engine.now() + 1, [&] { named.reset(); }); };
    raw->timer.arm(5);
    std::unique_ptr<Timer> itself;
    itself = std::make_unique<Timer>(
        engine,
        [](void* self, std::uint64_t) { static_cast<std::unique_ptr<Timer>*>(self)->reset(); },
        &itself);
    itself->arm(6);
    run();
    EXPECT_EQ(named, nullptr);
    EXPECT_EQ(itself, nullptr);
}

// A timeout: armed when a job starts, cancelled when it is done.
TEST_F(TimerTest, CancelledAndArmedForEveryJobItHasOneEntry) {
    Named timeout(*this, "timeout");
    Named job(*this, "job");
    constexpr int kJobs = 20'000;
    int done = 0;
    job.then = [&] {
        EXPECT_TRUE(timeout.timer.cancel());
        if (++done == kJobs)
            return;
        timeout.timer.arm(engine.now() + 100'000);
        job.timer.arm(engine.now() + 10);
        ASSERT_LE(engine.pending(), 2u);
    };
    timeout.timer.arm(100'000);
    job.timer.arm(10);
    run();
    EXPECT_EQ(log.size(), static_cast<std::size_t>(kJobs));
    EXPECT_EQ(engine.now(), Time{kJobs} * 10);
    EXPECT_TRUE(engine.idle());
}

// Each arm is earlier than the entry that is pending, so each leaves one behind.
TEST_F(TimerTest, WhatIsLeftBehindByArmingEarlierStaysBounded) {
    Named timer(*this, "timer");
    note_at(500, "other");
    for (Time when = 1'000'000; when > 900'000; --when) {
        timer.timer.arm(when);
        ASSERT_LE(engine.pending(), 200u);
    }
    for (int i = 0; i < 10'000; ++i) {
        Timer shortlived(
            engine, [](void*, std::uint64_t) { FAIL(); }, nullptr);
        shortlived.arm(1000);
        ASSERT_LE(engine.pending(), 200u);
    }
    run();
    EXPECT_THAT(log, ElementsAre("other@500", "timer@900001"));
}

TEST_F(TimerTest, OneShotTimersThatAreCancelledStayBounded) {
    constexpr int kSleeps = 20'000;
    int woken = 0;
    TimerHandle timeout;
    std::function<void()> sleep = [&] {
        EXPECT_TRUE(engine.cancel(timeout));
        if (++woken == kSleeps)
            return;
        timeout = engine.arm(
            engine.now() + 100'000, [](void*, std::uint64_t) { FAIL(); }, nullptr, 0);
        engine.arm(
            engine.now() + 10,
            [](void* self, std::uint64_t) { (*static_cast<std::function<void()>*>(self))(); },
            &sleep, 0);
        ASSERT_LE(engine.pending(), 200u);
    };
    timeout = engine.arm(
        100'000, [](void*, std::uint64_t) { FAIL(); }, nullptr, 0);
    engine.post([](void* self, std::uint64_t) { (*static_cast<std::function<void()>*>(self))(); },
                &sleep, 0);
    run();
    EXPECT_EQ(woken, kSleeps);
}

} // namespace
} // namespace fenceline::sim
