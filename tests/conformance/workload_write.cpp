// Writes a workload in the project's own formats, one entity, job or action on a line.

#include "names.hpp"
#include "workload.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iterator>

namespace conformance {
namespace {

using Json = nlohmann::ordered_json;

Json time_or_word(std::uint64_t time, const char* word) {
    return time == never ? Json(word) : Json(time);
}

Json ring_names(const Workload& workload, const std::vector<std::uint32_t>& rings) {
    Json names = Json::array();
    for (const auto ring : rings)
        names.push_back(workload.rings[ring].name);
    return names;
}

Json entity_json(const Workload& workload, const Entity& entity) {
    Json object;
    object["id"] = entity.id;
    object["rings"] = ring_names(workload, entity.rings);
    object["priority"] = priority_names[entity.priority];
    if (entity.guilty_flag)
        object["guilty"] = true;
    return object;
}

Json job_json(const Workload& workload, const Job& job) {
    Json object;
    object["id"] = job.id;
    object["at"] = job.at;
    object["entity"] = workload.entities[job.entity].id;
    object["duration"] = time_or_word(job.duration, "forever");
    if (job.credits != 1)
        object["credits"] = job.credits;
    for (const auto other : job.after)
        object["after"].push_back(workload.jobs[other].id);
    if (job.via != ORACLE_VIA_NONE)
        object["via"] = via_names[job.via];
    if (job.run != ORACLE_RUN_NORMAL)
        object["run_job"] = run_names[job.run];
    return object;
}

Json action_json(const Workload& workload, const Action& action) {
    Json object;
    object["at"] = action.at;
    object["do"] = action_names[action.kind];
    if (action.names_job())
        object["job"] = workload.jobs[action.job].id;
    else if (action.names_ring())
        object["ring"] = workload.rings[action.ring].name;
    else
        object["entity"] = workload.entities[action.entity].id;
    if (action.kind == ORACLE_SET_DEADLINE)
        object["deadline"] = action.deadline;
    if (action.kind == ORACLE_SET_PRIORITY)
        object["priority"] = priority_names[action.priority];
    if (action.kind == ORACLE_MODIFY_SCHED)
        object["rings"] = ring_names(workload, action.rings);
    return object;
}

template <typename List, typename Write>
void append_list(std::string& text, const char* key, const List& list, Write write) {
    fmt::format_to(std::back_inserter(text), ",\n  \"{}\": [", key);
    const char* separator = "\n    ";
    for (const auto& item : list) {
        text += separator + write(item).dump();
        separator = ",\n    ";
    }
    text += list.empty() ? "]" : "\n  ]";
}

} // namespace

std::string workload_json(const Workload& workload) {
    std::string text =
        fmt::format("{{ \"format\": \"fenceline/workload\", \"version\": 1, \"name\": {}",
                    Json(workload.name).dump());
    append_list(text, "entities", workload.entities,
                [&](const Entity& entity) { return entity_json(workload, entity); });
    append_list(text, "jobs", workload.jobs,
                [&](const Job& job) { return job_json(workload, job); });
    if (!workload.actions.empty())
        append_list(text, "actions", workload.actions,
                    [&](const Action& action) { return action_json(workload, action); });
    return text + "\n}\n";
}

std::string config_json(const Workload& workload) {
    Json config;
    config["format"] = "fenceline/config";
    config["version"] = 1;
    config["kernel"] = "6.12";
    config["scheduler"]["policy"] = policy_names[workload.policy];
    for (const auto& ring : workload.rings) {
        Json object;
        object["name"] = ring.name;
        object["credit_limit"] = ring.credit_limit;
        const Ring defaults;
        if (ring.timeout != defaults.timeout)
            object["timeout"] = ring.timeout;
        if (ring.hang_limit != defaults.hang_limit)
            object["hang_limit"] = ring.hang_limit;
        if (ring.on_timeout != defaults.on_timeout)
            object["on_timeout"] = on_timeout_names[ring.on_timeout];
        config["rings"].push_back(std::move(object));
    }
    config["rcu_grace_period"] = workload.rcu_grace_period;
    config["until"] = time_or_word(workload.until, "none");
    return config.dump() + "\n";
}

} // namespace conformance
