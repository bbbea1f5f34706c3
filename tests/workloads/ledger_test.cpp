// What the ledger shows of small runs: chains at the end, at a time, and at an unload; and what a
// report says of a hazard besides where it happened.
#include "program_run.hpp"

#include "workloads/hazard_rules.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace fenceline::workloads::tests {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

RunResult run_with(std::string_view members, std::string_view config, RunOptions options) {
    const LoadedWorkload loaded = parse_workload(
        R"({"format":"fenceline/workload","version":1,)" + std::string(members) + "}", "w.json");
    const Config resolved = resolve_rings(
        interpret_config(Json::parse(config_with(config)), "c.json"), *loaded.workload);
    const auto jobs = loaded.open_jobs();
    return simulate(resolved, *loaded.workload, *jobs, options);
}

constexpr std::string_view kExported =
    R"("entities":[{"id":"a/gfx","rings":["gfx"]}],
       "jobs":[{"id":0,"at":0,"entity":"a/gfx","duration":100},
               {"id":1,"at":0,"entity":"a/gfx","duration":"forever"}],
       "actions":[{"at":10,"do":"export","job":0,"to":"sync_file","as":"f"}])";

Lines chains(const fences::Snapshot& graph) {
    Lines lines;
    for (const fences::ChainGroup& group : chains_of(graph, 100).groups)
        lines.push_back(chain_text(group) + " x" + std::to_string(group.count));
    return lines;
}

TEST(Ledger, ShowsAtATimeWhatIsAliveThenWithoutDisturbingTheRun) {
    RunOptions options;
    options.ledger = 150;
    const RunResult with = run_with(kExported, R"("until":500)", options);
    const RunResult without = run_with(kExported, R"("until":500)", {});
    EXPECT_EQ(with.events, without.events);
    EXPECT_EQ(with.end_time, without.end_time);
    ASSERT_TRUE(with.ledger);
    EXPECT_FALSE(without.ledger);
    EXPECT_EQ(with.ledger->at, 150u);
    EXPECT_THAT(with.ledger->unaccounted(), IsEmpty());
    const Lines lines = chains(*with.ledger);
    EXPECT_THAT(lines, Contains("sync_file f -> (fence) finished fence a/gfx:1 x1"));
    EXPECT_THAT(lines, Contains("sync_file f -> (fence) finished fence a/gfx:1 -> "
                                "(s_fence->parent) hardware fence a/gfx:1 x1"));
    EXPECT_THAT(lines, Contains("hardware gfx -> (on the ring) hardware fence a/gfx:2 x1"));
    const fences::ChainReport report = chains_of(*with.ledger, 100);
    EXPECT_EQ(report.pinned_objects, 2u);
    EXPECT_EQ(report.pinned_bytes, 256u);
    EXPECT_EQ(report.groups.front().since, 100u);
}

TEST(Ledger, BeforeAJobEndsItsFenceIsNotPinned) {
    RunOptions options;
    options.ledger = 50;
    const RunResult result = run_with(kExported, R"("until":500)", options);
    EXPECT_EQ(chains_of(*result.ledger, 100).pinned_objects, 0u);
}

TEST(Ledger, IsTakenAtTheEndWhereTheTimeNeverComes) {
    RunOptions options;
    options.ledger = sim::kForever;
    const RunResult end = run_with(kExported, R"("until":500)", options);
    ASSERT_TRUE(end.ledger);
    EXPECT_EQ(end.ledger->at, end.end_time);
    options.ledger = 900;
    EXPECT_EQ(run_with(kExported, R"("until":500)", options).ledger->at, end.end_time);
}

constexpr std::string_view kUnloaded =
    R"("entities":[{"id":"a/gfx","rings":["gfx"]}],
       "jobs":[{"id":0,"at":0,"entity":"a/gfx","duration":1000}],
       "actions":[{"at":10,"do":"export","job":0,"to":"sync_file","as":"f"},
                  {"at":20,"do":"unload-driver","driver":"drv"},
                  {"at":30,"do":"wait","name":"f"}])";

TEST(Ledger, SaysAtAnUnloadWhatIsAliveAndWhatItWaitsFor) {
    const RunResult result = run_with(kUnloaded, R"("lifetime":"drain-on-unload")", {});
    ASSERT_GE(result.unload_moments.size(), 2u);
    EXPECT_EQ(result.unload_moments[0].who, "unload-driver drv");
    EXPECT_EQ(result.unload_moments[0].moment, "begins");
    EXPECT_EQ(result.unload_moments[0].chains.at, 20u);
    const auto drain = std::find_if(
        result.unload_moments.begin(), result.unload_moments.end(),
        [](const auto& moment) { return moment.moment == "waits for the hardware to drain"; });
    ASSERT_NE(drain, result.unload_moments.end());
    ASSERT_THAT(drain->chains.groups, Not(IsEmpty()));
    for (const fences::ChainGroup& group : drain->chains.groups)
        EXPECT_EQ(group.links.front().kind, "hardware");
    EXPECT_THAT(chain_text(drain->chains.groups.front()), HasSubstr("hardware fence a/gfx:1"));
}

/// A fence outlives the context that its lock is in.
constexpr std::string_view kBorrowed =
    R"("entities":[{"id":"a/gfx","rings":["gfx"]}],
       "jobs":[{"id":0,"at":0,"entity":"a/gfx","duration":100}],
       "actions":[{"at":10,"do":"export","job":0,"to":"sync_file","as":"f"},
                  {"at":200,"do":"destroy-entity","entity":"a/gfx"},
                  {"at":300,"do":"wait","name":"f"}])";

TEST(HazardReports, SayWhoPointedAtTheDeadAndWhatBecameOfTheFence) {
    const RunResult result = run_with(kBorrowed, R"("lifetime":"borrowed-lock")", {});
    ASSERT_THAT(result.hazards, Not(IsEmpty()));
    const sim::Hazard& hazard = result.hazards.front();
    EXPECT_EQ(sim::headline(hazard),
              "use-after-free of lock: context a/gfx is accessed after its death");
    EXPECT_THAT(hazard.holders, Contains("sync_file f -> (fence) hardware fence a/gfx:1 -> "
                                         "(fence->lock, not counted) context a/gfx"));
    EXPECT_EQ(hazard.fence, "hardware fence a/gfx:1");
    Lines what;
    for (const sim::TimelineEntry& entry : hazard.timeline.first())
        what.push_back(std::to_string(entry.time) + " " + entry.what + " " + entry.context);
    EXPECT_EQ(what.front(), "0 allocated task a");
    Lines all;
    for (const auto& entry : hazard.timeline.first())
        all.push_back(entry.what);
    for (const auto& entry : hazard.timeline.last())
        all.push_back(entry.what);
    EXPECT_THAT(all, Contains("callback added"));
    EXPECT_THAT(all, Contains("signalled"));
    EXPECT_THAT(all, Contains(HasSubstr("put (")));
}

TEST(HazardReports, NameTheRuleThatMadeItPossible) {
    const RunResult context = run_with(kBorrowed, R"("lifetime":"borrowed-lock")", {});
    EXPECT_EQ(context.hazards.front().rule.rule, "hardware.lock");
    EXPECT_EQ(context.hazards.front().rule.value, "borrowed:context");
    EXPECT_THAT(context.hazards.front().rule.about, HasSubstr("dies with the entity"));
    const RunResult device =
        run_with(std::string(kUnloaded),
                 R"("lifetime":{"base":"borrowed-lock","lock":"borrowed:device"})", {});
    ASSERT_THAT(device.hazards, Not(IsEmpty()));
    EXPECT_EQ(device.hazards.front().rule.value, "borrowed:device");
}

TEST(HazardReports, EveryRuleThatIsNamedHasAValue) {
    const sim::HazardClass* const uaf = &sim::hazards::use_after_free;
    const std::pair<const sim::HazardClass*, const char*> kinds[] = {
        {uaf, "names"},
        {uaf, "ops"},
        {uaf, "slab"},
        {uaf, "context"},
        {uaf, "fence"},
        {uaf, "entity"},
        {uaf, "run queue"},
        {uaf, "scheduler"},
        {uaf, "job"},
        {uaf, "submit_wq"},
        {&sim::hazards::leak, "job"},
        {&sim::hazards::double_free, "job"}};
    for (const fences::Preset& preset : fences::presets())
        for (const auto& [kind, subject] : kinds) {
            const sim::BrokenRule rule = rule_behind(
                {.kind = kind, .subject = subject, .object = "context x", .message = ""},
                preset.policy);
            EXPECT_NE(rule.rule, "") << subject;
            EXPECT_NE(rule.value, "") << preset.name << " " << subject;
            EXPECT_NE(rule.about, "") << subject;
        }
    EXPECT_EQ(
        rule_behind({.kind = &sim::hazards::deadlock, .subject = "x", .object = "x", .message = ""},
                    fences::presets().front().policy)
            .rule,
        "");
}

TEST(HazardReports, AJobThatLeaksIsShownWithItsFence) {
    const RunResult result = run_with(kExported, R"("until":500)", {});
    const auto leak = std::find_if(result.hazards.begin(), result.hazards.end(), [](const auto& h) {
        return h.kind == &sim::hazards::leak && h.subject == "job";
    });
    ASSERT_NE(leak, result.hazards.end());
    EXPECT_EQ(leak->rule.rule, "job_refs");
    EXPECT_EQ(leak->fence, "finished fence a/gfx:2");
    EXPECT_FALSE(leak->timeline.empty());
    EXPECT_THAT(leak->timeline.first().front().what, HasSubstr("allocated"));
}

} // namespace
} // namespace fenceline::workloads::tests
