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
          {"at":0,"do":"export","job":0,"to":"resv","as":"h"},
          {"at":0,"do":"export","job":0,"to":"chain","as":"i"},
          {"at":0,"do":"set-deadline","job":0,"deadline":1},
          {"at":0,"do":"query","name":"f"},{"at":0,"do":"poll","job":0},{"at":0,"do":"wait","name":"f"},
          {"at":1,"do":"close","name":"f"},{"at":2,"do":"destroy-entity","entity":"a/gfx"},
          {"at":2,"do":"fini-entity","entity":"a/gfx"},{"at":2,"do":"kill-entity","entity":"a/gfx"},
          {"at":3,"do":"fini-scheduler","ring":"gfx"},{"at":3,"do":"unload-driver","driver":"drv"},
          {"at":3,"do":"unbind-device","device":"gpu"},
          {"at":3,"do":"set-priority","entity":"a/gfx","priority":"low"},
          {"at":3,"do":"modify-sched","entity":"a/gfx","rings":["gfx"]},
          {"at":3,"do":"import","name":"g"},{"at":3,"do":"terminate","job":0},
          {"at":3,"do":"terminate","ring":"gfx"},{"at":4,"do":"exit","client":"a"}],
        "clients":[{"name":"c","program":[{"import":"g"},{"query":"g"},{"exit":"clean"}]}])")),
                IsEmpty());
}

TEST(Support, SaysWhichPartsOfAConfigurationAreNotRunYet) {
    EXPECT_THAT(of_config(R"("scheduler":{"policy":"rr"},"lifetime":"borrowed-lock")"), IsEmpty());
    EXPECT_THAT(of_config(R"("scheduler":{"policy":"fair"})"),
                ElementsAre("c.json: /kernel: \"mainline\"" + kNotYet,
                            "c.json: /scheduler/policy: \"fair\"" + kNotYet));
    EXPECT_THAT(of_config(R"("scheduler":{"timeout":5},"rings":[{"name":"a","timeout":7}])"),
                IsEmpty());
    EXPECT_THAT(of_config(R"("lifetime":"refcount-all")"),
                ElementsAre(StartsWith("c.json: /lifetime: \"refcount-all\" (")));
}

} // namespace
} // namespace fenceline::workloads::tests
