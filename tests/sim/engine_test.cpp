// The engine: one clock, one total order.
#include "sim/engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace fenceline::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kPlenty = 1'000'000;

/// Runs closures as events and writes down what ran.
class Script {
  public:
    void post(std::string name, std::function<void()> then = {}) {
        engine.post(run, this, add(std::move(name), std::move(then)));
    }
    TimerHandle arm(Time when, std::string name, std::function<void()> then = {}) {
        return engine.arm(when, run, this, add(std::move(name), std::move(then)));
    }
    bool go(InputSource* input = nullptr, std::uint64_t budget = kPlenty, Time until = kForever) {
        return engine.run(input, budget, until);
    }

    Engine engine;
    std::vector<std::string> log;

  private:
    struct Item {
        std::string name;
        std::function<void()> then;
    };
    std::uint64_t add(std::string name, std::function<void()> then) {
        items_.push_back({std::move(name), std::move(then)});
        return items_.size() - 1;
    }
    static void run(void* self, std::uint64_t arg) {
        auto& script = *static_cast<Script*>(self);
        const Item item = script.items_[arg];
        script.log.push_back(item.name + "@" + std::to_string(script.engine.now()));
        if (item.then)
            item.then();
    }
    std::vector<Item> items_;
};

/// Listed items at given times.
class Input final : public InputSource {
  public:
    Input(Script& script, std::vector<std::pair<Time, std::function<void()>>> items)
        : script_(script), items_(std::move(items)) {}
    Time next_time() override { return next_ < items_.size() ? items_[next_].first : kForever; }
    Time fire() override {
        const std::size_t index = next_++;
        script_.log.push_back("input" + std::to_string(index) + "@" +
                              std::to_string(script_.engine.now()));
        if (items_[index].second)
            items_[index].second();
        return next_time();
    }

  private:
    Script& script_;
    std::vector<std::pair<Time, std::function<void()>>> items_;
    std::size_t next_ = 0;
};

TEST(Engine, ListedItemsOfAnInstantRunBeforeAnythingTheRunCreated) {
    Script script;
    Input input(script, {{5, [&] { script.post("posted"); }}, {5, {}}, {7, {}}});
    script.arm(5, "timer");
    script.arm(7, "later");
    EXPECT_FALSE(script.go(&input));
    EXPECT_THAT(script.log,
                ElementsAre("input0@5", "input1@5", "timer@5", "posted@5", "input2@7", "later@7"));
}

TEST(Engine, EventsOfAnInstantRunInTheOrderOfTheirCreation) {
    Script script;
    script.arm(3, "b", [&] {
        script.post("d");
        script.arm(3, "e");
        script.post("f");
    });
    script.arm(3, "c");
    script.arm(1, "a");
    script.go();
    EXPECT_THAT(script.log, ElementsAre("a@1", "b@3", "c@3", "d@3", "e@3", "f@3"));
}

TEST(Engine, TimersThatBecomeDueRunBeforeWhatThePresentPosts) {
    Script script;
    for (const char* name : {"t0", "t1", "t2"})
        script.arm(10, name, [&script, name] { script.post(std::string("post-") + name); });
    script.go();
    EXPECT_THAT(script.log,
                ElementsAre("t0@10", "t1@10", "t2@10", "post-t0@10", "post-t1@10", "post-t2@10"));
}

TEST(Engine, TheRingOfThePresentGrowsInOrder) {
    Script script;
    for (int i = 0; i < 40; ++i)
        script.post("x");
    std::vector<std::string> expected(40, "x@0");
    script.go();
    for (int i = 0; i < 1000; ++i) {
        script.post(std::to_string(i));
        expected.push_back(std::to_string(i) + "@0");
    }
    script.go();
    EXPECT_EQ(script.log, expected);
}

TEST(Engine, CancelledTimersDoNotRun) {
    Script script;
    const TimerHandle future = script.arm(5, "future");
    const TimerHandle present = script.arm(0, "present");
    script.arm(6, "last");
    EXPECT_TRUE(script.engine.armed(future));
    EXPECT_TRUE(script.engine.armed(present));
    EXPECT_TRUE(script.engine.cancel(future));
    EXPECT_TRUE(script.engine.cancel(present));
    EXPECT_FALSE(script.engine.armed(future));
    EXPECT_FALSE(script.engine.cancel(future));
    EXPECT_FALSE(script.engine.cancel(present));
    script.go();
    EXPECT_THAT(script.log, ElementsAre("last@6"));
}

TEST(Engine, ATimerCanCancelAnotherThatIsDueAtTheSameInstant) {
    Script script;
    TimerHandle victim;
    script.arm(5, "a", [&] { EXPECT_TRUE(script.engine.cancel(victim)); });
    victim = script.arm(5, "victim");
    script.arm(5, "b");
    script.go();
    EXPECT_THAT(script.log, ElementsAre("a@5", "b@5"));
}

TEST(Engine, RearmingLaterKeepsWhatItRunsAndTakesANewPlace) {
    Script script;
    TimerHandle moved = script.arm(5, "moved");
    script.arm(8, "first at eight");
    EXPECT_TRUE(script.engine.rearm(moved, 8));
    script.arm(8, "third at eight");
    script.go();
    EXPECT_THAT(script.log, ElementsAre("first at eight@8", "moved@8", "third at eight@8"));
}

TEST(Engine, RearmingToTheSameTimeGoesBehindItsEquals) {
    Script script;
    TimerHandle moved = script.arm(5, "moved");
    script.arm(5, "other");
    EXPECT_TRUE(script.engine.rearm(moved, 5));
    script.go();
    EXPECT_THAT(script.log, ElementsAre("other@5", "moved@5"));
}

TEST(Engine, RearmingEarlierAndToNow) {
    Script script;
    TimerHandle earlier = script.arm(50, "earlier");
    TimerHandle now = script.arm(50, "now");
    script.arm(10, "ten", [&] {
        EXPECT_TRUE(script.engine.rearm(earlier, 20));
        EXPECT_TRUE(script.engine.rearm(now, 10));
        script.post("posted after");
    });
    script.go();
    EXPECT_THAT(script.log, ElementsAre("ten@10", "now@10", "posted after@10", "earlier@20"));
}

TEST(Engine, ATimerOfThePresentCanBeRearmedIntoTheFuture) {
    Script script;
    TimerHandle timer;
    script.arm(4, "four", [&] {
        timer = script.arm(4, "timer");
        EXPECT_TRUE(script.engine.rearm(timer, 9));
    });
    script.go();
    EXPECT_THAT(script.log, ElementsAre("four@4", "timer@9"));
}

TEST(Engine, ATimerRearmedManyTimesFiresOnceAtItsLastTime) {
    Script script;
    TimerHandle timer = script.arm(1000, "timeout");
    for (Time at = 10; at <= 500; at += 10)
        script.arm(at, "job", [&, at] { EXPECT_TRUE(script.engine.rearm(timer, at + 1000)); });
    script.go();
    EXPECT_EQ(script.log.size(), 51u);
    EXPECT_EQ(script.log.back(), "timeout@1500");
}

TEST(Engine, StaleHandlesAreHarmless) {
    Script script;
    TimerHandle fired = script.arm(1, "fired");
    script.go();
    script.arm(2, "successor in the same slot");
    TimerHandle none;
    EXPECT_FALSE(script.engine.armed(fired));
    EXPECT_FALSE(script.engine.cancel(fired));
    EXPECT_FALSE(script.engine.rearm(fired, 9));
    EXPECT_FALSE(script.engine.armed(none));
    EXPECT_FALSE(script.engine.cancel(none));
    script.go();
    EXPECT_THAT(script.log, ElementsAre("fired@1", "successor in the same slot@2"));
}

TEST(Engine, UntilIsIncludedAndWhatComesLaterStays) {
    Script script;
    script.arm(5, "five", [&] { script.post("also five"); });
    script.arm(6, "six");
    Input input(script, {{5, {}}, {6, {}}});
    EXPECT_FALSE(script.go(&input, kPlenty, 5));
    EXPECT_THAT(script.log, ElementsAre("input0@5", "five@5", "also five@5"));
    EXPECT_EQ(script.engine.now(), 5u);
    EXPECT_FALSE(script.engine.idle());
    script.go(&input);
    EXPECT_EQ(script.log.back(), "six@6");
    EXPECT_TRUE(script.engine.idle());
}

TEST(Engine, NothingEverHappensAtTheEndOfTime) {
    Script script;
    script.arm(kForever, "never");
    EXPECT_FALSE(script.go());
    EXPECT_THAT(script.log, IsEmpty());
    EXPECT_EQ(script.engine.now(), 0u);
}

TEST(Engine, StopEndsTheRunAfterThePresentEvent) {
    Script script;
    script.arm(1, "a", [&] { script.engine.stop(); });
    script.arm(1, "b");
    EXPECT_TRUE(script.go());
    EXPECT_THAT(script.log, ElementsAre("a@1"));
    script.go();
    EXPECT_THAT(script.log, ElementsAre("a@1", "b@1"));
}

TEST(Engine, AnyBudgetGivesTheSameOrder) {
    const auto play = [](std::uint64_t budget) {
        Script script;
        Input input(script, {{2, [&] { script.post("x"); }}, {2, {}}, {3, {}}});
        for (int i = 0; i < 4; ++i)
            script.arm(2, "t" + std::to_string(i), [&] {
                script.post("p");
                script.arm(3, "q");
            });
        while (script.go(&input, budget)) {
        }
        EXPECT_EQ(script.engine.executed(), script.log.size());
        return script.log;
    };
    const auto whole = play(kPlenty);
    EXPECT_EQ(whole.size(), 16u);
    for (const std::uint64_t budget : {1u, 2u, 3u, 5u, 7u})
        EXPECT_EQ(play(budget), whole) << budget;
}

TEST(Engine, PendingCountsWhatHasNotRun) {
    Script script;
    EXPECT_TRUE(script.engine.idle());
    script.post("a");
    script.arm(4, "b");
    EXPECT_EQ(script.engine.pending(), 2u);
    script.go();
    EXPECT_EQ(script.engine.pending(), 0u);
    EXPECT_EQ(script.engine.executed(), 2u);
}

TEST(Engine, GoesOnBehindAnEventThatThrew) {
    Script script;
    script.arm(1, "bad", [] { throw std::runtime_error("oops"); });
    script.arm(1, "timer");
    script.arm(1, "posts", [&] { script.post("posted"); });
    EXPECT_THROW(script.go(), std::runtime_error);
    script.go();
    EXPECT_THAT(script.log, ElementsAre("bad@1", "timer@1", "posts@1", "posted@1"));
}

// A run that keeps going after a hazard in a listed item: the rest of the list at that instant is
// still ahead of everything the run has created.
TEST(Engine, ListedItemsBehindOneThatThrewStillComeFirst) {
    Script script;
    Input input(script, {{1, [] { throw std::runtime_error("oops"); }}, {1, {}}});
    script.arm(1, "timer");
    EXPECT_THROW(script.go(&input), std::runtime_error);
    script.go(&input);
    EXPECT_THAT(script.log, ElementsAre("input0@1", "input1@1", "timer@1"));
}

} // namespace
} // namespace fenceline::sim
