// throughput: the same workloads through the kernel's own scheduler (without access checks) and
// through Fenceline, in turn, and how fast each is. Figures only, no verdict.

#include "workload.hpp"

#include "workloads/read_config.hpp"
#include "workloads/read_workload.hpp"
#include "workloads/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <vector>

using namespace conformance;
namespace workloads = fenceline::workloads;

namespace {

constexpr std::uint32_t jobs = 100'000;
constexpr int rounds = 5; // the best of these, alternating, so that both meet the same neighbours

// Entities in turn submit a job each microsecond, which is nearly as long as a job takes.
Workload synthetic(std::uint32_t entities, oracle_policy policy) {
    Workload workload;
    workload.policy = policy;
    workload.rings.push_back({.name = "gfx"});
    for (std::uint32_t i = 0; i < entities; ++i)
        workload.entities.push_back({.id = fmt::format("c{}/gfx", i), .rings = {0}});
    for (std::uint32_t i = 0; i < jobs; ++i)
        workload.jobs.push_back(
            {.id = i, .at = std::uint64_t{i} * 1000, .entity = i % entities, .duration = 900});
    return workload;
}

double seconds_of(const std::function<void()>& body) {
    const auto start = std::chrono::steady_clock::now();
    body();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void measure(std::uint32_t entities, oracle_policy policy) {
    const Workload workload = synthetic(entities, policy);
    const workloads::LoadedWorkload loaded =
        workloads::parse_workload(workload_json(workload), "synthetic");
    const workloads::Config config = workloads::resolve_rings(
        workloads::interpret_config(workloads::Json::parse(config_json(workload)), "synthetic"),
        *loaded.workload);
    double kernel = 1e9, ours = 1e9;
    for (int round = 0; round < rounds; ++round) {
        kernel = std::min(kernel, seconds_of([&] {
                              oracle_result result;
                              oracle_run_silently(workload, result);
                          }));
        ours = std::min(ours, seconds_of([&] {
                            const auto source = loaded.open_jobs();
                            workloads::simulate(config, *loaded.workload, *source);
                        }));
    }
    fmt::print("{:>8}  {:<6}  {:>16.0f}  {:>16.0f}  {:>6.2f}\n", entities,
               policy == ORACLE_RR ? "rr" : "fifo", jobs / kernel, jobs / ours, kernel / ours);
    std::fflush(stdout);
}

} // namespace

int main() try {
    fmt::print("entities  policy  kernel (jobs/s)  fenceline (jobs/s)   ratio\n");
    for (const std::uint32_t entities : {4u, 64u, 1024u})
        for (const oracle_policy policy : {ORACLE_FIFO, ORACLE_RR})
            measure(entities, policy);
    return 0;
} catch (const std::exception& error) {
    fmt::print(stderr, "throughput: {}\n", error.what());
    return 3;
}
