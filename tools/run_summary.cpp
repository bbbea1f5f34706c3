#include "tools/run_summary.hpp"

#include "tools/human.hpp"
#include "tools/ledger_report.hpp"
#include "tools/program_tables.hpp"
#include "tools/text_lines.hpp"
#include "tools/verdict.hpp"
#include "workloads/duration.hpp"
#include "workloads/input_error.hpp"
#include "workloads/names.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fenceline::tools {
namespace {

using workloads::ClientResult;
using workloads::RunResult;

/// Beyond these the summary says how many more there are; --json has them all.
constexpr std::size_t kMostRows = 40;
constexpr std::size_t kMostReports = 10;
constexpr std::size_t kMostTimelines = 3;
constexpr std::size_t kMostLines = 50;

/// The policies of the rings: usually one.
std::string policy_text(const workloads::Config& config) {
    std::vector<std::string_view> names;
    for (const workloads::RingConfig& ring : config.rings) {
        const std::string_view name = workloads::name_of(ring.policy);
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            names.push_back(name);
        }
    }
    if (names.empty()) {
        names.push_back(workloads::name_of(config.scheduler.policy));
    }
    return fmt::format("{}", fmt::join(names, "+"));
}

std::string lifetime_name(const workloads::Config& config) {
    return config.lifetime.name.empty() ? "(composed)" : config.lifetime.name;
}

std::string header(const PreparedRun& prepared, const RunResult& result, const Style& style) {
    const workloads::Config& config = prepared.config;
    const workloads::Workload& workload = *prepared.loaded.workload;
    std::string out = style.paint(
        wrapped(fmt::format("{} ({})", workload.name, workload.source_path), 0, 2), Tone::strong);
    out += wrapped(
        fmt::format(
            "policy {}, lifetime {}, kernel {}, seed {}{}", policy_text(config),
            lifetime_name(config), workloads::name_of(config.kernel), config.seed,
            config.quirks.empty() ? "" : fmt::format(", quirks {}", fmt::join(config.quirks, " "))),
        2, 4);
    const bool odd =
        result.end != workloads::RunEnd::normal && result.end != workloads::RunEnd::until;
    out += style.paint(wrapped(fmt::format("{} at {}", end_text(result.end),
                                           workloads::format_duration(result.end_time)),
                               2, 4),
                       odd ? Tone::bad : Tone::plain);
    std::string jobs = human_plural(result.jobs_submitted, "job") + " submitted, " +
                       human_count(result.jobs_finished) + " finished";
    if (result.jobs_failed != 0) {
        jobs += " (" + human_count(result.jobs_failed) + " with an error)";
    }
    if (result.jobs_unfinished != 0) {
        jobs += ", " + human_count(result.jobs_unfinished) + " unfinished";
    }
    return out + wrapped(fmt::format("{}; makespan {}; Jain's fairness index {:.4f}", jobs,
                                     human_time(result.makespan), result.fairness),
                         2, 4);
}

std::string title(const std::string& text, const Style& style) {
    return "\n" + style.paint(text, Tone::strong) + "\n";
}

std::string more_line(std::size_t count, const std::string& what) {
    return count == 0 ? ""
                      : fmt::format("  ... and {} more: see --json\n", human_plural(count, what));
}

/// Those who used the GPU most, when there are too many; otherwise all, in order.
std::vector<const ClientResult*> shown_clients(const RunResult& result) {
    std::vector<const ClientResult*> clients;
    for (const ClientResult& client : result.clients) {
        clients.push_back(&client);
    }
    if (clients.size() > kMostRows) {
        std::stable_sort(
            clients.begin(), clients.end(),
            [](const ClientResult* a, const ClientResult* b) { return a->gpu_time > b->gpu_time; });
        clients.resize(kMostRows);
    }
    return clients;
}

std::string client_tables(const RunResult& result, const Style& style) {
    if (result.clients.empty()) {
        return {};
    }
    Table use({{"client", Align::left, Overflow::cut},
               {"jobs"},
               {"finished"},
               {"with error"},
               {"GPU time"},
               {"share"},
               {"jobs/s"}});
    Table latency({{"client", Align::left, Overflow::cut},
                   {"queue\ndelay p50"},
                   {"p95"},
                   {"p99"},
                   {"max"},
                   {"completion\nlatency p50"},
                   {"p95"},
                   {"p99"},
                   {"max"}});
    const std::vector<const ClientResult*> shown = shown_clients(result);
    for (const ClientResult* client : shown) {
        use.row({{client->name},
                 {human_count(client->submitted)},
                 {human_count(client->finished)},
                 {human_count(client->failed), client->failed == 0 ? Tone::plain : Tone::bad},
                 {human_time(client->gpu_time)},
                 {human_percent(client->gpu_share)},
                 {human_number(client->jobs_per_second)}});
        std::vector<Cell> cells{{client->name}};
        for (const workloads::LatencySummary* summary :
             {&client->queue_delay, &client->completion}) {
            for (const sim::Time time : {summary->p50, summary->p95, summary->p99, summary->max}) {
                cells.push_back({summary->count == 0 ? "-" : human_time(time)});
            }
        }
        latency.row(std::move(cells));
    }
    return title("Clients", style) + use.text(style) + "\n" + latency.text(style) +
           more_line(result.clients.size() - shown.size(), "client") + program_tables(shown, style);
}

std::string ring_table(const RunResult& result, const Style& style) {
    if (result.rings.empty()) {
        return {};
    }
    Table table({{"ring", Align::left, Overflow::cut},
                 {"jobs"},
                 {"busy"},
                 {"utilisation"},
                 {"occupancy"},
                 {"context switches"}});
    const std::size_t shown = std::min(result.rings.size(), kMostRows);
    for (std::size_t i = 0; i < shown; ++i) {
        const workloads::RingResult& ring = result.rings[i];
        table.row({{ring.name},
                   {human_count(ring.jobs)},
                   {human_time(ring.busy)},
                   {human_percent(ring.utilisation)},
                   {fmt::format("{:.3f}", ring.occupancy)},
                   {human_count(ring.context_switches)}});
    }
    return title("Rings", style) + table.text(style) +
           more_line(result.rings.size() - shown, "ring");
}

std::string pinned_text(const workloads::LifetimeResult& lifetime) {
    if (lifetime.peak_pinned_objects == 0) {
        return wrapped("nothing stayed pinned after its fence had signalled", 2, 4);
    }
    const std::string longest =
        lifetime.longest_what.empty()
            ? std::string()
            : fmt::format("; longest {} ({}, held by {})", human_time(lifetime.longest_pinned),
                          lifetime.longest_what, lifetime.longest_holder);
    const std::string out =
        wrapped(fmt::format("pinned after signal: {} in all; at the peak {} in {}{}; {} never "
                            "released",
                            human_byte_seconds(lifetime.pinned_byte_seconds),
                            human_bytes(static_cast<double>(lifetime.peak_pinned_bytes)),
                            human_plural(lifetime.peak_pinned_objects, "object"), longest,
                            human_count(lifetime.unreleased)),
                2, 4);
    std::vector<std::string> holders;
    for (const workloads::HolderBytes& bytes : lifetime.by_holder) {
        holders.push_back(
            fmt::format("{} {}", bytes.holder, human_byte_seconds(bytes.byte_seconds)));
    }
    return holders.empty()
               ? out
               : out + wrapped(fmt::format("held last by: {}", fmt::join(holders, ", ")), 2, 4);
}

std::string lifetime_section(const RunResult& result, const Style& style) {
    const workloads::LifetimeResult& lifetime = result.lifetime;
    std::string out = title("Lifetime policy " + workloads::printable(lifetime.policy), style);
    out += pinned_text(lifetime);
    for (const workloads::UnloadWait& wait : lifetime.unload_waits) {
        out += wrapped(fmt::format("{} waited for {}: {} from {}{}", wait.who, wait.reason,
                                   human_time(wait.duration), human_time(wait.from),
                                   wait.finished ? "" : ", and still waits at the end"),
                       2, 4);
    }
    if (lifetime.unload_time != 0) {
        out += wrapped("the longest unload took " + human_time(lifetime.unload_time), 2, 4);
    }
    return out + wrapped(fmt::format("{:.2f} atomic operations and {:.2f} lock acquisitions a job; "
                                     "{} B of public and {} B of hardware fence a job; at most {} "
                                     "alive",
                                     lifetime.atomics_per_job, lifetime.locks_per_job,
                                     lifetime.public_fence_bytes, lifetime.hardware_fence_bytes,
                                     human_plural(lifetime.peak_fences, "fence")),
                         2, 4);
}

/// `3 leak/fence, 1 use-after-free/lock`, in order of first appearance.
std::string hazard_counts(const std::vector<sim::Hazard>& hazards) {
    std::vector<std::pair<std::string, std::uint64_t>> counts;
    for (const sim::Hazard& hazard : hazards) {
        const std::string kind = fmt::format("{}/{}", hazard.kind->name, hazard.subject);
        const auto it = std::find_if(counts.begin(), counts.end(),
                                     [&](const auto& count) { return count.first == kind; });
        if (it == counts.end()) {
            counts.emplace_back(kind, 1);
        } else {
            ++it->second;
        }
    }
    std::string text;
    for (const auto& [kind, count] : counts) {
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", human_count(count), kind);
    }
    return text;
}

std::string hazard_section(const RunResult& result, const Style& style) {
    const bool partial = result.end == workloads::RunEnd::interrupted;
    if (result.hazards.empty()) {
        return title("Hazards", style) + "  " +
               style.paint(partial ? "none so far" : "none", Tone::good) + "\n";
    }
    std::string out = title("Hazards", style);
    out += style.paint(wrapped(hazard_counts(result.hazards), 2, 4), Tone::bad);
    const std::size_t shown = std::min(result.hazards.size(), kMostReports);
    for (std::size_t i = 0; i < shown; ++i) {
        out += "\n";
        sim::Hazard hazard = result.hazards[i];
        if (i >= kMostTimelines) {
            hazard.timeline = {};
        }
        std::string report = report_text(hazard);
        report.erase(report.find_last_not_of('\n') + 1);
        for (const std::string& line : split_lines(report)) {
            const std::size_t indent = std::min<std::size_t>(line.find_first_not_of(' '), 20);
            out += wrapped(line.substr(std::min(indent, line.size())), 2 + indent, 6 + indent);
        }
    }
    return out + more_line(result.hazards.size() - shown, "report");
}

std::string line_section(const std::string& name, const std::vector<std::string>& lines,
                         const Style& style) {
    if (lines.empty()) {
        return {};
    }
    std::string out = title(name, style);
    const std::size_t shown = std::min(lines.size(), kMostLines);
    for (std::size_t i = 0; i < shown; ++i) {
        out += wrapped(lines[i], 2, 4);
    }
    return out + more_line(lines.size() - shown, "line");
}

} // namespace

std::string run_summary(const PreparedRun& prepared, const RunResult& result, const Style& style) {
    return header(prepared, result, style) + client_tables(result, style) +
           ring_table(result, style) + lifetime_section(result, style) +
           unload_section(result, style) +
           line_section("Observations", result.observations, style) +
           line_section("Warnings", result.warnings, style) + hazard_section(result, style) +
           ledger_section(result, style);
}

} // namespace fenceline::tools
