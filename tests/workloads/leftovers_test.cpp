// What is left when a run is over, and what reports say of how it came to be left: the faults that
// the kernel has, and only where it was they.
#include "program_run.hpp"

#include <gmock/gmock.h>

namespace fenceline::workloads::tests {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kTwoEntities =
    R"("entities":[{"id":"a","rings":["gfx"]},{"id":"b","rings":["gfx"]}],)";

/// The messages of the hazards of this class and subject.
Lines told(const RunResult& result, std::string_view kind, std::string_view subject) {
    Lines lines;
    for (const sim::Hazard& hazard : result.hazards) {
        if (hazard.kind->name == kind && hazard.subject == subject) {
            lines.push_back(hazard.message);
        }
    }
    return lines;
}

/// What is known of the hazards, where something is.
Lines known(const RunResult& result) {
    Lines lines;
    for (const sim::Hazard& hazard : result.hazards) {
        if (!hazard.finding.empty()) {
            lines.push_back(hazard.finding);
        }
    }
    return lines;
}

RunResult run_on(const std::string& members, std::string_view config, RunOptions options = {}) {
    const auto loaded =
        parse_workload(R"({"format":"fenceline/workload","version":1,)" + members + "}", "w.json");
    const Config read = interpret_config(Json::parse(config_with(config)), "c.json");
    const auto jobs = loaded.open_jobs();
    return simulate(resolve_rings(read, *loaded.workload), *loaded.workload, *jobs, options);
}

// There is no timeout here that could have lost them.
TEST(Leftovers, JobsOnTheHardwareWhenTheSchedulerEndedAreSaidToBeThat) {
    const RunResult result =
        run_on(kTwoEntities + R"("jobs":[{"id":7,"at":0,"entity":"a","duration":10},
                                  {"id":8,"at":0,"entity":"b","duration":10}],
                          "actions":[{"at":5,"do":"fini-scheduler","ring":"gfx"}])",
               R"("scheduler":{"policy":"fair"})");
    EXPECT_THAT(told(result, "leak", "job"),
                ElementsAre(AllOf(HasSubstr("on the hardware when drm_sched_fini"),
                                  HasSubstr("2 jobs"), HasSubstr("job 7"))));
    EXPECT_THAT(known(result), ElementsAre(HasSubstr("drm_sched_fini of 6.12")));
}

// Job 0 is lost; job 1 is behind it on the ring; job 2, of the same entity as job 0, was killed and
// waits for it; only job 3 came after the entity's end.
TEST(Leftovers, EachLostJobIsListedUnderWhatHappenedToIt) {
    const RunResult result =
        run_on(kTwoEntities + R"("jobs":[{"id":0,"at":0,"entity":"a","duration":"forever"},
                                  {"id":1,"at":0,"entity":"b","duration":10},
                                  {"id":2,"at":0,"entity":"a","duration":10},
                                  {"id":3,"at":50,"entity":"a","duration":10}],
                          "actions":[{"at":40,"do":"kill-entity","entity":"a"}])",
               R"("scheduler":{"timeout":20,"on_timeout":"no-device"})");
    EXPECT_THAT(told(result, "leak", "job"),
                ElementsAre("job 3 is never freed: pushed to an entity that had ended",
                            "job 2 is never freed: killed, and waits for a fence that never "
                            "signals",
                            "job 1 is never freed: on the hardware when drm_sched_fini ran",
                            "job 0 is never freed: off the pending list since its timeout"));
}

// The kill of the first entity dies on the freed run queue; the rest is looked at all the same.
TEST(Leftovers, WithKeepGoingAHazardInTheTeardownEndsThatTaskOnly) {
    RunOptions options;
    options.keep_going = true;
    const RunResult result =
        run_on(kTwoEntities + R"("jobs":[{"id":0,"at":0,"entity":"a","duration":10},
                                         {"id":1,"at":0,"entity":"b","duration":10},
                                         {"id":2,"at":0,"entity":"b","duration":10}],
                                 "actions":[{"at":5,"do":"fini-scheduler","ring":"gfx"}])",
               "", options);
    EXPECT_THAT(told(result, "use-after-free", "run queue"), testing::SizeIs(1));
    EXPECT_THAT(told(result, "never-signalled", "fence"),
                Contains(HasSubstr("finished fence b:2")));
    EXPECT_THAT(told(result, "leak", "job"),
                Contains(HasSubstr("on the hardware when drm_sched_fini ran")));
    EXPECT_THAT(told(result, "leak", "job"),
                Contains("job 2 is never freed: in the queue of its entity when its scheduler "
                         "ended"));
}

// A driver that finds no hang for ever: nothing is left that could change anything.
TEST(Leftovers, AlarmsThatAreAlwaysFalseDoNotKeepARunGoing) {
    const ProgramRun run =
        run_text(kTwoEntities + R"("jobs":[{"id":0,"at":0,"entity":"a","duration":"forever"},
                                  {"id":1,"at":35,"entity":"b","duration":10}])",
                 R"("kernel":"mainline","scheduler":{"timeout":10,"on_timeout":"no-hang"})");
    EXPECT_EQ(run.result.end, RunEnd::stuck);
    EXPECT_THAT(run.only({"timedout"}),
                ElementsAre("10 timedout 0", "20 timedout 0", "30 timedout 0"));
    EXPECT_THAT(told(run.result, "leak", "job"), Contains(HasSubstr("on the hardware when")));
}

TEST(Leftovers, AlarmsThatAreAlwaysFalseLastUntilTheRunEnds) {
    const ProgramRun run =
        run_text(kTwoEntities + R"("jobs":[{"id":0,"at":0,"entity":"a","duration":"forever"}])",
                 R"("kernel":"mainline","until":25,
                    "scheduler":{"timeout":10,"on_timeout":"no-hang"})");
    EXPECT_EQ(run.result.end, RunEnd::until);
    EXPECT_EQ(run.result.end_time, 25U);
    EXPECT_THAT(run.only({"timedout"}), ElementsAre("10 timedout 0", "20 timedout 0"));
}

// However many events came before: what counts is what is left.
TEST(Leftovers, WhenARunIsStuckOnDeniedHangsDoesNotDependOnWhatCameBefore) {
    for (int before = 0; before < 4; ++before) {
        std::string jobs;
        for (int id = 1; id <= before; ++id) {
            jobs += R"({"id":)" + std::to_string(id) + R"(,"at":0,"entity":"b","duration":1},)";
        }
        const ProgramRun run = run_text(
            kTwoEntities + R"("jobs":[)" + jobs +
                R"({"id":0,"at":5,"entity":"a","duration":"forever"}])",
            R"("kernel":"mainline","rcu_grace_period":1,"scheduler":{"timeout":10,"on_timeout":"no-hang"})");
        EXPECT_EQ(run.result.end, RunEnd::stuck);
        EXPECT_THAT(run.only({"timedout"}), ElementsAre("15 timedout 0")) << before;
    }
}

// A client ends the job that hangs.
TEST(Leftovers, FalseAlarmsGoOnWhileSomethingElseMayHappen) {
    const ProgramRun run = run_text(
        R"("clients":[{"name":"c","entities":[{"id":"c/x","rings":["gfx"]}],"program":[
             {"submit":{"entity":"c/x","duration":"forever","as":"hung"}},{"sleep":35},
             {"terminate":"hung"},{"wait":"hung"}]}])",
        R"("kernel":"mainline","scheduler":{"timeout":10,"on_timeout":"no-hang"})");
    EXPECT_EQ(run.result.end, RunEnd::normal);
    EXPECT_THAT(run.only({"timedout", "finished"}),
                ElementsAre("10 timedout 0", "20 timedout 0", "30 timedout 0", "35 finished 0"));
    EXPECT_THAT(run.result.hazards, IsEmpty());
}

TEST(Leftovers, ADriftedScoreIsAWarningUnlessTheRunIsStrict) {
    const std::string killed = kTwoEntities + R"("jobs":[{"id":0,"at":0,"entity":"a","duration":10},
                                  {"id":1,"at":0,"entity":"a","duration":10},
                                  {"id":2,"at":0,"entity":"a","duration":10}],
                          "actions":[{"at":5,"do":"kill-entity","entity":"a"}])";
    const RunResult lenient = run_on(killed, "");
    EXPECT_THAT(lenient.hazards, IsEmpty());
    EXPECT_THAT(lenient.warnings, ElementsAre(HasSubstr("score of scheduler gfx is off by 1")));
    RunOptions options;
    options.strict = true;
    const RunResult strict = run_on(killed, "", options);
    EXPECT_THAT(told(strict, "score-drift", "scheduler"), ElementsAre(HasSubstr("off by 1")));
    EXPECT_THAT(known(strict), ElementsAre(HasSubstr("drm_sched_entity_kill_jobs_work")));
}

} // namespace
} // namespace fenceline::workloads::tests
