#include "workloads/read_lifetime.hpp"

#include <algorithm>
#include <array>

namespace fenceline::workloads {
namespace {

using fences::LifetimePolicy;
using fences::Rule;

enum class Fences : std::uint8_t { both, public_only, hardware_only };

const Rule* find_rule(std::string_view key) {
    for (const Rule& rule : fences::rules()) {
        if (rule.key == key) {
            return &rule;
        }
    }
    return nullptr;
}

/// Rules that are true or false in documents have the values "false" and "true" in the table.
bool is_flag(const Rule& rule) {
    return rule.values.size() == 2 && rule.values[0].name == "false";
}

int read_value(const Cursor& value, const Rule& rule) {
    if (is_flag(rule)) {
        return rule.values[value.boolean() ? 1 : 0].value;
    }
    std::vector<std::string_view> names;
    for (const fences::RuleValue& entry : rule.values) {
        names.push_back(entry.name);
    }
    return rule.values[value.choice(names)].value;
}

std::vector<std::string_view> preset_names() {
    std::vector<std::string_view> names;
    for (const fences::Preset& preset : fences::presets()) {
        names.push_back(preset.name);
    }
    return names;
}

/// Reads one composition.
class LifetimeReader {
  public:
    [[nodiscard]] LifetimePolicy read(const Cursor& value) {
        std::string base = "custom";
        if (value.has("base")) {
            const Cursor given = value.member("base");
            policy_ = fences::presets()[given.choice(preset_names())].policy;
            base = policy_.name;
        }
        policy_.name.clear();
        // What holds for both fences first, so that `public` and `hardware` win wherever they
        // stand.
        rules(value, Fences::both, "");
        value.each_member([&](std::string_view key, const Cursor& v) {
            if (key == "public") {
                rules(v, Fences::public_only, "public.");
            } else if (key == "hardware") {
                rules(v, Fences::hardware_only, "hardware.");
            }
        });
        imply_release(value);
        if (policy_.name.empty()) {
            policy_.name = base + changes_;
        }
        if (const auto contradiction = fences::contradiction(policy_)) {
            value.fail_found(contradiction->found, contradiction->expected);
        }
        return std::move(policy_);
    }

  private:
    void rules(const Cursor& object, Fences which, std::string_view prefix);
    void set(const Rule& rule, Fences which, int value) {
        if (which != Fences::hardware_only) {
            rule.set(policy_, false, value);
        }
        if (which != Fences::public_only && (rule.per_fence || which == Fences::hardware_only)) {
            rule.set(policy_, true, value);
        }
    }
    void imply_release(const Cursor& value);
    [[noreturn]] static void unknown(std::string_view key, const Cursor& object, Fences which);

    LifetimePolicy policy_;
    std::string changes_; ///< "+lock=inline+public.names=safe": names what has no name
    std::array<bool, 2> release_given_{};
};

void LifetimeReader::rules(const Cursor& object, Fences which, std::string_view prefix) {
    object.each_member([&](std::string_view key, const Cursor& value) {
        if (which == Fences::both && (key == "base" || key == "public" || key == "hardware")) {
            return;
        }
        if (which == Fences::both && key == "name") {
            policy_.name = value.name();
            return;
        }
        const Rule* const rule = find_rule(key);
        if (rule == nullptr || (which != Fences::both && !rule->per_fence)) {
            unknown(key, object, which);
        }
        set(*rule, which, read_value(value, *rule));
        if (key == "release") {
            release_given_[0] = release_given_[0] || which != Fences::hardware_only;
            release_given_[1] = release_given_[1] || which != Fences::public_only;
        }
        changes_ += '+';
        changes_ += prefix;
        changes_ += key;
        changes_ += '=';
        changes_ += value.json().is_string() ? value.text() : value.json().dump();
    });
}

/// A counted context is put in the release callback: the one rule implies the other.
void LifetimeReader::imply_release(const Cursor& value) {
    for (const bool hardware : {false, true}) {
        fences::FenceRules& fence = hardware ? policy_.hardware : policy_.public_rules;
        if (fence.context != fences::ContextRule::refcounted ||
            fence.release == fences::ReleaseRule::callback) {
            continue;
        }
        if (!hardware && policy_.public_fence == fences::PublicFence::hardware &&
            release_given_[0]) {
            continue; // there is no such fence
        }
        if (release_given_[hardware ? 1 : 0]) {
            value.fail_found("\"release\": \"none\" with \"context\": \"refcounted\"",
                             "\"callback\", which gives the reference back");
        }
        fence.release = fences::ReleaseRule::callback;
    }
}

void LifetimeReader::unknown(std::string_view key, const Cursor& object, Fences which) {
    std::vector<std::string_view> known;
    if (which == Fences::both) {
        known = {"base", "name", "public", "hardware"};
    }
    for (const Rule& rule : fences::rules()) {
        if (which == Fences::both || rule.per_fence) {
            known.push_back(rule.key);
        }
    }
    object.fail_unknown(key, "one of " + quoted_list(known), did_you_mean(key, known));
}

Json value_json(const Rule& rule, const LifetimePolicy& policy, bool hardware) {
    const int value = rule.get(policy, hardware);
    if (is_flag(rule)) {
        return value == rule.values[1].value;
    }
    const auto it = std::find_if(rule.values.begin(), rule.values.end(),
                                 [&](const fences::RuleValue& v) { return v.value == value; });
    return it == rule.values.end() ? Json() : Json(it->name);
}

} // namespace

LifetimePolicy read_lifetime(const Cursor& value) {
    if (value.is_object()) {
        return LifetimeReader().read(value);
    }
    if (!value.json().is_string()) {
        value.fail("a preset's name, or an object of rules");
    }
    return fences::presets()[value.choice(preset_names())].policy;
}

Json lifetime_json(const LifetimePolicy& policy) {
    const fences::Preset* const preset = fences::find_preset(policy.name);
    if (preset != nullptr && preset->policy == policy) {
        return policy.name;
    }
    Json result = Json::object();
    result["name"] = policy.name;
    Json both[2] = {Json::object(), Json::object()};
    for (const Rule& rule : fences::rules()) {
        if (!rule.per_fence) {
            result[std::string(rule.key)] = value_json(rule, policy, false);
            continue;
        }
        for (const bool hardware : {false, true}) {
            both[hardware ? 1 : 0][std::string(rule.key)] = value_json(rule, policy, hardware);
        }
    }
    result["public"] = std::move(both[0]);
    result["hardware"] = std::move(both[1]);
    return result;
}

} // namespace fenceline::workloads
