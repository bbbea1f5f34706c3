#include "workloads/job_window.hpp"

#include "sim/machine.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace fenceline::workloads {
namespace {

using scheduler::Job;
using scheduler::JobRef;

struct Jobs {
    /// Enters and makes a job; returns its ordinal.
    std::uint64_t push() {
        const std::uint64_t ordinal = window.enter();
        window.place_of(ordinal) = pool.alloc();
        return ordinal;
    }
    void free(std::uint64_t ordinal) { pool.free(window.find(ordinal)); }

    sim::Machine machine;
    sim::Pool<Job> pool{machine, "job", [](const Job&) { return std::string("job"); }};
    JobWindow window{pool};
};

TEST(JobWindow, CountsUpAndFindsTheLiving) {
    Jobs jobs;
    EXPECT_EQ(jobs.push(), 0u);
    EXPECT_EQ(jobs.push(), 1u);
    EXPECT_TRUE(jobs.window.find(0));
    jobs.free(0);
    EXPECT_FALSE(jobs.window.find(0)) << "nobody has told it";
    EXPECT_TRUE(jobs.window.find(1));
}

TEST(JobWindow, AJobStillToBeMadeIsNotFound) {
    Jobs jobs;
    const std::uint64_t ordinal = jobs.window.enter();
    EXPECT_FALSE(jobs.window.find(ordinal));
}

TEST(JobWindow, ATenantOfTheSameMemoryIsNotTakenForTheDead) {
    Jobs jobs;
    const JobRef first = jobs.window.find(jobs.push());
    jobs.free(0);
    const JobRef second = jobs.window.find(jobs.push());
    EXPECT_EQ(first.index(), second.index());
    EXPECT_FALSE(jobs.window.find(0));
}

TEST(JobWindow, WhoLingersIsFoundHoweverManyHaveCome) {
    Jobs jobs;
    const std::uint64_t lingers = jobs.push();
    for (int i = 0; i < 100'000; ++i)
        jobs.free(jobs.push());
    EXPECT_TRUE(jobs.window.find(lingers));
    for (std::uint64_t ordinal = 1; ordinal < 100'000; ordinal += 997)
        EXPECT_FALSE(jobs.window.find(ordinal));
    jobs.free(lingers);
    for (int i = 0; i < 10'000; ++i)
        jobs.free(jobs.push());
    EXPECT_FALSE(jobs.window.find(lingers));
}

TEST(JobWindow, APlaceThatIsExpectedIsKept) {
    Jobs jobs;
    const std::uint64_t late = jobs.window.enter();
    jobs.window.expect(late);
    for (int i = 0; i < 20'000; ++i)
        jobs.free(jobs.push());
    jobs.window.met(late);
    jobs.window.place_of(late) = jobs.pool.alloc();
    EXPECT_TRUE(jobs.window.find(late));
}

} // namespace
} // namespace fenceline::workloads
