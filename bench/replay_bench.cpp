// Replay: jobs a second through the whole model, by the number of entities and policy.
//
// The jobs come from memory, so this is the simulation alone: no file is read, no event log
// written.

#include "bench/generated_jobs.hpp"
#include "workloads/simulation.hpp"

#include <benchmark/benchmark.h>

using namespace fenceline;

namespace {

void replay(benchmark::State& state, const char* policy) {
    const auto entities = static_cast<std::uint32_t>(state.range(0));
    constexpr std::uint64_t kJobs = 200'000;
    const workloads::Workload workload = bench::make_workload(entities);
    const workloads::Config config = bench::make_config(workload, policy);
    for (auto _ : state) {
        bench::GeneratedJobs jobs(kJobs, entities);
        const auto result = workloads::simulate(config, workload, jobs);
        benchmark::DoNotOptimize(result.jobs_finished);
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(kJobs) * state.iterations());
}

BENCHMARK_CAPTURE(replay, fifo, "fifo")->Arg(1)->Arg(4)->Arg(64)->Arg(1024)->Arg(4096);
BENCHMARK_CAPTURE(replay, rr, "rr")->Arg(1)->Arg(4)->Arg(64)->Arg(1024)->Arg(4096);

} // namespace

BENCHMARK_MAIN();
