// Turns job events into the figures of a run: per client, per ring, over all.
//
// Constant work per event, memory per client and ring; nothing per job.
#pragma once

#include "scheduler/event_log.hpp"
#include "scheduler/latency.hpp"
#include "scheduler/ring_driver.hpp"
#include "workloads/simulation.hpp"
#include "workloads/workload.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fenceline::workloads::inline FENCELINE_MODE {

class Statistics {
  public:
    explicit Statistics(const Workload& workload);

    // Job events, as they happen.
    void queued(std::uint32_t entity, sim::Time now) {
        if (submitted_++ == 0) [[unlikely]]
            first_push_ = now;
        ++client(entity).submitted;
    }
    void ran(std::uint32_t entity, sim::Time since_push) {
        client(entity).queue_delay.add(since_push);
    }
    void completed(std::uint32_t entity, sim::Time now, sim::Time since_push, bool failed) {
        Client& of = client(entity);
        ++finished_;
        ++of.finished;
        if (failed) [[unlikely]] {
            ++failed_;
            ++of.failed;
        }
        last_finished_ = of.last_finished = now;
        of.completion.add(since_push);
    }
    void freed_one() { ++freed_; }

    [[nodiscard]] std::uint64_t submitted() const { return submitted_; }
    [[nodiscard]] std::uint64_t finished() const { return finished_; }
    [[nodiscard]] std::uint64_t freed() const { return freed_; }

    /// Fills in clients, rings, makespan, fairness and job counts. `rings` in the order of reports.
    void fill(RunResult& result, std::span<const scheduler::Ring* const> rings) const;

  private:
    struct Client {
        std::string name;
        std::uint64_t submitted = 0;
        std::uint64_t finished = 0;
        std::uint64_t failed = 0;
        sim::Time last_finished = 0;
        scheduler::LatencyRecorder queue_delay;
        scheduler::LatencyRecorder completion;
    };

    [[nodiscard]] Client& client(std::uint32_t entity) { return *by_entity_[entity]; }
    void fill_clients(RunResult& result, std::span<const scheduler::Ring* const> rings) const;

    std::vector<std::uint32_t> client_of_; ///< by entity index
    std::vector<Client*> by_entity_;       ///< the same, for what happens per event
    std::vector<std::unique_ptr<Client>> clients_;
    std::size_t with_entities_ = 0; ///< they come first
    std::uint64_t submitted_ = 0;
    std::uint64_t finished_ = 0;
    std::uint64_t failed_ = 0;
    std::uint64_t freed_ = 0;
    sim::Time first_push_ = 0;
    sim::Time last_finished_ = 0;
};

} // namespace fenceline::workloads::inline FENCELINE_MODE
