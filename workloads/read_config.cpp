#include "workloads/read_config.hpp"

#include "workloads/duration.hpp"
#include "workloads/input_file.hpp"
#include "workloads/json_reader.hpp"
#include "workloads/names.hpp"
#include "workloads/read_lifetime.hpp"

#include <algorithm>
#include <filesystem>

namespace fenceline::workloads {
namespace {

/// Makes a path that stands in a file relative to the working directory.
void rebase(Json& value, const std::filesystem::path& folder) {
    if (!value.is_string()) {
        return; // not a path; interpreting the document says so
    }
    value = rebased(value.get_ref<const std::string&>(), folder.string());
}

std::string settings_text(std::span<const Setting> settings) {
    std::string text;
    for (const Setting& setting : settings) {
        text += (text.empty() ? "--set " : " --set ") + printable(setting.key, 80);
        text += '=';
        text += printable(setting.value, 80);
    }
    return text;
}

Json time_json(sim::Time time, std::string_view word) {
    return time == sim::kForever ? Json(word) : Json(time);
}

void put_scheduler(Json& object, const SchedulerKeys& keys) {
    object["policy"] = name_of(keys.policy);
    object["timeout"] = time_json(keys.timeout, "none");
    object["hang_limit"] = keys.hang_limit;
    object["on_timeout"] = name_of(keys.on_timeout);
    object["cancel"] = keys.cancel;
}

Json ring_json(const RingConfig& ring) {
    Json object = Json::object();
    object["name"] = ring.name;
    object["credit_limit"] = ring.credit_limit;
    object["context_switch"] = ring.context_switch;
    object["interrupt_latency"] = ring.interrupt_latency;
    object["device"] = ring.device;
    object["driver"] = ring.driver;
    put_scheduler(object, ring);
    return object;
}

/// Checks the name that an action gives against those that the rings have.
void check_owner(const Workload& workload, std::size_t index, std::string_view key,
                 const std::string& name, std::vector<std::string_view> known) {
    if (name.empty() || std::find(known.begin(), known.end(), name) != known.end()) {
        return;
    }
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    std::string message = workload.place("/actions/" + std::to_string(index) + "/");
    message += key;
    message += ": found " + describe(Json(name)) + ", expected the " + std::string(key);
    message += " of a ring in the configuration";
    if (!known.empty()) {
        message += ": " + quoted_list(known);
    }
    throw InputError(message + did_you_mean(name, known));
}

void check_actions(const Config& config, const Workload& workload) {
    std::vector<std::string_view> devices;
    std::vector<std::string_view> drivers;
    for (const RingConfig& ring : config.rings) {
        devices.push_back(ring.device);
        drivers.push_back(ring.driver);
    }
    for (std::size_t i = 0; i < workload.actions.size(); ++i) {
        check_owner(workload, i, "device", workload.actions[i].device, devices);
        check_owner(workload, i, "driver", workload.actions[i].driver, drivers);
    }
}

} // namespace

std::string rebased(const std::string& given, const std::string& folder) {
    if (given.empty() || given == "-" || given.find('\0') != std::string::npos) {
        return given;
    }
    return (std::filesystem::path(folder) / given).lexically_normal().string();
}

Json read_config_document(const std::string& path) {
    const std::string name = path == "-" ? "<stdin>" : path;
    Json document = parse_json(read_text(path), {name});
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    if (!document.is_object()) {
        return document;
    }
    if (document.contains("workload")) {
        rebase(document["workload"], folder);
    }
    if (document.contains("vary") && document["vary"].is_object() &&
        document["vary"].contains("workload") && document["vary"]["workload"].is_array()) {
        for (Json& value : document["vary"]["workload"]) {
            rebase(value, folder);
        }
    }
    if (document.contains("matrix") && document["matrix"].is_array()) {
        for (Json& row : document["matrix"]) {
            if (row.is_object() && row.contains("workload")) {
                rebase(row["workload"], folder);
            }
        }
    }
    return document;
}

Config read_config(const std::string& path, std::span<const Setting> settings) {
    const std::string name = path == "-" ? "<stdin>" : path;
    Json document = read_config_document(path);
    // The file first, so that its own faults are reported as its own.
    Config config = interpret_config(document, name);
    if (settings.empty()) {
        return config;
    }
    for (const Setting& setting : settings) {
        apply_setting(document, setting.key, setting.value);
    }
    try {
        return interpret_config(document, name);
    } catch (const InputError& error) {
        // Each setting is right by itself: together, or with the file, they are not.
        throw InputError(std::string(error.what()) + " (with " + settings_text(settings) + ")");
    }
}

/// An entity's schedulers are one driver's: it is the driver that keeps its context.
static void check_drivers(const Config& config, const Workload& workload) {
    const auto check = [&](const std::string& where, std::uint32_t own,
                           const std::vector<std::uint32_t>& rings) {
        for (const std::uint32_t ring : rings) {
            if (config.rings[ring].driver != config.rings[own].driver) {
                throw InputError(
                    workload.place(where) + "/rings: ring '" + printable(config.rings[ring].name) +
                    "' belongs to driver '" + printable(config.rings[ring].driver) +
                    "' and ring '" + printable(config.rings[own].name) + "' to '" +
                    printable(config.rings[own].driver) + "', expected rings of one driver");
            }
        }
    };
    for (std::size_t i = 0; i < workload.entities.size(); ++i) {
        const std::vector<std::uint32_t>& rings = workload.entities[i].rings;
        check("/entities/" + std::to_string(i), rings.front(), rings);
    }
    for (std::size_t i = 0; i < workload.actions.size(); ++i) {
        const Action& action = workload.actions[i];
        if (action.kind == ActionKind::modify_sched) {
            check("/actions/" + std::to_string(i), workload.entities[action.entity].rings.front(),
                  action.rings);
        }
    }
}

Config resolve_rings(Config config, const Workload& workload) {
    std::vector<RingConfig> given = std::move(config.rings);
    config.rings.clear();
    for (const std::string& name : workload.rings) {
        const auto it = std::find_if(given.begin(), given.end(),
                                     [&](const RingConfig& ring) { return ring.name == name; });
        if (it != given.end()) {
            config.rings.push_back(std::move(*it));
            given.erase(it);
        } else {
            RingConfig ring;
            static_cast<SchedulerKeys&>(ring) = config.scheduler;
            ring.name = name;
            config.rings.push_back(std::move(ring));
        }
    }
    std::move(given.begin(), given.end(), std::back_inserter(config.rings));
    check_drivers(config, workload);
    check_actions(config, workload);
    for (std::size_t i = 0; i < workload.clients.size(); ++i) {
        if (workload.clients[i].repeat == kRepeatForever && config.until == sim::kForever) {
            throw InputError(workload.place("/clients/" + std::to_string(i)) +
                             "/repeat: found \"forever\", expected a number, "
                             "or a configuration with 'until'");
        }
    }
    return config;
}

Json effective_json(const Config& config) {
    Json document = Json::object();
    document["format"] = "fenceline/config";
    document["version"] = 1;
    if (!config.workload.empty()) {
        document["workload"] = config.workload;
    }
    document["kernel"] = name_of(config.kernel);
    put_scheduler(document["scheduler"], config.scheduler);
    document["rings"] = Json::array();
    for (const RingConfig& ring : config.rings) {
        document["rings"].push_back(ring_json(ring));
    }
    document["lifetime"] = lifetime_json(config.lifetime);
    document["costs"] = {{"submit", config.costs.submit},
                         {"wakeup", config.costs.wakeup},
                         {"run_job", config.costs.run_job},
                         {"free_job", config.costs.free_job},
                         {"timedout_job", config.costs.timedout_job}};
    document["rcu_grace_period"] = config.rcu_grace_period;
    document["quirks"] = config.quirks;
    document["seed"] = config.seed;
    document["until"] = time_json(config.until, "none");
    if (!config.vary.empty()) {
        Json& vary = document["vary"] = Json::object();
        for (const VaryAxis& axis : config.vary) {
            vary[axis.key] = axis.values;
        }
    }
    return document;
}

} // namespace fenceline::workloads
