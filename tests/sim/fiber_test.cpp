// Fibers: stacks that can be left and come back to.
#include "sim/fiber.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace fenceline::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Note {
    Note(std::vector<std::string>& l, std::string t) : log(l), text(std::move(t)) {}
    ~Note() { log.push_back(text); }
    std::vector<std::string>& log;
    std::string text;
};

TEST(Fiber, RunsOnlyWhenResumedAndSaysWhenItEnded) {
    StackPool pool;
    std::vector<std::string> log;
    Fiber* self = nullptr;
    Fiber fiber(pool, [&] {
        log.push_back("one");
        self->suspend();
        log.push_back("two");
    });
    self = &fiber;
    EXPECT_THAT(log, IsEmpty());
    EXPECT_FALSE(fiber.resume());
    log.push_back("between");
    EXPECT_TRUE(fiber.resume());
    EXPECT_THAT(log, ElementsAre("one", "between", "two"));
}

TEST(Fiber, CarriesAnExceptionToWhoeverResumed) {
    StackPool pool;
    std::vector<std::string> log;
    Fiber* self = nullptr;
    Fiber fiber(pool, [&] {
        const Note note(log, "unwound");
        self->suspend();
        throw std::runtime_error("from within");
    });
    self = &fiber;
    EXPECT_FALSE(fiber.resume());
    EXPECT_THROW(fiber.resume(), std::runtime_error);
    EXPECT_THAT(log, ElementsAre("unwound"));
}

TEST(Fiber, CatchesItsOwnExceptions) {
    StackPool pool;
    int caught = 0;
    Fiber* self = nullptr;
    Fiber fiber(pool, [&] {
        try {
            throw std::runtime_error("inside");
        } catch (const std::runtime_error&) {
            ++caught;
        }
        self->suspend();
        try {
            throw std::runtime_error("again");
        } catch (const std::runtime_error&) {
            ++caught;
        }
    });
    self = &fiber;
    EXPECT_FALSE(fiber.resume());
    EXPECT_TRUE(fiber.resume());
    EXPECT_EQ(caught, 2);
}

TEST(Fiber, DestructionUnwindsTheStack) {
    StackPool pool;
    std::vector<std::string> log;
    Fiber* self = nullptr;
    auto fiber = std::make_unique<Fiber>(pool, [&] {
        const Note outer(log, "outer");
        const auto inner = std::make_unique<Note>(log, "inner");
        self->suspend();
        log.push_back("never");
    });
    self = fiber.get();
    EXPECT_FALSE(fiber->resume());
    fiber.reset();
    EXPECT_THAT(log, ElementsAre("inner", "outer"));
}

TEST(Fiber, OneThatWasNeverStartedRunsNothing) {
    StackPool pool;
    bool ran = false;
    {
        const Fiber fiber(pool, [&] { ran = true; });
    }
    EXPECT_FALSE(ran);
}

TEST(Fiber, FibersResumeFibers) {
    StackPool pool;
    std::vector<std::string> log;
    Fiber* self = nullptr;
    Fiber inner(pool, [&] {
        log.push_back("inner 1");
        self->suspend();
        log.push_back("inner 2");
    });
    self = &inner;
    Fiber outer(pool, [&] {
        log.push_back("outer 1");
        EXPECT_FALSE(inner.resume());
        log.push_back("outer 2");
    });
    EXPECT_TRUE(outer.resume());
    EXPECT_TRUE(inner.resume());
    EXPECT_THAT(log, ElementsAre("outer 1", "inner 1", "outer 2", "inner 2"));
}

} // namespace
} // namespace fenceline::sim
