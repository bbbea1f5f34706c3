// Values and bounds of expectations, and what a case has from its scenario.
#include "documents.hpp"
#include "workloads/scenario.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace fenceline::workloads::tests {
namespace {

using testing::HasSubstr;

Bound bound(const std::string& text) {
    const Json document = Json::parse(text);
    const Source source{"b.json"};
    return Bound::read(Cursor(document, source));
}

bool admits(const std::string& text, const Json& value) {
    return bound(text).admits(value);
}

TEST(Bounds, AValueIsExactlyThat) {
    EXPECT_TRUE(admits("3", 3));
    EXPECT_TRUE(admits("3", 3.0));
    EXPECT_FALSE(admits("3", 4));
    EXPECT_FALSE(admits("3", "3"));
    EXPECT_FALSE(admits("3", Json()));
    EXPECT_TRUE(admits("-3", -3));
    EXPECT_TRUE(admits("0.5", 0.5));
    EXPECT_TRUE(admits("true", true));
    EXPECT_FALSE(admits("true", 1));
    EXPECT_FALSE(admits("true", false));
    EXPECT_TRUE(admits(R"("split")", "split"));
    EXPECT_FALSE(admits(R"("split")", "splits"));
    EXPECT_FALSE(admits(R"("split")", 0));
}

TEST(Bounds, ATimeIsItsNanoseconds) {
    EXPECT_TRUE(admits(R"("10ms")", 10'000'000));
    EXPECT_FALSE(admits(R"("10ms")", 10));
    EXPECT_TRUE(admits(R"("10ms")", "10ms")); // where the result has a string
    EXPECT_FALSE(admits(R"("10ms")", "10000us"));
    EXPECT_TRUE(admits(R"({"min":"1us","max":2000})", 1500));
}

TEST(Bounds, IncludeTheirEnds) {
    EXPECT_TRUE(admits(R"({"min":1,"max":2})", 1));
    EXPECT_TRUE(admits(R"({"min":1,"max":2})", 2));
    EXPECT_FALSE(admits(R"({"min":1,"max":2})", 2.001));
    EXPECT_FALSE(admits(R"({"min":1,"max":2})", 0.999));
    EXPECT_FALSE(admits(R"({"min":1})", "2"));
    EXPECT_FALSE(admits(R"({"min":1})", Json()));
}

/// Not one off, as they would be in a double.
TEST(Bounds, AreExactForLargeNumbers) {
    constexpr std::uint64_t kLarge = (std::uint64_t{1} << 62U) + 1;
    const std::string text = std::to_string(kLarge);
    EXPECT_TRUE(admits(text, kLarge));
    EXPECT_FALSE(admits(text, kLarge - 1));
    EXPECT_TRUE(admits(R"({"max":)" + text + "}", kLarge));
    EXPECT_FALSE(admits(R"({"max":)" + text + "}", kLarge + 1));
}

TEST(Bounds, SayWhatTheyAre) {
    EXPECT_EQ(bound("3").text(), "3");
    EXPECT_EQ(bound(R"({"min":"1us"})").text(), "at least \"1us\"");
    EXPECT_EQ(bound(R"({"max":0.5})").text(), "at most 0.5");
    EXPECT_EQ(bound(R"({"min":1,"max":2})").text(), "from 1 to 2");
}

TEST(Bounds, RefuseWhatIsNone) {
    for (const auto& [text, message] : {
             std::pair{"null", "expected a number, a string, a boolean, or bounds"},
             {"[1]", "expected a number, a string, a boolean, or bounds"},
             {"{}", "expected 'min', 'max' or both"},
             {R"({"min":2,"max":1})", "b.json: /max: found 1, expected no less than 'min', 2"},
             {R"({"min":true})", "b.json: /min: found true, expected a number, or a time"},
         }) {
        EXPECT_THAT(fault_of([&] { (void)bound(text); }), HasSubstr(message));
    }
}

Scenario scenario(const std::string& members) {
    return interpret_scenario(
        Json::parse(R"({"format":"fenceline/scenario","version":1,)" + members + "}"),
        "folder/s.json");
}

TEST(Scenarios, OfOneCaseHaveNoNameForIt) {
    const Scenario one = scenario(R"("expect":{"end":"normal"})");
    EXPECT_EQ(one.name, "s");
    ASSERT_EQ(one.cases.size(), 1U);
    EXPECT_EQ(one.cases[0].name, "");
    EXPECT_EQ(one.cases[0].expect.end, RunEnd::normal);
    EXPECT_TRUE(one.cases[0].expect.hazards.exactly);
    EXPECT_EQ(config_of(one.cases[0], one), Config{});
}

TEST(Scenarios, CasesHaveWhatTheyDoNotSay) {
    const Scenario two =
        scenario(R"("workload":"w.json","config":{"seed":3,"lifetime":"inline-lock"},
        "options":{"strict":true},"schedule":"../x.json",
        "cases":[{"name":"a","set":{"seed":4,"rings.gfx.credit_limit":1},"expect":{"end":"normal"}},
                 {"name":"b","config":{},"workload":"/w.json","options":{},
                  "schedule":{"steps":[]},"expect":{"end":"stuck"}}])");
    ASSERT_EQ(two.cases.size(), 2U);
    const ScenarioCase& a = two.cases[0];
    EXPECT_EQ(a.pointer, "/cases/0");
    EXPECT_EQ(std::get<std::string>(a.workload), "folder/w.json");
    EXPECT_EQ(std::get<std::string>(a.schedule), "x.json");
    EXPECT_TRUE(a.strict);
    const Config config = config_of(a, two);
    EXPECT_EQ(config.seed, 4U);
    EXPECT_EQ(config.lifetime.name, "inline-lock");
    ASSERT_EQ(config.rings.size(), 1U);
    EXPECT_EQ(config.rings[0].credit_limit, 1U);
    const ScenarioCase& b = two.cases[1];
    EXPECT_EQ(std::get<std::string>(b.workload), "/w.json");
    EXPECT_EQ(std::get<InlineDocument>(b.schedule).document["format"], "fenceline/schedule");
    EXPECT_FALSE(b.strict);
    EXPECT_EQ(config_of(b, two).seed, 1U);
}

/// Values of `set` are JSON: what is a string is not looked at as a number.
TEST(Scenarios, SettingsAreOfTheirOwnKind) {
    EXPECT_THAT(fault_of([] {
                    (void)scenario(R"("cases":[{"name":"a","set":{"seed":"4"},
                                       "expect":{"end":"normal"}}])");
                }),
                HasSubstr("folder/s.json: /cases/0/set/seed: /seed: found \"4\""));
}

} // namespace
} // namespace fenceline::workloads::tests
