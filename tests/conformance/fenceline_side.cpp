#include "fenceline_side.hpp"

#include "scheduler/event_log.hpp"
#include "workloads/read_config.hpp"
#include "workloads/read_workload.hpp"
#include "workloads/simulation.hpp"
#include "workloads/support.hpp"

#include <fmt/format.h>

#include <iterator>
#include <stdexcept>

namespace conformance {

namespace {

using namespace fenceline;

/// Writes the event log into a string, in the event log's format.
class TextSink final : public scheduler::EventSink {
  public:
    TextSink(const workloads::Workload& workload, const workloads::Config& config)
        : workload_(workload), config_(config) {}

    void on_event(const scheduler::LoggedEvent& event) override {
        auto out = std::back_inserter(text_);
        fmt::format_to(out, R"({{"t":{},"ev":"{}")", event.time, scheduler::name_of(event.event));
        if (event.event != scheduler::JobEvent::reset)
            fmt::format_to(out, R"(,"job":{},"entity":"{}")", event.job,
                           workload_.entities[event.entity].id);
        fmt::format_to(out, R"(,"ring":"{}")", config_.rings[event.ring].name);
        if (event.error != 0)
            fmt::format_to(out, R"(,"err":{})", event.error);
        text_ += "}\n";
    }
    [[nodiscard]] std::string take() { return std::move(text_); }

  private:
    const workloads::Workload& workload_;
    const workloads::Config& config_;
    std::string text_;
};

} // namespace

FencelineRun run_fenceline(const std::string& workload_json, const std::string& config_json) {
    const workloads::LoadedWorkload loaded = workloads::parse_workload(workload_json, "workload");
    const workloads::Config given =
        workloads::interpret_config(workloads::Json::parse(config_json), "config");
    if (const auto refused = workloads::unsupported(given); !refused.empty())
        throw std::runtime_error(refused.front());
    const workloads::Config config = workloads::resolve_rings(given, *loaded.workload);
    TextSink sink(*loaded.workload, config);
    workloads::RunOptions options;
    options.events = &sink;
    options.explain_hazards = false;
    const auto jobs = loaded.open_jobs();
    const workloads::RunResult result =
        workloads::simulate(config, *loaded.workload, *jobs, options);
    FencelineRun run{sink.take(), {}};
    if (result.end == workloads::RunEnd::hazard) {
        run.hazard = headline(result.hazards.back());
        return run;
    }
    for (const std::string& observation : result.observations)
        if (observation.find(": query ") != std::string::npos)
            run.log += "observed " + observation + '\n';
    return run;
}

} // namespace conformance
