#include "tools/json_report.hpp"

#include "tools/ledger_report.hpp"
#include "tools/matrix.hpp"
#include "tools/verdict.hpp"
#include "workloads/read_config.hpp"

namespace fenceline::tools {
namespace {

using workloads::Json;

Json tool_json() {
    return {{"name", "fenceline"}, {"version", FENCELINE_VERSION}};
}

Json latency_json(const workloads::LatencySummary& latency) {
    return {{"count", latency.count}, {"mean", latency.mean}, {"p50", latency.p50},
            {"p95", latency.p95},     {"p99", latency.p99},   {"max", latency.max}};
}

Json spread_json(const workloads::Spread& spread) {
    return {{"min", spread.min}, {"mean", spread.mean}, {"max", spread.max}};
}

Json program_json(const workloads::ProgramResult& program) {
    Json interval = latency_json(program.interval);
    interval["deviation"] = program.interval_deviation;
    return {{"started", program.started},
            {"ended", program.ended},
            {"iterations", program.iterations},
            {"elapsed", program.elapsed},
            {"iterations_per_second", program.iterations_per_second},
            {"period_misses", program.period_misses},
            {"interval", interval},
            {"cycle", spread_json(program.cycle)},
            {"latency", spread_json(program.latency)}};
}

Json clients_json(const std::vector<workloads::ClientResult>& clients) {
    Json list = Json::array();
    for (const workloads::ClientResult& client : clients) {
        list.push_back({{"name", client.name},
                        {"submitted", client.submitted},
                        {"finished", client.finished},
                        {"failed", client.failed},
                        {"gpu_time", client.gpu_time},
                        {"gpu_share", client.gpu_share},
                        {"jobs_per_second", client.jobs_per_second},
                        {"queue_delay", latency_json(client.queue_delay)},
                        {"completion_latency", latency_json(client.completion)}});
        if (client.program) {
            list.back()["program"] = program_json(*client.program);
        }
    }
    return list;
}

Json rings_json(const std::vector<workloads::RingResult>& rings) {
    Json list = Json::array();
    for (const workloads::RingResult& ring : rings) {
        list.push_back({{"name", ring.name},
                        {"jobs", ring.jobs},
                        {"busy", ring.busy},
                        {"utilisation", ring.utilisation},
                        {"occupancy", ring.occupancy},
                        {"context_switches", ring.context_switches}});
    }
    return list;
}

Json unload_json(const workloads::LifetimeResult& lifetime) {
    Json waits = Json::array();
    for (const workloads::UnloadWait& wait : lifetime.unload_waits) {
        waits.push_back({{"who", wait.who},
                         {"for", wait.reason},
                         {"from", wait.from},
                         {"duration", wait.duration},
                         {"finished", wait.finished}});
    }
    return {{"longest", lifetime.unload_time}, {"waits", waits}};
}

Json lifetime_result_json(const workloads::LifetimeResult& lifetime) {
    Json holders = Json::array();
    for (const workloads::HolderBytes& bytes : lifetime.by_holder) {
        holders.push_back({{"holder", bytes.holder}, {"byte_seconds", bytes.byte_seconds}});
    }
    Json sizes = Json::object();
    for (std::size_t i = 0; i < lifetime.bytes_by_configuration.size(); ++i) {
        constexpr std::string_view names[] = {"plain", "rt", "lockdep"};
        const auto& [scheduler_fence, hardware_fence] = lifetime.bytes_by_configuration[i];
        sizes[std::string(names[i])] = {{"scheduler_fence", scheduler_fence},
                                        {"hardware_fence", hardware_fence}};
    }
    Json longest = {{"duration", lifetime.longest_pinned},
                    {"what", lifetime.longest_what},
                    {"holder", lifetime.longest_holder}};
    return {{"policy", lifetime.policy},
            {"pinned",
             {{"byte_seconds", lifetime.pinned_byte_seconds},
              {"by_holder", holders},
              {"peak_bytes", lifetime.peak_pinned_bytes},
              {"peak_objects", lifetime.peak_pinned_objects},
              {"longest", longest},
              {"unreleased", lifetime.unreleased}}},
            {"peak_fences", lifetime.peak_fences},
            {"atomics_per_job", lifetime.atomics_per_job},
            {"locks_per_job", lifetime.locks_per_job},
            {"bytes_by_configuration", sizes},
            {"public_fence_bytes_per_job", lifetime.public_fence_bytes},
            {"hardware_fence_bytes_per_job", lifetime.hardware_fence_bytes},
            {"unload", unload_json(lifetime)}};
}

Json incident_json(const sim::Incident& incident) {
    if (!incident.known) {
        return nullptr;
    }
    Json frames = Json::array();
    for (const std::string_view frame : incident.frames) {
        frames.push_back(frame);
    }
    return {{"time", incident.time}, {"context", incident.context}, {"frames", frames}};
}

Json entries_json(const auto& entries) {
    Json list = Json::array();
    for (const sim::TimelineEntry& entry : entries) {
        list.push_back({{"time", entry.time},
                        {"what", entry.what},
                        {"context", entry.context},
                        {"function", entry.function}});
    }
    return list;
}

Json timeline_json(const sim::Hazard& hazard) {
    if (hazard.timeline.empty()) {
        return nullptr;
    }
    return {{"fence", hazard.fence},
            {"first", entries_json(hazard.timeline.first())},
            {"left_out", hazard.timeline.left_out()},
            {"last", entries_json(hazard.timeline.last())}};
}

Json rule_json(const sim::BrokenRule& rule) {
    if (rule.rule.empty()) {
        return nullptr;
    }
    return {{"rule", rule.rule}, {"value", rule.value}, {"about", rule.about}};
}

Json presets_json(const std::vector<sim::PresetVerdict>& presets) {
    Json list = Json::array();
    for (const sim::PresetVerdict& verdict : presets) {
        list.push_back({{"preset", verdict.preset},
                        {"verdict", !verdict.known          ? "unknown"
                                    : verdict.has_it        ? "fails as well"
                                    : verdict.first.empty() ? "safe"
                                                            : "fails otherwise"},
                        {"first", verdict.first.empty() ? Json() : Json(verdict.first)}});
    }
    return list;
}

Json hazards_json(const std::vector<sim::Hazard>& hazards) {
    Json list = Json::array();
    for (const sim::Hazard& hazard : hazards) {
        list.push_back({{"class", hazard.kind->name},
                        {"fatal", hazard.kind->fatal},
                        {"subject", hazard.subject},
                        {"object", hazard.object},
                        {"message", hazard.message},
                        {"event", hazard.event},
                        {"finding", hazard.finding},
                        {"access", incident_json(hazard.access)},
                        {"allocated", incident_json(hazard.allocated)},
                        {"freed", incident_json(hazard.freed)},
                        {"holders", hazard.holders},
                        {"timeline", timeline_json(hazard)},
                        {"rule", rule_json(hazard.rule)},
                        {"presets", presets_json(hazard.presets)},
                        {"report", report_text(hazard)}});
    }
    return list;
}

Json verdict_json(const workloads::RunResult& result) {
    const bool partial = result.end == workloads::RunEnd::interrupted;
    const bool fails = result.violated();
    return {{"verdict", fails     ? "fails"
                        : partial ? "unknown"
                                  : "safe"},
            {"first", fails ? Json(first_failure(result)) : Json()}};
}

/// What a result and a run of a comparison have in common.
void put_run(Json& document, const PreparedRun& prepared, const workloads::RunResult& result) {
    const workloads::Workload& workload = *prepared.loaded.workload;
    document["interrupted"] = result.end == workloads::RunEnd::interrupted;
    document["configuration"] = effective_json(prepared.config);
    document["seed"] = prepared.config.seed;
    document["workload"] = {{"path", workload.source_path}, {"name", workload.name}};
    document.update(verdict_json(result));
    document["end"] = name_of(result.end);
    document["end_time"] = result.end_time;
    document["makespan"] = result.makespan;
    document["engine_events"] = result.events;
    document["jobs"] = {{"submitted", result.jobs_submitted},
                        {"finished", result.jobs_finished},
                        {"failed", result.jobs_failed},
                        {"unfinished", result.jobs_unfinished}};
    document["fairness"] = result.fairness;
    document["clients"] = clients_json(result.clients);
    document["rings"] = rings_json(result.rings);
    document["lifetime"] = lifetime_result_json(result.lifetime);
    document["lifetime"]["unload"]["moments"] = unload_moments_json(result.unload_moments);
    if (result.ledger) {
        document["ledger"] = ledger_json(*result.ledger);
    }
    document["hazards"] = hazards_json(result.hazards);
    document["warnings"] = result.warnings;
    document["observations"] = result.observations;
}

} // namespace

Json result_json(const PreparedRun& prepared, const workloads::RunResult& result, RunFlags flags) {
    Json document = {{"format", "fenceline/result"}, {"version", 1}, {"tool", tool_json()}};
    document["keep_going"] = flags.keep_going;
    document["strict"] = flags.strict;
    put_run(document, prepared, result);
    return document;
}

Json comparison_json(const Comparison& comparison) {
    Json document = {{"format", "fenceline/comparison"}, {"version", 1}, {"tool", tool_json()}};
    document["interrupted"] = comparison.interrupted;
    document["keep_going"] = comparison.flags.keep_going;
    document["strict"] = comparison.flags.strict;
    Json& axes = document["vary"] = Json::array();
    for (const workloads::VaryAxis& axis : comparison.axes) {
        axes.push_back({{"key", axis.key}, {"values", axis.values}});
    }
    if (!comparison.matrix.empty()) {
        document["matrix"] = matrix_json(comparison);
    }
    Json& runs = document["runs"] = Json::array();
    for (const ComparedRun& run : comparison.runs) {
        if (!run.done) {
            continue;
        }
        Json entry = Json::object();
        Json& values = entry["values"] = Json::object();
        for (std::size_t i = 0; i < comparison.axes.size(); ++i) {
            values[comparison.axes[i].key] = run.values[i];
        }
        put_run(entry, run.prepared, run.result);
        runs.push_back(std::move(entry));
    }
    return document;
}

std::string json_text(const Json& document) {
    // Names in paths need not be UTF-8; everything that came from documents is.
    return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace fenceline::tools
