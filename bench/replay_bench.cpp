// Replay: jobs a second through the whole model, by the number of entities and policy.
//
// The jobs come from memory, so this is the simulation alone: no file is read, no event log written.

#include "workloads/read_config.hpp"
#include "workloads/read_workload.hpp"
#include "workloads/simulation.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <string>

using namespace fenceline;

namespace {

/// Open-loop jobs spread over entities, a little less work than the ring can do.
class GeneratedJobs final : public workloads::JobSource {
  public:
    GeneratedJobs(std::uint64_t jobs, std::uint32_t entities) : jobs_(jobs), entities_(entities) {}
    bool next(workloads::JobRecord& out) override {
        if (next_ == jobs_)
            return false;
        out = {};
        out.id = next_;
        out.at = next_ * 100;
        out.duration = 90;
        out.entity = static_cast<std::uint32_t>(next_ * 7919 % entities_);
        ++next_;
        return true;
    }
    [[nodiscard]] std::optional<std::uint64_t> count_hint() const override { return jobs_; }
    [[nodiscard]] std::optional<std::uint64_t> ordinal_of(std::uint64_t id) const override {
        return id;
    }
    [[nodiscard]] std::string where() const override { return "generated"; }
    void rewind() override { next_ = 0; }

  private:
    std::uint64_t jobs_;
    std::uint64_t next_ = 0;
    std::uint32_t entities_;
};

std::string workload_text(std::uint32_t entities) {
    std::string text = R"({"format":"fenceline/workload","version":1,"name":"bench","entities":[)";
    for (std::uint32_t i = 0; i < entities; ++i)
        text += fmt::format(R"({}{{"id":"c{}/gfx","rings":["gfx"]}})", i == 0 ? "" : ",", i);
    return text + R"(],"jobs":[]})";
}

void replay(benchmark::State& state, const char* policy) {
    const auto entities = static_cast<std::uint32_t>(state.range(0));
    constexpr std::uint64_t kJobs = 200'000;
    auto loaded = workloads::parse_workload(workload_text(entities), "bench");
    workloads::Workload workload = *loaded.workload;
    workload.streamed = true; // the source is a stream: nothing per finished job is kept
    const auto config = workloads::resolve_rings(
        workloads::interpret_config(
            workloads::Json::parse(fmt::format(
                R"({{"format":"fenceline/config","version":1,"scheduler":{{"policy":"{}"}}}})",
                policy)),
            "bench"),
        workload);
    for (auto _ : state) {
        GeneratedJobs jobs(kJobs, entities);
        const auto result = workloads::simulate(config, workload, jobs);
        benchmark::DoNotOptimize(result.jobs_finished);
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(kJobs) * state.iterations());
}

BENCHMARK_CAPTURE(replay, fifo, "fifo")->Arg(1)->Arg(4)->Arg(64)->Arg(1024)->Arg(4096);
BENCHMARK_CAPTURE(replay, rr, "rr")->Arg(1)->Arg(4)->Arg(64)->Arg(1024)->Arg(4096);

} // namespace

BENCHMARK_MAIN();
