// The driver's back end is an interface: drivers other than the bundled one.
#include "sched_fixture.hpp"
#include "scheduler/gpu_sched.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace fenceline::scheduler {
namespace {

using namespace testing_support;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// A driver whose hardware does what the test says: fences are signalled by hand.
class ManualDriver final : public Driver {
  public:
    ManualDriver(sim::Machine& m, fences::FenceCore& core)
        : machine(m), fences(core, core.modules.alloc(fences::Module{"manual", 0})),
          ring(core.owners.alloc()) {}

    RunResult run_job(GpuSched& sched, JobRef ref) override {
        const Job& job = sched.jobs.get(ref);
        ran.push_back(job.id);
        contexts.push_back(sim::describe(machine.current()));
        if (refuse != 0)
            return {{}, refuse};
        const fences::FenceRef fence = fences.create({{}, ring, {}}, 77, ++seqno);
        if (already_signalled)
            sched.core.signal(fence);
        by_job[job.id] = sched.core.take(fence); // the hardware's own reference
        return {fence, 0};
    }
    void free_job(GpuSched& sched, JobRef ref) override {
        freed.push_back(sched.jobs.get(ref).id);
        contexts.push_back(sim::describe(machine.current()));
        sched.job_cleanup(ref);
        sched.jobs.free(ref);
    }
    fences::FenceRef prepare_job(GpuSched& sched, JobRef ref) override {
        const auto found = prepare.find(sched.jobs.get(ref).id);
        if (found == prepare.end() || found->second.empty())
            return {};
        const fences::FenceRef fence = found->second.back();
        found->second.pop_back();
        return sched.core.take(fence);
    }

    sim::Machine& machine;
    fences::HardwareFences fences;
    fences::OwnerRef ring;
    std::map<std::uint64_t, fences::FenceRef> by_job;
    std::map<std::uint64_t, std::vector<fences::FenceRef>> prepare;
    std::vector<std::uint64_t> ran;
    std::vector<std::uint64_t> freed;
    std::vector<std::string> contexts;
    std::int32_t refuse = 0;
    bool already_signalled = false;
    std::uint32_t seqno = 0;
};

class DriverTest : public testing::Test {
  protected:
    DriverTest() {
        gpu.sink = &log;
        SchedulerArgs args = with(Policy::fifo, 2);
        args.name = "gfx";
        args.driver = &driver;
        args.prepares_jobs = true;
        sched = gpu.sched_init(args);
        entity = gpu.entity_init("a", 0, Priority::normal, std::vector<SchedulerRef>{sched});
    }
    ~DriverTest() override { machine.abandon_blocked(); }
    fences::FenceRef push(std::uint64_t id) {
        const JobRef ref = gpu.job_init(entity, 1);
        Job& job = gpu.jobs.get(ref);
        job.id = id;
        gpu.job_arm(ref);
        const fences::FenceRef finished = job.s_fence;
        gpu.push_job(ref);
        return finished;
    }
    void complete(std::uint64_t id) {
        core.signal(driver.by_job.at(id));
        core.put(driver.by_job.at(id), fences::Holder::driver);
    }
    void run() { machine.engine.run(nullptr, 1'000'000); }

    sim::Machine machine;
    sim::Rcu rcu{machine, 100};
    fences::FenceCore core{machine, rcu, fences::find_preset("split")->policy};
    LogSink log;
    GpuSched gpu{machine, core, 0};
    ManualDriver driver{machine, core};
    SchedulerRef sched;
    EntityRef entity;
};

TEST_F(DriverTest, IsAskedToRunAndToFree) {
    push(1);
    push(2);
    push(3);
    run();
    EXPECT_THAT(driver.ran, ElementsAre(1, 2));
    EXPECT_THAT(driver.freed, IsEmpty());
    complete(1);
    run();
    EXPECT_THAT(driver.ran, ElementsAre(1, 2, 3));
    EXPECT_THAT(driver.freed, ElementsAre(1));
    EXPECT_THAT(driver.contexts, testing::Each("worker gfx"));
}

TEST_F(DriverTest, ItsFenceBecomesTheParent) {
    const fences::FenceRef finished = push(1);
    run();
    EXPECT_EQ(gpu.s_fences.pair(finished).parent, driver.by_job[1]);
    EXPECT_EQ(core.get(driver.by_job[1]).references.peek(), 2u)
        << "the hardware's and the parent's: run_job's was given back";
    complete(1);
    run();
    EXPECT_EQ(machine.hazards().size(), 0u);
}

TEST_F(DriverTest, CompletionsMayComeInAnyOrderButJobsAreFreedInTheirs) {
    push(1);
    push(2);
    run();
    complete(2);
    run();
    EXPECT_THAT(log.order(JobEvent::finished), ElementsAre(2));
    EXPECT_THAT(driver.freed, IsEmpty());
    complete(1);
    run();
    EXPECT_THAT(driver.freed, ElementsAre(1, 2));
}

TEST_F(DriverTest, AnAlreadySignalledFenceFinishesInTheRunWork) {
    driver.already_signalled = true;
    push(1);
    run();
    // run_job, hw_done and free_job are the driver's to tell, and this one does not.
    EXPECT_THAT(log.lines(), ElementsAre("queue 1@0", "scheduled 1@0", "finished 1@0"));
    EXPECT_THAT(driver.freed, ElementsAre(1));
}

TEST_F(DriverTest, ARefusalFinishesWithItsError) {
    driver.refuse = -62;
    const fences::FenceRef finished = core.take(push(1));
    run();
    EXPECT_EQ(core.status(finished), -62);
    EXPECT_EQ(core.status(finished.sibling(fences::FencePart::scheduled)), 1);
    EXPECT_FALSE(gpu.s_fences.pair(finished).parent);
    EXPECT_THAT(driver.freed, ElementsAre(1));
}

TEST_F(DriverTest, TheErrorOfItsFenceIsTheJobs) {
    const fences::FenceRef finished = core.take(push(1));
    run();
    core.set_error(driver.by_job[1], -5);
    complete(1);
    run();
    EXPECT_EQ(core.status(finished), -5);
}

TEST_F(DriverTest, PrepareJobIsAskedUntilItHasNoMoreFences) {
    const fences::FenceRef first = driver.fences.create({{}, driver.ring, {}}, 5, 1);
    const fences::FenceRef second = driver.fences.create({{}, driver.ring, {}}, 6, 1);
    driver.prepare[1] = {second, first};
    push(1);
    run();
    EXPECT_THAT(driver.ran, IsEmpty());
    core.signal(first);
    run();
    EXPECT_THAT(driver.ran, IsEmpty());
    core.signal(second);
    run();
    EXPECT_THAT(driver.ran, ElementsAre(1));
    EXPECT_EQ(core.get(first).references.peek(), 1u);
    EXPECT_EQ(core.get(second).references.peek(), 1u);
    EXPECT_THAT(machine.hazards(), IsEmpty());
}

TEST_F(DriverTest, ADriverThatSignalsTwiceIsFound) {
    push(1);
    run();
    core.signal(driver.by_job[1]);
    core.signal(driver.by_job[1]);
    run();
    ASSERT_THAT(machine.hazards(), SizeIs(1));
    EXPECT_EQ(machine.hazards()[0].kind, &fences::hazards::double_signal);
}

} // namespace
} // namespace fenceline::scheduler
