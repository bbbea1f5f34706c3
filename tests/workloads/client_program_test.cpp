// Programs of closed-loop clients: what each step does and when, by event logs worked out by hand.
#include "program_run.hpp"

#include <gmock/gmock.h>

namespace fenceline::workloads::tests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const std::string kOneCredit = R"("rings":[{"name":"gfx","credit_limit":1}])";
const std::string kFrame = R"({"submit":{"entity":"b/gfx","duration":8,"as":"f"}},{"wait":"f"})";

TEST(Program, SubmitsWaitsAndKeepsItsPeriod) {
    const ProgramRun run = run_text(only_b(kFrame + R"(,{"period":20})", R"("repeat":2)"));
    EXPECT_THAT(run.log,
                ElementsAre("0 queue 0", "0 run_job 0", "0 scheduled 0", "8 hw_done 0",
                            "8 finished 0", "8 free_job 0", "20 queue 1", "20 run_job 1",
                            "20 scheduled 1", "28 hw_done 1", "28 finished 1", "28 free_job 1"));
    EXPECT_EQ(run.result.end, RunEnd::normal);
    EXPECT_EQ(run.result.end_time, 40U);
    const ProgramResult& program = run.program("b");
    EXPECT_TRUE(program.ended);
    EXPECT_EQ(program.iterations, 2U);
    EXPECT_EQ(program.elapsed, 40U);
    EXPECT_EQ(program.period_misses, 0U);
    EXPECT_EQ(program.interval.p50, 20U);
    EXPECT_EQ(program.interval.max, 20U);
    EXPECT_EQ(program.interval_deviation, 0);
    EXPECT_EQ(program.cycle.max, 8U);
    EXPECT_EQ(program.latency.max, 0U);
    EXPECT_DOUBLE_EQ(program.iterations_per_second, 2 / 40e-9);
}

TEST(Program, AtOneInstantListedJobsComeFirstThenActionsThenStartsAsTheyStand) {
    const ProgramRun run = run_text(
        R"("entities":[{"id":"a/gfx","rings":["gfx"]}],
        "jobs":[{"id":7,"at":5,"entity":"a/gfx","duration":1}],
        "actions":[{"at":5,"do":"poll","job":7}],
        "clients":[)" +
        client_b(R"({"submit":{"entity":"b/gfx","duration":1,"as":"x"}},{"poll":"x"})",
                 R"("start":5)") +
        R"(,{"name":"c","start":5,"entities":[{"id":"c/gfx","rings":["gfx"]}],"program":[
            {"submit":{"entity":"c/gfx","duration":1,"as":"y"}},{"poll":"y"}]},
           {"name":"early","start":4,"entities":[{"id":"e/gfx","client":"early","rings":["gfx"]}],
            "program":[{"submit":{"entity":"e/gfx","duration":1}},{"sleep":1},
                       {"submit":{"entity":"e/gfx","duration":1}}]}])");
    EXPECT_THAT(run.only({"queue"}),
                ElementsAre("4 queue 8", "5 queue 7", "5 queue 9", "5 queue 10", "5 queue 11"));
    EXPECT_THAT(run.result.observations, ElementsAre("5 ns: poll job 7: not signalled",
                                                     "5 ns: client b: poll x: not signalled",
                                                     "5 ns: client c: poll y: not signalled"));
}

// The sleep armed its timer at 0, before the ring did for a job of the same length.
TEST(Program, ASleepTakesItsPlaceWhenItIsReached) {
    const ProgramRun run =
        run_text(only_b(R"({"submit":{"entity":"b/gfx","duration":5}},{"sleep":5},
                  {"submit":{"entity":"b/gfx","duration":5}})"));
    EXPECT_THAT(run.only({"queue", "hw_done"}),
                ElementsAre("0 queue 0", "5 queue 1", "5 hw_done 0", "10 hw_done 1"));
}

TEST(Program, WaitReturnsOnErrorsToo) {
    const ProgramRun run = run_text(
        only_b(R"({"sleep":3},{"submit":{"entity":"b/gfx","duration":9,"run_job":"error","as":"f"}},
                  {"wait":"f"},{"query":"f"},{"submit":{"entity":"b/gfx","duration":2}})"));
    EXPECT_THAT(run.only({"queue", "finished"}),
                ElementsAre("3 queue 0", "3 finished 0 err -5", "3 queue 1", "5 finished 1"));
    EXPECT_THAT(run.result.observations,
                ElementsAre("3 ns: client b: query f: driver 'drm_sched', timeline 'gfx', "
                            "status -5"));
}

// The listed job keeps the ring until 20, so the first round ends at 25 instead of 10. The second
// begins at once and has a whole period.
TEST(Program, WhoIsLateDoesNotSleepAndDoesNotCatchUp) {
    const ProgramRun run = run_text(
        R"("entities":[{"id":"a/gfx","rings":["gfx"]}],
        "jobs":[{"id":0,"at":0,"entity":"a/gfx","duration":20}],)" +
            only_b(R"({"submit":{"entity":"b/gfx","duration":5,"as":"f"}},{"wait":"f"},
                      {"period":10})",
                   R"("repeat":3)"),
        kOneCredit);
    EXPECT_THAT(run.only({"queue"}),
                ElementsAre("0 queue 0", "0 queue 1", "25 queue 2", "35 queue 3"));
    const ProgramResult& program = run.program("b");
    EXPECT_EQ(program.period_misses, 1U);
    EXPECT_EQ(program.elapsed, 45U);
    EXPECT_EQ(program.interval.max, 25U);
    EXPECT_EQ(program.interval.p50, 10U);
    EXPECT_DOUBLE_EQ(program.interval.mean, 15);
    EXPECT_NEAR(program.interval_deviation, 7.0710678, 1e-6); // of 25, 10, 10
    EXPECT_EQ(program.cycle.min, 5U);
    EXPECT_EQ(program.cycle.max, 25U);
    EXPECT_EQ(program.latency.min, 0U);
    EXPECT_EQ(program.latency.max, 20U);
}

TEST(Program, APeriodReachedOnTheDotIsKept) {
    const ProgramRun run = run_text(only_b(kFrame + R"(,{"period":8})", R"("repeat":2)"));
    EXPECT_THAT(run.only({"queue"}), ElementsAre("0 queue 0", "8 queue 1"));
    EXPECT_EQ(run.program("b").period_misses, 0U);
}

TEST(Program, LoopsNestAndPeriodsCountFromTheRoundTheyStandIn) {
    const ProgramRun run = run_text(only_b(
        R"({"loop":{"count":2,"steps":[{"sleep":1},
             {"loop":{"count":3,"steps":[{"submit":{"entity":"b/gfx","duration":1}},
                                         {"period":10}]}}]}},
           {"submit":{"entity":"b/gfx","duration":1}})"));
    EXPECT_THAT(run.only({"queue"}),
                ElementsAre("1 queue 0", "11 queue 1", "21 queue 2", "32 queue 3", "42 queue 4",
                            "52 queue 5", "62 queue 6"));
    EXPECT_EQ(run.program("b").iterations, 1U);
}

TEST(Program, ALabelMeansTheLastOfACount) {
    const ProgramRun run = run_text(
        only_b(R"({"submit":{"entity":"b/gfx","duration":5,"count":3,"as":"f"}},{"wait":"f"},
                  {"submit":{"entity":"b/gfx","duration":1}})"));
    EXPECT_THAT(run.only({"queue"}),
                ElementsAre("0 queue 0", "0 queue 1", "0 queue 2", "15 queue 3"));
}

// The copy on the other ring first, then the two that need it; the last needs both rings.
TEST(Program, JobsDependOnLabels) {
    const ProgramRun run = run_text(
        R"("clients":[{"name":"b","entities":[{"id":"b/gfx","rings":["gfx"]},
             {"id":"b/copy","rings":["sdma"]}],
           "program":[{"submit":{"entity":"b/copy","duration":7,"as":"copy"}},
             {"submit":{"entity":"b/gfx","duration":5,"after":["copy"],"as":"draw"}},
             {"submit":{"entity":"b/copy","duration":1,"after":["draw","copy"]}}]}])");
    EXPECT_THAT(run.only({"run_job"}), ElementsAre("0 run_job 0", "7 run_job 1", "12 run_job 2"));
}

TEST(Program, AnImportWaitsForTheNameAndAWaitOnItForTheFence) {
    const ProgramRun run = run_text(
        R"("clients":[{"name":"taker","entities":[{"id":"taker/x","rings":["other"]}],
             "program":[{"import":"shared"},{"submit":{"entity":"taker/x","duration":1}},
                        {"wait":"shared"},{"submit":{"entity":"taker/x","duration":1}},
                        {"query":"shared"},{"close":"shared"},{"query":"shared"}]},)" +
        client_b(R"({"sleep":10},{"submit":{"entity":"b/gfx","duration":5,"as":"f"}},
                    {"export":{"fence":"f","to":"sync_file","as":"shared"}},{"close":"shared"},
                    {"poll":"shared"})") +
        "]");
    EXPECT_THAT(run.only({"queue"}), ElementsAre("10 queue 0", "10 queue 1", "15 queue 2"));
    EXPECT_THAT(run.result.observations,
                ElementsAre("10 ns: client b: poll shared: it has been closed",
                            "15 ns: client taker: query shared: driver 'drm_sched', timeline "
                            "'gfx', status 1",
                            "15 ns: client taker: query shared: it has been closed"));
    EXPECT_EQ(run.result.end, RunEnd::normal);
    EXPECT_THAT(run.result.hazards, IsEmpty());
}

TEST(Program, ExportingAgainReplacesWhatTheNameStandsFor) {
    for (const char* kind : {"sync_file", "syncobj"}) {
        const ProgramRun run = run_text(
            R"("clients":[)" +
            client_b(R"({"submit":{"entity":"b/gfx","duration":5,"as":"f"}},
                        {"export":{"fence":"f","to":")" +
                         std::string(kind) + R"(","as":"shared"}},{"sleep":10})",
                     R"("repeat":2)") +
            R"(,{"name":"taker","start":12,"program":[{"import":"shared"},{"poll":"shared"},
                 {"sleep":4},{"poll":"shared"}]}])");
        EXPECT_THAT(run.result.observations,
                    ElementsAre("12 ns: client taker: poll shared: not signalled",
                                "16 ns: client taker: poll shared: signalled"));
    }
}

TEST(Program, JobsDependOnWhatWasImported) {
    const ProgramRun run = run_text(
        R"("clients":[)" + client_b(R"({"submit":{"entity":"b/gfx","duration":9,"as":"f"}},
                    {"export":{"fence":"f","to":"syncobj","as":"shared"}})") +
        R"(,{"name":"c","entities":[{"id":"c/x","rings":["other"]}],"program":[{"import":"shared"},
            {"submit":{"entity":"c/x","duration":1,"after":["shared"]}}]}])");
    EXPECT_THAT(run.only({"run_job"}), ElementsAre("0 run_job 0", "9 run_job 1"));
}

// All through one container: an array of all, of any, a chain, a reservation.
TEST(Program, DependenciesMayBeHandedOverThroughAContainer) {
    for (const auto& [via, start] :
         {std::pair{"array", 9}, {"any", 5}, {"chain", 9}, {"resv", 9}}) {
        const ProgramRun run = run_text(
            R"("clients":[{"name":"b","entities":[{"id":"b/0","rings":["r0"]},
                 {"id":"b/1","rings":["r1"]},{"id":"b/2","rings":["r2"]}],
               "program":[{"submit":{"entity":"b/0","duration":9,"as":"x"}},
                 {"submit":{"entity":"b/1","duration":5,"as":"y"}},
                 {"submit":{"entity":"b/2","duration":1,"after":["x","y"],"via":")" +
            std::string(via) + R"("}}]}])");
        EXPECT_THAT(run.only({"run_job"}),
                    ElementsAre("0 run_job 0", "0 run_job 1", std::to_string(start) + " run_job 2"))
            << via;
        EXPECT_THAT(run.result.hazards, IsEmpty()) << via;
    }
}

TEST(Program, ReservationsAndChainsCanBeWaitedForAndDependedOn) {
    for (const char* kind : {"resv", "chain"}) {
        const ProgramRun run = run_text(
            R"("clients":[{"name":"b","entities":[{"id":"b/0","rings":["r0"]},
                 {"id":"b/1","rings":["r1"]}],
               "program":[{"submit":{"entity":"b/0","duration":9,"as":"x"}},
                 {"submit":{"entity":"b/1","duration":5,"as":"y"}},
                 {"export":{"fence":"x","to":")" +
            std::string(kind) + R"(","as":"n"}}]},
              {"name":"c","entities":[{"id":"c/2","rings":["r2"]}],"program":[{"import":"n"},
                 {"set-deadline":{"fence":"n","in":3}},{"wait":"n"},{"query":"n"},
                 {"submit":{"entity":"c/2","duration":1,"after":["n"]}},{"close":"n"}]}])");
        EXPECT_THAT(run.only({"queue"}), ElementsAre("0 queue 0", "0 queue 1", "9 queue 2"))
            << kind;
        EXPECT_THAT(run.result.observations, ElementsAre(HasSubstr("status 1"))) << kind;
        EXPECT_THAT(run.result.hazards, IsEmpty()) << kind;
    }
}

TEST(Program, AClosedLabelIsNothingToWaitForOrDependOn) {
    const ProgramRun run = run_text(
        R"("clients":[{"name":"b","entities":[{"id":"b/gfx","rings":["gfx"]},
             {"id":"b/copy","rings":["sdma"]}],
           "program":[{"submit":{"entity":"b/gfx","duration":9,"as":"f"}},{"close":"f"},
             {"wait":"f"},{"poll":"f"},
             {"submit":{"entity":"b/copy","duration":1,"after":["f"]}}]}])");
    EXPECT_THAT(run.only({"run_job"}), ElementsAre("0 run_job 0", "0 run_job 1"));
    EXPECT_THAT(run.result.observations, ElementsAre("0 ns: client b: poll f: it has been closed"));
}

// Three jobs at once with two credits: at 10 the first executes, the second waits on the ring, the
// third in its queue. The context switch stays what it is.
TEST(Program, TerminateEndsAJobWhereverItIs) {
    const auto with_terminated = [](const std::string& label) {
        return run_text(only_b(R"({"submit":{"entity":"b/gfx","duration":100,"as":"x"}},
                      {"submit":{"entity":"b/gfx","duration":100,"as":"y"}},
                      {"submit":{"entity":"b/gfx","duration":100,"as":"z"}},
                      {"sleep":10},{"terminate":")" +
                               label + R"("},{"wait":")" + label +
                               R"("},{"submit":{"entity":"b/gfx","duration":1}})"));
    };
    EXPECT_THAT(with_terminated("x").only({"finished"}),
                ElementsAre("10 finished 0", "110 finished 1", "210 finished 2", "211 finished 3"));
    EXPECT_THAT(
        with_terminated("y").only({"finished"}),
        ElementsAre("100 finished 0", "100 finished 1", "200 finished 2", "201 finished 3"));
    EXPECT_THAT(
        with_terminated("z").only({"finished"}),
        ElementsAre("100 finished 0", "200 finished 1", "200 finished 2", "201 finished 3"));
}

TEST(Program, TerminateEndsAJobThatWouldRunForEver) {
    const ProgramRun run =
        run_text(only_b(R"({"submit":{"entity":"b/gfx","duration":"forever","as":"x"}},{"sleep":10},
                           {"terminate":"x"},{"wait":"x"},{"terminate":"x"},{"query":"x"})"));
    EXPECT_EQ(run.result.end, RunEnd::normal);
    EXPECT_THAT(run.only({"finished"}), ElementsAre("10 finished 0"));
    EXPECT_EQ(run.result.clients[0].gpu_time, 10U);
    EXPECT_THAT(run.result.observations, ElementsAre(HasSubstr("status 1")));
}

// Both rings are full of jobs of normal priority; b is bound anew with each push.
TEST(Program, SetPriorityCountsFromTheNextBinding) {
    const auto b_runs = [](const std::string& steps) {
        const ProgramRun run = run_text(
            R"("entities":[{"id":"a/0","rings":["r0"]},{"id":"a/1","rings":["r1"]}],
            "jobs":[{"id":0,"at":0,"entity":"a/0","duration":10},
                    {"id":1,"at":0,"entity":"a/0","duration":10},
                    {"id":2,"at":0,"entity":"a/1","duration":10},
                    {"id":3,"at":0,"entity":"a/1","duration":10}],
            "clients":[{"name":"b","start":1,"entities":[
                {"id":"b/x","rings":["r0","r1"],"priority":"low"}],"program":[)" +
                steps + R"({"submit":{"entity":"b/x","duration":1}}]}])",
            R"("rings":[{"name":"r0","credit_limit":1},{"name":"r1","credit_limit":1}])");
        return run.only({"run_job"});
    };
    EXPECT_THAT(b_runs(""), testing::Contains("20 run_job 4"));
    EXPECT_THAT(b_runs(R"({"set-priority":{"entity":"b/x","priority":"high"}},)"),
                testing::Contains("10 run_job 4"));
}

TEST(Program, ACleanExitWaitsForTheQueueAndAKilledOneDoesNot) {
    const auto exits = [](const std::string& how) {
        return run_text(only_b(R"({"submit":{"entity":"b/gfx","duration":10,"count":3}},
                                  {"sleep":5},{"exit":")" +
                                   how + R"("},{"submit":{"entity":"b/gfx","duration":1}})",
                               R"("repeat":2)"),
                        kOneCredit);
    };
    const ProgramRun clean = exits("clean");
    EXPECT_THAT(clean.only({"finished"}),
                ElementsAre("10 finished 0", "20 finished 1", "30 finished 2"));
    const ProgramRun killed = exits("killed");
    EXPECT_THAT(killed.only({"finished"}),
                ElementsAre("10 finished 0", "10 finished 1 err -3", "10 finished 2 err -3"));
    for (const ProgramRun* run : {&clean, &killed}) {
        EXPECT_EQ(run->result.end, RunEnd::normal);
        EXPECT_THAT(run->result.hazards, IsEmpty());
        EXPECT_TRUE(run->program("b").ended);
        EXPECT_EQ(run->program("b").iterations, 0U);
    }
}

TEST(Program, SubmittingCostsTheClientTimeBeforeEachPush) {
    const ProgramRun run =
        run_text(only_b(R"({"submit":{"entity":"b/gfx","duration":5,"count":2,"as":"f"}},
                           {"wait":"f"},{"submit":{"entity":"b/gfx","duration":5}})"),
                 R"("costs":{"submit":3})");
    EXPECT_THAT(run.only({"queue"}), ElementsAre("3 queue 0", "6 queue 1", "16 queue 2"));
}

TEST(Program, JobsAreNumberedAfterTheHighestListedId) {
    const ProgramRun run = run_text(
        R"("entities":[{"id":"a/gfx","rings":["gfx"]}],
        "jobs":[{"id":41,"at":0,"entity":"a/gfx","duration":1},
                {"id":3,"at":50,"entity":"a/gfx","duration":1}],)" +
        only_b(R"({"submit":{"entity":"b/gfx","duration":1}},{"sleep":60})", R"("repeat":2)"));
    EXPECT_THAT(run.only({"queue"}),
                ElementsAre("0 queue 41", "0 queue 42", "50 queue 3", "60 queue 43"));
}

TEST(Program, TheJobsOfAStreamAreGoneThroughForTheirIdsFirst) {
    const TemporaryFile file(
        "w.jsonl", lines_with("," + only_b(R"({"submit":{"entity":"b/gfx","duration":1}})"),
                              R"({"id":5,"at":0,"entity":"a/gfx","duration":1})"
                              "\n"
                              R"({"id":9,"at":2,"entity":"a/gfx","duration":1})"
                              "\n"));
    const ProgramRun run = run_loaded(load_workload(file.path()), "");
    EXPECT_THAT(run.only({"queue"}), ElementsAre("0 queue 5", "0 queue 10", "2 queue 9"));
}

/// A stream that comes only once: before anything was read it is at its start, as a pipe is.
class OneTimeSource final : public JobSource {
  public:
    bool next(JobRecord&) override {
        read_ = true;
        return false;
    }
    [[nodiscard]] std::optional<std::uint64_t> count_hint() const override { return {}; }
    [[nodiscard]] std::optional<std::uint64_t> ordinal_of(std::uint64_t) const override {
        return {};
    }
    [[nodiscard]] std::string where() const override { return "<stdin>:1"; }
    void rewind() override {
        if (read_) {
            throw InputError("<stdin>: can be read only once");
        }
    }

  private:
    bool read_ = false;
};

TEST(Program, AStreamThatComesOnlyOnceCannotHavePrograms) {
    auto workload = *parse_workload(workload_with_program(R"({"sleep":1})"), "<stdin>").workload;
    workload.streamed = true;
    OneTimeSource jobs;
    EXPECT_THAT(fault_of([&] { (void)simulate(resolve_rings({}, workload), workload, jobs); }),
                StartsWith("<stdin>: found clients with programs in a stream that can be read "
                           "only once, expected a file"));
}

} // namespace
} // namespace fenceline::workloads::tests
