// The facts known of 6.12's scheduler, each checked against what the oracle does: if these hold,
// the machine under the kernel's code orders events as the rules of time and order say.
// Here: selection, dependencies, credits, balancing. Kills, resets and ends: oracle_end_test.cpp.

#include "outcome.hpp"

namespace conformance {
namespace {

TEST(Oracle, TiesRunInTurnUnderBothPolicies) {
    for (const auto policy : {ORACLE_FIFO, ORACLE_RR}) {
        Workload w = machine(1, 3);
        w.policy = policy;
        for (std::uint32_t i = 0; i < 9; ++i)
            add(w, i / 3, 0, 100);
        const Outcome run(w);
        EXPECT_EQ(run.jobs("run_job"), (Ids{0, 3, 6, 1, 4, 7, 2, 5, 8}));
        expect_clean(run);
    }
}

TEST(Oracle, FifoKeyIsTheTimeOfThePushAndThenOfTheNextJob) {
    Workload w = machine(1, 3, 1);
    add(w, 0, 0, 1000);
    add(w, 0, 10, 100);
    add(w, 1, 5, 100);
    add(w, 1, 30, 100);
    w.jobs = {w.jobs[0], w.jobs[2], w.jobs[1], w.jobs[3]};
    add(w, 2, 40, 100);
    EXPECT_EQ(Outcome(w).jobs("run_job"), (Ids{0, 2, 1, 3, 4}));
}

TEST(Oracle, RoundRobinGoesInOrderOfFirstPush) {
    Workload w = machine(1, 3, 1);
    w.policy = ORACLE_RR;
    add(w, 2, 0, 100);
    add(w, 1, 1, 100);
    add(w, 0, 2, 100);
    add(w, 1, 3, 100);
    add(w, 2, 4, 100);
    EXPECT_EQ(Outcome(w).jobs("run_job"), (Ids{0, 1, 2, 4, 3}));
}

TEST(Oracle, APickBlockedByADependencyHasUsedUpItsTurnOneWithoutCreditsHasNot) {
    Workload w = machine(2, 3);
    w.policy = ORACLE_RR;
    w.entities[2].rings = {1};
    add(w, 2, 0, 250);      // elsewhere
    add(w, 0, 0, 300);      // one credit of two
    add(w, 1, 0, 100, {0}); // picked, found blocked; ready again at 250
    add(w, 0, 10, 100);     // picked from then on, but lacks credits until 300
    w.jobs[3].credits = 2;
    EXPECT_EQ(Outcome(w).jobs("run_job"), (Ids{0, 1, 3, 2}));
}

TEST(Oracle, PriorityIsStrictAndMissingCreditsBlockLowerPriorities) {
    Workload w = machine(1, 3);
    w.entities[1].priority = ORACLE_PRIORITY_LOW;
    w.entities[2].priority = ORACLE_PRIORITY_HIGH;
    add(w, 1, 0, 1000); // low, on the hardware with one credit of two
    add(w, 1, 1, 100);  // low, would fit
    add(w, 2, 1, 100);  // high, does not fit
    w.jobs[2].credits = 2;
    const Outcome run(w);
    EXPECT_EQ(run.jobs("run_job"), (Ids{0, 2, 1}));
    EXPECT_EQ(run.time("run_job", 2), 1000u);
    EXPECT_EQ(run.time("run_job", 1), 1100u);
}

TEST(Oracle, SettingThePriorityOfABoundEntityChangesNothing) {
    Workload w = machine(1, 2, 1);
    w.actions.push_back(
        {.at = 0, .kind = ORACLE_SET_PRIORITY, .entity = 1, .priority = ORACLE_PRIORITY_KERNEL});
    add(w, 0, 1, 100);
    add(w, 0, 2, 100);
    add(w, 1, 3, 100);
    EXPECT_EQ(Outcome(w).jobs("run_job"), (Ids{0, 1, 2}));
}

TEST(Oracle, DependenciesWithinASchedulerArePipelined) {
    Workload w = machine(2, 3);
    w.entities[2].rings = {1};
    add(w, 0, 0, 500);
    add(w, 1, 0, 100, {0}); // the same scheduler
    add(w, 2, 0, 100, {0}); // another one
    const Outcome run(w);
    EXPECT_EQ(run.time("run_job", 1), 0u);
    EXPECT_EQ(run.time("run_job", 2), 500u);
    EXPECT_TRUE(run.before("finished", 0, "run_job", 2));
    expect_clean(run);
}

TEST(Oracle, EventsOfAJobComeInOrder) {
    Workload w = machine(1, 1);
    add(w, 0, 7, 100);
    EXPECT_EQ(Outcome(w).life(0), whole_life);
    w.jobs[0].run = ORACLE_RUN_SIGNALLED;
    EXPECT_EQ(Outcome(w).life(0),
              (Words{"queue", "run_job", "hw_done", "scheduled", "finished", "free_job"}));
    w.jobs[0].run = ORACLE_RUN_NO_FENCE;
    EXPECT_EQ(Outcome(w).life(0), (Words{"queue", "run_job", "scheduled", "finished", "free_job"}));
    w.jobs[0].run = ORACLE_RUN_ERROR;
    EXPECT_EQ(Outcome(w).life(0),
              (Words{"queue", "run_job-5", "scheduled", "finished-5", "free_job"}));
}

TEST(Oracle, WithoutCreditsTheNextJobStartsAfterTheFree) {
    Workload w = machine(1, 1, 1);
    add(w, 0, 0, 100);
    add(w, 0, 0, 100);
    EXPECT_TRUE(Outcome(w).before("free_job", 0, "run_job", 1));
    for (auto& job : w.jobs)
        job.duration = 0;
    const Outcome run(w);
    EXPECT_TRUE(run.before("run_job", 1, "free_job", 0));
    expect_clean(run);
}

TEST(Oracle, EveryStartedJobPutsTheTimeoutOff) {
    Workload w = machine(1, 2, 100);
    w.rings[0].timeout = 1000;
    add(w, 0, 100, never);
    for (std::uint64_t t = 600; t <= 6100; t += 500)
        add(w, 1, t, 10);
    EXPECT_EQ(Outcome(w).time("timedout", 0), 7100u);
}

TEST(Oracle, BalancingTakesTheLowestScoreOnlyWhenIdle) {
    Workload w = machine(2, 2, 4);
    w.entities[1].rings = {0, 1};
    add(w, 0, 0, 1000);
    add(w, 1, 1, 100); // r0 carries a job and an entity
    add(w, 1, 2, 100); // stays: the queue or the last job is not done
    const Outcome run(w);
    Outcome again(w);
    const std::string log = oracle_log(w, again.result);
    EXPECT_NE(log.find("\"job\":1,\"entity\":\"e1\",\"ring\":\"r1\""), std::string::npos);
    EXPECT_NE(log.find("\"job\":2,\"entity\":\"e1\",\"ring\":\"r1\""), std::string::npos);
    expect_clean(run);
}

TEST(Oracle, TooManyCreditsAreTruncatedWithAWarning) {
    Workload w = machine(1, 1);
    add(w, 0, 0, 100);
    w.jobs[0].credits = 3;
    const Outcome run(w);
    EXPECT_EQ(run.life(0), whole_life);
    EXPECT_EQ(run.result.warnings, 1u);
}

TEST(Oracle, ContainersSignalLaterThanWhatIsInThem) {
    for (const auto via :
         {ORACLE_VIA_NONE, ORACLE_VIA_ARRAY, ORACLE_VIA_ANY, ORACLE_VIA_CHAIN, ORACLE_VIA_RESV}) {
        Workload w = machine(3, 3);
        w.entities[1].rings = {1};
        w.entities[2].rings = {2};
        add(w, 0, 0, 300);
        add(w, 1, 0, 500);
        add(w, 2, 0, 100, {0, 1});
        w.jobs[2].via = via;
        const Outcome run(w);
        EXPECT_EQ(run.time("run_job", 2), via == ORACLE_VIA_ANY ? 300u : 500u);
        expect_clean(run);
        EXPECT_EQ(run.result.warnings, 0u) << run.result.first_warning;
    }
}

TEST(Oracle, TimesAreReadExactly) {
    EXPECT_EQ(read_time("16.667ms"), 16'667'000u);
    EXPECT_EQ(read_time("500us"), 500'000u);
    EXPECT_EQ(read_time("1.000000001s"), 1'000'000'001u);
    EXPECT_THROW(read_time("0.5ns"), InputError);
    EXPECT_THROW(read_time("-1s"), InputError);
    EXPECT_THROW(read_time("99999999999s"), InputError);
    EXPECT_THROW(read_time("12"), InputError);
}

} // namespace
} // namespace conformance
