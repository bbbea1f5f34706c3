// A file of jobs from the first byte to the last figure: replay_file FILE [POLICY]
//
// Time and memory of reading, checking and simulating. Prints a line of JSON.
#include "bench/peak_memory.hpp"
#include "workloads/input_error.hpp"
#include "workloads/read_config.hpp"
#include "workloads/read_workload.hpp"
#include "workloads/simulation.hpp"

#include <fmt/format.h>

#include <chrono>
#include <string>

using namespace fenceline;

int main(int argc, char** argv) try {
    if (argc < 2) {
        fmt::print(stderr, "usage: replay_file FILE [POLICY]\n");
        return 2;
    }
    workloads::Json document = {{"format", "fenceline/config"}, {"version", 1}};
    document["scheduler"]["policy"] = argc > 2 ? argv[2] : "fifo";
    const auto start = std::chrono::steady_clock::now();
    const workloads::LoadedWorkload loaded = workloads::load_workload(argv[1]);
    const workloads::Config config = workloads::resolve_rings(
        workloads::interpret_config(document, "replay_file"), *loaded.workload);
    const auto result = workloads::simulate(config, *loaded.workload, *loaded.open_jobs());
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    fmt::print("{{\"jobs\":{},\"seconds\":{:.6f},\"peak_kb\":{}}}\n", result.jobs_finished,
               seconds.count(), bench::peak_memory_kb());
    return result.violated() ? 1 : 0;
} catch (const workloads::InputError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
}
