// What tests of mainline's scheduler need beyond sched_fixture.hpp: schedulers of mainline, a look at
// an entity's statistics, and clients that submit anew as soon as a job is finished.
#pragma once

#include "sched_fixture.hpp"

#include <algorithm>
#include <map>

namespace fenceline::scheduler::testing_support {

inline SchedulerArgs mainline(Policy policy, std::uint32_t credit_limit, FairRules rules = {}) {
    SchedulerArgs args = with(policy, credit_limit);
    args.kernel = KernelVersion::mainline;
    args.fair = rules;
    return args;
}
inline SchedulerArgs fair(std::uint32_t credit_limit, FairRules rules = {}) {
    return mainline(Policy::fair, credit_limit, rules);
}

struct FairWorld : SchedWorld {
    explicit FairWorld(SchedulerArgs args = fair(1)) : ring_ref(ring("gfx", args)) {}

    EntityRef client(std::string id, Priority priority = Priority::normal) {
        return entity(std::move(id), {ring_ref}, priority);
    }
    /// `count` jobs at once, numbered from `first`.
    void push_many(EntityRef entity, std::uint64_t first, std::uint64_t count, sim::Time duration) {
        for (std::uint64_t i = 0; i < count; ++i)
            push(entity, first + i, {.duration = duration});
    }
    const EntityStats& stats(EntityRef entity) {
        return gpu.entity_stats.peek(gpu.entities.peek(entity).stats);
    }
    SignedTime vruntime(EntityRef entity) { return stats(entity).vruntime; }
    /// Keeps the ring busy until `until`, so that what is pushed meanwhile has to queue. The job is
    /// number 1000; the averages hear of it only when it ends.
    void block(sim::Time until) { push(client("blocker"), 1000, {.duration = until}); }
    std::vector<std::uint64_t> run_order() {
        run();
        return log.order(JobEvent::run_job);
    }
    /// GPU time in milliseconds of the entity's jobs that were done by `end`; the ring is serial.
    double done_ms(EntityRef entity, sim::Time end) {
        const std::uint32_t index = gpu.entities.peek(entity).index;
        std::map<std::uint64_t, sim::Time> started;
        sim::Time total = 0;
        sim::Time free_at = 0;
        for (const LoggedEvent& event : log.events) {
            if (event.event == JobEvent::run_job)
                started[event.job] = event.time;
            if (event.event != JobEvent::hw_done || event.time > end)
                continue;
            const sim::Time from = std::max(started[event.job], free_at);
            free_at = event.time;
            if (event.entity == index)
                total += event.time - from;
        }
        return static_cast<double>(total) / static_cast<double>(sim::kMillisecond);
    }

    SchedulerRef ring_ref;
};

/// Clients with one job each, pushed again at the instant at which the last one finished: before
/// the scheduler looks for its next job.
class ShallowClients final : public EventSink {
  public:
    ShallowClients(FairWorld& world, sim::Time until) : world_(world), until_(until) {
        world.gpu.sink = this;
    }
    void add(EntityRef entity, sim::Time duration) {
        clients_[world_.gpu.entities.peek(entity).index] = {entity, duration};
        submit(clients_.rbegin()->first);
    }
    void on_event(const LoggedEvent& event) override {
        world_.log.on_event(event);
        const auto client = clients_.find(event.entity);
        if (event.event == JobEvent::finished && client != clients_.end() && event.time < until_)
            world_.at(event.time, [this, index = event.entity] { submit(index); });
    }

  private:
    struct Client {
        EntityRef entity;
        sim::Time duration;
    };
    void submit(std::uint32_t index) {
        world_.push(clients_[index].entity, next_id_++, {.duration = clients_[index].duration});
    }
    FairWorld& world_;
    sim::Time until_;
    std::uint64_t next_id_ = 100'000;
    std::map<std::uint32_t, Client> clients_; ///< by entity index
};

} // namespace fenceline::scheduler::testing_support
