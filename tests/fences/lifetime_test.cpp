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
           {"job_refs", "refcounted"},
           {"queue_refs", "refcounted"}});
}

TEST(Presets, WhereTheDriversFenceIsThePublicOneBothHaveTheSameRules) {
    for (const Preset& preset : presets())
        if (preset.policy.public_fence == PublicFence::hardware) {
            EXPECT_EQ(preset.policy.public_rules, preset.policy.hardware) << preset.name;
        }
}

TEST(Unsupported, TheFirstFivePresetsRunAndTheOthersSayWhyNot) {
    std::map<std::string_view, std::string> reasons;
    for (const Preset& preset : presets())
        reasons[preset.name] = unsupported_reason(preset.policy).value_or("");
    for (const char* name :
         {"borrowed-lock", "inline-lock", "refcounted-context", "drain-on-unload", "split"})
        EXPECT_EQ(reasons[name], "") << name;
    EXPECT_EQ(reasons["split-safe-names"], "names: safe");
    EXPECT_EQ(reasons["detached-ops"], "ops: detach_on_signal");
    EXPECT_EQ(reasons["refcount-all"], "public_fence: finished-only");
}

TEST(Unsupported, EveryValueThatCannotRunYetIsNamed) {
    const std::vector<std::pair<std::string, std::string>> refused{
        {"public_fence", "finished-only"},
        {"ops", "detach_on_signal"},
        {"names", "safe"},
        {"names", "copied"},
        {"names", "constant-after-signal"},
        {"module", "pinned-by-fence"},
        {"module", "pinned-by-context"},
        {"memory", "embedded-in-job"},
        {"memory", "shared-allocation"},
        {"teardown", "cancel"},
        {"teardown", "assert-signalled"},
        {"teardown", "wait-for-references"},
        {"job_refs", "refcounted"},
        {"queue_refs", "refcounted"},
        {"callbacks", "counted"},
        {"signal_on_drop", "true"}};
    for (const auto& [key, name] : refused)
        for (const char* base : {"borrowed-lock", "split"}) {
            const auto reason = unsupported_reason(with(find_preset(base)->policy, key, name));
            ASSERT_TRUE(reason) << key << " " << name;
            EXPECT_EQ(*reason, key + ": " + name);
        }
}

TEST(Unsupported, EveryOtherSingleValueRunsOnBorrowedLock) {
    const LifetimePolicy base = find_preset("borrowed-lock")->policy;
    for (const auto& [key, name] :
         std::vector<std::pair<std::string, std::string>>{{"public_fence", "hardware"},
                                                          {"lock", "inline"},
                                                          {"lock", "borrowed:ring"},
                                                          {"lock", "borrowed:context"},
                                                          {"lock", "borrowed:queue"},
                                                          {"lock", "borrowed:device"},
                                                          {"context", "uncounted"},
                                                          {"release", "none"},
                                                          {"release", "callback"},
                                                          {"memory", "slab"},
                                                          {"memory", "kmalloc"},
                                                          {"parent", "until-signal"},
                                                          {"parent", "until-release"},
                                                          {"retire", "immediate"},
                                                          {"retire", "after-grace-period"},
                                                          {"retire", "rcu-barrier"},
                                                          {"teardown", "none"},
                                                          {"teardown", "drain"}})
        EXPECT_EQ(unsupported_reason(with(base, key, name)), std::nullopt) << key << " " << name;
}

TEST(Unsupported, CombinationsThatMakeNoSenseAreRefused) {
    const LifetimePolicy borrowed = find_preset("borrowed-lock")->policy;
    const LifetimePolicy split = find_preset("split")->policy;
    EXPECT_THAT(*unsupported_reason(with(borrowed, "context", "refcounted")),
                HasSubstr("release: callback"));
    EXPECT_THAT(*unsupported_reason(with(borrowed, "lock", "shared")), HasSubstr("shared"));
    EXPECT_THAT(*unsupported_reason(with(split, "lock", "borrowed:ring", false)),
                HasSubstr("public.lock"));
    EXPECT_THAT(*unsupported_reason(with(split, "context", "refcounted", false)),
                HasSubstr("public.context"));
    EXPECT_THAT(*unsupported_reason(with(split, "release", "none", false)),
                HasSubstr("public.release"));
    EXPECT_EQ(unsupported_reason(with(split, "lock", "inline", false)), std::nullopt);
    EXPECT_EQ(unsupported_reason(with(split, "memory", "kmalloc", false)), std::nullopt);
}

TEST(Unsupported, RulesOfThePublicFenceDoNotMatterWhereTheDriversIsThePublicOne) {
    const LifetimePolicy policy =
        with(find_preset("borrowed-lock")->policy, "names", "safe", false);
    EXPECT_EQ(unsupported_reason(policy), std::nullopt);
}

} // namespace
} // namespace fenceline::fences
