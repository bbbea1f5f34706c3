// Reading jobs: bytes a second from a file in the page cache to checked jobs, simulation off; and
// beside it what nlohmann's DOM and bare simdjson (which checks nothing and keeps nothing) take for
// the same lines. Times are wall clock time, because a reader may use threads.
#include "bench/json_lines.hpp"
#include "workloads/read_workload.hpp"

#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>
#include <simdjson.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <unistd.h>

using namespace fenceline;

namespace {

constexpr std::uint64_t kJobs = 500'000;
constexpr std::uint32_t kEntities = 64;

/// A file of generated jobs for as long as the benchmark lasts.
class JobFile {
  public:
    explicit JobFile(bool after)
        : path_(std::filesystem::temp_directory_path() /
                fmt::format("fenceline-parse-bench-{}.jsonl", getpid())) {
        std::ofstream file(path_);
        bench::GeneratedJobs jobs(kJobs, kEntities, {.after = after});
        bench::write_json_lines(jobs, kEntities, [&](std::string_view text) { file << text; });
        file.close();
        if (!file)
            throw std::runtime_error("cannot write " + path_.string());
    }
    JobFile(const JobFile&) = delete;
    JobFile& operator=(const JobFile&) = delete;
    ~JobFile() { std::filesystem::remove(path_); }

    [[nodiscard]] std::string path() const { return path_.string(); }
    [[nodiscard]] std::uint64_t bytes() const { return std::filesystem::file_size(path_); }

  private:
    std::filesystem::path path_;
};

std::uint64_t read_ours(const std::string& path) {
    const workloads::LoadedWorkload loaded = workloads::load_workload(path);
    const auto source = loaded.open_jobs();
    std::uint64_t sum = 0;
    for (workloads::JobRecord job; source->next(job);)
        sum += job.duration;
    return sum;
}

std::uint64_t read_with_dom(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    std::uint64_t sum = 0;
    while (std::getline(file, line))
        sum += nlohmann::json::parse(line)["duration"].get<std::uint64_t>();
    return sum;
}

std::uint64_t read_with_simdjson(const std::string& path) {
    simdjson::ondemand::parser parser;
    auto text = simdjson::padded_string::load(path);
    simdjson::ondemand::document_stream stream;
    if (parser.iterate_many(text.value()).get(stream) != simdjson::SUCCESS)
        throw std::runtime_error("simdjson does not take the file");
    std::uint64_t sum = 0;
    bool head = true;
    for (auto document : stream) {
        if (!std::exchange(head, false))
            sum += document["duration"].get_uint64().value();
    }
    return sum;
}

void parse(benchmark::State& state, std::uint64_t (*read)(const std::string&), bool after) {
    const JobFile file(after);
    for (auto _ : state)
        if (read(file.path()) != kJobs * 90)
            state.SkipWithError("not every job was read");
    state.SetBytesProcessed(static_cast<std::int64_t>(file.bytes()) * state.iterations());
    state.SetItemsProcessed(static_cast<std::int64_t>(kJobs) * state.iterations());
}

BENCHMARK_CAPTURE(parse, ours_plain, read_ours, false)->UseRealTime();
BENCHMARK_CAPTURE(parse, ours_after, read_ours, true)->UseRealTime();
BENCHMARK_CAPTURE(parse, simdjson_plain, read_with_simdjson, false)->UseRealTime();
BENCHMARK_CAPTURE(parse, simdjson_after, read_with_simdjson, true)->UseRealTime();
BENCHMARK_CAPTURE(parse, nlohmann_plain, read_with_dom, false)->UseRealTime();
BENCHMARK_CAPTURE(parse, nlohmann_after, read_with_dom, true)->UseRealTime();

} // namespace

BENCHMARK_MAIN();
