// The end of a scheduler with jobs on the hardware: 6.12 forgets them, mainline cancels them. The
// logs are computed by hand from the rules; each computation stands in a comment.
#include "sched_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::scheduler {
namespace {

using namespace testing_support;
using sim::kForever;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

SchedulerArgs cancelling(std::uint32_t credit_limit) {
    SchedulerArgs args = with(Policy::fifo, credit_limit);
    args.kernel = KernelVersion::mainline;
    args.cancels_jobs = true;
    return args;
}

/// Three jobs of 100 on the ring and one in the queue; the entity ends at 10, then the scheduler.
void end_with_jobs(SchedWorld& world, SchedulerArgs args) {
    const SchedulerRef sched = world.ring("gfx", args);
    const EntityRef a = world.entity("a", {sched});
    for (std::uint64_t id = 0; id < 4; ++id)
        world.push(a, id, {.duration = 100});
    world.task_at(10, "end", [&world, a, sched] {
        world.gpu.entity_fini(a);
        world.gpu.sched_fini(sched);
    });
    world.run();
}

// The list is cancelled from its end: cancel_job takes the job off the ring and signals its fence,
// which finishes it, and free_job follows at once. Job 3 was killed with its entity and waits for job
// 2, so it dies when that finishes; its work is queued at 10 and runs behind all this.
TEST(Cancel, TakesWhatIsOnTheHardwareOffInReverseOrder) {
    SchedWorld world;
    end_with_jobs(world, cancelling(3));
    EXPECT_THAT(world.log.from(10),
                ElementsAre("cancel_job 2@10", "hw_done 2@10 err=-125", "finished 2@10 err=-125",
                            "free_job 2@10", "cancel_job 1@10", "hw_done 1@10 err=-125",
                            "finished 1@10 err=-125", "free_job 1@10", "cancel_job 0@10",
                            "hw_done 0@10 err=-125", "finished 0@10 err=-125", "free_job 0@10",
                            "scheduled 3@10", "finished 3@10 err=-3", "free_job 3@10"));
    EXPECT_EQ(world.gpu.jobs.live(), 0u);
    EXPECT_EQ(world.core.pairs.live(), 0u);
    EXPECT_EQ(world.core.hardware.live(), 0u);
    EXPECT_THAT(world.verdicts(), IsEmpty());
    EXPECT_THAT(world.warnings, Each(HasSubstr("signal out of order")));
}

// Out of order, that is: whoever asks for strictness hears of jobs 1 and 0.
TEST(Cancel, SignalsTheFencesOfAContextOutOfOrder) {
    SchedWorld world;
    world.gpu.strict = true;
    end_with_jobs(world, cancelling(3));
    EXPECT_THAT(world.verdicts(), ElementsAre("wrong-order of fence", "wrong-order of fence"));
}

// Without it the ring goes on: jobs 0 to 2 finish at 100, 200 and 300, and job 3 dies with the last
// of them. Nobody frees what was on the ring.
TEST(Cancel, Without612ForgetsWhatIsOnTheHardware) {
    SchedWorld world;
    end_with_jobs(world, with(Policy::fifo, 3));
    EXPECT_THAT(world.log.from(10),
                ElementsAre("hw_done 0@100", "finished 0@100", "hw_done 1@200", "finished 1@200",
                            "hw_done 2@300", "finished 2@300", "scheduled 3@300",
                            "finished 3@300 err=-3", "free_job 3@300"));
    EXPECT_EQ(world.gpu.jobs.live(), 3u);
    EXPECT_THAT(world.warnings, IsEmpty()) << "and says nothing";
}

TEST(Cancel, AMainlineDriverWithoutItForgetsThemTooButIsWarned) {
    SchedWorld world;
    SchedulerArgs args = with(Policy::fifo, 3);
    args.kernel = KernelVersion::mainline;
    end_with_jobs(world, args);
    EXPECT_EQ(world.gpu.jobs.live(), 3u);
    EXPECT_THAT(world.warnings, ElementsAre(HasSubstr("while jobs are pending")));
}

TEST(Cancel, EndsAHang) {
    SchedWorld world;
    SchedulerArgs args = cancelling(1);
    args.timeout = 1000;
    const SchedulerRef sched = world.ring("gfx", args);
    const EntityRef a = world.entity("a", {sched});
    world.push(a, 0, {.duration = kForever});
    world.task_at(999, "end", [&] {
        world.gpu.entity_fini(a);
        world.gpu.sched_fini(sched);
    });
    world.run();
    EXPECT_THAT(world.log.from(1), ElementsAre("cancel_job 0@999", "hw_done 0@999 err=-125",
                                               "finished 0@999 err=-125", "free_job 0@999"));
}

// Job 0 ends at 100, and the end comes between its interrupt and the free work, which is taken back.
// It is on the list still: it is cancelled like the others, but there is nothing left to take off.
TEST(Cancel, AJobThatIsDoneButNotFreedIsFreed) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", cancelling(1));
    const EntityRef a = world.entity("a", {sched});
    world.push(a, 0, {.duration = 100});
    world.at(50, [&] {
        world.task_at(100, "end", [&] {
            world.gpu.entity_fini(a);
            world.gpu.sched_fini(sched);
        });
    });
    world.run();
    EXPECT_THAT(world.log.from(100), ElementsAre("hw_done 0@100", "finished 0@100",
                                                 "cancel_job 0@100", "free_job 0@100"));
    EXPECT_EQ(world.core.hardware.live(), 0u);
}

// The ring is done with job 0 at 100, and its interrupt is due at 150. Cancelled at 120, it signals
// once, there and then.
TEST(Cancel, AnInterruptOnItsWayIsVoid) {
    SchedWorld world;
    const SchedulerRef sched = world.ring("gfx", cancelling(1), 0, 50);
    const EntityRef a = world.entity("a", {sched});
    world.push(a, 0, {.duration = 100});
    world.task_at(120, "end", [&] {
        world.gpu.entity_fini(a);
        world.gpu.sched_fini(sched);
    });
    world.run();
    EXPECT_THAT(world.log.from(1), ElementsAre("cancel_job 0@120", "hw_done 0@120 err=-125",
                                               "finished 0@120 err=-125", "free_job 0@120"));
    EXPECT_THAT(world.verdicts(), IsEmpty());
}

} // namespace
} // namespace fenceline::scheduler
