#include "workloads/duration.hpp"

#include <gtest/gtest.h>

namespace fenceline::workloads {
namespace {

sim::Time value(std::string_view text) {
    const ParsedDuration parsed = parse_duration(text);
    EXPECT_EQ(parsed.fault, DurationFault::none) << text;
    return parsed.value;
}
DurationFault fault(std::string_view text) {
    return parse_duration(text).fault;
}

TEST(Duration, IsExactToTheNanosecondInEveryUnit) {
    EXPECT_EQ(value("0ns"), 0U);
    EXPECT_EQ(value("300ns"), 300U);
    EXPECT_EQ(value("32.6us"), 32'600U);
    EXPECT_EQ(value("16.667ms"), 16'667'000U);
    EXPECT_EQ(value("0.000000001s"), 1U);
    EXPECT_EQ(value("1.999999999s"), 1'999'999'999U);
    EXPECT_EQ(value("9007199254740993ns"), 9'007'199'254'740'993U); // not a double
}

TEST(Duration, MayHaveZerosPastTheNanosecondButNothingElse) {
    EXPECT_EQ(value("1.5000us"), 1500U);
    EXPECT_EQ(value("7.00ns"), 7U);
    EXPECT_EQ(fault("1.5ns"), DurationFault::too_fine);
    EXPECT_EQ(fault("0.0001us"), DurationFault::too_fine);
    EXPECT_EQ(fault("1.0000000001s"), DurationFault::too_fine);
}

TEST(Duration, EndsBelowTwoToThe63) {
    EXPECT_EQ(value("9223372036854775807ns"), kLatestTime);
    EXPECT_EQ(value("9223372036.854775807s"), kLatestTime);
    EXPECT_EQ(fault("9223372036854775808ns"), DurationFault::too_large);
    EXPECT_EQ(fault("9223372037s"), DurationFault::too_large);
    EXPECT_EQ(fault("99999999999999999999999999999999s"), DurationFault::too_large);
}

TEST(Duration, IsANumberAndAUnitAndNothingElse) {
    for (const char* text :
         {"", "5", "ms", ".5ms", "5.ms", "5 ms", " 5ms", "5ms ", "+5ms", "1e3ms", "5m", "5MS",
          "5msec", "1,5ms", "0x5ms", "-", "--1ms", "nan", "inf s"}) {
        EXPECT_EQ(fault(text), DurationFault::malformed) << text;
    }
    EXPECT_EQ(fault("-1ms"), DurationFault::negative);
    EXPECT_EQ(fault("-0ns"), DurationFault::negative);
}

TEST(Duration, IsWrittenInTheLargestUnitThatFits) {
    EXPECT_EQ(format_duration(0), "0ns");
    EXPECT_EQ(format_duration(999), "999ns");
    EXPECT_EQ(format_duration(1200), "1.2us");
    EXPECT_EQ(format_duration(16'667'000), "16.667ms");
    EXPECT_EQ(format_duration(1'000'000'000), "1s");
    EXPECT_EQ(format_duration(1'000'000'001), "1.000000001s");
    EXPECT_EQ(format_duration(sim::kForever), "forever");
}

TEST(Duration, ReadsBackWhatItWrites) {
    sim::Time time = 1;
    for (int i = 0; i < 62; ++i, time = time * 2 + static_cast<sim::Time>(i % 3)) {
        if (time <= kLatestTime) {
            EXPECT_EQ(value(format_duration(time)), time);
        }
    }
    EXPECT_EQ(value(format_duration(kLatestTime)), kLatestTime);
}

} // namespace
} // namespace fenceline::workloads
