#include "workloads/statistics.hpp"

#include <unordered_map>

namespace fenceline::workloads::inline FENCELINE_MODE {

Statistics::Statistics(const Workload& workload, scheduler::JobFigures& figures)
    : figures_(figures) {
    std::unordered_map<std::string, std::uint32_t> known;
    for (const EntitySpec& entity : workload.entities) {
        const auto next = static_cast<std::uint32_t>(clients_.size());
        const auto [client, is_new] = known.try_emplace(entity.client, next);
        if (is_new) {
            clients_.push_back(std::make_unique<Client>());
            clients_.back()->name = entity.client;
        }
        client_of_.push_back(client->second);
        figures.assign(static_cast<std::uint32_t>(client_of_.size() - 1),
                       clients_[client->second]->figures);
    }
    with_entities_ = clients_.size();
    for (const ClientSpec& client : workload.clients) { // without an entity of its own
        if (known.contains(client.name))
            continue;
        clients_.push_back(std::make_unique<Client>());
        clients_.back()->name = client.name;
    }
    const std::size_t exact = scheduler::LatencyRecorder::exact_for(clients_.size());
    for (const std::unique_ptr<Client>& client : clients_) {
        client->figures.queue_delay.keep_exactly(exact);
        client->figures.completion.keep_exactly(exact);
    }
}

void Statistics::fill(RunResult& result, std::span<const scheduler::Ring* const> rings) const {
    result.jobs_submitted = figures_.total_submitted();
    result.jobs_finished = figures_.total_finished();
    result.jobs_failed = figures_.total_failed();
    const sim::Time last = figures_.last_finished();
    result.makespan = last > figures_.first_push() ? last - figures_.first_push() : 0;
    const auto span = static_cast<double>(result.makespan);
    for (const scheduler::Ring* ring : rings) {
        RingResult out;
        out.name = ring->name();
        out.jobs = ring->completed();
        out.busy = ring->busy_time();
        out.context_switches = ring->context_switches();
        if (result.makespan > 0) {
            out.utilisation = static_cast<double>(out.busy) / span;
            out.occupancy = ring->occupancy_time() / span;
        }
        result.rings.push_back(out);
    }
    fill_clients(result, rings);
}

void Statistics::fill_clients(RunResult& result,
                              std::span<const scheduler::Ring* const> rings) const {
    std::vector<sim::Time> gpu_time(clients_.size());
    sim::Time total = 0;
    for (const scheduler::Ring* ring : rings) {
        for (std::size_t entity = 0; entity < ring->gpu_time().size(); ++entity) {
            gpu_time[client_of_[entity]] += ring->gpu_time()[entity];
            total += ring->gpu_time()[entity];
        }
    }
    double sum = 0;
    double squares = 0;
    for (std::size_t i = 0; i < clients_.size(); ++i) {
        const scheduler::ClientFigures& client = clients_[i]->figures;
        ClientResult out;
        out.name = clients_[i]->name;
        out.submitted = client.submitted;
        out.finished = client.finished;
        out.failed = client.failed;
        out.gpu_time = gpu_time[i];
        if (total > 0)
            out.gpu_share = static_cast<double>(gpu_time[i]) / static_cast<double>(total);
        if (result.makespan > 0)
            out.jobs_per_second = static_cast<double>(client.finished) /
                                  (static_cast<double>(result.makespan) * 1e-9);
        out.queue_delay = client.queue_delay.summary();
        out.completion = client.completion.summary();
        out.last_finished = client.last_finished;
        result.clients.push_back(out);
        sum += out.gpu_share;
        squares += out.gpu_share * out.gpu_share;
    }
    if (squares > 0) // Jain's index: 1 when all have the same, 1/n when one has everything
        result.fairness = sum * sum / (static_cast<double>(with_entities_) * squares);
}

} // namespace fenceline::workloads::inline FENCELINE_MODE
