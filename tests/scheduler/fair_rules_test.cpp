// Where mainline's fair puts an entity, rule by rule, each computed by hand. Times are in nanoseconds; virtual time of
// normal priority is 16 times GPU time.
#include "fair_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::scheduler {
namespace {

using testing::ElementsAre;
using namespace testing_support;
using sim::kMicrosecond;

using Order = std::vector<std::uint64_t>;

// --- joining -------------------------------------------------------------------------------------

// Nobody is there: no head, minimum 0. Priority does not matter.
TEST(FairJoin, IntoAnEmptyTreeAtZero) {
    for (const Priority priority : {Priority::kernel, Priority::normal, Priority::low}) {
        FairWorld world;
        world.block(1000);
        world.at(1, [&] {
            const EntityRef a = world.client("a", priority);
            world.push(a, 0);
            EXPECT_EQ(world.vruntime(a), 0);
        });
        world.run();
    }
}

// 0, 0 - 1, -1 - 1: with equal averages the newest goes in front.
TEST(FairJoin, SimultaneousArrivalsStartInReverse) {
    FairWorld world;
    world.block(1000);
    world.at(1, [&] {
        for (std::uint64_t i = 1; i <= 3; ++i) {
            const EntityRef entity = world.client("e" + std::to_string(i));
            world.push(entity, i);
            EXPECT_EQ(world.vruntime(entity), 1 - static_cast<SignedTime>(i));
        }
    });
    EXPECT_EQ(world.run_order(), (Order{1000, 3, 2, 1}));
}

// Short jobs took 10 us, long ones 20 us, all of them (3 * 640 + 1280) / 4 / 64 = 12 us. The
// newcomer is alone at 0; short joins at 0 - 1; long at -1 + 1, behind the newcomer, its equal.
TEST(FairJoin, ShortJobsGoInFrontLongOnesBehindAndTiesBehindEquals) {
    FairWorld world;
    const EntityRef brief = world.client("short");
    const EntityRef lengthy = world.client("long");
    const EntityRef newcomer = world.client("new");
    world.push(brief, 0, {.duration = 10'000});
    world.run();
    world.push(lengthy, 1, {.duration = 20'000});
    world.run();
    EXPECT_EQ(world.gpu.schedulers.get(world.ring_ref).avg_job_us.read(), 12U);
    world.block(1000);
    world.at(30'001, [&] {
        world.push(newcomer, 2);
        world.push(brief, 3);
        world.push(lengthy, 4);
        EXPECT_EQ(world.vruntime(newcomer), 0);
        EXPECT_EQ(world.vruntime(brief), -1);
        EXPECT_EQ(world.vruntime(lengthy), 0);
    });
    EXPECT_EQ(world.run_order(), (Order{0, 1, 1000, 3, 2, 4}));
}

// Behind a normal head at 0: (1 + 0 + 0) us << 7 = 128 us. The normal client is charged 16 us for
// each job of 1 us at the pop of the next: at its ninth pop it is at 8 * 16 us = 128 us, put in
// after the low one, its equal, which therefore goes next.
TEST(FairJoin, LessUrgentThanTheHeadFarBehind) {
    FairWorld world;
    const EntityRef normal = world.client("normal");
    const EntityRef low = world.client("low", Priority::low);
    world.push_many(normal, 1, 12, kMicrosecond);
    world.push(low, 100, {.duration = kMicrosecond});
    EXPECT_EQ(world.vruntime(low), 128'000);
    EXPECT_EQ(world.run_order(), (Order{1, 2, 3, 4, 5, 6, 7, 8, 9, 100, 10, 11, 12}));
}

// Low ran one job of 10 us, then normal one of 30 us: averages 10 and (3 * 640 + 1920) / 4 / 64 = 15.
// (1 + 10 + 15) us << 7 = 3,328 us.
TEST(FairJoin, LessUrgentByItsOwnAndTheRingsAverage) {
    FairWorld world;
    const EntityRef normal = world.client("normal");
    const EntityRef low = world.client("low", Priority::low);
    world.push(low, 0, {.duration = 10'000});
    world.run();
    world.push(normal, 1, {.duration = 30'000});
    world.run();
    world.block(1000);
    world.at(40'001, [&] {
        world.push(normal, 2);
        world.push(low, 3);
        EXPECT_EQ(world.vruntime(low), 3'328'000);
    });
    world.run();
}

// In front of the head by as many nanoseconds as there are steps of priority: 0; 0 - 1 for high
// before normal; -1 - 1 for kernel before high; and 0 - 2 for kernel before normal.
TEST(FairJoin, MoreUrgentThanTheHeadJustInFront) {
    FairWorld world;
    world.block(1000);
    world.at(1, [&] {
        world.push(world.client("normal"), 1);
        const EntityRef high = world.client("high", Priority::high);
        world.push(high, 2);
        EXPECT_EQ(world.vruntime(high), -1);
        const EntityRef kernel = world.client("kernel", Priority::kernel);
        world.push(kernel, 3);
        EXPECT_EQ(world.vruntime(kernel), -2);
    });
    EXPECT_EQ(world.run_order(), (Order{1000, 3, 2, 1}));

    FairWorld two_steps;
    two_steps.block(1000);
    two_steps.at(1, [&] {
        two_steps.push(two_steps.client("normal"), 1);
        const EntityRef kernel = two_steps.client("kernel", Priority::kernel);
        two_steps.push(kernel, 2);
        EXPECT_EQ(two_steps.vruntime(kernel), -2);
    });
    two_steps.run();
}

// The minimum is that of all who have a job, also of one that waits for a dependency.
TEST(FairJoin, TheMinimumIsTheLeftmostsEvenIfItWaits) {
    FairWorld world;
    const SchedulerRef other = world.ring("other", fair(1));
    const fences::FenceRef slow =
        world.push(world.entity("slow", {other}), 50, {.duration = 100'000});
    const EntityRef waiting = world.client("waiting");
    world.push(waiting, 0, {.after = {slow}});
    world.at(10, [&] { // it was picked, and waits at 0
        const EntityRef kernel = world.client("kernel", Priority::kernel);
        world.push(kernel, 1, {.duration = 1000});
        EXPECT_EQ(world.vruntime(kernel), -2);
        const EntityRef normal = world.client("normal");
        world.push(normal, 2); // the head is the kernel client now: (1 + 0 + 0) us << 4, from -2
        EXPECT_EQ(world.vruntime(normal), 16'000 - 2);
    });
    EXPECT_EQ(world.run_order(), (Order{50, 1, 2, 0}));
}

// The head's priority is the one of the last change of the tree. The second client joins a head that
// has turned low and still counts as normal; the third one a head that counts as normal, too, and
// goes two nanoseconds in front of it instead of three. It is kernel when it joins, and counts so.
TEST(FairJoin, AChangedPriorityOfTheHeadShowsAtTheNextChangeOfTheTree) {
    FairWorld world;
    world.block(1000);
    world.at(1, [&] {
        const EntityRef head = world.client("head");
        world.push(head, 1);
        world.gpu.entity_set_priority(head, Priority::low);
        const EntityRef second = world.client("second");
        world.push(second, 2);
        EXPECT_EQ(world.vruntime(second), -1);
        world.gpu.entity_set_priority(second, Priority::low);
        const EntityRef third = world.client("third", Priority::kernel);
        world.push(third, 3);
        EXPECT_EQ(world.vruntime(third), -1 - 2);
        const EntityRef fourth = world.client("fourth", Priority::high);
        world.push(fourth, 4); // less urgent than kernel: 1 us << 2
        EXPECT_EQ(world.vruntime(fourth), 4'000 - 3);
    });
    world.run();
}

// --- leaving -------------------------------------------------------------------------------------

// Charged 16 * 10 us, it pops its last job with nobody else in the tree: minimum 0, and all is
// forgotten.
TEST(FairLeave, AloneForgetsEverything) {
    FairWorld world;
    const EntityRef a = world.client("a");
    world.push_many(a, 0, 3, 10'000);
    world.run(15'000);
    EXPECT_EQ(world.vruntime(a), 160'000);
    world.run();
    EXPECT_EQ(world.vruntime(a), 0);
}

// A joins at 0 and B at -1. B's jobs take 1 us: it pops job 10 at -1 and job 11 at 16,000 - 1, and A
// goes: it pops job 0 at 0 and leaves, below the minimum of 15,999.
TEST(FairLeave, BelowTheMinimumAtZero) {
    FairWorld world;
    const EntityRef a = world.client("a");
    const EntityRef b = world.client("b");
    world.push(a, 0, {.duration = 10'000});
    world.push_many(b, 10, 4, kMicrosecond);
    world.run(5'000);
    EXPECT_EQ(world.log.order(JobEvent::run_job), (Order{10, 11, 0}));
    EXPECT_EQ(world.vruntime(b), 15'999);
    EXPECT_EQ(world.vruntime(a), 0);
}

struct WaitingHead : testing::Test {
    // The head waits for a long job of another ring at -1, behind which A works: it joined at 0,
    // popped job 0 at 0, job 1 at 160,000, and leaves with job 2, 160,001 behind the head.
    FairWorld world;
    SchedulerRef other = world.ring("other", fair(1));
    EntityRef a = world.client("a");
    EntityRef head = world.client("head");
    void run_to_the_leave() {
        const fences::FenceRef slow =
            world.push(world.entity("slow", {other}), 50, {.duration = 1'000'000});
        world.push_many(a, 0, 3, 10'000);
        world.push(head, 10, {.after = {slow}});
        world.run(25'000);
    }
};

TEST_F(WaitingHead, LeavingBehindItKeepsTheDistance) {
    run_to_the_leave();
    EXPECT_EQ(world.log.order(JobEvent::run_job), (Order{50, 0, 1, 2}));
    EXPECT_EQ(world.vruntime(head), -1);
    EXPECT_EQ(world.vruntime(a), 160'001);
}

// C joins in front at -2. A is put 160,001 behind that; without its past it would be first.
TEST_F(WaitingHead, ComingBackRestoresTheDistance) {
    run_to_the_leave();
    world.at(50'000, [&] {
        const EntityRef c = world.client("c");
        world.push(c, 20);
        world.push(a, 21);
        EXPECT_EQ(world.vruntime(c), -2);
        EXPECT_EQ(world.vruntime(a), 159'999);
    });
    EXPECT_EQ(world.run_order(), (Order{50, 0, 1, 2, 20, 21, 10}));
}

// A kill takes it out of the tree as it is; nobody is charged, and those behind it go on.
TEST_F(WaitingHead, AKilledHeadIsNoMinimumAnyMore) {
    run_to_the_leave();
    world.task_at(50'000, "kill", [&] { world.gpu.entity_fini(head); });
    world.at(60'000, [&] {
        const EntityRef c = world.client("c", Priority::low);
        world.push(c, 20);
        EXPECT_EQ(world.vruntime(c), 0) << "the tree was empty";
    });
    world.run();
    EXPECT_THAT(world.log.of_job(10),
                ElementsAre("queue 10@0", "scheduled 10@1000000", "finished 10@1000000 err=-3",
                            "free_job 10@1000000"));
}

// --- selection -----------------------------------------------------------------------------------

// One of two credits is in use. The leftmost wants two, and nobody gets past it.
TEST(FairSelection, WithoutCreditsForTheLeftmostNobodyRuns) {
    FairWorld world(fair(2));
    world.block(1000);
    world.at(1, [&] {
        world.push(world.client("small"), 1);
        world.push(world.client("big"), 2, {.duration = 10, .credits = 2});
    });
    EXPECT_EQ(world.run_order(), (Order{1000, 2, 1}));
    EXPECT_EQ(world.log.when(JobEvent::run_job, 2), 1000U);
    EXPECT_EQ(world.log.when(JobEvent::run_job, 1), 1010U);
}

// Who waits for a dependency is skipped, and is where it was when it is ready again.
TEST(FairSelection, SkipsWhoWaits) {
    FairWorld world;
    const SchedulerRef other = world.ring("other", fair(1));
    const fences::FenceRef slow = world.push(world.entity("slow", {other}), 50, {.duration = 15});
    const EntityRef behind = world.client("behind");
    const EntityRef first = world.client("first");
    world.push_many(behind, 1, 3, 10);
    world.push(first, 4, {.after = {slow}});
    EXPECT_EQ(world.run_order(), (Order{50, 1, 2, 4, 3}));
}

} // namespace
} // namespace fenceline::scheduler
