// The bundled capture: the document agrees with the recorded table, and its replay with the
// recorded times.
//
// The table itself is not part of the repository. It is looked for where FENCELINE_SHARED points
// to, else next to the source; without it these tests are skipped.
#include "workloads/read_config.hpp"
#include "workloads/read_workload.hpp"
#include "workloads/simulation.hpp"
#include "workloads/support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace fenceline::workloads {
namespace {

constexpr sim::Time kTolerance = 60 * sim::kMicrosecond;

/// A complete job of the recording, in nanoseconds from the first one's submission.
struct Recorded {
    std::uint64_t id = 0; ///< 0 is the first job's
    std::string entity;
    sim::Time submit = 0;
    sim::Time run = 0;
    sim::Time busy = 0;
};

std::filesystem::path table_path() {
    const char* const shared = std::getenv("FENCELINE_SHARED");
    const std::filesystem::path root =
        shared != nullptr ? std::filesystem::path(shared)
                          : std::filesystem::path(FENCELINE_SOURCE_DIR) / "../shared";
    return root / "data/captures/amdgpu_jobs.csv";
}

/// "1175202.594" microseconds, exactly.
sim::Time nanoseconds(const std::string& microseconds) {
    const std::size_t point = std::min(microseconds.find('.'), microseconds.size());
    std::string decimals =
        point < microseconds.size() ? microseconds.substr(point + 1) : std::string();
    EXPECT_LE(decimals.size(), 3U) << microseconds;
    decimals.resize(3, '0');
    return std::stoull(microseconds.substr(0, point)) * sim::kMicrosecond + std::stoull(decimals);
}

std::vector<std::string> fields_of(std::string line) {
    if (!line.empty() && line.back() == '\r') {
        line.pop_back();
    }
    std::vector<std::string> fields;
    std::istringstream stream(line + ",");
    for (std::string field; std::getline(stream, field, ',');) {
        fields.push_back(field);
    }
    return fields;
}

std::vector<Recorded> read_table(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    std::map<std::string, std::size_t> column;
    for (const std::string& name : fields_of(line)) {
        column.emplace(name, column.size());
    }
    std::vector<Recorded> jobs;
    while (std::getline(file, line)) {
        const std::vector<std::string> fields = fields_of(line);
        const auto field = [&](const char* name) { return fields.at(column.at(name)); };
        if (field("complete") != "1") {
            continue;
        }
        jobs.push_back({std::stoull(field("job_id")), field("process") + "/" + field("ring"),
                        nanoseconds(field("submit_us")), nanoseconds(field("run_us")),
                        nanoseconds(field("busy_us"))});
    }
    std::sort(jobs.begin(), jobs.end(),
              [](const Recorded& a, const Recorded& b) { return a.submit < b.submit; });
    if (!jobs.empty()) {
        const Recorded first = jobs.front();
        for (Recorded& job : jobs) {
            job.id -= first.id;
            job.submit -= first.submit;
            job.run -= first.submit;
        }
    }
    return jobs;
}

class RunJobs final : public scheduler::EventSink {
  public:
    void on_event(const scheduler::LoggedEvent& event) override {
        if (event.event == scheduler::JobEvent::run_job) {
            started.emplace_back(event.job, event.time);
        }
    }
    std::vector<std::pair<std::uint64_t, sim::Time>> started; ///< job, time; in order
};

LoadedWorkload bundled() {
    return load_workload(std::string(FENCELINE_SOURCE_DIR) +
                         "/workloads/library/steamvr-amdgpu.json");
}

/// When the bundled jobs start under configs/steamvr.json with another credit limit.
std::vector<std::pair<std::uint64_t, sim::Time>> replay(int credit_limit) {
    const LoadedWorkload loaded = bundled();
    const std::vector<Setting> settings{{"rings.gfx.credit_limit", std::to_string(credit_limit)}};
    const Config config = resolve_rings(
        read_config(std::string(FENCELINE_SOURCE_DIR) + "/configs/steamvr.json", settings),
        *loaded.workload);
    EXPECT_EQ(config.costs.wakeup, 32600U);
    EXPECT_EQ(config.costs.free_job, 4700U);
    EXPECT_EQ(unsupported(config), std::vector<std::string>{});
    RunJobs sink;
    RunOptions options;
    options.events = &sink;
    const auto jobs = loaded.open_jobs();
    const RunResult result = simulate(config, *loaded.workload, *jobs, options);
    EXPECT_EQ(result.end, RunEnd::normal);
    EXPECT_TRUE(result.hazards.empty());
    return std::move(sink.started);
}

class CaptureTest : public testing::Test {
  protected:
    void SetUp() override {
        if (!std::filesystem::exists(table_path())) {
            GTEST_SKIP() << "the recorded table is not here: " << table_path().lexically_normal()
                         << " (set FENCELINE_SHARED to the folder that has "
                            "data/captures/amdgpu_jobs.csv)";
        }
        recorded_ = read_table(table_path());
        ASSERT_EQ(recorded_.size(), 639U);
    }

    /// The order in which the recorded jobs started.
    [[nodiscard]] std::vector<std::uint64_t> recorded_order() const {
        std::vector<Recorded> jobs = recorded_;
        std::stable_sort(jobs.begin(), jobs.end(),
                         [](const Recorded& a, const Recorded& b) { return a.run < b.run; });
        std::vector<std::uint64_t> ids;
        for (const Recorded& job : jobs) {
            ids.push_back(job.id);
        }
        return ids;
    }

    /// The largest distance between a start in the replay and the recorded one.
    [[nodiscard]] sim::Time
    largest_error(const std::vector<std::pair<std::uint64_t, sim::Time>>& started) const {
        sim::Time largest = 0;
        for (const auto& [id, time] : started) {
            const sim::Time run = recorded_.at(id).run;
            EXPECT_EQ(recorded_.at(id).id, id);
            largest = std::max(largest, time > run ? time - run : run - time);
        }
        return largest;
    }

    std::vector<Recorded> recorded_;
};

TEST_F(CaptureTest, TheBundledDocumentAgreesWithTheTable) {
    const LoadedWorkload loaded = bundled();
    const auto source = loaded.open_jobs();
    JobRecord job;
    for (const Recorded& row : recorded_) {
        ASSERT_TRUE(source->next(job));
        const EntitySpec& entity = loaded.workload->entities[job.entity];
        ASSERT_EQ(job.id, row.id);
        EXPECT_EQ(job.at, row.submit) << "job " << job.id;
        EXPECT_EQ(job.duration, row.busy) << "job " << job.id;
        EXPECT_EQ(entity.id, row.entity) << "job " << job.id;
        EXPECT_EQ(entity.client, row.entity.substr(0, row.entity.find('/')));
        EXPECT_EQ(job.credits, 1U);
        EXPECT_TRUE(job.after.empty());
    }
    EXPECT_FALSE(source->next(job));
    EXPECT_EQ(loaded.workload->rings, std::vector<std::string>{"gfx"});
    EXPECT_TRUE(loaded.workload->clients.empty());
    EXPECT_TRUE(loaded.workload->actions.empty());
}

TEST_F(CaptureTest, TwoCreditsMeetEveryRecordedStart) {
    const auto started = replay(2);
    ASSERT_EQ(started.size(), recorded_.size());
    std::vector<std::uint64_t> order;
    for (const auto& [id, time] : started) {
        order.push_back(id);
    }
    EXPECT_EQ(order, recorded_order());
    EXPECT_LE(largest_error(started), kTolerance);
}

TEST_F(CaptureTest, OneCreditIsMillisecondsOff) {
    const auto started = replay(1);
    ASSERT_EQ(started.size(), recorded_.size());
    EXPECT_GT(largest_error(started), sim::kMillisecond);
}

TEST_F(CaptureTest, ThreeCreditsAreMillisecondsOff) {
    const auto started = replay(3);
    ASSERT_EQ(started.size(), recorded_.size());
    EXPECT_GT(largest_error(started), sim::kMillisecond);
}

} // namespace
} // namespace fenceline::workloads
