// throughput: the same workloads through the kernel's own scheduler (without access checks) and
// through Fenceline, in turn on one core, and how fast each is. Figures only, no verdict.
//
// Both get the jobs as values in memory and write no log. Fenceline runs as it always does, with its
// checks and statistics. A pass of each comes first and does not count (memory, caches); a figure is
// the median of the others, the ratio that of the passes' ratios, because the two sides of a pass met
// the same neighbours. Both have to bring every job to its end, at the same virtual time.

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
#include <stdexcept>
#include <string>
#include <vector>

using namespace conformance;
namespace workloads = fenceline::workloads;

namespace {

constexpr std::uint32_t jobs = 100'000;
constexpr int passes = 5;

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

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

void expect_same_work(const oracle_result& kernel, const workloads::RunResult& ours) {
    if (kernel.jobs_freed != jobs || kernel.hazard != ORACLE_HAZARD_NONE ||
        ours.jobs_finished != jobs || ours.violated() || kernel.end_time != ours.end_time)
        throw std::runtime_error(fmt::format(
            "not the same work: the kernel's code freed {} jobs by {} ns, Fenceline finished {} "
            "by {} ns, of {}",
            kernel.jobs_freed, kernel.end_time, ours.jobs_finished, ours.end_time, jobs));
}

void measure(std::uint32_t entities, oracle_policy policy) {
    const Workload workload = synthetic(entities, policy);
    const workloads::LoadedWorkload loaded =
        workloads::parse_workload(workload_json(workload), "synthetic");
    const workloads::Config config = workloads::resolve_rings(
        workloads::interpret_config(workloads::Json::parse(config_json(workload)), "synthetic"),
        *loaded.workload);
    std::vector<double> kernel, ours, ratios;
    for (int pass = 0; pass <= passes; ++pass) {
        oracle_result kernel_result;
        workloads::RunResult our_result;
        const double kernel_seconds =
            seconds_of([&] { oracle_run_silently(workload, kernel_result); });
        const double our_seconds = seconds_of([&] {
            const auto source = loaded.open_jobs();
            our_result = workloads::simulate(config, *loaded.workload, *source);
        });
        expect_same_work(kernel_result, our_result);
        if (pass == 0)
            continue;
        kernel.push_back(jobs / kernel_seconds);
        ours.push_back(jobs / our_seconds);
        ratios.push_back(kernel_seconds / our_seconds);
    }
    fmt::print("{:>8}  {:<6}  {:>16.0f}  {:>16.0f}  {:>6.2f}\n", entities,
               policy == ORACLE_RR ? "rr" : "fifo", median(kernel), median(ours), median(ratios));
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
