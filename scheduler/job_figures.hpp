// What is counted about jobs as they pass: the raw material of a run's figures.
//
// DOC: why here. Each job is counted four times (pushed, run, finished, freed), so this is on the
// path of every job and has to be a few additions in memory: no record of what happened is made up
// and handed on, as it is for the event log. What the figures mean, and the tables made of them, is
// the business of the layer above.
//
// Ownership: a client's figures belong to whoever assigned them, and live as long as jobs are
// counted. An entity that nobody assigned is counted in the totals only.
#pragma once

#include "scheduler/latency.hpp"
#include "sim/time.hpp"

#include <cstdint>
#include <vector>

namespace fenceline::scheduler {

/// Of the jobs of one client, which may have several entities.
struct ClientFigures {
    std::uint64_t submitted = 0;
    std::uint64_t finished = 0; ///< with or without error
    std::uint64_t failed = 0;
    sim::Time last_finished = 0;
    LatencyRecorder queue_delay; ///< from push to run_job
    LatencyRecorder completion;  ///< from push to finished
};

class JobFigures {
  public:
    JobFigures() = default;
    JobFigures(const JobFigures&) = delete;
    JobFigures& operator=(const JobFigures&) = delete;

    /// Every entity is known before its first job.
    void add_entity(std::uint32_t entity) {
        if (clients_.size() <= entity) {
            clients_.resize(entity + 1, &nobody_);
            last_seqno_.resize(entity + 1);
        }
    }
    /// The entity's jobs count for `client` as well as in the totals.
    void assign(std::uint32_t entity, ClientFigures& client) {
        add_entity(entity);
        clients_[entity] = &client;
    }
    /// While a run may end with the last job: `ended(env)` is called whenever every job that was
    /// pushed has been freed.
    void watch_end(void (*ended)(void* env), void* env) {
        ended_ = ended;
        env_ = env;
    }

    // As it happens. Each O(1).
    void queued(std::uint32_t entity, sim::Time now) {
        if (submitted_++ == 0) [[unlikely]]
            first_push_ = now;
        ++clients_[entity]->submitted;
    }
    [[gnu::always_inline]] void ran(std::uint32_t entity, sim::Time since_push) {
        clients_[entity]->queue_delay.add(since_push);
    }
    /// False when a later job of the entity has finished before. `seqno`: of its finished fence.
    [[gnu::always_inline]] bool completed(std::uint32_t entity, std::uint32_t seqno, sim::Time now,
                                          sim::Time since_push, bool failed) {
        ClientFigures& of = *clients_[entity];
        ++finished_;
        ++of.finished;
        if (failed) [[unlikely]] {
            ++failed_;
            ++of.failed;
        }
        last_finished_ = of.last_finished = now;
        of.completion.add(since_push);
        const auto ahead = static_cast<std::int32_t>(seqno - last_seqno_[entity]);
        last_seqno_[entity] = seqno;
        return ahead > 0;
    }
    void freed() {
        if (++freed_ == submitted_ && ended_ != nullptr) [[unlikely]]
            ended_(env_);
    }

    [[nodiscard]] std::uint64_t total_submitted() const { return submitted_; }
    [[nodiscard]] std::uint64_t total_finished() const { return finished_; }
    [[nodiscard]] std::uint64_t total_failed() const { return failed_; }
    [[nodiscard]] std::uint64_t total_freed() const { return freed_; }
    [[nodiscard]] sim::Time first_push() const { return first_push_; }
    [[nodiscard]] sim::Time last_finished() const { return last_finished_; }

  private:
    std::vector<ClientFigures*> clients_;   ///< by entity index
    std::vector<std::uint32_t> last_seqno_; ///< likewise: of the job that finished last
    std::uint64_t submitted_ = 0;
    std::uint64_t finished_ = 0;
    std::uint64_t failed_ = 0;
    std::uint64_t freed_ = 0;
    sim::Time first_push_ = 0;
    sim::Time last_finished_ = 0;
    void (*ended_)(void*) = nullptr;
    void* env_ = nullptr;
    ClientFigures nobody_;
};

} // namespace fenceline::scheduler
