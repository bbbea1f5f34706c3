#include "documents.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::workloads::tests {
namespace {

using testing::HasSubstr;

Config with(std::string_view members, const std::vector<Setting>& settings) {
    const TemporaryFile file("c.json", config_with(members));
    return read_config(file.path(), settings);
}
std::string fault(const std::string& key, const std::string& value) {
    return fault_of([&] { (void)with("", {{key, value}}); });
}

TEST(Settings, ChangeAnyKey) {
    const Config config = with(R"("rings":[{"name":"gfx"},{"name":"a.b"}])",
                               {{"rings.gfx.credit_limit", "1"},
                                {"rings.a.b.context_switch", "5us"},
                                {"rings.dma.device", "second"},
                                {"scheduler.policy", "rr"},
                                {"costs.wakeup", "32.6us"},
                                {"seed", "18446744073709551615"},
                                {"until", "1s"},
                                {"quirks", R"(["export-hardware-fence"])"},
                                {"workload", "w.json"},
                                {"rcu_grace_period", "0"}});
    ASSERT_EQ(config.rings.size(), 3U);
    EXPECT_EQ(config.rings[0].credit_limit, 1U);
    EXPECT_EQ(config.rings[1].context_switch, 5000U);
    EXPECT_EQ(config.rings[2].name, "dma");
    EXPECT_EQ(config.rings[2].device, "second");
    EXPECT_EQ(config.rings[2].policy, scheduler::Policy::rr);
    EXPECT_EQ(config.costs.wakeup, 32'600U);
    EXPECT_EQ(config.seed, ~std::uint64_t{0});
    EXPECT_EQ(config.until, sim::kSecond);
    EXPECT_TRUE(config.has_quirk("export-hardware-fence"));
    EXPECT_EQ(config.workload, "w.json"); // not relative to the file
    EXPECT_EQ(config.rcu_grace_period, 0U);
}

TEST(Settings, TakeAPlainStringWhereJsonIsNotMeant) {
    EXPECT_EQ(with("", {{"kernel", "6.12"}}).kernel, scheduler::KernelVersion::v6_12);
    EXPECT_EQ(with("", {{"rings.gfx.device", "7"}}).rings.at(0).device, "7");
    EXPECT_EQ(with("", {{"rings.gfx.device", "\"quoted\""}}).rings.at(0).device, "quoted");
    EXPECT_EQ(with("", {{"workload", "1.5"}}).workload, "1.5");
}

TEST(Settings, ChangeSingleRulesOfAPreset) {
    const Config config =
        with(R"("lifetime":"inline-lock")",
             {{"lifetime.retire", "rcu-barrier"}, {"lifetime.hardware.lock", "borrowed:ring"}});
    fences::LifetimePolicy expected = fences::find_preset("inline-lock")->policy;
    expected.retire = fences::RetireRule::rcu_barrier;
    expected.hardware.lock = fences::LockRule::ring;
    expected.name = config.lifetime.name;
    EXPECT_EQ(config.lifetime, expected);
    EXPECT_EQ(with(R"("lifetime":{"lock":"inline"})", {{"lifetime", "split"}}).lifetime.name,
              "split");
}

TEST(Settings, NameThemselvesWhenTheyAreWrong) {
    EXPECT_EQ(
        fault("rings.gfx.credit_limt", "1"),
        "--set rings.gfx.credit_limt=1: /rings/0: found the unknown key 'credit_limt', expected "
        "one of 'name', 'credit_limit', 'context_switch', 'interrupt_latency', 'device', "
        "'driver', 'policy', 'timeout', 'hang_limit', 'on_timeout', 'cancel' "
        "(did you mean 'credit_limit'?)");
    EXPECT_EQ(fault("rings.gfx.credit_limit", "0"),
              "--set rings.gfx.credit_limit=0: /rings/0/credit_limit: found 0, expected an integer "
              "from 1 to 4294967295");
    EXPECT_EQ(fault("scheduler.policy", "fiof"),
              "--set scheduler.policy=fiof: /scheduler/policy: found \"fiof\", expected one of "
              "'fifo', 'rr', 'fair' (did you mean 'fifo'?)");
    EXPECT_THAT(fault("sed", "1"), HasSubstr("--set sed=1: found the unknown key 'sed'"));
    EXPECT_THAT(fault("sed", "1"), HasSubstr("(did you mean 'seed'?)"));
    EXPECT_THAT(fault("seed", "1.5"), HasSubstr("--set seed=1.5: /seed: found 1.5, expected"));
    EXPECT_THAT(fault("seed", ""), HasSubstr("--set seed=: /seed: found \"\", expected"));
    EXPECT_THAT(fault("", "1"), HasSubstr("--set =1: found an empty part in the key"));
    EXPECT_THAT(fault("seed.", "1"), HasSubstr("found an empty part in the key"));
    EXPECT_THAT(fault("seed.x", "1"), HasSubstr("--set seed.x=1: "));
    EXPECT_THAT(fault("rings.gfx", "1"), HasSubstr("found the key of a whole ring"));
    EXPECT_THAT(fault("version", "2"), HasSubstr("expected a key that a run depends on"));
    EXPECT_THAT(fault("lifetime.lock.x", "1"), HasSubstr("--set lifetime.lock.x=1: "));
    EXPECT_THAT(fault(std::string(100'000, 'a'), "1"), HasSubstr("found the unknown key"));
    EXPECT_THAT(fault("seed", std::string(100'000, '[')), HasSubstr("/seed: found"));
}

TEST(Settings, AreNamedWhenTheyDoNotFitTheFile) {
    const std::string message = fault_of([] {
        (void)with(R"("kernel":"6.12")", {{"seed", "2"}, {"scheduler.policy", "fair"}});
    });
    EXPECT_THAT(message,
                HasSubstr("c.json: /scheduler/policy: found \"fair\", expected 'fifo' or 'rr'"));
    EXPECT_THAT(message, HasSubstr("(with --set seed=2 --set scheduler.policy=fair)"));
}

TEST(Settings, LeaveTheFaultsOfTheFileToTheFile) {
    const std::string message = fault_of([] {
        (void)with(R"("seed":-1)", {{"scheduler.policy", "rr"}});
    });
    EXPECT_THAT(message, HasSubstr("c.json: /seed: found -1"));
    EXPECT_THAT(message, testing::Not(HasSubstr("--set")));
}

TEST(Settings, MayFitOnlyTogether) {
    EXPECT_EQ(
        with(R"("kernel":"6.12")", {{"scheduler.policy", "fair"}, {"kernel", "mainline"}}).kernel,
        scheduler::KernelVersion::mainline);
}

} // namespace
} // namespace fenceline::workloads::tests
