// The bundled mixes of interactive and batch clients: they end at `until` without hazards, and show
// what their texts say.
#include "program_run.hpp"

#include "workloads/input_file.hpp"

#include <gmock/gmock.h>

namespace fenceline::workloads::tests {
namespace {

using testing::IsEmpty;

RunResult run_config(const std::string& name, const std::vector<Setting>& settings = {}) {
    const Config config =
        read_config(std::string(FENCELINE_SOURCE_DIR) + "/configs/" + name + ".json", settings);
    const LoadedWorkload loaded = load_workload(config.workload);
    EXPECT_THAT(unsupported(config), IsEmpty());
    const auto jobs = loaded.open_jobs();
    return simulate(resolve_rings(config, *loaded.workload), *loaded.workload, *jobs);
}

double rate_of(const RunResult& result, std::string_view name) {
    for (const ClientResult& client : result.clients) {
        if (client.name == name) {
            return client.program->iterations_per_second;
        }
    }
    return -1;
}

TEST(Mixes, EndAtUntilWithoutHazards) {
    for (const char* name : {"desktop-loop", "workstation-loop"}) {
        for (const char* policy : {"fifo", "rr"}) {
            const RunResult result = run_config(name, {{"scheduler.policy", policy}});
            EXPECT_EQ(result.end, RunEnd::until) << name;
            EXPECT_EQ(result.end_time, 10 * sim::kSecond);
            EXPECT_THAT(result.hazards, IsEmpty()) << name;
            for (const ClientResult& client : result.clients) {
                EXPECT_GT(client.program->iterations, 20U) << client.name;
            }
        }
    }
}

TEST(Mixes, ABatchJobOfLowPriorityCostsTheGameFewerFramesThanOneOfNormalPriority) {
    const std::string text =
        read_text(std::string(FENCELINE_SOURCE_DIR) + "/workloads/library/desktop-loop.json");
    std::string normal = text;
    const std::string low = R"("priority": "low")";
    normal.replace(normal.find(low), low.size(), R"("priority": "normal")");
    const auto game = [](const std::string& document) {
        const ProgramRun run =
            run_loaded(parse_workload(document, "w.json"),
                       R"("until":"10s","rings":[{"name":"gfx","credit_limit":1}])");
        return rate_of(run.result, "game");
    };
    EXPECT_GT(game(text), 57);
    EXPECT_LT(game(normal), 0.9 * game(text));
}

// The editor and the headset have one job a frame and wait for one of the training job's instead of
// all four. A request of the inference service is three jobs, each of which waits for its turn once
// the one before it is done; in order of submission only the first waits long.
TEST(Mixes, RoundRobinHelpsOneJobAFrameAndCostsChainsOfJobs) {
    const RunResult fifo = run_config("workstation-loop", {{"scheduler.policy", "fifo"}});
    const RunResult rr = run_config("workstation-loop", {{"scheduler.policy", "rr"}});
    for (const char* client : {"editor", "headset"}) {
        EXPECT_GT(rate_of(rr, client), 1.1 * rate_of(fifo, client)) << client;
    }
    EXPECT_LT(rate_of(rr, "inference"), 0.9 * rate_of(fifo, "inference"));
}

} // namespace
} // namespace fenceline::workloads::tests
