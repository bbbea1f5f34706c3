// Timelines keep the beginning and the end, however much lies between.
#include "sim/hazard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::sim {
namespace {

Timeline of_length(Time length) {
    Timeline timeline;
    for (Time i = 0; i < length; ++i)
        timeline.add({i, "task a", "f", "get"});
    return timeline;
}

TEST(Timelines, KeepTheFirstTenAndTheLastThirty) {
    const Timeline timeline = of_length(1000);
    ASSERT_EQ(timeline.first().size(), 10u);
    ASSERT_EQ(timeline.last().size(), 30u);
    EXPECT_EQ(timeline.first().back().time, 9u);
    EXPECT_EQ(timeline.last().front().time, 970u);
    EXPECT_EQ(timeline.left_out(), 960u);
}

TEST(Timelines, KeepAllOfAShortLife) {
    const Timeline timeline = of_length(40);
    EXPECT_EQ(timeline.left_out(), 0u);
    EXPECT_EQ(timeline.last().front().time, 10u);
    EXPECT_EQ(of_length(3).first().size(), 3u);
}

TEST(Reports, HaveTimelineHoldersRuleAndPresetsWhereThereAreAny) {
    Hazard hazard{.kind = &hazards::use_after_free,
                  .subject = "lock",
                  .object = "context a",
                  .message = "context a is accessed after its death",
                  .freed = {20, "task close", {}, true},
                  .fence = "hardware fence a:1",
                  .timeline = of_length(42),
                  .holders = {"sync_file f -> (fence) hardware fence a:1"},
                  .rule = {"hardware.lock", "borrowed:context", "because"},
                  .presets = {{"inline-lock", false, true, ""},
                              {"split", false, true, "leak/job"},
                              {"drain-on-unload", true, true, "use-after-free/lock"},
                              {"other", false, false, ""}}};
    const std::string text = report_text(hazard);
    EXPECT_THAT(text, testing::HasSubstr("  who referred to it when it was freed\n"
                                         "    sync_file f -> (fence) hardware fence a:1\n"
                                         "  timeline of hardware fence a:1\n"
                                         "    0 ns: get by task a in f\n"));
    EXPECT_THAT(text, testing::HasSubstr("    ... 2 more ...\n    12 ns: get"));
    EXPECT_THAT(text,
                testing::HasSubstr("  rule: hardware.lock: borrowed:context: because\n"
                                   "  presets under which this workload is safe: inline-lock\n"
                                   "  presets that fail otherwise: split (leak/job)\n"
                                   "  presets that fail as well: drain-on-unload\n"
                                   "  presets not known: other\n"));
}

} // namespace
} // namespace fenceline::sim
