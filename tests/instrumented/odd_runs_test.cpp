// Runs that the formats allow and that are unlike what anybody means.
#include "workloads/job_list.hpp"
#include "workloads/simulation.hpp"
#include "workloads/support.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

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
            job.at = at + id;
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

// An entity whose rings belong to two drivers: it is refused, or it runs; it does not crash.
TEST(OddRuns, DISABLED_AnEntityThatRoamsOverTwoDriversIsRefusedOrRuns) {
    Case subject(2, 0);
    subject.config.rings[1].device = "other";
    subject.config.rings[1].driver = "another";
    if (unsupported(subject.workload, subject.config).empty()) {
        EXPECT_EQ(subject.run().end, RunEnd::normal);
    }
}

// What is put off beyond the end of time never happens: the run is stuck, and teardown works.
TEST(OddRuns, DISABLED_WorkThatIsPutOffForEverLeavesTheRunStuck) {
    constexpr sim::Time kGreatest = ~sim::Time{0} >> 1; // what documents may say
    Case subject(1, kGreatest - 10);
    subject.config.costs.wakeup = kGreatest;
    subject.config.costs.submit = 20;
    EXPECT_EQ(subject.run().end, RunEnd::stuck);
}

} // namespace
} // namespace fenceline::workloads
