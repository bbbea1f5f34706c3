#include "workloads/scenario.hpp"

#include "workloads/first_fault.hpp"
#include "workloads/input_file.hpp"
#include "workloads/read_config.hpp"
#include "workloads/schedule.hpp"

#include <filesystem>
#include <set>

namespace fenceline::workloads {
namespace {

/// The scenario's reader: where it stands, and what its cases have from it.
struct Reader {
    std::string file;   ///< what messages call it
    std::string folder; ///< what its paths are relative to
    std::string name;
};

std::string read_path(const Cursor& value, const Reader& reader) {
    const std::string& given = value.name();
    if (given == "-") {
        value.fail("a file's path");
    }
    return rebased(given, reader.folder);
}

/// The document with what every file of its own would begin with.
Json completed(const Json& given, std::string_view format) {
    Json document{{"format", format}, {"version", 1}};
    for (const auto& [key, value] : given.items()) {
        document[key] = value;
    }
    return document;
}

constexpr std::string_view kPathOrDocument = "a file's path or an object";

ConfigRef read_config_ref(const Cursor& value, const Reader& reader) {
    if (!value.is_object()) {
        if (!value.json().is_string()) {
            value.fail(kPathOrDocument);
        }
        return read_path(value, reader);
    }
    for (const std::string_view key : {"workload", "vary"}) {
        if (value.has(key)) {
            value.fail_found("the key '" + std::string(key) + "'",
                             key == "vary" ? "one value of each key; 'cases' have others"
                                           : "the workload beside 'config'");
        }
    }
    InlineDocument own{completed(value.json(), "fenceline/config"),
                       {reader.file, 0, value.pointer()}};
    (void)interpret_config(own.document, own.source);
    return own;
}

WorkloadRef read_workload_ref(const Cursor& value, const Reader& reader) {
    if (!value.is_object()) {
        if (!value.json().is_string()) {
            value.fail(kPathOrDocument);
        }
        return read_path(value, reader);
    }
    Json document = completed(value.json(), "fenceline/workload");
    if (!document.contains("name")) {
        document["name"] = reader.name;
    }
    return interpret_workload(document, {reader.file, 0, value.pointer()});
}

ScheduleRef read_schedule_ref(const Cursor& value, const Reader& reader) {
    if (!value.is_object()) {
        if (!value.json().is_string()) {
            value.fail(kPathOrDocument);
        }
        return read_path(value, reader);
    }
    InlineDocument given{completed(value.json(), "fenceline/schedule"),
                         {reader.file, 0, value.pointer()}};
    (void)interpret_schedule(given.document, given.source);
    return given;
}

void read_options(const Cursor& value, ScenarioCase& one) {
    one.keep_going = false;
    one.strict = false;
    value.members({
        {"keep_going", Need::optional, [&](const Cursor& v) { one.keep_going = v.boolean(); }},
        {"strict", Need::optional, [&](const Cursor& v) { one.strict = v.boolean(); }},
    });
}

void read_settings(const Cursor& value, const Reader& reader, ScenarioCase& one) {
    value.each_member([&](std::string_view key, const Cursor& v) {
        if (key == "workload") {
            v.fail_found("the key 'workload'", "the workload beside 'set'");
        }
        CaseSetting setting{std::string(key), v.json(), reader.file + ": " + v.pointer()};
        Json scratch{{"format", "fenceline/config"}, {"version", 1}};
        try {
            apply_value(scratch, setting.key, setting.value, setting.label);
        } catch (const InputError& error) {
            throw InputError(error.what(), v.place());
        }
        one.settings.push_back(std::move(setting));
    });
}

/// The keys that a scenario and its cases have in common. A document inside the scenario has its
/// faults numbered from its own start: they get the place of the whole.
void read_common(const Cursor& value, std::string_view key, const Reader& reader,
                 ScenarioCase& one) {
    try {
        if (key == "config") {
            one.config = read_config_ref(value, reader);
        } else if (key == "workload") {
            one.workload = read_workload_ref(value, reader);
        } else if (key == "schedule") {
            one.schedule = read_schedule_ref(value, reader);
        } else if (key == "options") {
            read_options(value, one);
        } else {
            one.expect = read_expectations(value);
        }
    } catch (const InputError& error) {
        throw InputError(error.what(), value.place());
    }
}

ScenarioCase read_case(const Cursor& value, const Reader& reader, const ScenarioCase& defaults,
                       std::set<std::string>& names) {
    ScenarioCase one = defaults;
    one.pointer = value.pointer();
    const auto common = [&](std::string_view key) {
        return [&reader, &one, key](const Cursor& v) { read_common(v, key, reader, one); };
    };
    const auto config = common("config");
    const auto workload = common("workload");
    const auto schedule = common("schedule");
    const auto options = common("options");
    const auto expect = common("expect");
    value.members({
        {"name", Need::required,
         [&](const Cursor& v) {
             one.name = v.name();
             if (!names.insert(one.name).second) {
                 v.fail_found(describe(v.json()) + ", the name of an earlier case",
                              "a name of its own");
             }
         }},
        {"about", Need::optional, [](const Cursor& v) { (void)v.text(); }},
        {"config", Need::optional, config},
        {"workload", Need::optional, workload},
        {"schedule", Need::optional, schedule},
        {"options", Need::optional, options},
        {"set", Need::optional, [&](const Cursor& v) { read_settings(v, reader, one); }},
        {"expect", Need::required, expect},
    });
    return one;
}

ScenarioBug read_bug(const Cursor& value) {
    ScenarioBug bug;
    const auto texts = [](const Cursor& list, std::vector<std::string>& out) {
        list.elements([&](const Cursor& v) { out.push_back(v.text()); });
    };
    value.members({
        {"catalogue", Need::optional, [&](const Cursor& v) { bug.catalogue = v.name(); }},
        {"references", Need::optional, [&](const Cursor& v) { texts(v, bug.references); }},
        {"steps", Need::optional, [&](const Cursor& v) { texts(v, bug.steps); }},
        {"fix", Need::optional, [&](const Cursor& v) { bug.fix = v.text(); }},
    });
    return bug;
}

void read_head(const Cursor& document, Scenario& scenario) {
    const auto later = [](const Cursor&) {};
    document.members({
        {"format", Need::required,
         [](const Cursor& v) {
             const std::string_view names[] = {kScenarioFormat};
             (void)v.choice(names);
         }},
        {"version", Need::required, [](const Cursor& v) { (void)v.integer(1, 1); }},
        {"name", Need::optional, [&](const Cursor& v) { scenario.name = v.name(); }},
        {"about", Need::optional, [&](const Cursor& v) { scenario.about = v.text(); }},
        {"bug", Need::optional, [&](const Cursor& v) { scenario.bug = read_bug(v); }},
        {"config", Need::optional, later},
        {"workload", Need::optional, later},
        {"schedule", Need::optional, later},
        {"options", Need::optional, later},
        {"expect", Need::optional, later},
        {"cases", Need::optional, later},
    });
    if (document.has("cases") && document.has("expect")) {
        document.member("expect").fail_found("'expect' beside 'cases'", "it in each case");
    }
    if (!document.has("cases") && !document.has("expect")) {
        document.fail_missing("expect");
    }
}

void read_cases(const Cursor& document, const Reader& reader, Scenario& scenario) {
    FirstFault faults;
    ScenarioCase defaults;
    for (const std::string_view key : {"config", "workload", "schedule", "options", "expect"}) {
        if (document.has(key)) {
            faults.run([&] { read_common(document.member(key), key, reader, defaults); });
        }
    }
    faults.raise();
    if (!document.has("cases")) {
        scenario.cases.push_back(std::move(defaults));
        return;
    }
    std::set<std::string> names;
    const Cursor cases = document.member("cases");
    cases.elements(
        [&](const Cursor& value) {
            scenario.cases.push_back(read_case(value, reader, defaults, names));
        },
        1);
}

} // namespace

Scenario interpret_scenario(const Json& document, const std::string& path) {
    const Source source{path == "-" ? "<stdin>" : path};
    const Cursor root(document, source);
    Scenario scenario;
    scenario.source_path = source.file;
    read_head(root, scenario);
    if (scenario.name.empty()) {
        scenario.name = std::filesystem::path(without_compression(source.file)).stem().string();
    }
    const std::string folder =
        path == "-" ? "" : std::filesystem::path(path).parent_path().string();
    read_cases(root, {source.file, folder, scenario.name}, scenario);
    return scenario;
}

Scenario read_scenario(const std::string& path) {
    return interpret_scenario(parse_json(read_text(path), {path == "-" ? "<stdin>" : path}), path);
}

Config config_of(const ScenarioCase& one, const Scenario& scenario) {
    InlineDocument base{completed(Json::object(), "fenceline/config"), {scenario.source_path}};
    if (const auto* const path = std::get_if<std::string>(&one.config)) {
        base = {read_config_document(*path), {*path}};
    } else if (const auto* const own = std::get_if<InlineDocument>(&one.config)) {
        base = *own;
    }
    // The document first, so that its own faults are reported as its own.
    Config config = interpret_config(base.document, base.source);
    if (one.settings.empty()) {
        return config;
    }
    for (const CaseSetting& setting : one.settings) {
        apply_value(base.document, setting.key, setting.value, setting.label);
    }
    try {
        return interpret_config(base.document, base.source);
    } catch (const InputError& error) {
        // Each setting is right by itself: together, or with the document, they are not.
        throw InputError(std::string(error.what()) + " (with " + scenario.source_path + ": " +
                         one.pointer + "/set)");
    }
}

} // namespace fenceline::workloads
