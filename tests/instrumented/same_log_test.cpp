// One model, two forms: whatever the workload, both give the same event log.
#include "sim/random.hpp"
#include "workloads/job_list.hpp"
#include "workloads/quirks.hpp"
#include "workloads/read_config.hpp"
#include "workloads/simulation.hpp"
#include "workloads/support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fenceline::workloads {
namespace {

struct Sink final : scheduler::EventSink {
    void on_event(const scheduler::LoggedEvent& event) override {
        lines.push_back(std::string(scheduler::name_of(event.event)) + " job " +
                        std::to_string(event.job) + " entity " + std::to_string(event.entity) +
                        " ring " + std::to_string(event.ring) + " at " +
                        std::to_string(event.time) + " err " + std::to_string(event.error));
    }
    std::vector<std::string> lines;
};

struct Case {
    Config config;
    Workload workload;
    std::shared_ptr<JobList> jobs = std::make_shared<JobList>();
};

class Generator {
  public:
    explicit Generator(std::uint64_t seed) : random_(seed) {}

    Case make() {
        Case out;
        const std::uint64_t rings = 1 + below(3);
        const std::uint64_t entities = 1 + below(6);
        const auto policy = static_cast<scheduler::Policy>(below(3));
        if (policy == scheduler::Policy::fair || below(3) == 0)
            out.config.kernel = scheduler::KernelVersion::mainline;
        out.config.scheduler.policy = policy;
        for (std::uint64_t i = 0; i < rings; ++i) {
            RingConfig ring;
            ring.name = "r" + std::to_string(i);
            ring.policy = policy;
            ring.credit_limit = static_cast<std::uint32_t>(1 + below(4));
            ring.context_switch = below(3) * 5;
            ring.interrupt_latency = below(3) * 7;
            out.config.rings.push_back(ring);
            out.workload.rings.push_back(ring.name);
        }
        const std::span<const fences::Preset> presets = fences::presets();
        out.config.lifetime = presets[below(presets.size())].policy;
        if (below(2) == 0)
            out.config.lifetime = compose(out.config.lifetime);
        if (below(4) == 0)
            out.config.quirks.emplace_back(kBreakContract);
        // One client only: see OddRuns.DependenciesHoldWhenPushesOvertakeEachOther.
        const sim::Time submit = entities <= 2 ? below(2) * 3 : 0;
        out.config.costs = {submit, below(2) * 11, below(2) * 2, below(2) * 4};
        out.config.rcu_grace_period = 1 + below(100);
        if (below(4) == 0)
            out.config.until = below(400);
        for (std::uint64_t i = 0; i < entities; ++i)
            out.workload.entities.push_back(entity(i, rings));
        add_jobs(out, entities);
        add_actions(out, entities, rings);
        return out;
    }

  private:
    std::uint64_t below(std::uint64_t bound) { return random_.next() % bound; }

    /// Some of its rules changed, as long as they go together.
    fences::LifetimePolicy compose(fences::LifetimePolicy policy) {
        for (const fences::Rule& rule : fences::rules())
            for (const bool hardware : {false, true}) {
                if (below(4) != 0)
                    continue;
                fences::LifetimePolicy changed = policy;
                rule.set(changed, hardware, rule.values[below(rule.values.size())].value);
                if (!fences::contradiction(changed))
                    policy = changed;
            }
        return policy;
    }

    EntitySpec entity(std::uint64_t index, std::uint64_t rings) {
        EntitySpec spec;
        spec.client = "c" + std::to_string(index / 2);
        spec.id = spec.client + "/" + std::to_string(index);
        spec.priority = static_cast<scheduler::Priority>(below(4));
        spec.rings.push_back(static_cast<std::uint32_t>(below(rings)));
        if (rings > 1 && below(3) == 0)
            spec.rings.push_back(static_cast<std::uint32_t>((spec.rings[0] + 1) % rings));
        return spec;
    }
    void add_jobs(Case& out, std::uint64_t entities) {
        sim::Time at = 0;
        std::vector<std::uint64_t> after;
        for (std::uint64_t ordinal = 0; ordinal < 60; ++ordinal) {
            at += below(3) == 0 ? below(30) : 0;
            after.clear();
            for (std::uint64_t i = below(4); i > 1 && ordinal > 0; --i)
                if (const std::uint64_t earlier = below(ordinal);
                    std::find(after.begin(), after.end(), earlier) == after.end())
                    after.push_back(earlier);
            JobRecord job;
            job.id = ordinal;
            job.at = at;
            job.duration = below(40) == 0 ? sim::kForever : below(4) * below(12);
            job.entity = static_cast<std::uint32_t>(below(entities));
            job.credits = static_cast<std::uint32_t>(1 + below(3));
            job.after = after;
            if (!after.empty())
                job.via = static_cast<Via>(below(5));
            out.jobs->push(job);
        }
        out.jobs->index_ids();
    }
    void add_actions(Case& out, std::uint64_t entities, std::uint64_t rings) {
        for (std::uint64_t i = below(4); i > 0; --i) {
            Action action;
            action.at = below(400);
            constexpr ActionKind kinds[] = {ActionKind::destroy_entity, ActionKind::kill_entity,
                                            ActionKind::fini_entity};
            action.kind = kinds[below(3)];
            action.entity = static_cast<std::uint32_t>(below(entities));
            if (below(8) == 0) {
                action = Action{};
                action.at = below(400);
                action.kind =
                    below(2) == 0 ? ActionKind::fini_scheduler : ActionKind::unload_driver;
                if (action.kind == ActionKind::fini_scheduler)
                    action.ring = static_cast<std::uint32_t>(below(rings));
                else
                    action.driver = "drv";
            }
            out.workload.actions.push_back(action);
        }
    }

    sim::Random random_;
};

struct Played {
    RunResult result;
    std::vector<std::string> log;
};

Played play(const Case& subject, bool fibers_for_all) {
    Played out;
    Sink sink;
    RunOptions options;
    options.events = &sink;
    options.explain_hazards = false;
    options.fibers_for_all = fibers_for_all;
    MemoryJobSource source(subject.jobs, "generated");
    out.result = simulate(subject.config, subject.workload, source, options);
    out.log = std::move(sink.lines);
    return out;
}

std::vector<std::string> headlines(const RunResult& result) {
    std::vector<std::string> texts;
    for (const sim::Hazard& hazard : result.hazards)
        texts.push_back(std::to_string(hazard.access.time) + " ns, event " +
                        std::to_string(hazard.event) + ": " + sim::headline(hazard));
    return texts;
}

class SameLog : public testing::TestWithParam<std::uint64_t> {};

TEST_P(SameLog, InBothForms) {
    std::size_t events = 0;
    for (std::uint64_t round = 0; round < 50; ++round) {
        const std::uint64_t seed = GetParam() * 1000 + round;
        const Case subject = Generator(seed).make();
        ASSERT_TRUE(unsupported(subject.config).empty());
        const Played timed = play(subject, false);
        const Played instrumented = play(subject, true);
        ASSERT_EQ(timed.log, instrumented.log) << "seed " << seed;
        EXPECT_EQ(timed.result.end, instrumented.result.end) << "seed " << seed;
        EXPECT_EQ(timed.result.end_time, instrumented.result.end_time) << "seed " << seed;
        EXPECT_EQ(timed.result.events, instrumented.result.events) << "seed " << seed;
        EXPECT_EQ(timed.result.lifetime.atomics_per_job,
                  instrumented.result.lifetime.atomics_per_job)
            << "seed " << seed;
        EXPECT_EQ(timed.result.lifetime.locks_per_job, instrumented.result.lifetime.locks_per_job)
            << "seed " << seed;
        EXPECT_EQ(headlines(timed.result), headlines(instrumented.result)) << "seed " << seed;
        events += timed.log.size();
    }
    EXPECT_GT(events, 5000u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SameLog, testing::Range<std::uint64_t>(1, 7));

} // namespace
} // namespace fenceline::workloads
