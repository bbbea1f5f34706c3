// fenceline compare: the combinations, the tables, the same bytes at every --jobs.
#include "tests/tools/program.hpp"
#include "tests/tools/scratch.hpp"

#include "tools/table.hpp"
#include "tools/text_lines.hpp"
#include "workloads/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::tools::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using workloads::Json;

class CompareTest : public ::testing::Test {
  protected:
    CompareTest() {
        scratch_.file("workload.json", kHarmless);
        scratch_.file("unload.json", kUnload);
        workloads_ =
            "workload=" + scratch_.path("workload.json") + "," + scratch_.path("unload.json");
    }

    Outcome compare(std::vector<std::string> options) const {
        options.insert(options.begin(), {"compare", config_});
        return run_program(options);
    }

    Scratch scratch_;
    std::string config_ = scratch_.file("config.json", kConfig);
    std::string workloads_;
};

TEST_F(CompareTest, IsTheSameAtEveryNumberOfThreads) {
    const std::vector<std::string> axes{"--vary",   "lifetime=all", "--vary",
                                        workloads_, "--vary",       "seed=1,2,3"};
    std::vector<Outcome> texts;
    for (const char* jobs : {"1", "2", "7"}) {
        std::vector<std::string> options = axes;
        options.insert(options.end(), {"--jobs", jobs});
        texts.push_back(compare(options));
        options.insert(options.end(), {"--json", "-"});
        texts.push_back(compare(options));
    }
    EXPECT_EQ(texts[0].code, 0) << texts[0].err;
    EXPECT_EQ(Json::parse(texts[1].out)["runs"].size(), 48U);
    for (std::size_t i = 2; i < texts.size(); ++i) {
        EXPECT_EQ(texts[i].out, texts[i % 2].out);
    }
}

TEST_F(CompareTest, LifetimesGetAMatrixAndCosts) {
    const Outcome outcome =
        compare({"--vary", "lifetime=borrowed-lock,split", "--vary", workloads_});
    EXPECT_EQ(outcome.code, 0);
    for (const char* text : {"4 runs over lifetime (2) x workload (2)", "Verdicts", "safe", "FAILS",
                             "What broke first, and why", "broke in 1 of 2 workloads",
                             "unload: use-after-free of ", "Costs: unload", "split*"}) {
        EXPECT_THAT(outcome.out, HasSubstr(text));
    }
    for (const std::string& line : split_lines(outcome.out)) {
        EXPECT_LE(display_width(line), kPageWidth) << line;
    }
}

TEST_F(CompareTest, OtherSettingsStandSideBySide) {
    const Outcome outcome =
        compare({"--vary", "policy=all", "--vary", "rings.gfx.credit_limit=1,2,3,4,5,6,7,8"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    for (const char* text : {"24 runs over scheduler.policy (3)", "queue delay p50", "ring gfx",
                             "Jain's fairness index", "nothing broke"}) {
        EXPECT_THAT(outcome.out, HasSubstr(text));
    }
    for (const std::string& line : split_lines(outcome.out)) {
        EXPECT_LE(display_width(line), kPageWidth) << line;
    }
}

TEST_F(CompareTest, JsonCarriesEveryRunWithItsConfiguration) {
    const Outcome outcome =
        compare({"--vary", "lifetime=split,inline-lock", "--set", "seed=5", "--json", "-"});
    const Json document = Json::parse(outcome.out);
    EXPECT_EQ(document["format"], "fenceline/comparison");
    EXPECT_EQ(document["interrupted"], false);
    ASSERT_EQ(document["runs"].size(), 2U);
    EXPECT_EQ(document["runs"][1]["values"]["lifetime"], "inline-lock");
    EXPECT_EQ(document["runs"][1]["configuration"]["lifetime"], "inline-lock");
    EXPECT_EQ(document["runs"][1]["configuration"]["seed"], 5);
    EXPECT_EQ(document["runs"][0]["verdict"], "safe");
    EXPECT_FALSE(document["runs"][0].contains("tool"));
}

TEST_F(CompareTest, ComposedPoliciesHaveColumnsOfTheirOwn) {
    const Outcome outcome = compare(
        {"--vary", R"(lifetime=split,{"base":"split","name":"mine","retire":"rcu-barrier"})"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("mine: nothing broke"));
}

TEST_F(CompareTest, HazardsFailOnlyWhereAsked) {
    const std::vector<std::string> options{"--workload", scratch_.path("unload.json"), "--vary",
                                           "lifetime=all"};
    EXPECT_EQ(compare(options).code, 0);
    std::vector<std::string> strict = options;
    strict.emplace_back("--fail-on-hazard");
    EXPECT_EQ(compare(strict).code, 1);
}

TEST_F(CompareTest, TheConfigurationMaySayWhatVaries) {
    scratch_.file("vary.json", R"({"format":"fenceline/config","version":1,
        "vary":{"lifetime":"all","workload":["workload.json","unload.json"]}})");
    const Outcome outcome = run_program({"compare", scratch_.path("vary.json")});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("16 runs over lifetime (8) x workload (2)"));
}

TEST_F(CompareTest, ABadWorkloadAmongTheValuesIsFoundBeforeAnyRun) {
    const Outcome outcome =
        compare({"--vary", "workload=" + scratch_.path("workload.json") + ",/none.json", "--json",
                 scratch_.path("out.json")});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr("/none.json: cannot be read"));
    EXPECT_FALSE(scratch_.exists("out.json"));
}

TEST_F(CompareTest, ABadJobInAStreamIsAnErrorOfTheWhole) {
    const std::string lines = scratch_.file(
        "bad.jsonl",
        R"({"format":"fenceline/workload","version":1,"entities":[{"id":"a","rings":["r"]}]})"
        "\n"
        R"({"id":0,"at":0,"entity":"x","duration":1})"
        "\n");
    const Outcome outcome = compare({"--workload", lines, "--vary", "seed=1,2,3,4"});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, StartsWith("fenceline: "));
    EXPECT_THAT(outcome.err, HasSubstr("bad.jsonl:2"));
}

TEST_F(CompareTest, ProgramsHaveTheirFiguresInAllViews) {
    const std::string workload = scratch_.file("loop.json", R"({"format":"fenceline/workload",
        "version":1,"entities":[{"id":"other/gfx","rings":["gfx"]}],
        "jobs":[{"id":0,"at":0,"entity":"other/gfx","duration":"1ms"}],
        "clients":[{"name":"a client with a rather long name","repeat":60,
          "entities":[{"id":"b/gfx","client":"a client with a rather long name","rings":["gfx"]}],
          "program":[{"submit":{"entity":"b/gfx","duration":"8ms","as":"frame"}},
                     {"wait":"frame"},{"period":"16.667ms"}]}]})");
    const Outcome run = run_program({"run", config_, "--workload", workload});
    EXPECT_EQ(run.code, 0) << run.err;
    for (const char* text : {"Programs", "iterations", "st. dev.", "cycle", "16.67 ms"}) {
        EXPECT_THAT(run.out, HasSubstr(text));
    }
    const Outcome compared = compare({"--workload", workload, "--vary", "policy=fifo,rr"});
    EXPECT_EQ(compared.code, 0) << compared.err;
    for (const char* text : {"iterations/s", "interval p50", "periods missed", "cycle mean"}) {
        EXPECT_THAT(compared.out, HasSubstr(text));
    }
    for (const std::string& line : split_lines(run.out + compared.out)) {
        EXPECT_LE(display_width(line), kPageWidth) << line;
    }
    const Outcome json = run_program({"run", config_, "--workload", workload, "--json", "-"});
    const Json clients = Json::parse(json.out)["clients"];
    ASSERT_EQ(clients.size(), 2U);
    EXPECT_FALSE(clients[0].contains("program"));
    const Json& program = clients[1]["program"];
    EXPECT_EQ(program["iterations"], 60);
    EXPECT_EQ(program["ended"], true);
    EXPECT_EQ(program["elapsed"], 60 * 16'667'000);
    EXPECT_EQ(program["period_misses"], 0);
    EXPECT_EQ(program["interval"]["p99"], 16'667'000);
    EXPECT_EQ(program["cycle"]["min"], 8'000'000);
    EXPECT_EQ(program["latency"]["max"], 1'000'000);
}

TEST_F(CompareTest, ProgramsThatRepeatForEverNeedAnEnd) {
    const std::string workload = scratch_.file("forever.json", R"({"format":"fenceline/workload",
        "version":1,"clients":[{"name":"b","repeat":"forever","program":[{"sleep":"1ms"}]}]})");
    const Outcome refused = run_program({"run", config_, "--workload", workload});
    EXPECT_EQ(refused.code, 2);
    EXPECT_THAT(refused.err, HasSubstr("until"));
    const Outcome run = run_program({"run", config_, "--workload", workload, "--until", "9.5ms"});
    EXPECT_EQ(run.code, 0) << run.err;
    EXPECT_THAT(run.out, HasSubstr("stopped at `until`"));
}

} // namespace
} // namespace fenceline::tools::testing
