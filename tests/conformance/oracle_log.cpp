// Hands a workload to the oracle and writes what it does as the project's event log.

#include "workload.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iterator>

namespace conformance {
namespace {

// The oracle's view of a workload: arrays that point into the workload and into each other.
struct OracleView {
    explicit OracleView(const Workload& from);

    std::vector<oracle_ring> rings;
    std::vector<oracle_entity> entities;
    std::vector<oracle_job> jobs;
    std::vector<oracle_action> actions;
    oracle_workload workload{};
};

std::uint32_t count(std::size_t size) {
    return static_cast<std::uint32_t>(size);
}

OracleView::OracleView(const Workload& from) {
    for (const auto& r : from.rings)
        rings.push_back({r.name.c_str(), r.credit_limit, r.timeout, r.hang_limit, r.on_timeout});
    for (const auto& e : from.entities)
        entities.push_back({e.rings.data(), count(e.rings.size()), e.priority, e.guilty_flag});
    jobs.reserve(from.jobs.size());
    for (const auto& j : from.jobs)
        jobs.push_back({j.at, j.entity, j.credits, j.duration, j.after.data(),
                        count(j.after.size()), j.via, j.run});
    for (const auto& a : from.actions)
        actions.push_back({a.at, a.kind, a.entity, a.ring, a.priority, a.rings.data(),
                           count(a.rings.size()), a.job, a.deadline});
    workload = {rings.data(), count(rings.size()),   entities.data(), count(entities.size()),
                jobs.data(),  count(jobs.size()),    actions.data(),  count(actions.size()),
                from.policy,  from.rcu_grace_period, from.until};
}

struct Writer {
    std::string text;
    const Workload* workload;
    std::vector<std::string> entity_names, ring_names; // as JSON strings
    std::string observations;                          // lines behind the log
};

// In the words of the simulator's observations.
void write_query(Writer& writer, const oracle_event& event) {
    auto out = std::back_inserter(writer.observations);
    fmt::format_to(out, "observed {} ns: query job {}: ", event.t,
                   writer.workload->jobs[event.job].id);
    if (event.driver)
        fmt::format_to(out, "driver '{}', timeline '{}', status {}\n", event.driver, event.timeline,
                       event.error);
    else
        writer.observations += "its submit had failed\n";
}

void write_event(void* context, const oracle_event* event) {
    auto& writer = *static_cast<Writer*>(context);
    if (event->kind == ORACLE_EV_QUERY)
        return write_query(writer, *event);
    auto out = std::back_inserter(writer.text);
    const char* name = oracle_event_name(event->kind);
    const std::string& ring = writer.ring_names[event->ring];
    if (event->kind == ORACLE_EV_RESET) {
        fmt::format_to(out, "{{\"t\":{},\"ev\":\"{}\",\"ring\":{}}}\n", event->t, name, ring);
        return;
    }
    fmt::format_to(out, "{{\"t\":{},\"ev\":\"{}\",\"job\":{},\"entity\":{},\"ring\":{}", event->t,
                   name, writer.workload->jobs[event->job].id, writer.entity_names[event->entity],
                   ring);
    if (event->error)
        fmt::format_to(out, ",\"err\":{}", event->error);
    writer.text += "}\n";
}

void run(const Workload& workload, oracle_listener listener, void* context, oracle_result& result) {
    const OracleView view(workload);
    if (oracle_run(&view.workload, listener, context, &result) != 0)
        throw InputError("the workload does not make sense to the oracle");
}

} // namespace

std::string oracle_log(const Workload& workload, oracle_result& result) {
    Writer writer{{}, &workload, {}, {}, {}};
    for (const auto& entity : workload.entities)
        writer.entity_names.push_back(nlohmann::json(entity.id).dump());
    for (const auto& ring : workload.rings)
        writer.ring_names.push_back(nlohmann::json(ring.name).dump());
    run(workload, write_event, &writer, result);
    if (result.hazard == ORACLE_HAZARD_NONE) // the other side's come at the end, too
        writer.text += writer.observations;
    return std::move(writer.text);
}

void oracle_run_silently(const Workload& workload, oracle_result& result) {
    run(workload, nullptr, nullptr, result);
}

} // namespace conformance
