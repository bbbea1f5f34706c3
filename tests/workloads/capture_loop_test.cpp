// The recorded SteamVR session as a closed loop beside the same session replayed job by job: frame
// rate, numbers of jobs, GPU time and latencies per client agree within what drawing from
// distributions allows.
#include "program_run.hpp"

#include <gmock/gmock.h>

#include <map>

namespace fenceline::workloads::tests {
namespace {

/// The configuration under which the replay meets the recording.
const std::string kRecorded =
    R"("rings":[{"name":"gfx","credit_limit":2}],"costs":{"wakeup":"32.6us","free_job":"4.7us"})";

ProgramRun run_bundled(const std::string& name, const std::string& more = "") {
    return run_loaded(
        load_workload(std::string(FENCELINE_SOURCE_DIR) + "/workloads/library/" + name + ".json"),
        kRecorded + more);
}

const ClientResult& client(const ProgramRun& run, std::string_view name) {
    for (const ClientResult& found : run.result.clients) {
        if (found.name == name) {
            return found;
        }
    }
    throw std::out_of_range(std::string(name));
}

class CaptureLoop : public testing::TestWithParam<unsigned> {
  protected:
    const ProgramRun recorded_ = run_bundled("steamvr-amdgpu");
    const ProgramRun loop_ =
        run_bundled("steamvr-loop", R"(,"seed":)" + std::to_string(GetParam()));
};
INSTANTIATE_TEST_SUITE_P(Seeds, CaptureLoop, testing::Values(1, 2, 3));

TEST_P(CaptureLoop, HasTheFrameRateOfTheRecording) {
    // 213 frames, of which the first was submitted at 0 and the last 2.36752 s later.
    constexpr double kRecordedRate = 212 / 2.367520191;
    for (const char* name : {"vrcompositor", "Xorg"}) {
        const ProgramResult& program = loop_.program(name);
        EXPECT_EQ(program.iterations, 213U);
        EXPECT_NEAR(program.iterations_per_second, kRecordedRate, 0.001 * kRecordedRate);
        EXPECT_EQ(program.period_misses, 0U);
    }
    EXPECT_NEAR(static_cast<double>(loop_.result.makespan),
                static_cast<double>(recorded_.result.makespan),
                0.002 * static_cast<double>(recorded_.result.makespan));
}

TEST_P(CaptureLoop, HasTheJobsAndTheGpuTimeOfTheRecording) {
    for (const ClientResult& recorded : recorded_.result.clients) {
        const ClientResult& loop = client(loop_, recorded.name);
        EXPECT_EQ(loop.submitted, recorded.submitted) << recorded.name;
        EXPECT_NEAR(static_cast<double>(loop.gpu_time), static_cast<double>(recorded.gpu_time),
                    0.01 * static_cast<double>(recorded.gpu_time))
            << recorded.name;
    }
}

// The second job of the compositor is held back by the credit limit until the first has finished,
// for more than a millisecond: that is what the scheduler adds, in both.
TEST_P(CaptureLoop, IsHeldBackByTheCreditLimitAsTheRecordingWas) {
    for (const char* name : {"vrcompositor", "Xorg"}) {
        const LatencySummary& recorded = client(recorded_, name).completion;
        const LatencySummary& loop = client(loop_, name).completion;
        EXPECT_NEAR(loop.mean, recorded.mean, 50 * sim::kMicrosecond) << name;
        EXPECT_NEAR(static_cast<double>(loop.p95), static_cast<double>(recorded.p95),
                    0.06 * static_cast<double>(recorded.p95))
            << name;
    }
    EXPECT_GT(client(loop_, "vrcompositor").queue_delay.p95, sim::kMillisecond);
    const ProgramRun three = run_loaded(
        load_workload(std::string(FENCELINE_SOURCE_DIR) + "/workloads/library/steamvr-loop.json"),
        R"("rings":[{"name":"gfx","credit_limit":3}])");
    EXPECT_EQ(client(three, "vrcompositor").queue_delay.max, 0U);
}

} // namespace
} // namespace fenceline::workloads::tests
