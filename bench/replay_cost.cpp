// One replay of generated jobs, to be run under callgrind or time:
//
//     valgrind --tool=callgrind build/release/bench/replay_cost JOBS ENTITIES POLICY
//
// The difference between two numbers of jobs, divided by it, is the cost of a job.

#include "bench/generated_jobs.hpp"
#include "workloads/simulation.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

using namespace fenceline;

int main(int argc, char** argv) {
    const std::uint64_t jobs = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
    const auto entities =
        static_cast<std::uint32_t>(argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 4);
    const workloads::Workload workload = bench::make_workload(entities);
    const workloads::Config config = bench::make_config(workload, argc > 3 ? argv[3] : "fifo");
    bench::GeneratedJobs source(jobs, entities);
    const auto result = workloads::simulate(config, workload, source);
    std::printf("%llu jobs, %llu events\n", static_cast<unsigned long long>(result.jobs_finished),
                static_cast<unsigned long long>(result.events));
}
