// What tests of the scheduler need: a machine, a driver with rings, and the event log as text.
#pragma once

#include "fences/lifetime.hpp"
#include "scheduler/gpu_sched.hpp"
#include "scheduler/ring_driver.hpp"

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace fenceline::scheduler::testing_support {

struct LogSink final : EventSink {
    void on_event(const LoggedEvent& event) override { events.push_back(event); }
    /// "run_job 3@7", with " err=-3" where there is an error; "reset ring 0@7".
    [[nodiscard]] std::vector<std::string> lines() const {
        std::vector<std::string> texts;
        for (const LoggedEvent& event : events) {
            const std::string about = event.event == JobEvent::reset
                                          ? "ring " + std::to_string(event.ring)
                                          : std::to_string(event.job);
            texts.push_back(std::string(name_of(event.event)) + " " + about + "@" +
                            std::to_string(event.time));
            if (event.error != 0)
                texts.back() += " err=" + std::to_string(event.error);
        }
        return texts;
    }
    /// The lines about one job.
    [[nodiscard]] std::vector<std::string> of_job(std::uint64_t job) const {
        std::vector<std::string> texts;
        const auto all = lines();
        for (std::size_t i = 0; i < events.size(); ++i)
            if (events[i].job == job && events[i].event != JobEvent::reset)
                texts.push_back(all[i]);
        return texts;
    }
    /// All lines from the first one about `time` on.
    [[nodiscard]] std::vector<std::string> from(sim::Time time) const {
        auto texts = lines();
        std::size_t first = 0;
        while (first < events.size() && events[first].time < time)
            ++first;
        texts.erase(texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(first));
        return texts;
    }
    /// The jobs to which `event` happened, in order.
    [[nodiscard]] std::vector<std::uint64_t> order(JobEvent event) const {
        std::vector<std::uint64_t> jobs;
        for (const LoggedEvent& logged : events)
            if (logged.event == event)
                jobs.push_back(logged.job);
        return jobs;
    }
    /// When it happened to the job; kForever if never.
    [[nodiscard]] sim::Time when(JobEvent event, std::uint64_t job) const {
        for (const LoggedEvent& logged : events)
            if (logged.event == event && logged.job == job)
                return logged.time;
        return sim::kForever;
    }
    std::vector<LoggedEvent> events;
};

struct JobArgs {
    sim::Time duration = 10;
    std::uint32_t credits = 1;
    std::vector<fences::FenceRef> after = {};
    RunJobKind run_job = RunJobKind::normal;
};

struct SchedWorld {
    explicit SchedWorld(std::string_view lifetime = "split", sim::Time wakeup = 0)
        : SchedWorld(fences::find_preset(lifetime)->policy, wakeup) {}
    explicit SchedWorld(const fences::LifetimePolicy& policy, sim::Time wakeup = 0)
        : core(machine, rcu, policy), gpu(machine, core, wakeup),
          driver((gpu.sink = &log, gpu), "drv"), device(driver.add_device("gpu")) {
        gpu.warn = [this](const std::string& text) { warnings.push_back(text); };
    }
    ~SchedWorld() { machine.abandon_blocked(); }
    SchedWorld(const SchedWorld&) = delete;
    SchedWorld& operator=(const SchedWorld&) = delete;

    SchedulerRef ring(std::string name, SchedulerArgs args = {}, sim::Time context_switch = 0,
                      sim::Time interrupt_latency = 0, OnTimeout on_timeout = OnTimeout::reset) {
        const auto index = static_cast<std::uint32_t>(driver.rings().size());
        args.name = name;
        args.ring_index = index;
        return driver.add_ring(device, {name, index, context_switch, interrupt_latency}, args,
                               on_timeout);
    }
    EntityRef entity(std::string id, const std::vector<SchedulerRef>& list,
                     Priority priority = Priority::normal, bool guilty_flag = false) {
        const EntityRef ref =
            gpu.entity_init(std::move(id), entities++, priority, list, guilty_flag);
        driver.open_entity(ref);
        return ref;
    }
    /// Everything a submit ioctl does. Returns the finished fence (no reference).
    fences::FenceRef push(EntityRef entity, std::uint64_t id, JobArgs args = {}) {
        const JobRef ref = gpu.job_init(entity, args.credits);
        Job& job = gpu.jobs.get(ref);
        job.id = id;
        job.ordinal = ordinals++;
        job.duration = args.duration;
        job.run_job = args.run_job;
        for (const fences::FenceRef fence : args.after)
            gpu.add_dependency(ref, core.take(fence));
        gpu.job_arm(ref);
        driver.prepare_fence(ref);
        const fences::FenceRef finished = job.s_fence;
        gpu.push_job(ref);
        return finished;
    }
    void at(sim::Time when, std::function<void()> body) {
        actions.push_back(std::move(body));
        machine.engine.arm(
            when,
            [](void* self, std::uint64_t index) {
                static_cast<SchedWorld*>(self)->actions[index]();
            },
            this, actions.size() - 1);
    }
    /// A task of its own, at a time.
    void task_at(sim::Time when, std::string name, std::function<void()> body) {
        at(when, [this, name = std::move(name), body = std::move(body)] {
            machine.start_task(name, body);
        });
    }
    void run(sim::Time until = sim::kForever) { machine.engine.run(nullptr, 10'000'000, until); }
    [[nodiscard]] std::vector<std::string> verdicts() const {
        std::vector<std::string> texts;
        for (const sim::Hazard& hazard : machine.hazards())
            texts.push_back(std::string(hazard.kind->name) + " of " + hazard.subject);
        return texts;
    }
    [[nodiscard]] std::int32_t score(SchedulerRef sched) {
        return gpu.schedulers.get(sched).score.peek();
    }
    /// Credits in use.
    [[nodiscard]] std::uint32_t credits(SchedulerRef sched) {
        return gpu.schedulers.get(sched).credit_count.peek();
    }
    /// The driver resets the ring, and blames nobody; for tasks.
    void reset(std::size_t ring) { driver.reset(driver.rings()[ring], {}); }

    sim::Machine machine;
    sim::Rcu rcu{machine, 100};
    fences::FenceCore core;
    LogSink log;
    GpuSched gpu;
    RingDriver driver;
    std::size_t device;
    std::vector<std::string> warnings;
    std::vector<std::function<void()>> actions;
    std::uint32_t entities = 0;
    std::uint64_t ordinals = 0;
};

inline SchedulerArgs with(Policy policy, std::uint32_t credit_limit) {
    SchedulerArgs args;
    args.policy = policy;
    args.credit_limit = credit_limit;
    return args;
}

/// First in, first out; late after `timeout`.
inline SchedulerArgs with_timeout(std::uint32_t credit_limit, sim::Time timeout,
                                  std::uint32_t hang_limit = 0) {
    SchedulerArgs args = with(Policy::fifo, credit_limit);
    args.timeout = timeout;
    args.hang_limit = hang_limit;
    return args;
}

} // namespace fenceline::scheduler::testing_support
