// One model, two forms, with programs: random clients, and actions that cut into them, give the same
// event log and the same observations in both, and leave nothing behind that is not reported.
#include "sim/random.hpp"
#include "workloads/read_config.hpp"
#include "workloads/read_workload.hpp"
#include "workloads/simulation.hpp"
#include "workloads/support.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fenceline::workloads {
namespace {

struct Sink final : scheduler::EventSink {
    void on_event(const scheduler::LoggedEvent& event) override {
        lines.push_back(std::to_string(event.time) + " " +
                        std::string(scheduler::name_of(event.event)) + " " +
                        std::to_string(event.job) + " err " + std::to_string(event.error));
    }
    std::vector<std::string> lines;
};

/// Makes up workloads, as text: what comes out is what a user could have written.
class Generator {
  public:
    explicit Generator(std::uint64_t seed) : random_(seed) {}

    std::string make() {
        const std::uint64_t count = 1 + below(4);
        std::string clients;
        for (std::uint64_t i = 0; i < count; ++i)
            clients += (i == 0 ? "" : ",") + client(i);
        return R"({"format":"fenceline/workload","version":1,)"
               R"("entities":[{"id":"a/x","rings":["r0"]}],)"
               R"("jobs":[{"id":3,"at":0,"entity":"a/x","duration":9},)"
               R"({"id":1,"at":40,"entity":"a/x","duration":"forever"}],)"
               R"("clients":[)" +
               clients + R"(],"actions":[)" + actions(count) + "]}";
    }
    std::string config() {
        return R"({"format":"fenceline/config","version":1,"until":1500,"seed":)" + number(100) +
               R"(,"scheduler":{"policy":")" + (below(2) == 0 ? "fifo" : "rr") +
               R"("},"rcu_grace_period":)" + number(50) + R"(,"costs":{"submit":)" +
               std::to_string(below(2) * 3) + R"(,"wakeup":)" + std::to_string(below(2) * 5) +
               R"(},"rings":[{"name":"r0","credit_limit":)" + std::to_string(1 + below(3)) +
               R"(,"context_switch":)" + std::to_string(below(2) * 4) + "}]" + R"(,"lifetime":")" +
               (below(3) == 0   ? "inline-lock"
                : below(2) == 0 ? "refcounted-context"
                                : "split") +
               R"("})";
    }

  private:
    std::uint64_t below(std::uint64_t bound) { return random_.next() % bound; }
    std::string number(std::uint64_t bound) { return std::to_string(1 + below(bound)); }

    std::string duration() {
        switch (below(6)) {
        case 0:
            return R"({"uniform":[0,40]})";
        case 1:
            return R"({"exponential":20})";
        case 2:
            return R"({"normal":[20,15]})";
        default:
            return number(30);
        }
    }
    std::string client(std::uint64_t index) {
        name_ = "c" + std::to_string(index);
        labels_.clear();
        names_.clear();
        const bool forever = below(3) == 0;
        return R"({"name":")" + name_ + R"(","start":)" + std::to_string(below(60)) +
               R"(,"repeat":)" + (forever ? R"("forever")" : number(4)) +
               R"(,"entities":[{"id":")" + name_ + R"(/0","rings":["r0"]},{"id":")" + name_ +
               R"(/1","rings":["r1","r0"],"priority":"low"}],"program":[)" + steps(6, 0) +
               R"(,{"sleep":7}]})";
    }
    std::string steps(std::uint64_t most, int depth) {
        std::string text = submit();
        for (std::uint64_t i = below(most); i > 0; --i)
            text += "," + step(depth);
        return text;
    }
    std::string entity() { return "\"" + name_ + "/" + std::to_string(below(2)) + "\""; }
    std::string fence() {
        const std::uint64_t at = below(labels_.size() + names_.size());
        return "\"" + (at < labels_.size() ? labels_[at] : names_[at - labels_.size()]) + "\"";
    }
    std::string submit() {
        std::string text = R"({"submit":{"entity":)" + entity() + R"(,"duration":)" + duration();
        if (below(3) == 0)
            text += R"(,"count":)" + number(3);
        if (!labels_.empty() && below(2) == 0)
            text += R"(,"after":[)" + fence() + "]";
        if (below(9) == 0)
            text += R"(,"run_job":"error")";
        labels_.push_back("l" + std::to_string(labels_.size()));
        return text + R"(,"as":")" + labels_.back() + R"("}})";
    }
    std::string step(int depth) {
        switch (below(14)) {
        case 0:
        case 1:
            return submit();
        case 2:
        case 3:
            return R"({"wait":)" + fence() + "}";
        case 4:
            return R"({"sleep":)" + duration() + "}";
        case 5:
            return R"({"period":)" + number(80) + "}";
        case 6:
            if (depth < 2)
                return R"({"loop":{"count":)" + number(3) + R"(,"steps":[)" + steps(3, depth + 1) +
                       "]}}";
            return R"({"sleep":1})";
        case 7: {
            const std::string name = "n" + std::to_string(exported_.size());
            const std::string of = labels_.back();
            exported_.push_back(name);
            names_.push_back(name);
            return R"({"export":{"fence":")" + of + R"(","to":")" +
                   (below(2) == 0 ? "syncobj" : "sync_file") + R"(","as":")" + name + R"("}})";
        }
        case 8:
            if (!exported_.empty()) {
                names_.push_back(exported_[below(exported_.size())]);
                return R"({"import":")" + names_.back() + R"("})";
            }
            return R"({"sleep":1})";
        case 9:
            return (below(2) == 0 ? R"({"query":)" : R"({"poll":)") + fence() + "}";
        case 10:
            return R"({"close":)" + fence() + "}";
        case 11:
            return R"({"terminate":)" + fence() + "}";
        case 12:
            return R"({"set-priority":{"entity":)" + entity() + R"(,"priority":"high"}})";
        default:
            return below(6) != 0 ? R"({"sleep":2})"
                                 : std::string(R"({"exit":")") +
                                       (below(2) == 0 ? "clean" : "killed") + R"("})";
        }
    }
    std::string actions(std::uint64_t clients) {
        // So that the listed job without end does not hold the ring for ever.
        std::string text = R"({"at":70,"do":"terminate","job":1})";
        for (std::uint64_t i = below(3); i > 0; --i) {
            const std::string who = std::to_string(below(clients));
            const std::string at = number(300);
            switch (below(3)) {
            case 0:
                text += R"(,{"at":)" + at + R"(,"do":"exit","client":"c)" + who + R"(","how":")" +
                        (below(2) == 0 ? "clean" : "killed") + R"("})";
                break;
            case 1:
                text += R"(,{"at":)" + at + R"(,"do":"terminate","ring":"r0"})";
                break;
            default:
                if (!exported_.empty())
                    text +=
                        R"(,{"at":)" + at + R"(,"do":"import","name":")" + exported_[0] + R"("})";
                break;
            }
        }
        return text;
    }

    sim::Random random_;
    std::string name_;
    std::vector<std::string> labels_;
    std::vector<std::string> names_;
    std::vector<std::string> exported_;
};

TEST(ProgramLog, BothFormsDoTheSame) {
    std::uint64_t jobs = 0;
    std::uint64_t ends[5] = {};
    for (std::uint64_t seed = 0; seed < 600; ++seed) {
        Generator generator(seed);
        const std::string text = generator.make();
        const LoadedWorkload loaded = parse_workload(text, "w.json");
        const Config config = resolve_rings(
            interpret_config(Json::parse(generator.config()), "c.json"), *loaded.workload);
        ASSERT_EQ(unsupported(config), std::vector<std::string>{});
        Sink sinks[2];
        RunResult results[2];
        for (int form = 0; form < 2; ++form) {
            RunOptions options;
            options.events = &sinks[form];
            options.explain_hazards = false;
            options.fibers_for_all = form == 1;
            const auto source = loaded.open_jobs();
            results[form] = simulate(config, *loaded.workload, *source, options);
        }
        ASSERT_EQ(sinks[0].lines, sinks[1].lines) << "seed " << seed << "\n" << text;
        ASSERT_EQ(results[0].observations, results[1].observations) << "seed " << seed;
        ASSERT_EQ(results[0].end_time, results[1].end_time) << "seed " << seed;
        ASSERT_EQ(results[0].hazards.size(), results[1].hazards.size()) << "seed " << seed;
        // Waiting in vain is the only thing that can go wrong here; but where the driver's own fence
        // is what escapes, nobody signals that of a job that was killed.
        const bool own_fence = config.lifetime.public_fence == fences::PublicFence::hardware;
        for (const sim::Hazard& hazard : results[0].hazards) {
            EXPECT_TRUE(own_fence || hazard.kind->name == "deadlock")
                << "seed " << seed << ": " << hazard.message << "\n"
                << text;
        }
        jobs += results[0].jobs_submitted;
        ++ends[static_cast<std::size_t>(results[0].end)];
    }
    EXPECT_GT(jobs, 10'000U);
    EXPECT_GT(ends[static_cast<std::size_t>(RunEnd::normal)], 50U);
    EXPECT_GT(ends[static_cast<std::size_t>(RunEnd::until)], 50U);
}

} // namespace
} // namespace fenceline::workloads
