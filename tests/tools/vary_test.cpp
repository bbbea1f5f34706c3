#include "tools/vary.hpp"

#include "tools/usage_error.hpp"
#include "workloads/input_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::tools {
namespace {

using ::testing::ElementsAre;
using workloads::Config;

std::vector<workloads::VaryAxis> axes_of(std::vector<std::string> given,
                                         const Config& config = {}) {
    return choose_axes(given, config);
}

TEST(Vary, SplitsAtCommasOutsideOfJson) {
    EXPECT_THAT(split_values("fifo,rr"), ElementsAre("fifo", "rr"));
    EXPECT_THAT(split_values("1"), ElementsAre("1"));
    EXPECT_THAT(split_values(R"({"base":"split","names":"safe"},split)"),
                ElementsAre(R"({"base":"split","names":"safe"})", "split"));
    EXPECT_THAT(split_values(R"(["a","b"],[])"), ElementsAre(R"(["a","b"])", "[]"));
    EXPECT_THAT(split_values(R"("a,\",b",c"d)"), ElementsAre(R"("a,\",b")", "c\"d"));
    EXPECT_THAT(split_values("a,,b"), ElementsAre("a", "", "b"));
}

TEST(Vary, ExpandsAllOfAClosedList) {
    const auto axes = axes_of({"policy=all", "seed=1,2"});
    ASSERT_EQ(axes.size(), 2U);
    EXPECT_EQ(axes[0].key, "scheduler.policy");
    EXPECT_THAT(axes[0].values, ElementsAre("fifo", "rr", "fair"));
    EXPECT_THAT(axes[1].values, ElementsAre("1", "2"));
    EXPECT_THROW(axes_of({"seed=all"}), workloads::InputError);
}

TEST(Vary, TakesTheConfigurationsAxesWhenNoneIsGiven) {
    Config config;
    EXPECT_THROW(axes_of({}, config), UsageError);
    config.vary = {{"seed", {"1", "2"}}};
    EXPECT_EQ(axes_of({}, config).front().key, "seed");
    EXPECT_EQ(axes_of({"until=1s,2s"}, config).front().key, "until");
}

TEST(Vary, RefusesWhatMakesNoSense) {
    for (const char* text : {"seed", "seed=", "=1", "seed=1,", "seed=1,1"}) {
        EXPECT_THROW(axes_of({text}), UsageError) << text;
    }
    EXPECT_THROW(axes_of({"seed=1", "seed=2"}), UsageError);
}

} // namespace
} // namespace fenceline::tools
