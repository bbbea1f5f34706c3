// Runs that the formats allow and that are unlike what anybody means.
#include "workloads/input_error.hpp"
#include "workloads/job_list.hpp"
#include "workloads/read_config.hpp"
#include "workloads/simulation.hpp"
#include "workloads/support.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace fenceline::workloads {
namespace {

struct Case {
    Case(std::size_t rings, sim::Time at) {
        EntitySpec entity;
        entity.id = "a/x";
        entity.client = "a";
        for (std::size_t i = 0; i < rings; ++i) {
            RingConfig ring;
            ring.name = "r" + std::to_string(i);
            config.rings.push_back(ring);
            workload.rings.push_back(ring.name);
            entity.rings.push_back(static_cast<std::uint32_t>(i));
        }
        workload.entities.push_back(entity);
        for (std::uint64_t id = 0; id < 3; ++id) {
            JobRecord job;
            job.id = id;
            job.at = at + 100 * id; // apart, so that the entity is bound anew each time
            job.duration = 10;
            jobs->push(job);
        }
        jobs->index_ids();
    }
    RunResult run() const {
        MemoryJobSource source(jobs, "made up");
        return simulate(config, workload, source);
    }

    Config config;
    Workload workload;
    std::shared_ptr<JobList> jobs = std::make_shared<JobList>();
};

TEST(OddRuns, AnEntityMayRoamOverTwoDevicesOfOneDriver) {
    Case subject(2, 0);
    subject.config.rings[1].device = "other";
    EXPECT_EQ(subject.run().end, RunEnd::normal);
}

TEST(OddRuns, AnEntityThatRoamsOverTwoDriversIsRefused) {
    Case subject(2, 0);
    subject.config.rings[1].device = "other";
    subject.config.rings[1].driver = "another";
    EXPECT_THROW(static_cast<void>(resolve_rings(subject.config, subject.workload)), InputError);
}

// What is put off beyond the end of time never happens: the run is stuck, and teardown works.
TEST(OddRuns, WorkThatIsPutOffForEverLeavesTheRunStuck) {
    constexpr sim::Time kGreatest = ~sim::Time{0} >> 1; // what documents may say
    Case subject(1, kGreatest - 200);
    subject.config.costs.wakeup = kGreatest;
    subject.config.costs.submit = 300;
    EXPECT_EQ(subject.run().end, RunEnd::stuck);
}

// With a cost of submitting, clients push side by side, so pushes are not in the order of the list.
// What a job depends on is still the job that its `after` names.
TEST(OddRuns, DependenciesHoldWhenPushesOvertakeEachOther) {
    struct Sink final : scheduler::EventSink {
        void on_event(const scheduler::LoggedEvent& event) override {
            if (event.event == scheduler::JobEvent::run_job)
                runs.emplace_back(event.job, event.time);
        }
        std::vector<std::pair<std::uint64_t, sim::Time>> runs;
    } sink;
    Case subject(3, 0);
    const EntitySpec first = subject.workload.entities[0];
    for (const char* client : {"b", "c"}) {
        EntitySpec entity = first;
        entity.client = client;
        entity.id = entity.client + "/x";
        entity.rings = {static_cast<std::uint32_t>(subject.workload.entities.size())};
        subject.workload.entities.push_back(entity);
    }
    subject.workload.entities[0].rings = {0};
    subject.config.costs.submit = 10;
    subject.jobs = std::make_shared<JobList>();
    // Client a pushes at 10 and 20, client b at 10; job 3 of client c waits for a's second job.
    const std::vector<std::uint64_t> after{1};
    for (const auto& [id, entity, at, duration] :
         {std::tuple{0u, 0u, 0u, 1u}, {1u, 0u, 0u, 1000u}, {2u, 1u, 0u, 1u}, {3u, 2u, 100u, 1u}}) {
        JobRecord job;
        job.id = id;
        job.at = at;
        job.entity = entity;
        job.duration = duration;
        if (id == 3)
            job.after = after;
        subject.jobs->push(job);
    }
    RunOptions options;
    options.events = &sink;
    MemoryJobSource source(subject.jobs, "made up");
    EXPECT_EQ(simulate(subject.config, subject.workload, source, options).end, RunEnd::normal);
    ASSERT_EQ(sink.runs.size(), 4u);
    EXPECT_EQ(sink.runs.back(), (std::pair<std::uint64_t, sim::Time>{3, 1020}));
}

} // namespace
} // namespace fenceline::workloads
