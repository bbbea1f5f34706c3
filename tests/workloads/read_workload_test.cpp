#include "documents.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::workloads::tests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const char* const kExample = R"({ "format": "fenceline/workload", "version": 1,
  "name": "two clients", "about": "free text", "origin": { "any": "provenance" },
  "entities": [ { "id": "a/gfx", "client": "a", "rings": ["gfx"], "priority": "normal" } ],
  "jobs":     [ { "id": 0, "at": 0,    "entity": "a/gfx", "duration": "500us" },
                { "id": 1, "at": 1200, "entity": "a/gfx", "duration": 300, "credits": 1, "after": [0] } ],
  "clients":  [ { "name": "b", "entities": [ { "id": "b/gfx", "rings": ["gfx"], "priority": "low" } ],
                  "start": 0, "repeat": 60,
                  "program": [ { "submit": { "entity": "b/gfx", "duration": "8ms", "as": "frame" } },
                               { "wait": "frame" }, { "period": "16.667ms" } ] } ],
  "actions":  [ { "at": "1s", "do": "kill-entity", "entity": "a/gfx" } ] })";

std::shared_ptr<const Workload> read(std::string_view text) {
    return parse_workload(text, "w.json").workload;
}

TEST(ReadWorkload, TakesTheExampleOfTheFormat) {
    const LoadedWorkload loaded = parse_workload(kExample, "dir/w.json");
    const Workload& workload = *loaded.workload;
    EXPECT_EQ(workload.name, "two clients");
    EXPECT_EQ(workload.about, "free text");
    EXPECT_EQ(workload.origin, R"({"any":"provenance"})");
    EXPECT_EQ(workload.source_path, "dir/w.json");
    EXPECT_FALSE(workload.streamed);
    EXPECT_THAT(workload.rings, ElementsAre("gfx"));
    const EntitySpec a{"a/gfx", "a", {0}, scheduler::Priority::normal, false};
    const EntitySpec b{"b/gfx", "b", {0}, scheduler::Priority::low, false};
    EXPECT_THAT(workload.entities, ElementsAre(a, b));
    ASSERT_EQ(workload.actions.size(), 1U);
    EXPECT_EQ(workload.actions[0].kind, ActionKind::kill_entity);
    EXPECT_EQ(workload.actions[0].at, sim::kSecond);
    EXPECT_EQ(workload.actions[0].entity, 0U);

    ASSERT_EQ(workload.clients.size(), 1U);
    const ClientSpec& client = workload.clients[0];
    EXPECT_EQ(client.repeat, 60U);
    EXPECT_THAT(client.entities, ElementsAre(1U));
    ASSERT_EQ(client.program.size(), 3U);
    const auto& submit = std::get<SubmitStep>(client.program[0].what);
    EXPECT_EQ(submit.entity, 1U);
    EXPECT_EQ(submit.duration.a, 8 * sim::kMillisecond);
    EXPECT_EQ(submit.as, "frame");
    EXPECT_EQ(std::get<WaitStep>(client.program[1].what).fence, "frame");
    EXPECT_EQ(std::get<PeriodStep>(client.program[2].what).period, 16'667'000U);
}

TEST(ReadWorkload, GivesJobsInOrderWithDependenciesAsOrdinals) {
    const LoadedWorkload loaded =
        parse_workload(workload_with_jobs(R"({"id":70,"at":0,"entity":"a/gfx","duration":"500us"},
            {"id":3,"at":1200,"entity":"a/gfx","duration":"forever","credits":9,"after":[70],
             "via":"chain","run_job":"no-fence"},
            {"id":4,"at":1200,"entity":"a/gfx","duration":0,"after":[3,70]})"),
                       "w.json");
    const auto source = loaded.open_jobs();
    EXPECT_EQ(source->count_hint(), 3U);
    JobRecord job;
    ASSERT_TRUE(source->next(job));
    EXPECT_EQ(job.id, 70U);
    EXPECT_EQ(job.duration, 500'000U);
    EXPECT_EQ(job.credits, 1U);
    EXPECT_EQ(job.via, Via::none);
    EXPECT_TRUE(job.after.empty());
    EXPECT_FALSE(source->ordinal_of(3)); // has not come yet
    ASSERT_TRUE(source->next(job));
    EXPECT_EQ(job.duration, sim::kForever);
    EXPECT_EQ(job.credits, 9U);
    EXPECT_EQ(job.via, Via::chain);
    EXPECT_EQ(job.run_job, scheduler::RunJobKind::no_fence);
    EXPECT_THAT(job.after, ElementsAre(0U));
    EXPECT_EQ(source->ordinal_of(3), 1U);
    EXPECT_EQ(source->where(), "w.json: /jobs/1");
    ASSERT_TRUE(source->next(job));
    EXPECT_THAT(job.after, ElementsAre(1U, 0U));
    EXPECT_FALSE(source->next(job));
    source->rewind();
    ASSERT_TRUE(source->next(job));
    EXPECT_EQ(job.id, 70U);
}

TEST(ReadWorkload, NamesClientsAfterTheIdUpToItsSlash) {
    const auto workload = read(R"({"format":"fenceline/workload","version":1,"entities":[
        {"id":"a/b/c","rings":["x"]},{"id":"plain","rings":["x"]},{"id":"/odd","rings":["x"]}],
        "clients":[{"name":"n","entities":[{"id":"z/y","rings":["x"]}],"program":[{"sleep":1}]}]})");
    std::vector<std::string> clients;
    for (const EntitySpec& entity : workload->entities) {
        clients.push_back(entity.client);
    }
    EXPECT_THAT(clients, ElementsAre("a", "plain", "/odd", "n"));
}

TEST(ReadWorkload, GivesAClientTheListedEntitiesThatNameIt) {
    const auto workload = read(R"({"format":"fenceline/workload","version":1,"clients":[
        {"name":"b","entities":[{"id":"own","rings":["x"]}],
         "program":[{"submit":{"entity":"b/listed","duration":1}}]}],
        "entities":[{"id":"b/listed","rings":["x"]},{"id":"c","rings":["x"]}]})");
    EXPECT_THAT(workload->clients[0].entities, ElementsAre(0U, 2U));
}

TEST(ReadWorkload, NumbersRingsInOrderOfFirstMention) {
    const auto workload = read(R"({"format":"fenceline/workload","version":1,
        "actions":[{"at":0,"do":"reset-ring","ring":"d"},{"at":0,"do":"fini-scheduler","ring":"b"}],
        "clients":[{"name":"n","entities":[{"id":"n/1","rings":["c","a"]}],"program":[{"sleep":1}]}],
        "entities":[{"id":"e","rings":["b","a"]}]})");
    EXPECT_THAT(workload->rings, ElementsAre("b", "a", "c", "d"));
    EXPECT_EQ(workload->actions[0].ring, 3U);
    EXPECT_EQ(workload->actions[1].ring, 0U);
}

TEST(ReadWorkload, IsCalledAfterItsFileWithoutAName) {
    const TemporaryFile file("my load.json", R"({"format":"fenceline/workload","version":1})");
    EXPECT_EQ(load_workload(file.path()).workload->name, "my load");
}

TEST(ReadWorkload, SuggestsTheKeyOrNameThatWasMeant) {
    EXPECT_EQ(
        workload_fault(R"({"format":"fenceline/workload","version":1,"entities":[
        {"id":"a","rings":["x"],"priorty":"low"}]})"),
        "w.json: /entities/0: found the unknown key 'priorty', expected one of 'id', 'client', "
        "'rings', 'priority', 'guilty' (did you mean 'priority'?)");
    EXPECT_EQ(
        workload_fault(workload_with_jobs(R"({"id":0,"at":0,"entity":"a/gxf","duration":1})")),
        "w.json: /jobs/0/entity: found \"a/gxf\", expected the entity 'a/gfx' "
        "(did you mean 'a/gfx'?)");
    EXPECT_THAT(workload_fault(workload_with(R"("actions":[{"at":0,"do":"kil-entity"}])")),
                HasSubstr("(did you mean 'kill-entity'?)"));
}

TEST(ReadWorkload, RefusesJobsThatDoNotFitTogether) {
    const auto fault = [](const std::string& first, const std::string& second) {
        const std::string rest = R"(,"entity":"a/gfx","duration":1})";
        return workload_fault(workload_with_jobs(first + rest + "," + second + rest));
    };
    EXPECT_EQ(fault(R"({"id":5,"at":0)", R"({"id":5,"at":0)"),
              "w.json: /jobs/1/id: found 5, the id of an earlier job, expected an id of its own");
    EXPECT_EQ(
        fault(R"({"id":5,"at":"2us")", R"({"id":6,"at":1999)"),
        "w.json: /jobs/1/at: found 1999, expected a time not before that of the previous job, 2us");
    EXPECT_EQ(fault(R"({"id":5,"at":0,"after":[6])", R"({"id":6,"at":0,"after":[5])"),
              "w.json: /jobs/0/after/0: found 6, expected the id of an earlier job");
    EXPECT_EQ(
        fault(R"({"id":5,"at":0)", R"({"id":6,"at":0,"after":[5,6])"),
        "w.json: /jobs/1/after/1: found 6, the job itself, expected the id of an earlier job");
    EXPECT_EQ(fault(R"({"id":5,"at":0)", R"({"id":6,"at":0,"after":[7])"),
              "w.json: /jobs/1/after/0: found 7, expected the id of an earlier job");
    EXPECT_EQ(fault(R"({"id":5,"at":0)", R"({"id":6,"at":0,"after":[-5])"),
              "w.json: /jobs/1/after/0: found -5, expected an integer from 0 to 2^63 - 1");
}

TEST(ReadWorkload, ResolvesTheJobsOfActions) {
    const auto workload = read(workload_with(
        R"("jobs":[{"id":8,"at":0,"entity":"a/gfx","duration":1},
                   {"id":4,"at":"1us","entity":"a/gfx","duration":1}],
           "actions":[{"at":"1us","do":"export","job":4,"to":"syncobj","as":"f"},
                      {"at":"2us","do":"query","name":"f"},
                      {"at":"2us","do":"poll","job":8}])"));
    EXPECT_EQ(workload->actions[0].job, 4U);
    EXPECT_EQ(workload->actions[0].job_ordinal, 1U);
    EXPECT_EQ(workload->actions[0].to, ExportTo::syncobj);
    EXPECT_EQ(workload->actions[0].name, "f");
    EXPECT_EQ(workload->actions[1].name, "f");
    EXPECT_FALSE(workload->actions[1].job);
    EXPECT_EQ(workload->actions[2].job_ordinal, 0U);
}

TEST(ReadWorkload, BindsLabelsInProgramOrder) {
    const std::string submit = R"({"submit":{"entity":"b/gfx","duration":1,"as":"frame"}})";
    EXPECT_EQ(workload_fault(workload_with_program(submit + R"(,{"wait":"frame"})")), "accepted");
    EXPECT_EQ(workload_fault(workload_with_program(R"({"loop":{"count":1,"steps":[)" + submit +
                                                   R"(]}},{"wait":"frame"})")),
              "accepted");
    EXPECT_THAT(
        workload_fault(workload_with_program(R"({"loop":{"count":2,"steps":[{"wait":"frame"},)" +
                                             submit + "]}}")),
        HasSubstr("w.json: /clients/0/program/0/loop/steps/0/wait: found \"frame\", expected a "
                  "label that an earlier submit"));
    EXPECT_THAT(workload_fault(workload_with_program(submit + R"(,{"wait":"farme"})")),
                HasSubstr("(did you mean 'frame'?)"));
}

TEST(ReadWorkload, ConnectsExportsAndImportsAcrossClientsAndActions) {
    const auto with_import = [](const std::string& name) {
        return R"({"format":"fenceline/workload","version":1,"clients":[
            {"name":"importer","program":[{"import":")" +
               name + R"("},{"wait":")" + name + R"("}]},
            {"name":"exporter","entities":[{"id":"e","rings":["r"]}],"program":[
              {"submit":{"entity":"e","duration":1,"as":"j"}},
              {"loop":{"count":3,"steps":[{"export":{"fence":"j","to":"chain","as":"shared"}}]}}]}],
            "actions":[{"at":0,"do":"import","name":"shared"}]})";
    };
    EXPECT_EQ(workload_fault(with_import("shared")), "accepted");
    EXPECT_EQ(
        workload_fault(with_import("shraed")),
        "w.json: /clients/0/program/0/import: found \"shraed\", expected a name that is exported "
        "(did you mean 'shared'?)");
}

TEST(ReadWorkload, ReadsDistributions) {
    const auto workload = read(workload_with_program(
        R"({"sleep":{"uniform":["1us",2000]}},{"sleep":{"exponential":"1ms"}},
           {"sleep":{"normal":[500,"20ns"]}})"));
    using Kind = DurationSpec::Kind;
    const std::vector<Step>& steps = workload->clients[0].program;
    EXPECT_EQ(std::get<SleepStep>(steps[0].what).duration,
              (DurationSpec{Kind::uniform, 1000, 2000}));
    EXPECT_EQ(std::get<SleepStep>(steps[1].what).duration,
              (DurationSpec{Kind::exponential, 1'000'000, 0}));
    EXPECT_EQ(std::get<SleepStep>(steps[2].what).duration, (DurationSpec{Kind::normal, 500, 20}));
}

} // namespace
} // namespace fenceline::workloads::tests
