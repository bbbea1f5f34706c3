// Draws of durations: exact values, so that they are the same on every machine, and distributions.
#include "workloads/draw.hpp"

#include "program_run.hpp"

#include "workloads/duration.hpp"

#include <gmock/gmock.h>

#include <cmath>

namespace fenceline::workloads::tests {
namespace {

using Kind = DurationSpec::Kind;
using testing::ElementsAre;

std::vector<sim::Time> draws(const DurationSpec& spec, std::size_t count,
                             std::string_view client = "b", std::uint64_t seed = 1) {
    sim::Random random(seed, client);
    std::vector<sim::Time> values;
    for (std::size_t i = 0; i < count; ++i) {
        values.push_back(draw(spec, random));
    }
    return values;
}

struct Moments {
    double mean;
    double deviation;
};

Moments moments(const std::vector<sim::Time>& values) {
    double sum = 0;
    double squares = 0;
    for (const sim::Time value : values) {
        sum += static_cast<double>(value);
        squares += static_cast<double>(value) * static_cast<double>(value);
    }
    const auto n = static_cast<double>(values.size());
    return {sum / n, std::sqrt(squares / n - sum / n * (sum / n))};
}

// Worked out with 60 decimal digits from the stream of client "b" with seed 1, which begins with
// 4d995e3bb513c992, 01988deb21dbcc7d, e4c701a6d3045545, a95ff4449d331573, 9f7aa2d57f07086c.
TEST(Draw, TheFirstValuesOfAStreamAreThese) {
    EXPECT_THAT(draws({Kind::uniform, 100, 1000}, 5), ElementsAre(373, 105, 905, 696, 661));
    EXPECT_THAT(draws({Kind::exponential, 1'000'000, 0}, 5),
                ElementsAre(1'193'622, 5'077'730, 112'428, 413'063, 473'265));
    EXPECT_THAT(draws({Kind::normal, 1'000'000, 200'000}, 5),
                ElementsAre(896'911, 500'278, 1'249'248, 1'083'378, 1'062'655));
}

TEST(Draw, AFixedDurationTakesNoNumber) {
    sim::Random random(1, "b");
    EXPECT_EQ(draw({Kind::fixed, 7, 0}, random), 7U);
    EXPECT_EQ(draw({Kind::fixed, sim::kForever, 0}, random), sim::kForever);
    EXPECT_EQ(random.next(), 0x4d995e3bb513c992U);
}

TEST(Draw, EveryDrawTakesOneNumber) {
    for (const Kind kind : {Kind::uniform, Kind::exponential, Kind::normal}) {
        sim::Random random(1, "b");
        (void)draw({kind, 5, 5}, random); // also a uniform one without a choice
        EXPECT_EQ(random.next(), 0x01988deb21dbcc7dU);
    }
}

TEST(Draw, TheLogarithmIsWithinItsBound) {
    const auto log_of = [](std::uint64_t x) {
        return static_cast<double>(negative_log(x)) * 0x1p-56;
    };
    EXPECT_EQ(negative_log(std::uint64_t{1} << 63), 0x00b17217f7d1cf79U); // ln 2
    EXPECT_NEAR(log_of(1), 44.361419555836498, 1e-14);
    EXPECT_NEAR(log_of(~std::uint64_t{0}), 0, 0x1p-53);
    sim::Random random(3);
    for (int i = 0; i < 10'000; ++i) {
        const std::uint64_t x = random.next() >> random.next() % 63;
        if (x > 0) {
            EXPECT_NEAR(log_of(x), -std::log(static_cast<double>(x) * 0x1p-64), 2e-15 * 64);
        }
    }
}

// To the last bit: middle, both kinds of tail, both signs.
TEST(Draw, NormalQuantilesAreThese) {
    constexpr std::uint64_t kParts = std::uint64_t{1} << 52;
    EXPECT_EQ(normal_quantile(0), -0x1.06b48528cea51p+3);
    EXPECT_EQ(normal_quantile(1), -0x1.02734508d1f1cp+3);
    EXPECT_EQ(normal_quantile(kParts / 40), -0x1.f5c0331eeff82p+0);
    EXPECT_EQ(normal_quantile(kParts / 2), 0x1.40d931ff62707p-52);
    EXPECT_EQ(normal_quantile(kParts - 1), 0x1.06b48528cea51p+3);
    for (std::uint64_t part = 0; part < kParts; part += kParts / 1003) {
        EXPECT_EQ(normal_quantile(part), -normal_quantile(kParts - 1 - part)) << part;
        // erfc is the distribution function's other half.
        const double p = (2 * static_cast<double>(part) + 1) * 0x1p-53;
        EXPECT_NEAR(std::erfc(-normal_quantile(part) / std::sqrt(2)) / 2, p, 1e-14);
    }
}

TEST(Draw, UniformDrawsFillTheirRangeEvenly) {
    const auto values = draws({Kind::uniform, 10, 19}, 100'000);
    std::vector<int> counts(20);
    for (const sim::Time value : values) {
        ASSERT_GE(value, 10U);
        ASSERT_LE(value, 19U);
        ++counts[value];
    }
    for (std::size_t i = 10; i < 20; ++i) {
        EXPECT_NEAR(counts[i], 10'000, 400) << i; // four standard deviations
    }
    EXPECT_THAT(draws({Kind::uniform, 0, kLatestTime}, 1), ElementsAre(0x4d995e3bb513c992U >> 1));
}

TEST(Draw, ExponentialAndNormalDrawsHaveTheirMoments) {
    const Moments waits = moments(draws({Kind::exponential, 1'000'000, 0}, 200'000));
    EXPECT_NEAR(waits.mean, 1e6, 1e4);
    EXPECT_NEAR(waits.deviation, 1e6, 1.5e4);
    const Moments sizes = moments(draws({Kind::normal, 5'000'000, 700'000}, 200'000));
    EXPECT_NEAR(sizes.mean, 5e6, 7e3);
    EXPECT_NEAR(sizes.deviation, 7e5, 5e3);
}

TEST(Draw, WhatIsOutOfRangeIsCut) {
    std::size_t zeros = 0;
    for (const sim::Time value : draws({Kind::normal, 100, 100}, 100'000)) {
        zeros += value == 0 ? 1U : 0U;
        ASSERT_LT(value, 1000U);
    }
    EXPECT_NEAR(static_cast<double>(zeros), 15'900, 500); // one deviation below the mean
    for (const DurationSpec& spec : {DurationSpec{Kind::exponential, kLatestTime, 0},
                                     DurationSpec{Kind::normal, kLatestTime, kLatestTime}}) {
        for (const sim::Time value : draws(spec, 1000)) {
            ASSERT_LE(value, kLatestTime);
        }
    }
}

// --- in runs -------------------------------------------------------------------------------------

std::string drawing_client(const std::string& name) {
    return R"({"name":")" + name + R"(","repeat":20,"entities":[{"id":")" + name +
           R"(/x","rings":[")" + name + R"("]}],"program":[
            {"submit":{"entity":")" +
           name + R"(/x","duration":{"exponential":50},"as":"f"}},{"wait":"f"},
            {"sleep":{"normal":[100,30]}}]})";
}

Lines pushes(const ProgramRun& run) {
    Lines times;
    for (const std::string& line : run.only({"queue"})) {
        times.push_back(line.substr(0, line.find(" ")));
    }
    return times;
}

TEST(Draw, TheSameSeedGivesTheSameRunAndAnotherSeedAnother) {
    const std::string workload = R"("clients":[)" + drawing_client("b") + "]";
    const Lines first = run_text(workload, R"("seed":5)").log;
    EXPECT_EQ(run_text(workload, R"("seed":5)").log, first);
    EXPECT_NE(run_text(workload, R"("seed":6)").log, first);
    EXPECT_NE(run_text(R"("clients":[)" + drawing_client("c") + "]", R"("seed":5)").log, first);
}

TEST(Draw, WhatAClientDrawsDoesNotDependOnOthers) {
    const Lines alone = pushes(run_text(R"("clients":[)" + drawing_client("b") + "]"));
    const Lines both =
        pushes(run_text(R"("clients":[)" + drawing_client("b") + "," + drawing_client("c") + "]"));
    for (const std::string& time : alone) {
        EXPECT_THAT(both, testing::Contains(time));
    }
}

TEST(Draw, EachJobOfACountIsDrawnForItself) {
    const ProgramRun run =
        run_text(only_b(R"({"submit":{"entity":"b/gfx","duration":{"uniform":[100,1000]},
                            "count":5}})"));
    EXPECT_THAT(run.only({"hw_done"}),
                ElementsAre("373 hw_done 0", "478 hw_done 1", "1383 hw_done 2", "2079 hw_done 3",
                            "2740 hw_done 4"));
}

} // namespace
} // namespace fenceline::workloads::tests
