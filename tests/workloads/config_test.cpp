#include "documents.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::workloads::tests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Config read(std::string_view members) {
    return interpret_config(Json::parse(config_with(members)), "c.json");
}

TEST(Config, HasTheDefaultsOfTheFormat) {
    const Config config = read("");
    EXPECT_EQ(config, Config{});
    EXPECT_EQ(config.kernel, scheduler::KernelVersion::v6_12);
    EXPECT_EQ(config.scheduler.policy, scheduler::Policy::fifo);
    EXPECT_EQ(config.scheduler.timeout, sim::kForever);
    EXPECT_EQ(config.lifetime.name, "split");
    EXPECT_EQ(config.lifetime, fences::find_preset("split")->policy);
    EXPECT_EQ(config.rcu_grace_period, 10'000U);
    EXPECT_EQ(config.costs, Costs{});
    EXPECT_EQ(config.seed, 1U);
    EXPECT_EQ(config.until, sim::kForever);
    EXPECT_TRUE(config.rings.empty());
}

TEST(Config, GivesRingsTheSchedulersKeysUnlessTheyHaveTheirOwn) {
    const Config config = read(R"("rings":[{"name":"a"},{"name":"b","policy":"fifo","hang_limit":0,
        "credit_limit":7,"context_switch":"5us","interrupt_latency":3,"device":"d","driver":"v"}],
        "scheduler":{"policy":"rr","hang_limit":4,"timeout":"1ms"})");
    ASSERT_EQ(config.rings.size(), 2U);
    EXPECT_EQ(config.rings[0].policy, scheduler::Policy::rr);
    EXPECT_EQ(config.rings[0].hang_limit, 4U);
    EXPECT_EQ(config.rings[0].credit_limit, 2U);
    EXPECT_EQ(config.rings[0].device, "gpu");
    EXPECT_EQ(config.rings[1].policy, scheduler::Policy::fifo);
    EXPECT_EQ(config.rings[1].hang_limit, 0U);
    EXPECT_EQ(config.rings[1].timeout, sim::kMillisecond);
    EXPECT_EQ(config.rings[1].credit_limit, 7U);
    EXPECT_EQ(config.rings[1].context_switch, 5000U);
    EXPECT_EQ(config.rings[1].interrupt_latency, 3U);
    EXPECT_EQ(config.rings[1].driver, "v");
}

TEST(Config, TakesFairAsMainlineUnlessTheKernelIsNamed) {
    EXPECT_EQ(read(R"("scheduler":{"policy":"fair"})").kernel, scheduler::KernelVersion::mainline);
    EXPECT_EQ(read(R"("rings":[{"name":"a","policy":"fair"}])").kernel,
              scheduler::KernelVersion::mainline);
    EXPECT_EQ(read(R"("kernel":"mainline","scheduler":{"policy":"rr"})").scheduler.policy,
              scheduler::Policy::rr);
    EXPECT_EQ(
        config_fault(config_with(R"("kernel":"6.12","scheduler":{"policy":"fair"})")),
        "c.json: /scheduler/policy: found \"fair\", expected 'fifo' or 'rr': kernel 6.12 has no "
        "fair policy");
    EXPECT_EQ(config_fault(config_with(R"("rings":[{"name":"a","cancel":true}])")),
              "c.json: /rings/0/cancel: found true, expected false: kernel 6.12 has no cancel_job");
}

TEST(Config, ReadsEveryPreset) {
    for (const fences::Preset& preset : fences::presets()) {
        const Config config = read("\"lifetime\":\"" + std::string(preset.name) + "\"");
        EXPECT_EQ(config.lifetime, preset.policy);
    }
}

TEST(Config, ComposesLifetimesFromRules) {
    const fences::LifetimePolicy policy =
        read(R"("lifetime":{"public":{"names":"safe"},"base":"split","lock":"inline",
                 "names":"copied","retire":"rcu-barrier","signal_on_drop":true})")
            .lifetime;
    EXPECT_EQ(policy.public_fence, fences::PublicFence::split);
    EXPECT_EQ(policy.public_rules.lock, fences::LockRule::in_fence);
    EXPECT_EQ(policy.hardware.lock, fences::LockRule::in_fence);
    EXPECT_EQ(policy.public_rules.names, fences::NamesRule::safe);
    EXPECT_EQ(policy.hardware.names, fences::NamesRule::copied);
    EXPECT_EQ(policy.retire, fences::RetireRule::rcu_barrier);
    EXPECT_TRUE(policy.signal_on_drop);
    EXPECT_THAT(policy.name, HasSubstr("split+lock=inline"));
    EXPECT_EQ(read(R"("lifetime":{"name":"mine","lock":"inline"})").lifetime.name, "mine");
}

TEST(Config, TakesACountedContextToImplyAReleaseCallback) {
    const fences::LifetimePolicy policy =
        read(R"("lifetime":{"base":"borrowed-lock","hardware":{"context":"refcounted"}})").lifetime;
    EXPECT_EQ(policy.hardware.release, fences::ReleaseRule::callback);
    EXPECT_EQ(policy.public_rules.release, fences::ReleaseRule::none);
    EXPECT_EQ(config_fault(config_with(R"("lifetime":{"context":"refcounted","release":"none"})")),
              "c.json: /lifetime: found \"release\": \"none\" with \"context\": \"refcounted\", "
              "expected \"callback\", which gives the reference back");
}

TEST(Config, RunsACompositionOfTheUsersOwn) {
    const fences::LifetimePolicy policy =
        read(R"("lifetime":{"base":"inline-lock","names":"safe","context":"refcounted"})").lifetime;
    EXPECT_EQ(policy.hardware.lock, fences::LockRule::in_fence);
    EXPECT_EQ(policy.hardware.context, fences::ContextRule::refcounted);
    EXPECT_EQ(policy.hardware.release, fences::ReleaseRule::callback);
    EXPECT_EQ(policy.hardware.module, fences::ModuleRule::unpinned);
}

TEST(Config, RefusesRulesThatExcludeEachOther) {
    EXPECT_EQ(
        config_fault(config_with(R"("lifetime":{"base":"split","hardware":{"lock":"shared"}})")),
        "c.json: /lifetime: found \"hardware.lock\": \"shared\", expected \"inline\" or a "
        "borrowed lock: only scheduled and finished can share one");
    EXPECT_THAT(config_fault(config_with(R"("lifetime":{"module":"pinned-by-context"})")),
                HasSubstr("\"hardware.module\": \"pinned-by-context\" with \"context\": "
                          "\"uncounted\", expected \"refcounted\""));
}

TEST(Config, SuggestsTheRuleThatWasMeant) {
    EXPECT_THAT(config_fault(config_with(R"("lifetime":{"lokc":"inline"})")),
                HasSubstr("c.json: /lifetime: found the unknown key 'lokc'"));
    EXPECT_THAT(config_fault(config_with(R"("lifetime":{"lokc":"inline"})")),
                HasSubstr("(did you mean 'lock'?)"));
    EXPECT_THAT(config_fault(config_with(R"("lifetime":{"lock":"borrowed:rnig"})")),
                HasSubstr("c.json: /lifetime/lock: found \"borrowed:rnig\""));
    EXPECT_THAT(config_fault(config_with(R"("quirks":["export-hardware-fnece"])")),
                HasSubstr("(did you mean 'export-hardware-fence'?)"));
}

TEST(Config, ReadsBackItsEffectiveForm) {
    for (const std::string& path : corpus("valid")) {
        if (path.find("/config-") == std::string::npos) {
            continue;
        }
        const Config config = read_config(path);
        const Json effective = effective_json(config);
        EXPECT_EQ(interpret_config(Json::parse(effective.dump()), "again"), config) << path;
        EXPECT_EQ(effective_json(interpret_config(effective, "again")), effective) << path;
    }
    // Every rule of every preset, and of a policy that is none.
    for (const fences::Preset& preset : fences::presets()) {
        for (const fences::Rule& rule : fences::rules()) {
            for (const fences::RuleValue& value : rule.values) {
                for (const bool hardware : {false, true}) {
                    Config config;
                    config.lifetime = preset.policy;
                    config.lifetime.name = "x";
                    rule.set(config.lifetime, hardware, value.value);
                    if (!fences::contradiction(config.lifetime)) {
                        EXPECT_EQ(interpret_config(effective_json(config), "x"), config)
                            << rule.key << "=" << value.name;
                    }
                }
            }
        }
    }
}

TEST(Config, TakesPathsRelativeToItsFile) {
    const TemporaryFile file("c.json", config_with(R"("workload":"../w/x.json",
        "vary":{"workload":["a.json","/abs/b.json"]})"));
    const Config config = read_config(file.path());
    const std::filesystem::path parent = file.folder().parent_path();
    EXPECT_EQ(config.workload, (parent / "w/x.json").string());
    EXPECT_THAT(config.vary.at(0).values,
                ElementsAre((file.folder() / "a.json").string(), "/abs/b.json"));
    EXPECT_EQ(config.source_path, file.path());
}

TEST(Config, ExpandsAllToTheClosedList) {
    const Config config = read(R"("vary":{"scheduler.policy":"all","lifetime":"all"})");
    EXPECT_THAT(config.vary.at(0).values, ElementsAre("fifo", "rr", "fair"));
    EXPECT_EQ(config.vary.at(1).values.size(), fences::presets().size());
    EXPECT_THAT(expand_vary("scheduler.policy", {"all"}, scheduler::KernelVersion::mainline),
                ElementsAre("fifo", "rr", "fair"));
    EXPECT_THAT(expand_vary("scheduler.policy", {"all"}, scheduler::KernelVersion::v6_12),
                ElementsAre("fifo", "rr"));
    EXPECT_THAT(expand_vary("seed", {"1", "2"}, scheduler::KernelVersion::v6_12),
                ElementsAre("1", "2"));
    EXPECT_EQ(fault_of([] { (void)expand_vary("seed", {"all"}, scheduler::KernelVersion::v6_12); }),
              "--vary seed=all: found \"all\", expected a list of values: only 'scheduler.policy', "
              "'lifetime' and 'kernel' have an \"all\"");
}

TEST(ResolveRings, PutsTheWorkloadsRingsFirstAndMakesTheMissing) {
    const auto workload = parse_workload(R"({"format":"fenceline/workload","version":1,
        "entities":[{"id":"e","rings":["b","new"]}]})",
                                         "w.json")
                              .workload;
    const Config config = resolve_rings(
        read(R"("rings":[{"name":"a"},{"name":"b","credit_limit":9}],"scheduler":{"policy":"rr"})"),
        *workload);
    ASSERT_EQ(config.rings.size(), 3U);
    EXPECT_EQ(config.rings[0].name, "b");
    EXPECT_EQ(config.rings[0].credit_limit, 9U);
    EXPECT_EQ(config.rings[1].name, "new");
    EXPECT_EQ(config.rings[1].credit_limit, 2U);
    EXPECT_EQ(config.rings[1].policy, scheduler::Policy::rr);
    EXPECT_EQ(config.rings[2].name, "a");
    EXPECT_EQ(resolve_rings(config, *workload), config);
}

TEST(ResolveRings, RefusesDevicesAndDriversThatNoRingHas) {
    const auto workload =
        parse_workload(
            workload_with(R"("actions":[{"at":0,"do":"unload-driver","driver":"amdgup"}])"),
            "w.json")
            .workload;
    EXPECT_EQ(fault_of([&] {
                  (void)resolve_rings(read(R"("rings":[{"name":"gfx","driver":"amdgpu"}])"),
                                      *workload);
              }),
              "w.json: /actions/0/driver: found \"amdgup\", expected the driver of a ring in the "
              "configuration: 'amdgpu' (did you mean 'amdgpu'?)");
}

TEST(ResolveRings, RefusesAClientWithoutEndInARunWithoutEnd) {
    const auto workload = parse_workload(R"({"format":"fenceline/workload","version":1,"clients":[
        {"name":"b","repeat":"forever","program":[{"sleep":1}]}]})",
                                         "w.json")
                              .workload;
    EXPECT_EQ(fault_of([&] { (void)resolve_rings(read(R"("until":"1s")"), *workload); }),
              "accepted");
    EXPECT_THAT(fault_of([&] { (void)resolve_rings(read(""), *workload); }),
                HasSubstr("w.json: /clients/0/repeat: found \"forever\""));
}

} // namespace
} // namespace fenceline::workloads::tests
