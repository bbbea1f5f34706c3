// Reads the part of the workload and configuration formats that the oracle can run.

#include "names.hpp"
#include "workload.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace conformance {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t longest = INT64_MAX; // 292 years

[[noreturn]] void fail(const std::string& text) {
    throw InputError(text);
}

void allow_keys(const Json& object, std::initializer_list<std::string_view> keys,
                const char* where) {
    if (!object.is_object())
        fail(fmt::format("{}: an object is expected", where));
    for (const auto& [key, value] : object.items())
        if (std::find(keys.begin(), keys.end(), key) == keys.end())
            fail(fmt::format("{}: the oracle does not know \"{}\"", where, key));
}

std::uint64_t time_value(const Json& value) {
    if (value.is_number_unsigned() && value.get<std::uint64_t>() <= longest)
        return value.get<std::uint64_t>();
    if (value.is_string())
        return read_time(value.get<std::string>());
    fail("a time is expected: " + value.dump());
}

std::uint64_t time_or(const Json& object, const char* key, std::uint64_t otherwise) {
    return object.contains(key) ? time_value(object.at(key)) : otherwise;
}

// A time that may also be the given word for "never".
std::uint64_t time_or_never(const Json& object, const char* key, const char* word) {
    if (!object.contains(key) || object.at(key) == word)
        return never;
    return time_value(object.at(key));
}

template <typename Enum, std::size_t count>
Enum word_or(const Json& object, const char* key, const std::array<std::string_view, count>& names,
             Enum otherwise) {
    if (!object.contains(key))
        return otherwise;
    const auto word = object.at(key).get<std::string>();
    const auto found = find_name<Enum>(names, word);
    if (!found)
        fail(fmt::format("\"{}\": the oracle does not know \"{}\"", key, word));
    return *found;
}

class Reader {
  public:
    Workload take() { return std::move(workload_); }

    void config(const Json& config);
    void header(const Json& document);
    void job(const Json& object);
    void actions(const Json& document);

  private:
    std::uint32_t ring_named(const std::string& name);
    std::vector<std::uint32_t> rings_of(const Json& names);
    std::uint32_t entity_named(const std::string& id) const;
    void scheduler_keys(const Json& object, Ring& ring);
    void add_ring(Ring ring);
    void add_entity(const Json& object);
    void action(const Json& object);

    Workload workload_;
    Ring ring_defaults_;
    std::unordered_map<std::string, std::uint32_t> rings_, entities_;
    std::unordered_map<std::uint64_t, std::uint32_t> jobs_;
};

void Reader::add_ring(Ring ring) {
    rings_.emplace(ring.name, static_cast<std::uint32_t>(workload_.rings.size()));
    workload_.rings.push_back(std::move(ring));
}

// Rings that only the workload names come into being with the defaults.
std::uint32_t Reader::ring_named(const std::string& name) {
    if (!rings_.contains(name)) {
        Ring ring = ring_defaults_;
        ring.name = name;
        add_ring(std::move(ring));
    }
    return rings_.at(name);
}

std::vector<std::uint32_t> Reader::rings_of(const Json& names) {
    std::vector<std::uint32_t> rings;
    for (const auto& name : names)
        rings.push_back(ring_named(name.get<std::string>()));
    if (rings.empty())
        fail("an entity needs a ring");
    return rings;
}

std::uint32_t Reader::entity_named(const std::string& id) const {
    const auto found = entities_.find(id);
    if (found == entities_.end())
        fail(fmt::format("there is no entity \"{}\"", id));
    return found->second;
}

void Reader::scheduler_keys(const Json& object, Ring& ring) {
    if (object.contains("timeout"))
        ring.timeout = time_or_never(object, "timeout", "none");
    ring.hang_limit = object.value("hang_limit", ring.hang_limit);
    ring.on_timeout = word_or(object, "on_timeout", on_timeout_names, ring.on_timeout);
    if (object.value("cancel", false))
        fail("\"cancel\" is of a later kernel");
}

void Reader::config(const Json& config) {
    allow_keys(config,
               {"format", "version", "workload", "kernel", "scheduler", "rings", "lifetime",
                "rcu_grace_period", "seed", "until", "costs", "quirks"},
               "configuration");
    if (config.value("kernel", "6.12") != "6.12")
        fail("the oracle is kernel 6.12");
    const Json costs = config.value("costs", Json::object());
    for (const auto& [key, value] : costs.items())
        if (time_value(value) != 0)
            fail("the oracle's work takes no time: \"costs\" must be 0");
    if (!config.value("quirks", Json::array()).empty())
        fail("the oracle has no quirks but its own");

    if (config.contains("scheduler")) {
        const Json& scheduler = config.at("scheduler");
        allow_keys(scheduler, {"policy", "timeout", "hang_limit", "on_timeout", "cancel"},
                   "scheduler");
        workload_.policy = word_or(scheduler, "policy", policy_names, workload_.policy);
        scheduler_keys(scheduler, ring_defaults_);
    }
    for (const auto& object : config.value("rings", Json::array())) {
        allow_keys(object,
                   {"name", "credit_limit", "context_switch", "interrupt_latency", "device",
                    "driver", "timeout", "hang_limit", "on_timeout", "cancel"},
                   "ring");
        if (time_or(object, "context_switch", 0) || time_or(object, "interrupt_latency", 0))
            fail("the oracle's rings switch and interrupt at once");
        Ring ring = ring_defaults_;
        ring.name = object.at("name").get<std::string>();
        ring.credit_limit = object.value("credit_limit", ring.credit_limit);
        scheduler_keys(object, ring);
        add_ring(std::move(ring));
    }
    workload_.rcu_grace_period = time_or(config, "rcu_grace_period", workload_.rcu_grace_period);
    workload_.until = time_or_never(config, "until", "none");
}

void Reader::add_entity(const Json& object) {
    allow_keys(object, {"id", "client", "rings", "priority", "guilty"}, "entity");
    Entity entity;
    entity.id = object.at("id").get<std::string>();
    entity.rings = rings_of(object.at("rings"));
    entity.priority = word_or(object, "priority", priority_names, entity.priority);
    entity.guilty_flag = object.value("guilty", false);
    const auto index = static_cast<std::uint32_t>(workload_.entities.size());
    if (!entities_.emplace(entity.id, index).second)
        fail(fmt::format("two entities \"{}\"", entity.id));
    workload_.entities.push_back(std::move(entity));
}

void Reader::header(const Json& document) {
    allow_keys(
        document,
        {"format", "version", "name", "about", "origin", "entities", "jobs", "clients", "actions"},
        "workload");
    if (!document.value("clients", Json::array()).empty())
        fail("the oracle runs listed jobs only, no clients");
    workload_.name = document.value("name", workload_.name);
    for (const auto& entity : document.value("entities", Json::array()))
        add_entity(entity);
}

void Reader::job(const Json& object) {
    allow_keys(object, {"id", "at", "entity", "duration", "credits", "after", "via", "run_job"},
               "job");
    Job job;
    job.id = object.at("id").get<std::uint64_t>();
    job.at = time_value(object.at("at"));
    job.entity = entity_named(object.at("entity").get<std::string>());
    job.duration = time_or_never(object, "duration", "forever");
    job.credits = object.value("credits", 1u);
    job.via = word_or(object, "via", via_names, ORACLE_VIA_NONE);
    job.run = word_or(object, "run_job", run_names, ORACLE_RUN_NORMAL);
    for (const auto& id : object.value("after", Json::array())) {
        const auto found = jobs_.find(id.get<std::uint64_t>());
        if (found == jobs_.end())
            fail(fmt::format("job {}: \"after\" must name earlier jobs", job.id));
        job.after.push_back(found->second);
    }
    if (!workload_.jobs.empty() && job.at < workload_.jobs.back().at)
        fail(fmt::format("job {}: \"at\" must not decrease", job.id));
    if (!jobs_.emplace(job.id, static_cast<std::uint32_t>(workload_.jobs.size())).second)
        fail(fmt::format("two jobs {}", job.id));
    workload_.jobs.push_back(std::move(job));
}

void Reader::action(const Json& object) {
    allow_keys(object, {"at", "do", "entity", "ring", "priority", "rings", "job", "deadline"},
               "action");
    Action action;
    action.at = time_value(object.at("at"));
    const auto verb = object.at("do").get<std::string>();
    const auto kind = find_name<oracle_action_kind>(action_names, verb);
    if (!kind)
        fail(fmt::format("the oracle does not know the action \"{}\"", verb));
    action.kind = *kind;
    if (object.contains("entity"))
        action.entity = entity_named(object.at("entity").get<std::string>());
    if (object.contains("ring"))
        action.ring = ring_named(object.at("ring").get<std::string>());
    action.priority = word_or(object, "priority", priority_names, action.priority);
    if (object.contains("deadline"))
        action.deadline = time_value(object.at("deadline"));
    if (action.names_job()) {
        const auto job = jobs_.find(object.at("job").get<std::uint64_t>());
        if (job == jobs_.end() || workload_.jobs[job->second].at > action.at)
            fail(fmt::format("{}: no such job by then", verb));
        action.job = job->second;
    }
    if (object.contains("rings"))
        action.rings = rings_of(object.at("rings"));
    workload_.actions.push_back(std::move(action));
}

void Reader::actions(const Json& document) {
    for (const auto& object : document.value("actions", Json::array()))
        action(object);
}

} // namespace

std::uint64_t read_time(const std::string& text) {
    const auto unit_at = text.find_first_not_of("0123456789.");
    const std::string unit = unit_at == std::string::npos ? "" : text.substr(unit_at);
    const std::string number = text.substr(0, unit_at);
    const std::unordered_map<std::string, unsigned> digits_of{
        {"ns", 0}, {"us", 3}, {"ms", 6}, {"s", 9}};
    const auto digits = digits_of.find(unit);
    if (digits == digits_of.end() || number.empty() || number.front() == '.')
        fail(fmt::format("\"{}\" is not a time", text));

    const auto point = number.find('.');
    std::string whole = number.substr(0, point);
    std::string fraction = point == std::string::npos ? "" : number.substr(point + 1);
    if (fraction.size() > digits->second || fraction.find('.') != std::string::npos)
        fail(fmt::format("\"{}\" is finer than a nanosecond", text));
    fraction.resize(digits->second, '0');
    std::uint64_t value = 0;
    for (const char c : whole + fraction) {
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (value > (longest - digit) / 10)
            fail(fmt::format("\"{}\" is too large", text));
        value = value * 10 + digit;
    }
    return value;
}

Workload read_workload(const std::string& workload_text, const std::string& config_text) try {
    Reader reader;
    if (!config_text.empty())
        reader.config(Json::parse(config_text));

    // JSON Lines: a first line that is a document of its own, then one job on each line.
    const auto line_end = workload_text.find('\n');
    const std::string first_line = workload_text.substr(0, line_end);
    if (Json::accept(first_line) && line_end != std::string::npos) {
        const Json document = Json::parse(first_line);
        reader.header(document);
        for (const auto& job : document.value("jobs", Json::array()))
            reader.job(job);
        for (std::size_t from = line_end + 1; from < workload_text.size();) {
            const auto to = std::min(workload_text.find('\n', from), workload_text.size());
            if (to > from)
                reader.job(Json::parse(workload_text.begin() + static_cast<std::ptrdiff_t>(from),
                                       workload_text.begin() + static_cast<std::ptrdiff_t>(to)));
            from = to + 1;
        }
        reader.actions(document);
        return reader.take();
    }
    const Json document = Json::parse(workload_text);
    reader.header(document);
    for (const auto& job : document.value("jobs", Json::array()))
        reader.job(job);
    reader.actions(document);
    return reader.take();
} catch (const Json::exception& error) {
    throw InputError(error.what());
}

} // namespace conformance
