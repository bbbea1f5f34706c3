// A driver for tests: one ring whose jobs the test completes by hand, and a world of them.
//
// MockDriver is a whole Driver in about a hundred lines, and so also an example of one. Its ring
// executes jobs one after the other in the order of run_job. A job with a duration takes that long;
// one without (kByHand) completes when the test says so, by advance(), and holds up those behind it.
// A job that times out is given up: its fence signals -ETIMEDOUT and the driver frees it.
//
// Ownership: as everywhere, free_job frees the job; the ring has a reference on each hardware fence
// until it signals. MockWorld keeps a reference on the finished fence of every job it submits, so
// that a test may ask about any of them until end().
#pragma once

#include "fences/hardware_fence.hpp"
#include "sched_fixture.hpp"
#include "scheduler/gpu_sched.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fenceline::scheduler::testing_support {

inline constexpr sim::Time kByHand = sim::kForever;
inline constexpr std::int32_t kEtimedout = -110;

class MockDriver final : public Driver {
  public:
    MockDriver(GpuSched& gpu, const std::string& name, std::uint32_t ring_index);

    /// What timedout_job says: the job is given up (reset), or nothing was wrong (no_hang).
    TimeoutVerdict on_timeout = TimeoutVerdict::reset;
    /// Happens in timedout_job before it answers, with the job off the list; may block.
    std::function<void()> while_it_looks;

    RunResult run_job(GpuSched& sched, JobRef job) override;
    void free_job(GpuSched& sched, JobRef job) override;
    TimeoutVerdict timedout_job(GpuSched& sched, JobRef job) override;
    void cancel_job(GpuSched& sched, JobRef job) override;

    /// The interrupt for the next `count` jobs of the ring; returns how many there were.
    std::size_t advance(std::size_t count);
    [[nodiscard]] std::size_t in_flight() const { return ring_.size(); }
    /// Lets go of what its fences borrow. REQUIRES: nothing in flight.
    void unload();

  private:
    struct Item {
        fences::FenceRef fence; ///< one reference
        std::uint64_t job;
        std::uint64_t ordinal;
        std::uint32_t entity;
        sim::Time duration;
    };

    void start_front();
    static void timer_fired(void* self, std::uint64_t);
    void signal(const Item& item, std::int32_t error);
    bool take_off(const Job& job, std::int32_t error);

    GpuSched& gpu_;
    fences::HardwareFences fences_;
    fences::OwnerRef lock_owner_;
    sim::Context irq_;
    std::deque<Item> ring_; ///< the front one executes
    sim::TimerHandle timer_;
    std::uint32_t ring_index_;
    std::uint32_t fence_context_;
    std::uint32_t seqno_ = 0;
};

/// Which drm/sched a test runs on.
struct Variant {
    const char* name;
    KernelVersion kernel;
    Policy policy;
};
/// Every one there is: a policy that is added to the model is added here.
inline constexpr Variant kVariants[] = {
    {"Fifo", KernelVersion::v6_12, Policy::fifo},
    {"RoundRobin", KernelVersion::v6_12, Policy::rr},
    {"MainlineFifo", KernelVersion::mainline, Policy::fifo},
    {"MainlineRoundRobin", KernelVersion::mainline, Policy::rr},
    {"MainlineFair", KernelVersion::mainline, Policy::fair},
};

/// Schedulers with a MockDriver each, their entities, and every job that was submitted to them.
class MockWorld {
  public:
    explicit MockWorld(const Variant& variant);
    ~MockWorld() { machine.abandon_blocked(); }
    MockWorld(const MockWorld&) = delete;
    MockWorld& operator=(const MockWorld&) = delete;

    struct Ring {
        std::unique_ptr<MockDriver> driver;
        SchedulerRef sched;
        bool ended = false;
    };
    /// Credits without limit and no timeout, unless `args` says otherwise.
    Ring& add_ring(SchedulerArgs args = unlimited());
    static SchedulerArgs unlimited();
    EntityRef add_entity(const Ring& ring, Priority priority = Priority::normal);
    /// Everything that a submit ioctl does. Jobs are numbered from 0; returns the finished fence.
    fences::FenceRef submit(EntityRef entity, sim::Time duration = kByHand,
                            fences::FenceRef after = {});

    [[nodiscard]] bool scheduled(fences::FenceRef job) {
        return core.get(job.sibling(fences::FencePart::scheduled)).is_signaled_bit();
    }
    [[nodiscard]] bool finished(fences::FenceRef job) { return core.get(job).is_signaled_bit(); }
    [[nodiscard]] std::int32_t error(fences::FenceRef job) { return core.get(job).error; }
    [[nodiscard]] bool all_finished() const;
    /// The error on the driver's own fence of a job; 0 without one.
    [[nodiscard]] std::int32_t hardware_error(fences::FenceRef job);

    /// Lets everything happen that is due within `time` from now, and no more.
    void run_for(sim::Time time);
    void run() { machine.engine.run(nullptr, 100'000'000); }
    /// A task of its own, now.
    void task(const std::string& name, std::function<void()> body) {
        machine.start_task(name, std::move(body));
    }
    /// msleep, for tasks.
    void sleep(sim::Time time);
    /// Calls drm_sched_entity_fini for all entities, in order; for tasks.
    void fini_entities();
    /// drm_sched_fini, for tasks.
    void fini_scheduler(Ring& ring);
    /// The orderly end: entities, schedulers, the test's own references, drivers.
    void end();
    /// What is alive after end(), or did not come back to 0 by then, as text; empty when all is well.
    [[nodiscard]] std::vector<std::string> leftovers();

    sim::Machine machine;
    sim::Rcu rcu{machine};
    fences::FenceCore core{machine, rcu, fences::find_preset("split")->policy};
    LogSink log;
    GpuSched gpu{machine, core, 0};
    std::vector<fences::FenceRef> jobs; ///< by number; a reference each
    std::deque<Ring> rings;

  private:
    void note_balance(const Ring& ring);

    Variant variant_;
    std::vector<EntityRef> entities_;
    std::vector<std::string> unbalanced_; ///< credits and scores that were not 0 at the end
};

/// For tests that hold whatever the kernel and the policy.
class EveryVariant : public testing::TestWithParam<Variant> {
  protected:
    MockWorld world{GetParam()};
};
/// For tests of one kernel's rule, under a policy that both have.
inline constexpr Variant kLinux612 = {"Fifo", KernelVersion::v6_12, Policy::fifo};
inline constexpr Variant kMainline = {"MainlineFifo", KernelVersion::mainline, Policy::fifo};

inline std::string name_of_variant(const testing::TestParamInfo<Variant>& info) {
    return info.param.name;
}

} // namespace fenceline::scheduler::testing_support
