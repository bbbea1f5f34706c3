// Facts known of 6.12's scheduler about jobs and runs that do not end the usual way: kills,
// timeouts and resets, stuck runs, and the hazards that are in the kernel's code.

#include "outcome.hpp"

namespace conformance {
namespace {

TEST(Oracle, AnEmptyWorkloadEndsNormally) {
    const Outcome run(machine(1, 1));
    expect_clean(run);
    EXPECT_TRUE(run.log.empty());
}

TEST(Oracle, KilledJobsFinishInOrderWithAnError) {
    Workload w = machine(2, 2, 1);
    w.entities[1].rings = {1};
    add(w, 1, 0, 700);
    add(w, 0, 0, 500);
    add(w, 0, 0, 100);
    add(w, 0, 0, 100, {0});
    add(w, 0, 0, 100);
    w.actions.push_back({.at = 50, .kind = ORACLE_KILL_ENTITY, .entity = 0});
    const Outcome run(w);
    for (const std::uint64_t job : Ids{2, 3, 4})
        EXPECT_EQ(run.life(job), (Words{"queue", "scheduled", "finished-3", "free_job"}));
    EXPECT_EQ(run.life(1), whole_life);
    EXPECT_EQ(run.time("finished", 2), 500u); // the running job came first
    EXPECT_EQ(run.time("finished", 3), 700u); // its dependency
    EXPECT_TRUE(run.before("finished", 3, "finished", 4));
    expect_clean(run);
}

TEST(Oracle, FiniOfASchedulerWithQueuedJobsSignalsNothing) {
    Workload w = machine(1, 1, 1);
    add(w, 0, 0, 100);
    add(w, 0, 0, 100);
    w.actions.push_back({.at = 50, .kind = ORACLE_FINI_SCHEDULER, .ring = 0});
    const Outcome run(w);
    EXPECT_EQ(run.life(1), Words{"queue"});
    // On the hardware at that time: it finishes and is never freed.
    EXPECT_EQ(run.life(0), (Words{"queue", "run_job", "scheduled", "hw_done", "finished"}));
    // The end of the entity reads the freed run queue.
    EXPECT_EQ(run.result.end, ORACLE_END_HAZARD);
    EXPECT_EQ(run.result.hazard, ORACLE_HAZARD_USE_AFTER_FREE) << run.result.hazard_text;
}

TEST(Oracle, JobsOnTheHardwareAtFiniLeak) {
    Workload w = machine(1, 1);
    add(w, 0, 0, 100);
    w.actions.push_back({.at = 10, .kind = ORACLE_FINI_ENTITY, .entity = 0});
    w.actions.push_back({.at = 50, .kind = ORACLE_FINI_SCHEDULER, .ring = 0});
    const Outcome run(w);
    EXPECT_EQ(run.result.end, ORACLE_END_STUCK);
    EXPECT_EQ(run.result.hazard, ORACLE_HAZARD_NONE) << run.result.hazard_text;
    EXPECT_GT(run.result.leaked_blocks, 0u);
    EXPECT_EQ(run.life(0).back(), "finished");
}

TEST(Oracle, APushToAKilledEntityIsLost) {
    Workload w = machine(1, 1);
    add(w, 0, 0, 100);
    w.actions.push_back({.at = 200, .kind = ORACLE_FINI_ENTITY, .entity = 0});
    add(w, 0, 300, 100);
    const Outcome run(w);
    EXPECT_EQ(run.life(1), Words{"queue"});
    EXPECT_EQ(run.result.messages, 1u);
    EXPECT_EQ(run.result.end, ORACLE_END_STUCK);
    EXPECT_GT(run.result.leaked_blocks, 0u);
}

TEST(Oracle, KilledJobsLoadTheirRingForGood) {
    Workload w = machine(2, 2, 1);
    w.entities[1].rings = {0, 1};
    add(w, 0, 0, 100);
    add(w, 0, 0, 100);
    w.actions.push_back({.at = 10, .kind = ORACLE_KILL_ENTITY, .entity = 0});
    add(w, 1, 1000, 100);
    Outcome run(w);
    EXPECT_EQ(oracle_log(w, run.result).find("\"job\":2,\"entity\":\"e1\",\"ring\":\"r0\""),
              std::string::npos);
}

TEST(Oracle, DestroyBehindAHungJobIsWokenByTheEndOfTheScheduler) {
    Workload w = machine(1, 1, 1);
    add(w, 0, 0, never);
    add(w, 0, 0, 100);
    w.actions.push_back({.at = 10, .kind = ORACLE_DESTROY_ENTITY, .entity = 0});
    const Outcome run(w);
    EXPECT_EQ(run.result.end, ORACLE_END_HAZARD);
    EXPECT_EQ(run.result.hazard, ORACLE_HAZARD_USE_AFTER_FREE) << run.result.hazard_text;
}

TEST(Oracle, DestroyWaitsForTheQueueAndHoldsUpNobody) {
    Workload w = machine(1, 2, 1);
    for (int i = 0; i < 3; ++i)
        add(w, 0, 0, 100);
    w.actions.push_back({.at = 10, .kind = ORACLE_DESTROY_ENTITY, .entity = 0});
    w.actions.push_back({.at = 20, .kind = ORACLE_DESTROY_ENTITY, .entity = 1});
    add(w, 1, 30, 100); // its entity is gone
    add(w, 0, 40, 100); // its entity still takes jobs
    const Outcome run(w);
    EXPECT_EQ(run.life(3), Words{"queue"});
    EXPECT_EQ(run.life(4), whole_life);
    EXPECT_EQ(run.time("run_job", 4), 300u);
}

TEST(Oracle, ResetResubmitsUntilTheGuiltyJobIsGivenUp) {
    Workload w = machine(1, 2, 3);
    w.rings[0].timeout = 1000;
    w.entities[0].guilty_flag = true;
    add(w, 0, 0, never);
    add(w, 0, 0, 100);
    add(w, 1, 0, 100);
    const Outcome run(w);
    EXPECT_EQ(run.time("timedout", 0), 1000u);
    EXPECT_EQ(run.jobs("reset").size(), 1u);
    EXPECT_EQ(run.life(0), (Words{"queue", "run_job", "scheduled", "timedout", "run_job-125",
                                  "finished-125", "free_job"}));
    EXPECT_EQ(run.life(1),
              (Words{"queue", "run_job", "scheduled", "run_job-125", "finished-125", "free_job"}));
    EXPECT_EQ(run.life(2), (Words{"queue", "run_job", "scheduled", "run_job", "hw_done", "finished",
                                  "free_job"}));
    EXPECT_EQ(run.time("hw_done", 2), 1100u); // its full duration anew
    expect_clean(run);
}

TEST(Oracle, AKernelJobThatHangsIsRefusedAtItsFourthRun) {
    Workload w = machine(1, 1);
    w.rings[0].timeout = 1000;
    w.entities[0].priority = ORACLE_PRIORITY_KERNEL;
    add(w, 0, 0, never);
    const Outcome run(w);
    EXPECT_EQ(run.jobs("timedout").size(), 3u);
    EXPECT_EQ(run.life(0).at(run.life(0).size() - 2), "finished-125");
    EXPECT_EQ(run.time("free_job", 0), 3000u);
    expect_clean(run);
}

TEST(Oracle, ACompletionAtTheInstantOfTheTimeoutButLaterInOrderComesTooLate) {
    Workload w = machine(1, 1);
    w.rings[0].timeout = 1000;
    w.entities[0].guilty_flag = true;
    add(w, 0, 0, 1000);
    const Outcome run(w);
    // The timeout was armed first, but its work is queued behind the interrupt.
    EXPECT_EQ(run.life(0), (Words{"queue", "run_job", "scheduled", "hw_done", "finished",
                                  "timedout", "free_job"}));
}

TEST(Oracle, UntilCutsTheRunShort) {
    Workload w = machine(1, 1, 1);
    w.until = 150;
    for (int i = 0; i < 3; ++i)
        add(w, 0, 0, 100);
    const Outcome run(w);
    EXPECT_EQ(run.result.end, ORACLE_END_UNTIL);
    EXPECT_EQ(run.result.end_time, 150u);
    EXPECT_EQ(run.life(2), (Words{"queue", "scheduled", "finished-3", "free_job"}));
    EXPECT_EQ(run.result.leaked_blocks, 0u);
}

TEST(Oracle, AStuckRunEndsWhenTheLastGracePeriodDoes) {
    Workload w = machine(1, 1);
    add(w, 0, 0, 100);
    add(w, 0, 50, never);
    const Outcome run(w);
    EXPECT_EQ(run.result.end, ORACLE_END_STUCK);
    // At 100 job 0 goes: its hardware fence starts a period, its own fences wait for the next.
    EXPECT_EQ(run.result.end_time, 100u + 2 * w.rcu_grace_period);
}

TEST(Oracle, RunsDoNotInfluenceEachOther) {
    Workload hazard = machine(1, 1, 1);
    add(hazard, 0, 0, never);
    add(hazard, 0, 0, 100);
    hazard.actions.push_back({.at = 10, .kind = ORACLE_DESTROY_ENTITY, .entity = 0});
    Workload w = machine(1, 3);
    for (std::uint32_t i = 0; i < 9; ++i)
        add(w, i / 3, 0, 100);
    oracle_result result;
    const std::string first = oracle_log(w, result);
    for (int i = 0; i < 3; ++i) {
        oracle_log(hazard, result);
        EXPECT_EQ(result.end, ORACLE_END_HAZARD);
        EXPECT_EQ(oracle_log(w, result), first);
    }
}

} // namespace
} // namespace conformance
