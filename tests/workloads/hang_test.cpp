// Jobs that hang, as a user's documents tell it: what is refused, and how such runs end.
#include "program_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::workloads::tests {
namespace {

constexpr const char* kHang =
    R"("entities":[{"id":"a/gfx","rings":["gfx"]}],
       "jobs":[{"id":0,"at":0,"entity":"a/gfx","duration":"forever"}])";

ProgramRun hang_under(const std::string& keys) {
    return run_text(kHang, keys);
}

// No time would pass between one answer and the next question.
TEST(Hang, ATimeoutOfZeroWithNoHangIsRefused) {
    const auto fault = [](const std::string& keys) {
        return fault_of([&] { (void)interpret_config(Json::parse(config_with(keys)), "c.json"); });
    };
    EXPECT_EQ(fault(R"("kernel":"mainline","scheduler":{"timeout":0,"on_timeout":"no-hang"})"),
              "c.json: /scheduler: found a timeout of 0 with on_timeout \"no-hang\", expected a "
              "timeout of at least 1 ns: no time would pass");
    EXPECT_THAT(fault(R"("kernel":"mainline","scheduler":{"timeout":0},
                         "rings":[{"name":"gfx","on_timeout":"no-hang"}])"),
                testing::StartsWith("c.json: /rings/0: found a timeout of 0"));
}

TEST(Hang, WithoutATimeoutIsAStuckEnd) {
    EXPECT_EQ(hang_under(R"("kernel":"6.12")").result.end, RunEnd::stuck);
}

TEST(Hang, EndsWithAResetOnceThereHasBeenTooMuchKarma) {
    const ProgramRun run = hang_under(R"("scheduler":{"timeout":1000,"hang_limit":1})");
    EXPECT_EQ(run.result.end, RunEnd::normal);
    EXPECT_EQ(run.result.jobs_failed, 1U);
    EXPECT_EQ(run.result.end_time, 2000U);
}

} // namespace
} // namespace fenceline::workloads::tests
