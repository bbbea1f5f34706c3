// The program as a whole: exit codes, what goes to which stream, hostile arguments.
#include "tests/tools/program.hpp"
#include "tests/tools/scratch.hpp"

#include "tools/table.hpp"
#include "tools/text_lines.hpp"
#include "workloads/input_file.hpp"
#include "workloads/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <unistd.h>

namespace fenceline::tools::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using workloads::Json;

/// One line on standard error that names the program, nothing on standard output.
void expect_refusal(const Outcome& outcome, const std::string& message) {
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, StartsWith("fenceline: "));
    EXPECT_THAT(outcome.err, HasSubstr(message));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
}

class ProgramTest : public ::testing::Test {
  protected:
    ProgramTest() {
        scratch_.file("workload.json", kHarmless);
        scratch_.file("unload.json", kUnload);
    }

    [[nodiscard]] std::string path(std::string_view name) const { return scratch_.path(name); }

    Scratch scratch_;
    std::string config_ = scratch_.file("config.json", kConfig);
};

TEST_F(ProgramTest, HelpAndVersion) {
    const Outcome version = run_program({"--version"});
    EXPECT_EQ(version.code, 0);
    EXPECT_THAT(version.out, StartsWith("fenceline "));
    for (const char* command : {"", "run", "compare", "validate", "test", "list"}) {
        std::vector<std::string> arguments{"--help"};
        if (*command != '\0') {
            arguments.insert(arguments.begin(), command);
        }
        const Outcome help = run_program(arguments);
        EXPECT_EQ(help.code, 0);
        EXPECT_EQ(help.err, "");
        EXPECT_THAT(help.out, HasSubstr("Examples:"));
        for (const std::string& line : split_lines(help.out)) {
            EXPECT_LE(line.size(), kPageWidth) << line;
        }
    }
}

TEST_F(ProgramTest, BadUsageIsRefused) {
    expect_refusal(run_program({}), "subcommand");
    expect_refusal(run_program({"rnu", config_}), "did you mean 'run'?");
    expect_refusal(run_program({"run"}), "CONFIG is required");
    expect_refusal(run_program({"run", config_, "extra"}), "extra");
    expect_refusal(run_program({"run", config_, "--jsn", "x"}), "did you mean '--json'?");
    expect_refusal(run_program({"run", config_, "--json"}), "--json");
    expect_refusal(run_program({"run", config_, "--set", "seed"}), "expected key=value");
    expect_refusal(run_program({"run", config_, "--json", "-", "--events", "-"}), "both");
    expect_refusal(run_program({"run", config_, "--log-level", "loud"}), "--log-level");
    expect_refusal(run_program({"compare", config_}), "nothing to vary");
    expect_refusal(run_program({"compare", config_, "--vary", "seed=1,2", "--jobs", "0"}),
                   "--jobs");
    expect_refusal(run_program({"list", "polices"}), "did you mean 'policies'?");
}

TEST_F(ProgramTest, WhatLaterVersionsHaveIsRefused) {
    for (const char* command : {"sweep", "import"}) {
        expect_refusal(run_program({command, "x"}), "is not available in this version");
    }
    for (const char* option : {"--perfetto", "--ftrace", "--report"}) {
        expect_refusal(run_program({"run", config_, option, "x"}),
                       std::string(option) + " is not available in this version");
    }
    expect_refusal(run_program({"run", config_, "--events-all"}), "--events-all is not available");
}

/// What `check --save` writes, `check --replay` follows to the same end; a schedule that the run
/// does not come to is bad input.
TEST_F(ProgramTest, CheckFollowsTheScheduleThatItSaved) {
    const Outcome saved = run_program({"check", config_, "--save", path("s.json")});
    EXPECT_EQ(saved.code, 0) << saved.err;
    const Outcome again =
        run_program({"check", config_, "--replay", path("s.json"), "--save", path("t.json")});
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_EQ(again.out, saved.out);
    EXPECT_EQ(run_program({"run", config_}).out, saved.out);
    EXPECT_EQ(scratch_.read("s.json"), scratch_.read("t.json"));
    EXPECT_THAT(run_program({"validate", path("s.json")}).out, HasSubstr("valid schedule: "));
    scratch_.file("never.json", R"({"format":"fenceline/schedule","version":1,
        "steps":[["task:nobody","call nothing"]]})");
    expect_refusal(run_program({"check", config_, "--replay", path("never.json")}),
                   "never.json: /steps/0: task:nobody never came to \"call nothing\"");
}

TEST_F(ProgramTest, BadInputIsRefused) {
    scratch_.file("empty.json", "");
    scratch_.file("bad.json", "{\"format\":");
    scratch_.file("nowhere.json",
                  R"({"format":"fenceline/config","version":1,"workload":"none.json"})");
    scratch_.file("without.json", R"({"format":"fenceline/config","version":1})");
    expect_refusal(run_program({"run", path("none.json")}), "No such file or directory");
    expect_refusal(run_program({"run", path("")}), "Is a directory");
    expect_refusal(run_program({"run", path("empty.json")}), "empty.json");
    expect_refusal(run_program({"run", path("bad.json")}), "bad.json:1:");
    expect_refusal(run_program({"run", path("nowhere.json")}), "none.json: cannot be read");
    expect_refusal(run_program({"run", path("without.json")}), "expected the key 'workload'");
    expect_refusal(run_program({"run", path("workload.json")}), "/format");
    expect_refusal(run_program({"run", ""}), "cannot be read");
    expect_refusal(run_program({"run", "-"}), "<stdin>");
}

TEST_F(ProgramTest, WrongSettingsNameTheOption) {
    expect_refusal(run_program({"run", config_, "--policy", "ffo"}), "fenceline: --policy ffo: ");
    expect_refusal(run_program({"run", config_, "--seed", "-1"}), "");
    expect_refusal(run_program({"run", config_, "--lifetime", "splt"}), "did you mean 'split'?");
    expect_refusal(run_program({"run", config_, "--set", "sed=1"}), "--set sed=1: ");
    expect_refusal(run_program({"compare", config_, "--vary", "seed=1,x"}), "--vary seed=x: ");
    expect_refusal(run_program({"run", config_, "--set", "kernel=6.12", "--policy", "fair"}),
                   "(with --policy fair --set kernel=6.12)");
}

TEST_F(ProgramTest, RulesThatExcludeEachOtherAreRefusedBeforeTheRun) {
    expect_refusal(run_program({"run", config_, "--set", "lifetime.hardware.lock=shared"}),
                   "only scheduled and finished can share one");
}

TEST_F(ProgramTest, UnwritableOutputIsRefusedBeforeTheRun) {
    expect_refusal(run_program({"run", config_, "--json", path("")}), "Is a directory");
    expect_refusal(run_program({"run", config_, "--json", ""}), "''");
    expect_refusal(run_program({"run", config_, "--events", path("none/x")}), "No such file");
    expect_refusal(run_program({"compare", config_, "--vary", "seed=1,2", "--json", path("")}),
                   "Is a directory");
    expect_refusal(run_program({"run", config_, "--json", path("same"), "--events", path("same")}),
                   "same file");
    EXPECT_EQ(scratch_.file_count(), 3U);
}

TEST_F(ProgramTest, AFullDiskIsReported) {
    EXPECT_EQ(run_program({"run", config_, "--events", "/dev/full"}).code, 2);
    EXPECT_EQ(run_program({"run", config_, "--json", "/dev/full"}).code, 2);
}

TEST_F(ProgramTest, RunSummarises) {
    const Outcome outcome = run_program({"run", config_});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.err, "");
    for (const char* text : {"harmless", "policy fifo", "Clients", "Rings", "Lifetime policy split",
                             "Hazards", "none"}) {
        EXPECT_THAT(outcome.out, HasSubstr(text));
    }
    EXPECT_THAT(outcome.out, Not(HasSubstr("\x1b")));
}

TEST_F(ProgramTest, HazardsAreViolationsOfARun) {
    const Outcome outcome = run_program(
        {"run", config_, "--workload", path("unload.json"), "--json", path("result.json")});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.out, HasSubstr("HAZARD: "));
    const Json result = Json::parse(scratch_.read("result.json"));
    EXPECT_EQ(result["format"], "fenceline/result");
    EXPECT_EQ(result["version"], 1);
    EXPECT_EQ(result["tool"]["name"], "fenceline");
    EXPECT_EQ(result["verdict"], "fails");
    EXPECT_FALSE(result["hazards"].empty());
    EXPECT_THAT(result["hazards"][0]["report"].get<std::string>(), HasSubstr("HAZARD: "));
    EXPECT_EQ(result["configuration"]["format"], "fenceline/config");
    EXPECT_EQ(result["workload"]["name"], "unload");
}

TEST_F(ProgramTest, AResultCanBeReproducedFromItself) {
    const std::vector<std::string> options{
        "--policy",        "rr", "--seed", "7", "--set", "rings.gfx.credit_limit=1", "--set",
        "costs.wakeup=3us"};
    std::vector<std::string> first{"run", config_, "--json", path("first.json")};
    first.insert(first.end(), options.begin(), options.end());
    ASSERT_EQ(run_program(first).code, 0);
    const Json result = Json::parse(scratch_.read("first.json"));
    EXPECT_EQ(result["seed"], 7);
    scratch_.file("again.json", result["configuration"].dump());
    // Paths in a result are as seen from where the program ran.
    ASSERT_EQ(run_program({"run", path("again.json"), "--json", path("second.json"), "--workload",
                           result["workload"]["path"].get<std::string>()})
                  .code,
              0);
    EXPECT_EQ(scratch_.read("first.json"), scratch_.read("second.json"));
}

TEST_F(ProgramTest, EventsAndJsonOnStandardOutput) {
    const Outcome events = run_program({"run", config_, "--events", "-"});
    EXPECT_EQ(events.code, 0);
    EXPECT_THAT(events.out, StartsWith("{\"t\":0,\"ev\":\"queue\",\"job\":0,\"entity\":\"a/gfx\","
                                       "\"ring\":\"gfx\"}\n"));
    EXPECT_THAT(events.out, EndsWith("}\n"));
    ASSERT_EQ(run_program({"run", config_, "--events", path("log.jsonl")}).code, 0);
    EXPECT_EQ(events.out, scratch_.read("log.jsonl"));
    ASSERT_EQ(run_program({"run", config_, "--events", path("log.jsonl.zst")}).code, 0);
    EXPECT_EQ(events.out, workloads::read_text(path("log.jsonl.zst")));
    EXPECT_NE(events.out, scratch_.read("log.jsonl.zst"));
    const Outcome json = run_program({"run", config_, "--json", "-"});
    EXPECT_EQ(Json::parse(json.out)["jobs"]["finished"], 2);
    const Outcome hazard =
        run_program({"run", config_, "--workload", path("unload.json"), "--events", "-"});
    EXPECT_EQ(hazard.code, 1);
    EXPECT_THAT(hazard.err, HasSubstr("a hazard was found"));
}

TEST_F(ProgramTest, ConfigurationAndWorkloadFromStandardInput) {
    const Outcome config =
        run_program({"run", "-", "--workload", path("workload.json")}, path("config.json"));
    EXPECT_EQ(config.code, 0) << config.err;
    const Outcome workload =
        run_program({"run", config_, "--workload", "-"}, path("workload.json"));
    EXPECT_EQ(workload.code, 0) << workload.err;
    expect_refusal(run_program({"run", "-", "--workload", "-"}, path("config.json")), "found both");
}

TEST_F(ProgramTest, ClosedStandardOutputDoesNotKillIt) {
    for (const char* option : {"--events", "--json"}) {
        Program program({"run", config_, option, "-"});
        program.close_output();
        const Outcome outcome = program.finish();
        EXPECT_LT(outcome.code, 1000);
        EXPECT_EQ(outcome.err, "");
    }
}

TEST_F(ProgramTest, ListsEverything) {
    for (const char* what : {"policies", "lifetimes", "quirks", "hazards"}) {
        const Outcome outcome = run_program({"list", what});
        EXPECT_EQ(outcome.code, 0) << what;
        EXPECT_GT(outcome.out.size(), 80U) << what;
        for (const std::string& line : split_lines(outcome.out)) {
            EXPECT_LE(display_width(line), kPageWidth) << line;
        }
    }
    setenv("FENCELINE_LIBRARY", path("").c_str(), 1);
    const Outcome outcome = run_program({"list", "workloads"});
    unsetenv("FENCELINE_LIBRARY");
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("harmless"));
}

// --- validate ------------------------------------------------------------------------------------

TEST_F(ProgramTest, ValidateSaysWhatAFileHolds) {
    scratch_.file(
        "lines.jsonl",
        R"({"format":"fenceline/workload","version":1,"entities":[{"id":"a","rings":["r"]}]})"
        "\n"
        R"({"id":0,"at":0,"entity":"a","duration":1})"
        "\n"
        R"({"id":1,"at":0,"entity":"a","duration":1,"run_job":"error"})"
        "\n");
    const Outcome outcome =
        run_program({"validate", path("unload.json"), config_, path("lines.jsonl")});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.out,
                HasSubstr("unload.json: valid workload: 1 entity, 1 job, 5 actions\n"));
    EXPECT_THAT(outcome.out, HasSubstr("config.json: valid config: kernel 6.12"));
    EXPECT_THAT(outcome.out, HasSubstr("lines.jsonl: valid workload: 1 entity, 2 jobs\n"));
}

TEST_F(ProgramTest, ValidateLooksAtEveryFile) {
    const std::string sweep =
        scratch_.file("sweep.json", R"({"format":"fenceline/sweep","version":1})");
    const std::string unknown =
        scratch_.file("unknown.json", R"({"format":"fenceline/workloda","version":1})");
    const std::string other = scratch_.file("other.json", "[]");
    const Outcome outcome =
        run_program({"validate", sweep, path("workload.json"), unknown, other, path("none")});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.out, HasSubstr("workload.json: valid workload"));
    EXPECT_THAT(outcome.err, HasSubstr("is not validated by this version"));
    EXPECT_THAT(outcome.err, HasSubstr("did you mean 'fenceline/workload'?"));
    EXPECT_THAT(outcome.err, HasSubstr("other.json: found no format"));
    EXPECT_THAT(outcome.err, HasSubstr("none: cannot be read"));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 4);
}

TEST_F(ProgramTest, ValidateNotesAMissingWorkload) {
    const std::string config = scratch_.file(
        "nowhere.json", R"({"format":"fenceline/config","version":1,"workload":"none.json"})");
    const Outcome outcome = run_program({"validate", config});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.out, HasSubstr("note: its workload cannot be run"));
}

TEST_F(ProgramTest, ValidateReadsStandardInput) {
    EXPECT_THAT(run_program({"validate", "-"}, path("workload.json")).out,
                StartsWith("<stdin>: valid workload: 2 entities, 2 jobs"));
    EXPECT_THAT(run_program({"validate", "-"}, path("config.json")).out,
                StartsWith("<stdin>: valid config"));
}

} // namespace
} // namespace fenceline::tools::testing
