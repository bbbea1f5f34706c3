// Ctrl-C: partial results, marked as such; a second one ends at once and leaves nothing behind.
#include "tests/tools/program.hpp"
#include "tests/tools/scratch.hpp"

#include "workloads/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace fenceline::tools::testing {
namespace {

using ::testing::HasSubstr;
using workloads::Json;

/// A workload that is long enough not to end before the signal comes, whatever the machine.
class InterruptTest : public ::testing::Test {
  protected:
    InterruptTest() {
        std::string lines =
            R"({"format":"fenceline/workload","version":1,"name":"long","entities":[{"id":"a","rings":["r"]}]})"
            "\n";
        constexpr int kJobs = 3'000'000;
        for (int i = 0; i < kJobs; ++i) {
            const std::string number = std::to_string(i);
            lines +=
                "{\"id\":" + number + ",\"at\":" + number + ",\"entity\":\"a\",\"duration\":1}\n";
        }
        scratch_.file("long.jsonl", lines);
        scratch_.file("config.json",
                      R"({"format":"fenceline/config","version":1,"workload":"long.jsonl"})");
    }

    /// Starts the program and interrupts it once it is well on its way.
    Outcome interrupt(const std::vector<std::string>& arguments, int signal) const {
        Program program(arguments);
        program.wait_for_error_text("running");
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        program.send(signal);
        return program.finish();
    }

    Scratch scratch_;
};

TEST_F(InterruptTest, EndsWithPartialResults) {
    for (const int signal : {SIGINT, SIGTERM}) {
        const Outcome outcome =
            interrupt({"run", scratch_.path("config.json"), "--log-level", "info", "--json",
                       scratch_.path("result.json"), "--events", scratch_.path("log.jsonl")},
                      signal);
        EXPECT_EQ(outcome.code, 130) << outcome.err;
        EXPECT_THAT(outcome.out, HasSubstr("INTERRUPTED"));
        EXPECT_THAT(outcome.err, HasSubstr("interrupted"));
        const Json result = Json::parse(scratch_.read("result.json"));
        EXPECT_EQ(result["interrupted"], true);
        EXPECT_EQ(result["end"], "interrupted");
        EXPECT_LT(result["jobs"]["finished"], 3'000'000);
        const std::string log = scratch_.read("log.jsonl");
        EXPECT_EQ(log.substr(log.size() - 2), "}\n");
        EXPECT_EQ(scratch_.file_count(), 4U);
    }
}

TEST_F(InterruptTest, ComparisonsKeepWhatIsDone) {
    const Outcome outcome =
        interrupt({"compare", scratch_.path("config.json"), "--vary", "seed=1,2,3", "--log-level",
                   "info", "--jobs", "1", "--json", scratch_.path("result.json")},
                  SIGINT);
    EXPECT_EQ(outcome.code, 130) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("INTERRUPTED"));
    const Json result = Json::parse(scratch_.read("result.json"));
    EXPECT_EQ(result["interrupted"], true);
    EXPECT_LT(result["runs"].size(), 3U);
}

TEST_F(InterruptTest, ASecondOneEndsAtOnce) {
    // Nobody reads the log, so the run stands still in a write and cannot look at the request.
    Program program({"run", scratch_.path("config.json"), "--log-level", "info", "--events", "-",
                     "--json", scratch_.path("result.json")});
    program.wait_for_error_text("running");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    program.send(SIGINT);
    program.wait_for_error_text("interrupted");
    program.send(SIGINT);
    program.wait_for_error_text("ended at once");
    EXPECT_EQ(program.finish().code, 130);
    EXPECT_EQ(scratch_.file_count(), 2U);
}

TEST_F(InterruptTest, AReaderThatGoesAwayEndsTheRun) {
    Program program({"run", scratch_.path("config.json"), "--events", "-"});
    program.close_output();
    EXPECT_EQ(program.finish().code, 130);
}

} // namespace
} // namespace fenceline::tools::testing
