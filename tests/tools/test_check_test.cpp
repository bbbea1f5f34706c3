// Expectations: each kind passes where the run is as it says, and fails for the right reason where
// it is not.
#include "tools/test_run.hpp"

#include "tests/tools/scratch.hpp"
#include "workloads/input_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace fenceline::tools::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using workloads::Json;

/// b's job depends on a's, on another ring.
constexpr std::string_view kTwo = R"({
  "entities": [ { "id": "a/gfx", "rings": ["gfx"] }, { "id": "b/gfx", "rings": ["copy"] } ],
  "jobs": [ { "id": 0, "at": 0, "entity": "a/gfx", "duration": "1ms" },
            { "id": 1, "at": 0, "entity": "b/gfx", "duration": "3ms", "after": [0] } ] })";

/// The ring goes with the driver while two jobs are on it. One job is cut to the ring's credits.
constexpr std::string_view kBroken = R"({
  "entities": [ { "id": "a/gfx", "rings": ["gfx"] }, { "id": "b/copy", "rings": ["copy"] } ],
  "jobs": [ { "id": 0, "at": 0, "entity": "a/gfx", "duration": "8ms" },
            { "id": 1, "at": 0, "entity": "a/gfx", "duration": "8ms" },
            { "id": 2, "at": "1us", "entity": "b/copy", "duration": "1us", "credits": 5 } ],
  "actions": [ { "at": "1ms", "do": "poll", "job": 0 }, { "at": "2ms", "do": "query", "job": 0 },
               { "at": "2500us", "do": "close", "job": 0 },
               { "at": "3ms", "do": "unload-driver", "driver": "drv" } ] })";

CaseOutcome run(std::string_view workload, const std::string& expect,
                const std::string& config = "{}", bool keep_going = false) {
    const std::string text = R"({"format":"fenceline/scenario","version":1,"config":)" + config +
                             R"(,"options":{"keep_going":)" + (keep_going ? "true" : "false") +
                             R"(},"workload":)" + std::string(workload) + R"(,"expect":)" + expect +
                             "}";
    const workloads::Scenario scenario =
        workloads::interpret_scenario(workloads::parse_json(text, {"s.json"}), "s.json");
    WorkloadCache cache;
    return run_case(plan_case(scenario, scenario.cases.front(), cache), {});
}

void expect_pass(const CaseOutcome& outcome) {
    EXPECT_EQ(outcome.status, TestStatus::passed)
        << (outcome.failures.empty() ? outcome.error
                                     : outcome.failures.front().where + ": expected " +
                                           outcome.failures.front().expected + ", found " +
                                           outcome.failures.front().found);
}

/// One failure, about this place.
void expect_failure(const CaseOutcome& outcome, const std::string& where,
                    const std::string& expected, const std::string& found) {
    ASSERT_EQ(outcome.status, TestStatus::failed) << outcome.error;
    ASSERT_THAT(outcome.failures, SizeIs(1));
    EXPECT_EQ(outcome.failures.front().where, where);
    EXPECT_THAT(outcome.failures.front().expected, HasSubstr(expected));
    EXPECT_THAT(outcome.failures.front().found, HasSubstr(found));
}

TEST(Expectations, Order) {
    expect_pass(run(kTwo, R"({"order":[{"ev":"queue","job":1},{"ev":"finished","job":0,"t":"1ms"},
                              {"ev":"run_job","entity":"b/gfx","t":{"min":"1ms"}},
                              {"ring":"copy","ev":"free_job","job":1,"err":0}]})"));
    const CaseOutcome early =
        run(kTwo, R"({"order":[{"ev":"finished","job":0},{"ev":"queue","job":1},{"ev":"reset"}]})");
    expect_failure(early, "/expect/order/1", R"({"ev":"queue","job":1} after line)",
                   "it only before that, in line 2");
    EXPECT_THAT(early.failures.front().excerpt,
                Contains(R"(>    2  {"t":0,"ev":"queue","job":1,"entity":"b/gfx","ring":"copy"})"));
    EXPECT_THAT(early.failures.front().excerpt,
                Contains(AllOf(StartsWith(">"), HasSubstr(R"("ev":"finished","job":0)"))));
    const CaseOutcome none = run(kTwo, R"({"order":[{"ev":"timedout","job":0}]})");
    expect_failure(none, "/expect/order/0", R"({"ev":"timedout","job":0})", "no such event");
    // The events of the job that was asked for show what it did instead.
    EXPECT_THAT(none.failures.front().excerpt,
                Contains(AllOf(StartsWith(">"), HasSubstr(R"("ev":"run_job","job":0)"))));
}

TEST(Expectations, ALineServesOnePattern) {
    expect_failure(
        run(kTwo, R"({"order":[{"ev":"finished"},{"ev":"finished"},{"ev":"finished"}]})"),
        "/expect/order/2", "after line", "it only before that");
}

TEST(Expectations, Never) {
    expect_pass(run(kTwo, R"({"never":[{"ev":"timedout"},{"job":1,"t":{"min":"1us","max":"999us"}},
                              {"err":-3}]})"));
    const CaseOutcome outcome = run(kTwo, R"({"never":[{"ev":"reset"},{"ev":"run_job","job":1}]})");
    expect_failure(outcome, "/expect/never/1", R"(never {"ev":"run_job","job":1})", "it in line ");
    EXPECT_THAT(outcome.failures.front().excerpt,
                Contains(AllOf(StartsWith(">"), HasSubstr(R"("t":1000000,"ev":"run_job")"))));
}

TEST(Expectations, TheWholeLog) {
    const std::string start =
        R"({"events":[{"t":0,"ev":"queue","job":0,"entity":"a/gfx","ring":"gfx"},)"
        R"({"t":0,"ev":"run_job","job":0,"entity":"a/gfx","ring":"gfx"},)"
        R"({"t":0,"ev":"scheduled","job":0,"entity":"a/gfx","ring":"gfx"},)"
        R"({"t":"1ms","ev":"hw_done","job":0,"entity":"a/gfx","ring":"gfx"},)"
        R"({"t":"1ms","ev":"finished","job":0,"entity":"a/gfx","ring":"gfx")";
    const std::string last = R"({"t":"1ms","ev":"free_job","job":0,"entity":"a/gfx","ring":"gfx"})";
    constexpr std::string_view kOne = R"({"entities":[{"id":"a/gfx","rings":["gfx"]}],
        "jobs":[{"id":0,"at":0,"entity":"a/gfx","duration":"1ms"}]})";
    expect_pass(run(kOne, start + "}," + last + "]}"));
    expect_failure(run(kOne, start + "}]}"), "/expect/events",
                   "as line 6: the end of the log after line 5", R"("ev":"free_job")");
    expect_failure(run(kOne, start + "}," + last + "," + last + "]}"), "/expect/events/6",
                   R"(as line 7: {"t":"1ms","ev":"free_job")", "the end of the log after line 6");
    expect_failure(run(kOne, start + R"(,"err":-3},)" + last + "]}"), "/expect/events/4", "-3",
                   R"({"t":1000000,"ev":"finished","job":0,"entity":"a/gfx","ring":"gfx"})");
}

TEST(Expectations, Counts) {
    expect_pass(run(kTwo, R"({"counts":{"finished":2,"failed":0,"run_job":{"min":1,"max":2}}})"));
    expect_pass(run(kTwo, R"({"counts":[{"ev":"run_job","t":0,"count":1},{"job":1,"count":6}]})"));
    const CaseOutcome many = run(kTwo, R"({"counts":{"finished":{"max":1}}})");
    expect_failure(many, "/expect/counts/finished", "finished: at most 1", "2");
    EXPECT_THAT(many.failures.front().excerpt, SizeIs(3)); // and what stands between them
    expect_failure(run(kTwo, R"({"counts":{"failed":1}})"), "/expect/counts/failed", "failed: 1",
                   "0");
    expect_failure(run(kTwo, R"({"counts":[{"ev":"queue","entity":"b/gfx","count":{"min":2}}]})"),
                   "/expect/counts/0", "at least 2", "1");
}

TEST(Expectations, Figures) {
    expect_pass(run(kTwo, R"({"figures":{"/makespan":"4ms","/clients/1/name":"b",
                              "/interrupted":false,"/fairness":{"max":1},"/jobs/finished":2}})"));
    expect_failure(run(kTwo, R"({"figures":{"/makespan":{"max":"3ms"}}})"),
                   "/expect/figures/~1makespan", "/makespan: at most \"3ms\"", "4000000 (4ms)");
    expect_failure(run(kTwo, R"({"figures":{"/clients/1/name":"a"}})"),
                   "/expect/figures/~1clients~11~1name", "\"a\"", "\"b\"");
    expect_failure(run(kTwo, R"({"figures":{"/clients/1/name":{"min":1}}})"),
                   "/expect/figures/~1clients~11~1name", "at least 1", "\"b\"");
    for (const char* const nowhere : {"/clients/7/name", "/clients/x", "/clients/-", "/makespan/0",
                                      "/clients/99999999999999999999999", "/none", "/clients/01"}) {
        const CaseOutcome outcome =
            run(kTwo, R"({"figures":{")" + std::string(nowhere) + R"(":1}})");
        ASSERT_THAT(outcome.failures, SizeIs(1)) << nowhere;
        EXPECT_EQ(outcome.failures.front().found, "nothing there in the result") << nowhere;
    }
}

TEST(Expectations, LatencyShareAndPinned) {
    expect_pass(run(kTwo, R"({"latency":{"a":{"p50":"1ms"},"b":{"max":{"max":"4ms"}}},
                              "share":{"a":0.25},"pinned":{"unreleased":0}})"));
    expect_failure(run(kTwo, R"({"latency":{"a":{"p50":"1ms"},"b":{"max":{"max":"3ms"}}}})"),
                   "/expect/latency/b/max", "of client b: at most \"3ms\"", "4000000 (4ms)");
    expect_failure(run(kTwo, R"({"share":{"b":{"max":0.5}}})"), "/expect/share/b", "at most 0.5",
                   "0.75");
    expect_failure(run(kTwo, R"({"pinned":{"peak_bytes":{"max":1}}})"), "/expect/pinned/peak_bytes",
                   "at most 1", "");
}

TEST(Expectations, UnloadTime) {
    const std::string drain = R"({"lifetime":"drain-on-unload"})";
    expect_pass(run(kBroken, R"({"unload_time":{"min":"13ms","max":"14ms"}})", drain));
    expect_failure(run(kBroken, R"({"unload_time":{"max":"1ms"}})", drain), "/expect/unload_time",
                   "at most \"1ms\"", "(13.02ms)");
}

TEST(Expectations, ObservationsAndWarnings) {
    const std::string drain = R"({"lifetime":"drain-on-unload"})";
    expect_pass(
        run(kBroken, R"({"observations":["poll","query"],"warnings":["truncate"]})", drain));
    const CaseOutcome order = run(kBroken, R"({"observations":["query","poll"]})", drain);
    expect_failure(order, "/expect/observations/1", "an observation with \"poll\" after number 2",
                   "no such one");
    EXPECT_THAT(order.failures.front().excerpt, SizeIs(2));
    expect_failure(run(kBroken, R"({"warnings":["nonsense"]})", drain), "/expect/warnings/0",
                   "a warning with \"nonsense\"", "no such one");
    expect_failure(run(kTwo, R"({"warnings":["nonsense"]})"), "/expect/warnings/0", "a warning",
                   "none at all");
}

TEST(Expectations, End) {
    expect_pass(run(kTwo, R"({"end":"normal"})"));
    expect_pass(run(kTwo, R"({"end":"until","hazards":{"at_least":[]}})", R"({"until":"1us"})"));
    expect_failure(run(kTwo, R"({"end":"stuck"})"), "/expect/end", "'stuck'", "'normal'");
}

TEST(Expectations, NoHazardsIsTheDefault) {
    const CaseOutcome outcome = run(kBroken, R"({"counts":{"queue":3}})");
    expect_failure(outcome, "", "no hazards", "use-after-free of lock: ring gfx is accessed after");
    // The last event before it is marked.
    EXPECT_THAT(outcome.failures.front().excerpt, Contains(StartsWith(">")));
    expect_failure(run(kBroken, R"({"hazards":"none"})"), "/expect/hazards", "no hazards",
                   "at 8ms");
}

TEST(Expectations, ExactlyTheseHazards) {
    expect_pass(run(kBroken, R"({"hazards":[{"class":"use-after-free","subject":"lock",
        "object":"gfx","message":"after its death","at":"8ms"}],"end":"hazard"})"));
    expect_failure(run(kTwo, R"({"hazards":[{"class":"leak"}]})"), "/expect/hazards/0",
                   R"({"class":"leak"})", "no hazards");
    for (const char* const wrong : {R"("subject":"ops")", R"("object":"ring copy")",
                                    R"("message":"freed twice")", R"("at":"9ms")"}) {
        const CaseOutcome outcome =
            run(kBroken, R"({"hazards":[{"class":"use-after-free",)" + std::string(wrong) + "}]}");
        ASSERT_THAT(outcome.failures, SizeIs(2)) << wrong;
        EXPECT_EQ(outcome.failures[0].where, "/expect/hazards"); // one too many
        EXPECT_EQ(outcome.failures[1].where, "/expect/hazards/0");
        EXPECT_THAT(outcome.failures[1].expected, HasSubstr(wrong));
    }
}

/// Of the hazards here two are use-after-free of the ring's lock and one is never-signalled.
TEST(Expectations, CountsOfHazards) {
    const auto tries = [](const std::string& hazards) {
        return run(kBroken, R"({"hazards":)" + hazards + "}", "{}", true);
    };
    const std::string others = R"({"class":"never-signalled"},{"class":"leak","count":{"min":1}})";
    expect_pass(tries(R"([{"class":"use-after-free","count":2},)" + others + "]"));
    expect_pass(tries(R"([{"class":"use-after-free","count":{"max":5}},)" + others + "]"));
    expect_failure(tries(R"([{"class":"use-after-free"},)" + others + "]"), "/expect/hazards",
                   "only the 3 kinds of hazard in the list", "use-after-free of lock");
    expect_failure(tries(R"([{"class":"use-after-free","count":3},)" + others + "]"),
                   "/expect/hazards/0", ", 3 times", "2 of them");
    // What comes first in the list must not take what only the other may have.
    expect_pass(tries(R"([{"class":"use-after-free"},{"class":"use-after-free","at":"8ms"},)" +
                      others + "]"));
    expect_pass(tries(R"([{"class":"use-after-free","at":"8ms"},{"class":"use-after-free"},)" +
                      others + "]"));
}

TEST(Expectations, AtLeastTheseHazards) {
    const auto tries = [](const std::string& list) {
        return run(kBroken, R"({"hazards":{"at_least":)" + list + "}}", "{}", true);
    };
    expect_pass(tries("[]"));
    expect_pass(tries(R"([{"class":"use-after-free"}])"));
    expect_failure(tries(R"([{"class":"double-free"}])"), "/expect/hazards/at_least/0",
                   R"({"class":"double-free"})", "use-after-free of lock");
}

TEST(Expectations, ReportsAreKeptOnRequest) {
    const std::string text = R"({"format":"fenceline/scenario","version":1,"workload":)" +
                             std::string(kBroken) + R"(,"expect":{"end":"hazard"}})";
    const workloads::Scenario scenario =
        workloads::interpret_scenario(workloads::parse_json(text, {"s.json"}), "s.json");
    WorkloadCache cache;
    const PlannedCase planned = plan_case(scenario, scenario.cases.front(), cache);
    EXPECT_THAT(run_case(planned, {}).reports, IsEmpty());
    CaseOptions options;
    options.reports = true;
    EXPECT_THAT(run_case(planned, options).reports,
                ElementsAre(HasSubstr("freed at 3000000 ns by task unload-driver drv")));
    options.on_progress = [](const workloads::Progress&) { return false; };
    EXPECT_EQ(run_case(planned, options).status, TestStatus::failed) << "too short to interrupt";
}

/// More events than are kept: counts are still told, single events are not.
TEST(EventRecord, KeepsNoMoreThanItMay) {
    const std::string text = R"({"format":"fenceline/scenario","version":1,"workload":)" +
                             std::string(kTwo) + R"(,"expect":{"order":[{"ev":"queue"}],
                                "counts":{"queue":1000}}})";
    const workloads::Scenario scenario =
        workloads::interpret_scenario(workloads::parse_json(text, {"s.json"}), "s.json");
    WorkloadCache cache;
    const PlannedCase planned = plan_case(scenario, scenario.cases.front(), cache);
    EventRecord record(*planned.prepared, planned.matchers.counts, 10);
    scheduler::LoggedEvent event{};
    for (event.time = 0; event.time < 1000; ++event.time) {
        record.on_event(event);
    }
    EXPECT_EQ(record.size(), 10U);
    EXPECT_FALSE(record.complete());
    EXPECT_EQ(record.counted(0), 1000U);
    EXPECT_EQ(record.count_until(4), 5U);
    const workloads::RunResult result;
    EXPECT_THROW((void)check(planned.expect, planned.matchers,
                             {*planned.prepared, result, record, planned.flags}),
                 workloads::InputError);
    workloads::Expectations counts = planned.expect;
    counts.order.clear();
    EXPECT_THAT(check(counts, planned.matchers, {*planned.prepared, result, record, planned.flags}),
                IsEmpty());
}

} // namespace
} // namespace fenceline::tools::testing
