// Turns what was counted about jobs into the figures of a run: per client, per ring, over all.
//
// The counting itself is the scheduler's (scheduler/job_figures.hpp): constant work per job, memory
// per client and ring, nothing per job. Here entities are put together to clients, and counts to
// results.
//
// Ownership: owns the clients' figures, which the JobFigures of a scheduler count into: nothing
// happens to jobs any more when this dies.
#pragma once

#include "scheduler/job_figures.hpp"
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
    /// From now on `figures` counts for the clients of `workload`.
    Statistics(const Workload& workload, scheduler::JobFigures& figures);

    /// Fills in clients, rings, makespan, fairness and job counts. `rings` in the order of reports.
    void fill(RunResult& result, std::span<const scheduler::Ring* const> rings) const;

  private:
    struct Client {
        std::string name;
        scheduler::ClientFigures figures;
    };

    void fill_clients(RunResult& result, std::span<const scheduler::Ring* const> rings) const;

    const scheduler::JobFigures& figures_;
    std::vector<std::uint32_t> client_of_; ///< by entity index
    std::vector<std::unique_ptr<Client>> clients_;
    std::size_t with_entities_ = 0; ///< they come first
};

} // namespace fenceline::workloads::inline FENCELINE_MODE
