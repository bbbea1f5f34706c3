// Lifetime policies as data: rules, presets, what can be run.
#include "fences/lifetime.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace fenceline::fences {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Rule& rule(std::string_view key) {
    for (const Rule& r : rules())
        if (r.key == key)
            return r;
    ADD_FAILURE() << "no rule " << key;
    return rules()[0];
}

std::string value(const LifetimePolicy& policy, std::string_view key, bool hardware) {
    const Rule& r = rule(key);
    for (const RuleValue& v : r.values)
        if (v.value == r.get(policy, hardware))
            return std::string(v.name);
    return "?";
}

LifetimePolicy with(LifetimePolicy policy, std::string_view key, std::string_view name,
                    bool hardware = true) {
    const Rule& r = rule(key);
    for (const RuleValue& v : r.values)
        if (v.name == name) {
            r.set(policy, hardware, v.value);
            return policy;
        }
    ADD_FAILURE() << key << " has no value " << name;
    return policy;
}

TEST(Rules, StandInTheOrderOfTheDocumentation) {
    std::vector<std::string_view> keys;
    for (const Rule& r : rules()) {
        keys.push_back(r.key);
        EXPECT_FALSE(r.about.empty()) << r.key;
    }
    EXPECT_THAT(keys, ElementsAre("public_fence", "lock", "context", "release", "ops", "names",
                                  "module", "memory", "parent", "retire", "teardown", "job_refs",
                                  "queue_refs", "callbacks", "signal_on_drop"));
}

TEST(Rules, EveryValueCanBeSetAndReadBackWithoutTouchingAnotherRule) {
    for (const Preset& preset : presets())
        for (const Rule& r : rules())
            for (const bool hardware : {false, true})
                for (const RuleValue& v : r.values) {
                    LifetimePolicy policy = preset.policy;
                    r.set(policy, hardware, v.value);
                    EXPECT_EQ(r.get(policy, hardware), v.value) << r.key << " " << v.name;
                    for (const Rule& other : rules()) {
                        for (const bool side : {false, true}) {
                            if (&other == &r && (!r.per_fence || side == hardware))
                                continue;
                            EXPECT_EQ(other.get(policy, side), other.get(preset.policy, side))
                                << r.key << " " << v.name << " changed " << other.key;
                        }
                    }
                }
}

TEST(Rules, ValuesHaveUniqueNamesAndNumbersInOrder) {
    for (const Rule& r : rules()) {
        std::set<std::string_view> names;
        int expected = 0;
        for (const RuleValue& v : r.values) {
            EXPECT_TRUE(names.insert(v.name).second) << r.key << " " << v.name;
            EXPECT_EQ(v.value, expected++) << r.key;
        }
        EXPECT_GE(names.size(), 2u) << r.key;
    }
}

TEST(Rules, ThoseOfAFenceAreGivenForBothFences) {
    for (const Rule& r : rules()) {
        LifetimePolicy policy;
        r.set(policy, true, r.values.back().value);
        r.set(policy, false, r.values.front().value);
        EXPECT_EQ(r.get(policy, true) != r.get(policy, false), r.per_fence) << r.key;
    }
}

TEST(Presets, HaveTheirNamesInTheOrderOfTheirHistory) {
    std::vector<std::string_view> names;
    for (const Preset& preset : presets()) {
        names.push_back(preset.name);
        EXPECT_EQ(preset.policy.name, preset.name);
        EXPECT_EQ(find_preset(preset.name), &preset);
        EXPECT_FALSE(preset.about.empty());
    }
    EXPECT_THAT(names,
                ElementsAre("borrowed-lock", "inline-lock", "refcounted-context", "drain-on-unload",
                            "split", "split-safe-names", "detached-ops", "refcount-all"));
    EXPECT_EQ(find_preset("split "), nullptr);
    EXPECT_EQ(find_preset(""), nullptr);
}

TEST(Presets, AreTheCompositionsTheyAreNamedAfter) {
    using Row = std::map<std::string, std::string>;
    const auto check = [](std::string_view name, bool hardware, const Row& row) {
        for (const auto& [key, expected] : row)
            EXPECT_EQ(value(find_preset(name)->policy, key, hardware), expected)
                << name << " " << key;
    };
    check("borrowed-lock", true,
          {{"public_fence", "hardware"},
           {"lock", "borrowed:context"},
           {"context", "uncounted"},
           {"release", "none"},
           {"ops", "static"},
           {"names", "direct"},
           {"memory", "kmalloc"},
           {"retire", "immediate"},
           {"teardown", "none"}});
    check("inline-lock", true,
          {{"public_fence", "hardware"}, {"lock", "inline"}, {"context", "uncounted"}});
    check("refcounted-context", true,
          {{"public_fence", "hardware"},
           {"lock", "borrowed:context"},
           {"context", "refcounted"},
           {"release", "callback"}});
    check("drain-on-unload", true,
          {{"public_fence", "hardware"},
           {"lock", "borrowed:device"},
           {"memory", "slab"},
           {"teardown", "drain"},
           {"retire", "rcu-barrier"}});
    check("split", true, {{"public_fence", "split"}, {"lock", "borrowed:ring"}});
    check("split", false,
          {{"lock", "shared"},
           {"release", "callback"},
           {"memory", "slab"},
           {"parent", "until-release"},
           {"names", "direct"}});
    check("split-safe-names", false, {{"names", "safe"}, {"lock", "shared"}});
    check("split-safe-names", true, {{"retire", "after-grace-period"}});
    check("detached-ops", true, {{"lock", "inline"}, {"ops", "detach_on_signal"}});
    check("refcount-all", true,
          {{"public_fence", "finished-only"},
           {"parent", "until-signal"},
           {"teardown", "drain"},
           {"job_refs", "refcounted"},
           {"queue_refs", "refcounted"}});
    check(
        "refcount-all", false,
        {{"lock", "inline"}, {"release", "none"}, {"ops", "detach_on_signal"}, {"names", "safe"}});
}

TEST(Presets, WhereTheDriversFenceIsThePublicOneBothHaveTheSameRules) {
    for (const Preset& preset : presets())
        if (preset.policy.public_fence == PublicFence::hardware) {
            EXPECT_EQ(preset.policy.public_rules, preset.policy.hardware) << preset.name;
        }
}

/// What is wrong with it, or nothing.
std::string fault(const LifetimePolicy& policy) {
    const auto found = contradiction(policy);
    return found ? "found " + found->found + ", expected " + found->expected : "";
}

TEST(Contradictions, NoPresetHasOne) {
    for (const Preset& preset : presets())
        EXPECT_EQ(fault(preset.policy), "") << preset.name;
}

TEST(Contradictions, EverySingleValueGoesWithSomePreset) {
    for (const Rule& r : rules())
        for (const RuleValue& v : r.values)
            for (const bool hardware : {false, true}) {
                if (hardware && (!r.per_fence || (r.key == "lock" && v.name == "shared")))
                    continue; // one fence shares its lock with nobody
                bool goes = false;
                for (const Preset& preset : presets()) {
                    LifetimePolicy policy = with(preset.policy, r.key, v.name, hardware);
                    if (v.name == "pinned-by-context" || v.name == "refcounted") {
                        policy = with(policy, "context", "refcounted", hardware);
                        policy = with(policy, "release", "callback", hardware);
                    }
                    goes = goes || fault(policy).empty();
                }
                EXPECT_TRUE(goes) << r.key << " " << v.name;
            }
}

TEST(Contradictions, AreSaidWithBothSidesAndTheReason) {
    const LifetimePolicy borrowed = find_preset("borrowed-lock")->policy;
    const LifetimePolicy split = find_preset("split")->policy;
    EXPECT_EQ(fault(with(borrowed, "context", "refcounted")),
              "found \"hardware.context\": \"refcounted\" with \"release\": \"none\", expected "
              "\"callback\", which gives the reference back");
    EXPECT_THAT(fault(with(borrowed, "lock", "shared")),
                HasSubstr("only scheduled and finished can share one"));
    EXPECT_THAT(fault(with(borrowed, "module", "pinned-by-context")),
                HasSubstr("\"hardware.module\": \"pinned-by-context\" with \"context\": "
                          "\"uncounted\""));
    EXPECT_THAT(fault(with(split, "context", "refcounted", false)), "");
    EXPECT_THAT(fault(with(split, "release", "none", false)),
                HasSubstr("finished's release lets go of scheduled"));
    EXPECT_THAT(fault(with(split, "memory", "embedded-in-job", false)),
                HasSubstr("only the driver's own fence can be part of its job"));
    EXPECT_THAT(fault(with(split, "public_fence", "finished-only")), HasSubstr("no second fence"));
    EXPECT_THAT(fault(with(find_preset("refcount-all")->policy, "parent", "until-release")),
                HasSubstr("\"parent\": \"until-signal\""));
}

TEST(Contradictions, RulesOfThePublicFenceDoNotMatterWhereTheDriversIsThePublicOne) {
    EXPECT_EQ(fault(with(find_preset("borrowed-lock")->policy, "lock", "shared", false)), "");
}

TEST(PlainJobs, AreThoseOfDrmSchedAndOfTheClassicPoliciesAsLongAsNoRuleWatchesThem) {
    std::vector<std::string_view> plain;
    for (const Preset& preset : presets())
        if (preset.policy.plain_jobs())
            plain.push_back(preset.name);
    EXPECT_THAT(plain, ElementsAre("borrowed-lock", "inline-lock", "refcounted-context",
                                   "drain-on-unload", "split", "split-safe-names"));
    for (const auto& [key, name] :
         std::vector<std::pair<std::string, std::string>>{{"names", "copied"},
                                                          {"module", "pinned-by-fence"},
                                                          {"memory", "embedded-in-job"},
                                                          {"memory", "shared-allocation"},
                                                          {"ops", "detach_on_signal"},
                                                          {"callbacks", "counted"},
                                                          {"teardown", "assert-signalled"},
                                                          {"teardown", "wait-for-references"},
                                                          {"job_refs", "refcounted"},
                                                          {"queue_refs", "refcounted"}})
        EXPECT_FALSE(with(find_preset("split")->policy, key, name).plain_jobs()) << key << name;
}

} // namespace
} // namespace fenceline::fences
