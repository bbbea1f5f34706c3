// One replay of generated jobs, to be run under callgrind or for its time and memory:
//
//     replay_cost JOBS ENTITIES POLICY [after] [timeout] [backlog]
//
// after: three in four jobs wait for another; timeout: each ring has one; backlog: all jobs come at
// once, so that all are in flight. The difference between two numbers of jobs, divided by it, is the
// cost of a job. Prints a line of JSON.

#include "bench/generated_jobs.hpp"
#include "bench/peak_memory.hpp"
#include "workloads/simulation.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <string_view>

using namespace fenceline;

int main(int argc, char** argv) {
    const std::uint64_t jobs = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
    const auto entities =
        static_cast<std::uint32_t>(argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 4);
    bench::JobShape shape;
    const char* timeout = "none";
    for (int i = 4; i < argc; ++i) {
        const std::string_view option = argv[i];
        if (option == "after")
            shape.after = true;
        else if (option == "timeout")
            timeout = "10s";
        else if (option == "backlog")
            shape.backlog = true;
        else {
            fmt::print(stderr, "replay_cost: found '{}', expected after, timeout or backlog\n",
                       option);
            return 2;
        }
    }

    const workloads::Workload workload = bench::make_workload(entities);
    const workloads::Config config =
        bench::make_config(workload, argc > 3 ? argv[3] : "fifo", timeout);
    bench::GeneratedJobs source(jobs, entities, shape);
    const auto start = std::chrono::steady_clock::now();
    const auto result = workloads::simulate(config, workload, source);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    fmt::print("{{\"jobs\":{},\"failed\":{},\"events\":{},\"seconds\":{:.6f},\"peak_kb\":{}}}\n",
               result.jobs_finished, result.jobs_failed, result.events, seconds.count(),
               bench::peak_memory_kb());
    return result.jobs_finished == jobs && result.jobs_failed == 0 && !result.violated() ? 0 : 1;
}
