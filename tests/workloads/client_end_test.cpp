// The ways a program ends other than by itself: the end of the run, an exit from outside, a wait for
// what never comes; and the actions that go with them.
#include "program_run.hpp"

#include <gmock/gmock.h>

namespace fenceline::workloads::tests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kFrame = R"({"submit":{"entity":"b/gfx","duration":8,"as":"f"}},{"wait":"f"})";

TEST(ClientEnd, ForEverLastsUntilTheRunEnds) {
    const ProgramRun run =
        run_text(only_b(kFrame + R"(,{"period":10})", R"("repeat":"forever")"), R"("until":35)");
    EXPECT_EQ(run.result.end, RunEnd::until);
    EXPECT_EQ(run.result.end_time, 35U);
    EXPECT_THAT(run.only({"queue"}),
                ElementsAre("0 queue 0", "10 queue 1", "20 queue 2", "30 queue 3"));
    // What is on the ring completes in the teardown; its client does not hear of it.
    EXPECT_EQ(run.log.back(), "38 free_job 3");
    EXPECT_THAT(run.result.hazards, IsEmpty());
    const ProgramResult& program = run.program("b");
    EXPECT_FALSE(program.ended);
    EXPECT_EQ(program.iterations, 3U);
    EXPECT_EQ(program.elapsed, 35U);
}

TEST(ClientEnd, ForEverWithoutUntilIsRefused) {
    const auto loaded = parse_workload(R"({"format":"fenceline/workload","version":1,)" +
                                           only_b(kFrame, R"("repeat":"forever")") + "}",
                                       "w.json");
    EXPECT_THAT(fault_of([&] { (void)resolve_rings({}, *loaded.workload); }), HasSubstr("until"));
}

// A client that waits, one that sleeps, one that imports, one that pays for a push, one that has
// not started: nobody submits anything after the end, and nothing is left over.
TEST(ClientEnd, TheEndOfTheRunFindsProgramsInEveryState) {
    const ProgramRun run = run_text(
        R"("clients":[)" + client_b(kFrame + R"(,{"export":{"fence":"f","to":"sync_file","as":"n"}},
                                                {"submit":{"entity":"b/gfx","duration":1}})") +
            R"(,{"name":"sleeper","entities":[{"id":"s/x","client":"sleeper","rings":["gfx"]}],
                 "program":[{"sleep":100},{"submit":{"entity":"s/x","duration":1}}]},
               {"name":"importer","entities":[{"id":"i/x","client":"importer","rings":["gfx"]}],
                 "program":[{"import":"n"},{"submit":{"entity":"i/x","duration":1}}]},
               {"name":"pusher","start":3,"entities":[{"id":"p/x","client":"pusher",
                 "rings":["gfx"]}],"program":[{"submit":{"entity":"p/x","duration":1}}]},
               {"name":"late","start":100,"program":[{"sleep":1}]}])",
        R"("until":5,"costs":{"submit":3})");
    EXPECT_EQ(run.result.end, RunEnd::until);
    EXPECT_THAT(run.only({"queue"}), ElementsAre("3 queue 0"));
    EXPECT_THAT(run.result.hazards, IsEmpty());
    EXPECT_FALSE(run.program("late").started);
    EXPECT_EQ(run.program("late").elapsed, 0U);
    EXPECT_EQ(run.program("pusher").elapsed, 2U);
}

TEST(ClientEnd, WhoWaitsForAHangIsADeadlock) {
    const ProgramRun run =
        run_text(only_b(R"({"sleep":4},{"submit":{"entity":"b/gfx","duration":"forever","as":"f"}},
                  {"wait":"f"},{"submit":{"entity":"b/gfx","duration":1}})"));
    ASSERT_THAT(run.result.hazards, SizeIs(1));
    EXPECT_EQ(run.result.hazards[0].kind->name, "deadlock");
    EXPECT_THAT(run.result.hazards[0].message, HasSubstr("task b waits for "));
    EXPECT_THAT(run.result.hazards[0].message, HasSubstr("to signal since 4 ns"));
    EXPECT_THAT(run.result.hazards[0].message, HasSubstr("b/gfx"));
    EXPECT_THAT(run.only({"queue"}), ElementsAre("4 queue 0"));
}

// The teardown kills the queued job, which signals the fence; that wakes nobody any more.
TEST(ClientEnd, WhoWaitsBehindAHangIsADeadlockToo) {
    const ProgramRun run = run_text(
        R"("entities":[{"id":"a/gfx","rings":["gfx"]}],
        "jobs":[{"id":0,"at":0,"entity":"a/gfx","duration":"forever"}],)" +
            only_b(kFrame + R"(,{"submit":{"entity":"b/gfx","duration":1}})"),
        R"("rings":[{"name":"gfx","credit_limit":1}])");
    ASSERT_THAT(run.result.hazards, SizeIs(1));
    EXPECT_EQ(run.result.hazards[0].kind->name, "deadlock");
    EXPECT_THAT(run.only({"queue"}), ElementsAre("0 queue 0", "0 queue 1"));
}

TEST(ClientEnd, WhoImportsWhatHasBeenClosedWaitsForEver) {
    const ProgramRun run = run_text(
        R"("clients":[)" +
        client_b(kFrame + R"(,{"export":{"fence":"f","to":"syncobj","as":"n"}},{"close":"n"})") +
        R"(,{"name":"c","start":9,"program":[{"import":"n"}]}])");
    ASSERT_THAT(run.result.hazards, SizeIs(1));
    EXPECT_THAT(run.result.hazards[0].message,
                HasSubstr("task c waits for a name to be exported since 9 ns"));
}

TEST(ClientEnd, NamesStayOpenWhenAProgramHasEndedAndGoWhenItsClientExits) {
    const auto observations = [](const std::string& end) {
        return run_text(R"("clients":[)" +
                        client_b(kFrame + R"(,{"export":{"fence":"f","to":"sync_file","as":"n"}})" +
                                 end) +
                        R"(],"actions":[{"at":20,"do":"query","name":"n"}])")
            .result.observations;
    };
    EXPECT_THAT(observations(""), ElementsAre(HasSubstr("status 1")));
    EXPECT_THAT(observations(R"(,{"exit":"clean"})"),
                ElementsAre("20 ns: query n: nothing is open under that name"));
}

TEST(ClientEnd, AnExitFromOutsideStopsTheProgramWhereverItIs) {
    for (const char* steps : {R"({"sleep":50})", R"({"wait":"f"})", R"({"import":"n"})"}) {
        const ProgramRun run = run_text(
            R"("clients":[)" +
                client_b(R"({"submit":{"entity":"b/gfx","duration":30,"as":"f"}},
                        {"submit":{"entity":"b/gfx","duration":30}},)" +
                         std::string(steps) + R"(,{"submit":{"entity":"b/gfx","duration":30}})") +
                R"(,{"name":"other","start":40,"entities":[{"id":"o/x","client":"other",
                "rings":["gfx"]}],"program":[{"submit":{"entity":"o/x","duration":1,"as":"x"}},
                {"export":{"fence":"x","to":"syncobj","as":"n"}}]}],
            "actions":[{"at":10,"do":"exit","client":"b","how":"killed"},
                       {"at":11,"do":"exit","client":"b"}])",
            R"("rings":[{"name":"gfx","credit_limit":1}])");
        EXPECT_EQ(run.result.end, RunEnd::normal) << steps;
        EXPECT_THAT(run.result.hazards, IsEmpty()) << steps;
        EXPECT_THAT(run.only({"queue", "finished"}),
                    ElementsAre("0 queue 0", "0 queue 1", "30 finished 0", "30 finished 1 err -3",
                                "40 queue 2", "41 finished 2"))
            << steps;
        EXPECT_THAT(run.result.observations,
                    ElementsAre("11 ns: exit b: its end has begun already"));
        EXPECT_TRUE(run.program("b").ended);
    }
}

// The fence signals at 10 and wakes the client; before it moves, it is told to go.
TEST(ClientEnd, AnExitAtTheInstantOfAWakeUpComesFirst) {
    const ProgramRun run =
        run_text(R"("clients":[)" +
                 client_b(R"({"submit":{"entity":"b/gfx","duration":10,"as":"f"}},{"wait":"f"},
                    {"submit":{"entity":"b/gfx","duration":1}})") +
                 R"(],"actions":[{"at":10,"do":"exit","client":"b"}])");
    EXPECT_THAT(run.only({"queue"}), ElementsAre("0 queue 0"));
    EXPECT_EQ(run.result.end, RunEnd::normal);
    EXPECT_THAT(run.result.hazards, IsEmpty());
}

TEST(ClientEnd, WhoExitsBeforeTheStartNeverStarts) {
    const ProgramRun run = run_text(only_b(kFrame, R"("start":20)") +
                                    R"(,"actions":[{"at":10,"do":"exit","client":"b"}])");
    EXPECT_THAT(run.log, IsEmpty());
    EXPECT_EQ(run.result.end, RunEnd::normal);
    EXPECT_FALSE(run.program("b").started);
}

// Where the driver's own fence escapes, it is still the finished fence that jobs depend on: it
// signals also for a job that was killed.
TEST(ClientEnd, AJobThatDependsOnAKilledOneRuns) {
    for (const char* lifetime : {"split", "inline-lock"}) {
        const ProgramRun run = run_text(
            R"("clients":[{"name":"b","entities":[{"id":"b/gfx","rings":["gfx"]},
                 {"id":"b/copy","rings":["sdma"]}],
               "program":[{"submit":{"entity":"b/gfx","duration":10,"count":2,"as":"f"}},
                 {"submit":{"entity":"b/copy","duration":10,"after":["f"]}}]}],
               "actions":[{"at":5,"do":"kill-entity","entity":"b/gfx"}])",
            R"("rings":[{"name":"gfx","credit_limit":1}],"lifetime":")" + std::string(lifetime) +
                "\"");
        EXPECT_THAT(run.only({"finished"}),
                    ElementsAre("10 finished 0", "10 finished 1 err -3", "20 finished 2"))
            << lifetime;
        EXPECT_THAT(run.result.hazards, IsEmpty()) << lifetime;
    }
}

TEST(ClientEnd, AClientWithoutAProgramExitsToo) {
    const ProgramRun run = run_text(
        R"("entities":[{"id":"a/gfx","rings":["gfx"]},{"id":"a/copy","rings":["gfx"]}],
        "jobs":[{"id":0,"at":0,"entity":"a/gfx","duration":10},
                {"id":1,"at":0,"entity":"a/copy","duration":10}],
        "actions":[{"at":5,"do":"exit","client":"a","how":"killed"}])",
        R"("rings":[{"name":"gfx","credit_limit":1}])");
    EXPECT_THAT(run.only({"finished"}), ElementsAre("5 finished 1 err -3", "10 finished 0"));
}

TEST(ClientEnd, TerminateAsAnActionEndsAJobOrWhatTheRingExecutes) {
    const ProgramRun run = run_text(
        R"("entities":[{"id":"a/gfx","rings":["gfx"]}],
        "jobs":[{"id":0,"at":0,"entity":"a/gfx","duration":"forever"},
                {"id":1,"at":0,"entity":"a/gfx","duration":"forever"},
                {"id":2,"at":0,"entity":"a/gfx","duration":7}],
        "actions":[{"at":5,"do":"terminate","ring":"gfx"},{"at":9,"do":"terminate","job":1},
                   {"at":9,"do":"terminate","job":0},{"at":20,"do":"terminate","ring":"gfx"}])");
    EXPECT_THAT(run.only({"finished"}),
                ElementsAre("5 finished 0", "9 finished 1", "16 finished 2"));
    EXPECT_EQ(run.result.end, RunEnd::normal);
}

TEST(ClientEnd, ImportAsAnActionWaitsForTheNameAndKeepsItOpen) {
    const ProgramRun run = run_text(
        only_b(kFrame + R"(,{"export":{"fence":"f","to":"sync_file","as":"n"}},{"exit":"clean"})") +
        R"(,"actions":[{"at":1,"do":"import","name":"n"},{"at":20,"do":"poll","name":"n"},
                       {"at":21,"do":"close","name":"n"},{"at":22,"do":"close","name":"n"}])");
    EXPECT_THAT(run.result.observations,
                ElementsAre("8 ns: import n: it is there", "20 ns: poll n: signalled",
                            "22 ns: close n: nothing is open under that name"));
}

TEST(ClientEnd, AnActionCannotCloseWhatOnlyAProgramHasOpen) {
    const ProgramRun run = run_text(
        only_b(kFrame + R"(,{"export":{"fence":"f","to":"sync_file","as":"n"}},{"sleep":10},
                           {"poll":"n"})") +
        R"(,"actions":[{"at":9,"do":"close","name":"n"}])");
    EXPECT_THAT(run.result.observations, ElementsAre("9 ns: close n: no action has it open",
                                                     "18 ns: client b: poll n: signalled"));
}

// The job's length is 0, so waiting for it lets no time pass, which only the run can tell.
TEST(ClientEnd, AProgramThatGoesRoundForEverAtOneInstantIsAnError) {
    EXPECT_THAT(
        fault_of([] {
            (void)run_text(only_b(R"({"submit":{"entity":"b/gfx","duration":0,"as":"f"}},
                                     {"wait":"f"})",
                                  R"("repeat":"forever")"),
                           R"("until":5)");
        }),
        HasSubstr("client 'b' repeats for ever and went through its program 100000 times at 0 ns"));
}

TEST(ClientEnd, ObservationsAreKeptUpToALimit) {
    const ProgramRun run = run_text(only_b(kFrame + R"(,{"poll":"f"})", R"("repeat":10003)"));
    ASSERT_THAT(run.result.observations, SizeIs(10'001));
    EXPECT_EQ(run.result.observations.back(), "... and 3 more");
}

} // namespace
} // namespace fenceline::workloads::tests
