// The ledger's snapshots: they account for every reference there is, at any moment of any run.
#include "program_run.hpp"

#include "sim/random.hpp"
#include "workloads/job_list.hpp"
#include "workloads/read_config.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>

namespace fenceline::workloads::tests {
namespace {

using fences::Hold;
using fences::Snapshot;
using fences::SnapshotNode;

/// Every preset, and what no preset has.
constexpr const char* kLifetimes[] = {
    R"("borrowed-lock")",
    R"("inline-lock")",
    R"("refcounted-context")",
    R"("drain-on-unload")",
    R"("split")",
    R"("split-safe-names")",
    R"("detached-ops")",
    R"("refcount-all")",
    R"({"base":"split","module":"pinned-by-fence","callbacks":"counted","names":"copied"})",
    R"({"base":"refcounted-context","module":"pinned-by-context","teardown":"cancel"})",
    R"({"base":"split","job_refs":"refcounted","queue_refs":"refcounted","parent":"until-signal",
        "public":{"context":"refcounted","lock":"borrowed:queue"}})"};

/// A workload of jobs, programs and actions in which fences go everywhere that fences can go.
class Generator {
  public:
    explicit Generator(std::uint64_t seed) : random_(seed) {}

    std::string workload() {
        std::string text = R"("entities":[)";
        for (int i = 0; i < 4; ++i)
            text += (i == 0 ? "" : ",") + std::string(R"({"id":"e/)") + std::to_string(i) +
                    R"(","rings":)" + (below(3) == 0 ? R"(["r0","r1"])" : R"(["r0"])") +
                    R"(,"guilty":)" + (below(2) == 0 ? "true" : "false") + "}";
        text += R"(],"jobs":[)" + jobs() + R"(],"clients":[)" + client("p", "q") + "," +
                client("q", "p") + R"(],"actions":[)" + actions() + "]";
        return text;
    }
    std::string config() {
        std::string text =
            R"("lifetime":)" + std::string(kLifetimes[below(std::size(kLifetimes))]) + ",";
        text += below(3) == 0 ? R"("kernel":"mainline","scheduler":{"policy":"fair",)"
                              : R"("scheduler":{"policy":"rr",)";
        text += below(2) == 0 ? R"("timeout":90},)" : R"("timeout":"none"},)";
        text += R"("rcu_grace_period":)" + number(1 + below(60)) + R"(,"costs":{"submit":)" +
                number(below(2) * 3) + R"(,"wakeup":)" + number(below(2) * 5) +
                R"(},"until":900,"rings":[{"name":"r0","interrupt_latency":)" +
                number(below(3) * 7) + R"(},{"name":"r1","credit_limit":3}])";
        return text;
    }
    std::uint64_t below(std::uint64_t bound) { return random_.next() % bound; }

  private:
    static std::string number(std::uint64_t value) { return std::to_string(value); }

    std::string jobs() {
        std::string text;
        std::uint64_t at = 0;
        for (std::uint64_t id = 0; id < 40; ++id) {
            at += below(3) * 7;
            text += (id == 0 ? "" : ",") + std::string(R"({"id":)") + number(id) + R"(,"at":)" +
                    number(at) + R"(,"entity":"e/)" + number(below(4)) + R"(","duration":)" +
                    (below(30) == 0 ? R"("forever")" : number(below(40)));
            if (id > 2 && below(2) == 0) {
                constexpr const char* via[] = {"array", "any", "chain", "resv"};
                text += R"(,"after":[)" + number(id - 1) + "," + number(id - 3) + "]";
                if (below(4) != 0)
                    text += R"(,"via":")" + std::string(via[below(4)]) + "\"";
            }
            constexpr const char* kinds[] = {"no-fence", "error", "signalled"};
            if (below(10) == 0)
                text += R"(,"run_job":")" + std::string(kinds[below(3)]) + "\"";
            text += "}";
        }
        return text;
    }
    std::string client(const std::string& name, const std::string& other) {
        constexpr const char* places[] = {"sync_file", "syncobj", "resv", "chain"};
        const std::string entity = R"("entity":")" + name + R"(/g")";
        return R"({"name":")" + name + R"(","entities":[{"id":")" + name +
               R"(/g","rings":["r1"]}],"repeat":6,"program":[{"submit":{)" + entity +
               R"(,"duration":)" + number(1 + below(30)) +
               R"(,"as":"x"}},{"export":{"fence":"x","to":")" + places[below(4)] + R"(","as":")" +
               name + R"(n"}},{"submit":{)" + entity + R"(,"duration":5,"as":"y","after":["x",")" +
               name + R"(n"]}},{"import":")" + other + R"(n"},{"poll":")" + other +
               R"(n"},{"wait":")" + (below(2) == 0 ? other + "n" : std::string("y")) +
               R"("},{"sleep":)" + number(below(20)) + R"(},{"close":"x"}]})";
    }
    std::string actions() {
        constexpr const char* verbs[] = {"destroy-entity", "kill-entity", "fini-entity"};
        std::string text = R"({"at":300,"do":"export","job":0,"to":"syncobj","as":"a"},)"
                           R"({"at":310,"do":"wait","job":5},{"at":320,"do":"wait","name":"a"})";
        for (std::uint64_t i = below(3); i > 0; --i)
            text += R"(,{"at":)" + number(below(600)) + R"(,"do":")" + verbs[below(3)] +
                    R"(","entity":"e/)" + number(below(4)) + R"("})";
        if (below(4) == 0)
            text += R"(,{"at":)" + number(400 + below(300)) +
                    R"(,"do":"unload-driver","driver":"drv"})";
        if (below(4) == 0)
            text +=
                R"(,{"at":)" + number(below(500)) + R"(,"do":"exit","client":"p","how":"killed"})";
        return text;
    }
    sim::Random random_;
};

std::string problems_of(const Snapshot& graph) {
    std::string text;
    for (const std::uint32_t node : graph.unaccounted())
        text += graph.unaccounted_text(node) + "; ";
    return text;
}

struct Seen {
    std::uint64_t snapshots = 0;
    std::uint64_t references = 0;
    std::uint64_t unload_moments = 0;
    std::map<std::string, std::uint64_t, std::less<>> edges;
};

/// Runs it with a snapshot after every `every` events, each of which must account for everything
/// up to a fatal hazard (what a dead context held is rightly nobody's).
void check(const std::string& workload, const std::string& config, bool fibers, std::uint64_t every,
           Seen& seen) {
    const LoadedWorkload loaded =
        parse_workload(R"({"format":"fenceline/workload","version":1,)" + workload + "}", "w.json");
    const Config read = interpret_config(Json::parse(config_with(config)), "c.json");
    const Config resolved = resolve_rings(read, *loaded.workload);
    RunOptions options;
    options.explain_hazards = false;
    options.fibers_for_all = fibers;
    options.snapshot_every = every;
    std::string first;
    sim::Time at = 0;
    options.on_snapshot = [&](const Snapshot& graph) {
        ++seen.snapshots;
        for (const SnapshotNode& node : graph.nodes)
            seen.references += node.checked ? node.references : 0;
        for (const fences::SnapshotEdge& edge : graph.edges)
            ++seen.edges[std::string(edge.what)];
        if (first.empty()) {
            first = problems_of(graph);
            at = graph.at;
        }
    };
    const auto jobs = loaded.open_jobs();
    const RunResult result = simulate(resolved, *loaded.workload, *jobs, options);
    EXPECT_EQ(first, "") << "at " << at << " ns\n" << workload << "\n" << config;
    for (const UnloadMoment& moment : result.unload_moments) {
        ++seen.unload_moments;
        EXPECT_THAT(moment.chains.unaccounted, testing::IsEmpty())
            << moment.who << " " << moment.moment << "\n"
            << workload << "\n"
            << config;
    }
}

TEST(Snapshots, AccountForEveryReferenceAtEveryMomentOfRandomRuns) {
    Seen seen;
    for (std::uint64_t seed = 1; seed <= 60 && !testing::Test::HasFailure(); ++seed) {
        Generator generator(seed);
        const std::string config = generator.config();
        check(generator.workload(), config, seed % 2 == 0, 1 + generator.below(3), seen);
    }
    EXPECT_GT(seen.snapshots, 10'000u);
    EXPECT_GT(seen.references, 100'000u);
    EXPECT_GT(seen.unload_moments, 10u);
    for (const char* kind : {"fence",
                             "newest point",
                             "fences[]",
                             "array->fences[]",
                             "chain->prev",
                             "chain->fence",
                             "callback: array",
                             "callback: chain",
                             "s_fence->parent",
                             "pair",
                             "fence->context",
                             "on the ring",
                             "its interrupt is to come",
                             "last_scheduled",
                             "dependency",
                             "job->dependencies",
                             "job->s_fence",
                             "the driver's fence of the job",
                             "job->entity_stats",
                             "entity->stats",
                             "contexts of entities",
                             "killed, waits for",
                             "held while waiting",
                             "queued work",
                             "waits for",
                             "to be freed",
                             "callback: drm_sched_job_done_cb",
                             "callback: drm_sched_entity_wakeup",
                             "fence->lock",
                             "job_queue",
                             "module reference",
                             "callback: counted",
                             "pending_list"})
        EXPECT_TRUE(seen.edges.contains(kind)) << kind;
}

} // namespace
} // namespace fenceline::workloads::tests
