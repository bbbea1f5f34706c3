// The JSON Schemas and the validator agree: on every document of the corpus, and on every name.
#include "documents.hpp"
#include "workloads/names.hpp"
#include "workloads/quirks.hpp"
#include "workloads/scenario.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <sys/wait.h>

namespace fenceline::workloads::tests {
namespace {

using testing::ElementsAreArray;

const std::filesystem::path kRoot(FENCELINE_SOURCE_DIR);

Json schema(const std::string& name) {
    std::ifstream file(kRoot / "schemas" / (name + ".schema.json"));
    return Json::parse(file);
}

/// What the schemas say of each file, or nothing when they cannot be tried here.
std::map<std::string, bool> schema_verdicts(const std::vector<std::string>& files, int& exit_code) {
    std::string command = "/usr/bin/python3 '" +
                          (kRoot / "tests/workloads/check_schemas.py").string() + "' '" +
                          (kRoot / "schemas").string() + "'";
    for (const std::string& file : files) {
        command += " '" + file + "'";
    }
    std::map<std::string, bool> verdicts;
    FILE* const output = popen(command.c_str(), "r");
    std::string line;
    for (int c = std::fgetc(output); c != EOF; c = std::fgetc(output)) {
        if (c != '\n') {
            line += static_cast<char>(c);
            continue;
        }
        const std::size_t space = line.find(' ');
        verdicts[line.substr(space + 1)] = line.substr(0, space) == "valid";
        line.clear();
    }
    const int status = pclose(output);
    exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return verdicts;
}

bool validator_accepts(const std::string& path) {
    const auto is = [&](const char* kind) { return path.find(kind) != std::string::npos; };
    return fault_of([&] {
               if (is("/config-")) {
                   (void)read_config(path);
               } else if (is("/scenario-")) {
                   (void)read_scenario(path);
               } else {
                   (void)read_all(load_workload(path));
               }
           }) == "accepted";
}

TEST(Schemas, AgreeWithTheValidator) {
    std::vector<std::string> files;
    for (const char* folder : {"valid", "invalid", "invalid-semantic"}) {
        const std::vector<std::string> more = corpus(folder);
        files.insert(files.end(), more.begin(), more.end());
    }
    for (const std::string& file : files) {
        EXPECT_EQ(validator_accepts(file), file.find("/valid/") != std::string::npos) << file;
    }
    int exit_code = 0;
    const std::map<std::string, bool> verdicts = schema_verdicts(files, exit_code);
    if (exit_code == 77 || exit_code == 127) {
        GTEST_SKIP()
            << "SKIPPED: the schemas were not tried, because python3-jsonschema is missing";
    }
    ASSERT_EQ(exit_code, 0);
    ASSERT_EQ(verdicts.size(), files.size());
    for (const auto& [file, valid] : verdicts) {
        // What only the meaning makes wrong, a schema accepts.
        EXPECT_EQ(valid, file.find("/invalid/") == std::string::npos) << file;
    }
}

template <typename Enum>
std::vector<std::string> names_of() {
    std::vector<std::string> names;
    for (const EnumName<Enum>& entry : kEnumNames<Enum>) {
        names.emplace_back(entry.name);
    }
    return names;
}

TEST(Schemas, ListTheNamesThatTheValidatorKnows) {
    const Json workload = schema("workload")["$defs"];
    EXPECT_THAT(workload["priority"]["enum"], ElementsAreArray(names_of<scheduler::Priority>()));
    EXPECT_THAT(workload["via"]["enum"], ElementsAreArray(names_of<Via>()));
    EXPECT_THAT(workload["runJob"]["enum"], ElementsAreArray(names_of<scheduler::RunJobKind>()));
    EXPECT_THAT(workload["exportTo"]["enum"], ElementsAreArray(names_of<ExportTo>()));
    std::vector<std::string> verbs;
    for (const Json& action : workload["action"]["oneOf"]) {
        for (const Json& verb : action["properties"]["do"]["enum"]) {
            verbs.push_back(verb.get<std::string>());
        }
    }
    EXPECT_THAT(verbs, testing::UnorderedElementsAreArray(names_of<ActionKind>()));
    const Json config = schema("config")["properties"];
    EXPECT_THAT(config["kernel"]["enum"], ElementsAreArray(names_of<scheduler::KernelVersion>()));
    const Json& keys = config["scheduler"]["properties"];
    EXPECT_THAT(keys["policy"]["enum"], ElementsAreArray(names_of<scheduler::Policy>()));
    EXPECT_THAT(keys["on_timeout"]["enum"], ElementsAreArray(names_of<scheduler::OnTimeout>()));
    std::vector<std::string> quirks;
    for (const Quirk& quirk : fenceline::workloads::quirks()) {
        quirks.emplace_back(quirk.name);
    }
    EXPECT_THAT(config["quirks"]["items"]["enum"], ElementsAreArray(quirks));
}

TEST(Schemas, ListTheHazardsThatThereAre) {
    std::vector<std::string> classes;
    for (const sim::HazardClass* const kind : hazard_classes()) {
        classes.emplace_back(kind->name);
    }
    EXPECT_THAT(schema("scenario")["$defs"]["hazard"]["properties"]["class"]["enum"],
                ElementsAreArray(classes));
}

/// A document in a scenario has the keys of one in a file.
TEST(Schemas, KnowTheKeysOfDocumentsInsideScenarios) {
    for (const std::string name : {"workload", "config"}) {
        std::vector<std::string> keys;
        const Json properties = schema(name)["properties"];
        for (const auto& [key, value] : properties.items()) {
            if (name != "config" || (key != "workload" && key != "vary" && key != "matrix")) {
                keys.push_back(key);
            }
        }
        std::vector<std::string> inside;
        const Json own = schema("scenario")["$defs"][name]["oneOf"][1]["properties"];
        for (const auto& [key, value] : own.items()) {
            inside.push_back(key);
        }
        EXPECT_THAT(inside, ElementsAreArray(keys)) << name;
    }
}

TEST(Schemas, ListTheLifetimeRulesAndPresets) {
    const Json definitions = schema("config")["$defs"];
    std::vector<std::string> presets;
    for (const fences::Preset& preset : fences::presets()) {
        presets.emplace_back(preset.name);
    }
    EXPECT_THAT(definitions["preset"]["enum"], ElementsAreArray(presets));
    const Json& both = definitions["composition"]["properties"];
    const Json& one = definitions["fenceRules"]["properties"];
    std::size_t per_fence = 0;
    for (const fences::Rule& rule : fences::rules()) {
        const std::string key(rule.key);
        ASSERT_TRUE(both.contains(key)) << key;
        EXPECT_EQ(one.contains(key), rule.per_fence) << key;
        per_fence += rule.per_fence ? 1 : 0;
        if (both[key].contains("type")) {
            EXPECT_EQ(both[key]["type"], "boolean") << key;
            continue;
        }
        std::vector<std::string> values;
        for (const fences::RuleValue& value : rule.values) {
            values.emplace_back(value.name);
        }
        EXPECT_THAT(both[key]["enum"], ElementsAreArray(values)) << key;
    }
    EXPECT_EQ(both.size(), fences::rules().size() + 4); // base, name, public, hardware
    EXPECT_EQ(one.size(), per_fence);
}

} // namespace
} // namespace fenceline::workloads::tests
