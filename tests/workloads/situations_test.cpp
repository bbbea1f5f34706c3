// The four bundled situations under the five lifetime policies: what breaks first, and what an idle
// holder pins.
#include "workloads/quirks.hpp"
#include "workloads/read_config.hpp"
#include "workloads/read_workload.hpp"
#include "workloads/simulation.hpp"
#include "workloads/support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace fenceline::workloads {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kSource = FENCELINE_SOURCE_DIR;
const std::string kA = "situation-a-borrowed-lock";
const std::string kB = "situation-b-counted-context";
const std::string kC = "situation-c-unload";
const std::string kD = "situation-d-split";

const std::vector<std::string> kPresets{"borrowed-lock", "inline-lock", "refcounted-context",
                                        "drain-on-unload", "split"};

RunResult run(const std::string& situation, const Config& config, RunOptions options = {}) {
    const LoadedWorkload loaded =
        load_workload(kSource + "/workloads/library/" + situation + ".json");
    const Config resolved = resolve_rings(config, *loaded.workload);
    EXPECT_EQ(unsupported(resolved), std::vector<std::string>{});
    const auto jobs = loaded.open_jobs();
    return simulate(resolved, *loaded.workload, *jobs, options);
}

Config with(const std::string& lifetime) {
    Config config;
    config.lifetime = fences::find_preset(lifetime)->policy;
    return config;
}

/// "use-after-free of lock" for each hazard.
std::vector<std::string> verdicts(const RunResult& result) {
    std::vector<std::string> texts;
    for (const sim::Hazard& hazard : result.hazards) {
        texts.push_back(std::string(hazard.kind->name) + " of " + hazard.subject);
    }
    return texts;
}

/// The first hazard, or "safe".
std::string first_of(const RunResult& result) {
    return result.hazards.empty() ? "safe" : verdicts(result).front();
}

std::vector<std::string> first_hazards(const std::string& situation) {
    std::vector<std::string> texts;
    for (const std::string& preset : kPresets) {
        texts.push_back(first_of(run(situation, with(preset))));
    }
    return texts;
}

/// Byte-nanoseconds, so that sums are exact.
double byte_seconds(std::uint64_t bytes, sim::Time duration) {
    return static_cast<double>(bytes * duration) * 1e-9;
}

// --- a: the lock's owner dies first --------------------------------------------------------------

TEST(SituationA, Verdicts) {
    EXPECT_THAT(first_hazards(kA), ElementsAre("use-after-free of lock", "safe", "safe",
                                               "use-after-free of lock", "safe"));
}

TEST(SituationA, TheContextsLockIsGoneAtTheFirstWait) {
    const RunResult result = run(kA, with("borrowed-lock"));
    ASSERT_THAT(verdicts(result), ElementsAre("use-after-free of lock"));
    EXPECT_EQ(result.end, RunEnd::hazard);
    EXPECT_EQ(result.hazards[0].access.time, 3 * sim::kMillisecond);
    EXPECT_EQ(result.hazards[0].freed.time, 2 * sim::kMillisecond);
    EXPECT_THAT(result.hazards[0].object, HasSubstr("context app/gfx"));
}

TEST(SituationA, TheDevicesLockIsGoneAtTheSecondWait) {
    const RunResult result = run(kA, with("drain-on-unload"));
    ASSERT_THAT(verdicts(result), ElementsAre("use-after-free of lock"));
    EXPECT_EQ(result.hazards[0].access.time, 5 * sim::kMillisecond);
    EXPECT_THAT(result.hazards[0].object, HasSubstr("device gpu"));
}

TEST(SituationA, ThePrivateFencesLockIsTheRings) {
    Config config = with("split");
    config.quirks = {std::string(kExportHardwareFence)};
    const RunResult result = run(kA, config);
    ASSERT_THAT(verdicts(result), ElementsAre("private-escape of fence", "use-after-free of lock"));
    EXPECT_EQ(result.hazards[0].access.time, 500 * sim::kMicrosecond);
    EXPECT_EQ(result.hazards[1].access.time, 5 * sim::kMillisecond);
}

TEST(SituationA, ThePublicFencesLockOutlivesEverything) {
    const RunResult result = run(kA, with("split"));
    EXPECT_THAT(verdicts(result), IsEmpty());
    EXPECT_EQ(result.end, RunEnd::normal);
    EXPECT_THAT(result.observations, ElementsAre(HasSubstr("3000000 ns"), HasSubstr("5000000 ns")));
}

// --- b: fences held for hours --------------------------------------------------------------------

// Three fences signal at 1, 2 and 3 ms, the entity goes at 10 ms, the last holder lets go 14,400.01
// s after the beginning.
constexpr sim::Time kClosed = 14'400 * sim::kSecond + 10 * sim::kMillisecond;
constexpr sim::Time kDestroyed = 10 * sim::kMillisecond;

/// What `bytes` per fence come to from each signal to the close.
double three_fences(std::uint64_t bytes) {
    double sum = 0;
    for (sim::Time job = 1; job <= 3; ++job) {
        sum += byte_seconds(bytes, kClosed - job * sim::kMillisecond);
    }
    return sum;
}

/// The scheduler's pair of the last job, which the entity keeps as last_scheduled until it ends.
double last_scheduled() {
    return byte_seconds(192, kDestroyed - 3 * sim::kMillisecond);
}

double held_by(const RunResult& result, std::string_view holder) {
    for (const HolderBytes& entry : result.lifetime.by_holder) {
        if (entry.holder == holder) {
            return entry.byte_seconds;
        }
    }
    return 0;
}

TEST(SituationB, NothingFails) {
    EXPECT_THAT(first_hazards(kB), ElementsAre("safe", "safe", "safe", "safe", "safe"));
}

TEST(SituationB, TheFencesAloneArePinned) {
    for (const char* const preset : {"borrowed-lock", "inline-lock", "drain-on-unload"}) {
        const LifetimeResult lifetime = run(kB, with(preset)).lifetime;
        EXPECT_DOUBLE_EQ(lifetime.pinned_byte_seconds, three_fences(64) + last_scheduled())
            << preset;
        EXPECT_EQ(lifetime.longest_what, "hardware fence") << preset;
        EXPECT_EQ(lifetime.longest_holder, "sync_file") << preset;
        EXPECT_EQ(lifetime.longest_pinned, kClosed - 1 * sim::kMillisecond) << preset;
        EXPECT_EQ(lifetime.unreleased, 0U) << preset;
    }
}

TEST(SituationB, ACountedContextIsPinnedWithThem) {
    const RunResult result = run(kB, with("refcounted-context"));
    EXPECT_DOUBLE_EQ(result.lifetime.pinned_byte_seconds,
                     three_fences(64) + last_scheduled() + byte_seconds(256, kClosed - kDestroyed));
    EXPECT_DOUBLE_EQ(held_by(result, "sync_file"), three_fences(64));
    EXPECT_DOUBLE_EQ(held_by(result, "fence"), byte_seconds(256, kClosed - kDestroyed));
}

TEST(SituationB, TheSplitPinsThePairAndItsParent) {
    const RunResult result = run(kB, with("split"));
    EXPECT_DOUBLE_EQ(result.lifetime.pinned_byte_seconds, three_fences(192) + three_fences(64));
    EXPECT_DOUBLE_EQ(held_by(result, "sync_file"), three_fences(192));
    EXPECT_DOUBLE_EQ(held_by(result, "scheduler fence"), three_fences(64));
    EXPECT_EQ(result.lifetime.longest_what, "scheduler fence");
}

TEST(SituationB, AParentGivenUpAtSignalIsNotPinned) {
    Config config = with("split");
    config.lifetime.parent = fences::ParentRule::until_signal;
    const RunResult result = run(kB, config);
    EXPECT_DOUBLE_EQ(result.lifetime.pinned_byte_seconds, three_fences(192));
}

// --- c and d: unloaded while a sync_file is held -------------------------------------------------

TEST(SituationC, Verdicts) {
    EXPECT_THAT(first_hazards(kC), ElementsAre("use-after-free of ops", "use-after-free of ops",
                                               "use-after-free of ops", "slab-in-use of slab",
                                               "use-after-free of names"));
}

TEST(SituationC, TheQueryFindsTheTableGone) {
    const RunResult result = run(kC, with("inline-lock"));
    ASSERT_THAT(verdicts(result), ElementsAre("use-after-free of ops"));
    EXPECT_EQ(result.hazards[0].access.time, 4 * sim::kMillisecond);
    EXPECT_THAT(result.hazards[0].object, HasSubstr("module drv"));
}

TEST(SituationC, ADrainedDriverStillHasTheFenceInItsSlab) {
    const RunResult result = run(kC, with("drain-on-unload"));
    ASSERT_THAT(verdicts(result), ElementsAre("slab-in-use of slab"));
    EXPECT_LT(result.hazards[0].access.time, 4 * sim::kMillisecond);
}

TEST(SituationD, Verdicts) {
    EXPECT_THAT(first_hazards(kD), ElementsAre("use-after-free of lock", "use-after-free of ops",
                                               "use-after-free of ops", "slab-in-use of slab",
                                               "use-after-free of names"));
}

// What the split is for: waiting for the public fence works after the driver has gone, and only
// there.
TEST(SituationD, AWaitAfterTheUnloadReturnsUnderSplitOnly) {
    const RunResult split = run(kD, with("split"));
    ASSERT_EQ(split.observations.size(), 1U);
    EXPECT_THAT(split.observations[0], HasSubstr("wait out-fence: returned"));
    for (const char* classic : {"borrowed-lock", "inline-lock", "refcounted-context"}) {
        const RunResult result = run(kD, with(classic));
        ASSERT_EQ(result.hazards.size(), 1U) << classic;
        EXPECT_EQ(result.hazards[0].access.time, 3500 * sim::kMicrosecond) << classic;
    }
}

TEST(SituationD, TheNameIsReadThroughAFreedScheduler) {
    const RunResult result = run(kD, with("split"));
    ASSERT_THAT(verdicts(result), ElementsAre("use-after-free of names"));
    EXPECT_EQ(result.hazards[0].access.time, 4 * sim::kMillisecond);
    EXPECT_THAT(result.hazards[0].object, HasSubstr("scheduler gfx"));
}

TEST(SituationD, ClosingDropsThePrivateFenceAfterItsDriver) {
    RunOptions options;
    options.keep_going = true;
    const RunResult result = run(kD, with("split"), options);
    ASSERT_GE(result.hazards.size(), 2U);
    EXPECT_EQ(verdicts(result)[0], "use-after-free of names");
    EXPECT_EQ(verdicts(result)[1], "use-after-free of ops");
    EXPECT_EQ(result.hazards[1].access.time, 5 * sim::kMillisecond);
}

TEST(SituationD, AParentGivenUpAtSignalLeavesOnlyTheNames) {
    Config config = with("split");
    config.lifetime.parent = fences::ParentRule::until_signal;
    RunOptions options;
    options.keep_going = true;
    EXPECT_THAT(verdicts(run(kD, config, options)), ElementsAre("use-after-free of names"));
}

// --- all bundled configurations ------------------------------------------------------------------

TEST(BundledConfigurations, AreValidAndCanBeRun) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(kSource + "/configs")) {
        ++count;
        const std::string path = entry.path().string();
        const Config config = read_config(path);
        const LoadedWorkload loaded = load_workload(config.workload);
        EXPECT_EQ(unsupported(resolve_rings(config, *loaded.workload)), std::vector<std::string>{})
            << path;
        // Each value that is varied by default, for itself.
        for (const VaryAxis& axis : config.vary) {
            for (const std::string& value : axis.values) {
                const std::vector<Setting> settings{{axis.key, value}};
                const Config varied = read_config(path, settings);
                const LoadedWorkload other = load_workload(varied.workload);
                EXPECT_EQ(unsupported(resolve_rings(varied, *other.workload)),
                          std::vector<std::string>{})
                    << path << " with " << axis.key << "=" << value;
            }
        }
    }
    EXPECT_GE(count, 5U);
}

TEST(BundledWorkloads, AreValidAndSayWhatTheyShow) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(kSource + "/workloads/library")) {
        if (entry.path().extension() != ".json") {
            continue;
        }
        ++count;
        const LoadedWorkload loaded = load_workload(entry.path().string());
        EXPECT_FALSE(loaded.workload->name.empty()) << entry.path();
        EXPECT_GT(loaded.workload->about.size(), 100U) << entry.path();
        const auto source = loaded.open_jobs();
        JobRecord job;
        std::size_t jobs = 0;
        while (source->next(job)) {
            ++jobs;
        }
        EXPECT_GT(jobs + loaded.workload->clients.size(), 0U) << entry.path();
    }
    EXPECT_GE(count, 8U);
}

} // namespace
} // namespace fenceline::workloads
