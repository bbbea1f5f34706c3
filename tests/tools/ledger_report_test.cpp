// The ledger and hazard reports as users see them.
#include "tests/tools/program.hpp"
#include "tests/tools/scratch.hpp"

#include "workloads/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace fenceline::tools::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using workloads::Json;

class LedgerTest : public ::testing::Test {
  protected:
    LedgerTest() {
        scratch_.file("workload.json", kHarmless);
        scratch_.file("unload.json", kUnload);
    }
    Scratch scratch_;
    std::string config_ = scratch_.file("config.json", kConfig);
    std::string unload_ = scratch_.path("unload.json");
};

TEST_F(LedgerTest, IsPrintedOnlyWhenAskedFor) {
    EXPECT_THAT(run_program({"run", config_}).out, Not(HasSubstr("Ledger")));
    const Outcome end = run_program({"run", config_, "--ledger"});
    EXPECT_EQ(end.code, 0) << end.err;
    EXPECT_THAT(end.out, HasSubstr("Ledger at 500.3 us"));
    EXPECT_THAT(end.out, HasSubstr("all accounted for"));
}

TEST_F(LedgerTest, ShowsTheChainsAtATime) {
    const Outcome outcome =
        run_program({"run", config_, "--workload", unload_, "--ledger=600us", "--no-presets"});
    EXPECT_THAT(outcome.out, HasSubstr("Ledger at 600 us"));
    EXPECT_THAT(outcome.out,
                HasSubstr("pinned for 100 us, 192 B: sync_file f -> (fence) finished fence"));
}

TEST_F(LedgerTest, ATimeThatIsNoneIsRefused) {
    const Outcome outcome = run_program({"run", config_, "--ledger=soon"});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.err, HasSubstr("--ledger=soon: expected a time"));
}

TEST_F(LedgerTest, IsAMemberOfTheJson) {
    const Outcome outcome = run_program(
        {"run", config_, "--workload", unload_, "--ledger=600us", "--json", "-", "--no-presets"});
    const Json result = Json::parse(outcome.out);
    const Json& ledger = result["ledger"];
    EXPECT_EQ(ledger["at"], 600'000);
    EXPECT_EQ(ledger["totals"]["unaccounted"], 0);
    EXPECT_EQ(ledger["totals"]["nodes"], ledger["nodes"].size());
    EXPECT_EQ(ledger["totals"]["edges"], ledger["edges"].size());
    EXPECT_GT(ledger["totals"]["pinned_bytes"], 0);
    EXPECT_TRUE(
        std::any_of(ledger["groups"].begin(), ledger["groups"].end(), [](const Json& group) {
            return group["chain"] == "sync_file f -> (fence) finished fence a/gfx:1" &&
                   group["pinned"] == 1 && group["bytes"] == 192;
        }));
    EXPECT_EQ(result["lifetime"]["unload"]["moments"][0]["moment"], "begins");
    EXPECT_FALSE(Json::parse(run_program({"run", config_, "--json", "-"}).out).contains("ledger"));
}

/// What happens under each preset, by name.
std::string verdict_of(const Json& hazard, std::string_view preset) {
    for (const Json& verdict : hazard["presets"]) {
        if (verdict["preset"] == preset) {
            return verdict["verdict"];
        }
    }
    return "none";
}

TEST_F(LedgerTest, HazardsAreTriedUnderTheOtherPresets) {
    const std::vector<std::string> arguments{"run",        config_,         "--workload", unload_,
                                             "--lifetime", "borrowed-lock", "--json",     "-"};
    const Json result = Json::parse(run_program(arguments).out);
    const Json& hazard = result["hazards"][0];
    EXPECT_EQ(hazard["class"], "use-after-free");
    EXPECT_FALSE(hazard["rule"].is_null());
    EXPECT_FALSE(hazard["timeline"].is_null());
    EXPECT_EQ(verdict_of(hazard, "borrowed-lock"), "none");
    EXPECT_NE(verdict_of(hazard, "split"), "none");
    // What they say is what a run under the preset says.
    for (const char* preset : {"inline-lock", "refcounted-context", "split"}) {
        std::vector<std::string> other = arguments;
        other[5] = preset;
        const Json of_preset = Json::parse(run_program(other).out);
        const Json& found = of_preset["hazards"];
        const bool same = std::any_of(found.begin(), found.end(), [&](const Json& h) {
            return h["class"] == hazard["class"] && h["subject"] == hazard["subject"];
        });
        EXPECT_EQ(verdict_of(hazard, preset), found.empty() ? "safe"
                                              : same        ? "fails as well"
                                                            : "fails otherwise")
            << preset;
    }
}

TEST_F(LedgerTest, NoPresetsAreTriedWhenNotWanted) {
    const Outcome outcome = run_program(
        {"run", config_, "--workload", unload_, "--lifetime", "borrowed-lock", "--no-presets"});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.out, Not(HasSubstr("presets that fail")));
    EXPECT_THAT(outcome.out, HasSubstr("rule: "));
    EXPECT_THAT(outcome.out, HasSubstr("timeline of "));
}

} // namespace
} // namespace fenceline::tools::testing
