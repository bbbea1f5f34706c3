#include "workloads/support.hpp"

#include "documents.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::workloads::tests {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

const std::string kNotYet = " is valid but not yet run by this version of Fenceline";

std::vector<std::string> of_workload(std::string_view text) {
    return unsupported(*parse_workload(text, "w.json").workload, Config{});
}
std::vector<std::string> of_config(std::string_view members) {
    return unsupported(Workload{}, interpret_config(Json::parse(config_with(members)), "c.json"));
}

TEST(Support, RunsEntitiesJobsAndTheActionsOfThisVersion) {
    EXPECT_THAT(of_workload(workload_with(R"("jobs":[{"id":0,"at":0,"entity":"a/gfx","duration":1}],
        "actions":[{"at":0,"do":"export","job":0,"to":"sync_file","as":"f"},
          {"at":0,"do":"export","job":0,"to":"syncobj","as":"g"},
          {"at":0,"do":"query","name":"f"},{"at":0,"do":"poll","job":0},{"at":0,"do":"wait","name":"f"},
          {"at":1,"do":"close","name":"f"},{"at":2,"do":"destroy-entity","entity":"a/gfx"},
          {"at":2,"do":"fini-entity","entity":"a/gfx"},{"at":2,"do":"kill-entity","entity":"a/gfx"},
          {"at":3,"do":"fini-scheduler","ring":"gfx"},{"at":3,"do":"unload-driver","driver":"drv"},
          {"at":3,"do":"unbind-device","device":"gpu"},
          {"at":3,"do":"set-priority","entity":"a/gfx","priority":"low"},
          {"at":3,"do":"modify-sched","entity":"a/gfx","rings":["gfx"]}])")),
                IsEmpty());
}

TEST(Support, SaysWhichActionsAndClientsAreNotRunYet) {
    EXPECT_THAT(of_workload(workload_with(R"("jobs":[{"id":0,"at":0,"entity":"a/gfx","duration":1}],
        "clients":[{"name":"c","program":[{"sleep":1}]}],
        "actions":[{"at":0,"do":"export","job":0,"to":"resv","as":"f"},
          {"at":0,"do":"reset-ring","ring":"gfx"},{"at":0,"do":"terminate","job":0},
          {"at":0,"do":"set-deadline","job":0,"deadline":1},{"at":0,"do":"import","name":"f"},
          {"at":0,"do":"exit","client":"a"}])")),
                ElementsAre("w.json: /clients/0: a client with a program" + kNotYet,
                            "w.json: /actions/0/to: \"resv\"" + kNotYet,
                            "w.json: /actions/1/do: \"reset-ring\"" + kNotYet,
                            "w.json: /actions/2/do: \"terminate\"" + kNotYet,
                            "w.json: /actions/3/do: \"set-deadline\"" + kNotYet,
                            "w.json: /actions/4/do: \"import\"" + kNotYet,
                            "w.json: /actions/5/do: \"exit\"" + kNotYet));
}

TEST(Support, SaysWhichPartsOfAConfigurationAreNotRunYet) {
    EXPECT_THAT(of_config(R"("scheduler":{"policy":"rr"},"lifetime":"borrowed-lock")"), IsEmpty());
    EXPECT_THAT(of_config(R"("scheduler":{"policy":"fair"})"), IsEmpty());
    EXPECT_THAT(of_config(R"("kernel":"mainline","scheduler":{"policy":"rr"},
        "quirks":["fair-monotonic-minimum"])"),
                IsEmpty());
    EXPECT_THAT(of_config(R"("rings":[{"name":"a"},{"name":"b","timeout":5}])"),
                ElementsAre("c.json: /rings/1/timeout: a timeout other than \"none\"" + kNotYet));
    EXPECT_THAT(of_config(R"("scheduler":{"timeout":5},"rings":[{"name":"a"}])"),
                ElementsAre("c.json: /scheduler/timeout: a timeout other than \"none\"" + kNotYet));
    EXPECT_THAT(of_config(R"("lifetime":"refcount-all")"),
                ElementsAre(StartsWith("c.json: /lifetime: \"refcount-all\" (")));
}

TEST(Support, ChecksJobsOneByOne) {
    const std::string job = R"({"id":1,"at":0,"entity":"a/gfx","duration":"forever")";
    const auto first = [](const LoadedWorkload& loaded) {
        const auto source = loaded.open_jobs();
        JobRecord record;
        EXPECT_TRUE(source->next(record));
        return unsupported(record, *source).value_or("runs");
    };
    const auto in_memory = [&](const std::string& rest) {
        return first(parse_workload(workload_with_jobs(job + rest + "}"), "w.json"));
    };
    EXPECT_EQ(in_memory(""), "runs");
    EXPECT_EQ(in_memory(R"(,"via":"any")"), "w.json: /jobs/0/via: \"any\"" + kNotYet);
    EXPECT_EQ(in_memory(R"(,"run_job":"error")"), "runs");
    const TemporaryFile file("w.jsonl", lines_with("", "\n" + job + R"(,"via":"any"})"));
    EXPECT_EQ(first(load_workload(file.path())), file.path() + ":3: /via: \"any\"" + kNotYet);
}

} // namespace
} // namespace fenceline::workloads::tests
