// A run in progress: the machine with everything on it, and the input that drives it.
//
// DOC: the parts. Run is where the layers meet: it owns the machine, RCU, the fences, the
// scheduler, one driver per driver name of the configuration, the containers that user space put
// fences in, and the statistics. It is class 0 of the order of events (listed jobs, then actions),
// and it hears of every job event.
//
// Ownership: Run owns all of it; the workload, the configuration and the job source are the
// caller's and outlive it. Members die in reverse order, the machine last, after everything that
// was blocked on it has been unwound.
#pragma once

#include "fences/container.hpp"
#include "scheduler/gpu_sched.hpp"
#include "scheduler/ring_driver.hpp"
#include "sim/machine.hpp"
#include "sim/rcu.hpp"
#include "workloads/entity_history.hpp"
#include "workloads/job_window.hpp"
#include "workloads/named_fences.hpp"
#include "workloads/simulation.hpp"
#include "workloads/statistics.hpp"

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace fenceline::workloads::inline FENCELINE_MODE {

class Run final : public sim::InputSource, public scheduler::EventSink {
  public:
    /// `explain`, if given, are the hazards of an identical run: the histories of what they were
    /// about are recorded, in the instrumented form.
    Run(const Config& config, const Workload& workload, JobSource& jobs, const RunOptions& options,
        const std::vector<sim::Hazard>* explain);
    ~Run() override;

    RunResult execute();

    // sim::InputSource: listed jobs, then actions.
    sim::Time next_time() override { return next_input_; }
    void fire() override;
    // scheduler::EventSink.
    void on_event(const scheduler::LoggedEvent& event) override;

  private:
    /// A listed job that waits for its client to get through the cost of submitting.
    struct Submission {
        JobRecord record;
        std::vector<std::uint64_t> after;
        std::uint64_t ordinal;
    };
    struct Client {
        std::unique_ptr<sim::Context> context;
        sim::Time free_at = 0; ///< when it is through with its last submit
        std::deque<Submission> submissions;
    };
    /// A reference that an action will need, from the job's push to the last action that names it.
    struct HeldFence {
        fences::FenceRef fence;
        std::uint32_t uses = 0;
        bool pushed = false;
    };
    /// A place in a job's list of dependencies while it is being made up.
    struct DependencySlot {
        std::uint32_t entity;
        std::uint64_t ordinal;
    };
    /// An action that is under way; it ends with the scope, also when it dies of a hazard.
    class ActionScope {
      public:
        explicit ActionScope(Run& run) : run_(run) {}
        ActionScope(const ActionScope&) = delete;
        ActionScope& operator=(const ActionScope&) = delete;
        ~ActionScope() {
            --run_.actions_running_;
            run_.stop_if_complete();
        }

      private:
        Run& run_;
    };
    struct UnloadRecord {
        std::string who;
        sim::Time from = 0;
        sim::Time to = 0;
        bool ended = false;
        std::vector<sim::WaitRecord> waits;
    };

    // run.cpp: building and running
    void build_rings();
    void warn_of_unused_rings();
    void build_entities();
    void fetch_job();
    void update_next_input();
    RunEnd run_proper();
    void run_to_idle();
    [[gnu::noinline]] void forget_job(std::uint64_t ordinal);
    void stop_if_complete();
    [[nodiscard]] bool complete() const;
    // submit.cpp
    void submit_listed();
    void submit(const JobRecord& record, std::uint64_t ordinal);
    void submit_later(std::uint64_t ordinal);
    void submit_delayed(Client& client);
    void hold_for_actions(std::uint64_t id, scheduler::JobRef job);
    [[nodiscard]] fences::FenceRef public_fence(const scheduler::Job& job) const;
    // dependencies.cpp
    void add_dependencies(scheduler::JobRef job, std::span<const std::uint64_t> after, Via via);
    bool collect_dependencies(std::span<const std::uint64_t> after);
    [[nodiscard]] fences::FenceRef fence_of(std::uint64_t ordinal);
    void hand_over(scheduler::JobRef job, std::span<const fences::FenceRef> list, Via via);
    // actions.cpp
    void plan_actions();
    void perform(const Action& action);
    void perform_on_entity(const Action& action);
    void perform_on_fence(const Action& action);
    void export_fence(const Action& action);
    void set_deadline(const Action& action);
    [[nodiscard]] std::string query_text(const std::string& name, const fences::SyncFileInfo& info);
    void fini_scheduler(std::uint32_t ring);
    void reset_ring(const Action& action);
    void unbind_device(const std::string& device);
    void unload_driver(const std::string& driver);
    void as_unload(const std::string& who, std::function<void()> body);
    HeldFence& held(const Action& action);
    void release_held(const Action& action);
    void observe(const Action& action, const std::string& text);
    // teardown.cpp
    void teardown(bool normal);
    void report_never_signalled();
    void report_leaks();
    void fill_lifetime(RunResult& result);

    const Config& config_;
    const Workload& workload_;
    JobSource& source_;
    const RunOptions& options_;

    sim::Machine machine_;
    sim::Rcu rcu_;
    fences::FenceCore core_;
    scheduler::GpuSched sched_;
    std::vector<std::unique_ptr<scheduler::RingDriver>> drivers_;
    struct RingPlace {
        scheduler::RingDriver* driver;
        std::size_t slot;
    };
    std::vector<RingPlace> rings_; ///< by ring index
    std::vector<scheduler::EntityRef> entities_;
    std::vector<scheduler::RingDriver*> driver_of_entity_;
    std::vector<bool> entity_ending_; ///< an action has begun to destroy, kill or fini it
    fences::Containers containers_;
    Statistics statistics_;

    std::vector<Client> clients_;
    std::vector<std::uint32_t> client_of_entity_;
    JobWindow window_;
    NamedFences named_;
    EntityHistory history_;                        ///< of a stream
    std::vector<DependencySlot> dependency_slots_; ///< kept for its capacity
    std::vector<fences::FenceRef> dependencies_;   ///< the same
    JobRecord next_job_;
    bool have_job_ = false;
    std::unordered_map<std::uint64_t, sim::Time> pushes_; ///< under way: when each will be done
    std::vector<const Action*> actions_;                  ///< by time, then as they stand
    std::size_t next_action_ = 0;
    std::size_t actions_running_ = 0;
    sim::Time next_input_ = 0;
    std::unordered_map<std::uint64_t, HeldFence> held_; ///< by job id
    std::deque<UnloadRecord> unloads_;
    std::vector<std::string> observations_;
    std::vector<std::pair<std::string, std::uint64_t>> warnings_;
    bool in_teardown_ = false;
};

/// Makes a Run and executes it: what there is one of for each form of the model.
RunResult execute_run(const Config& config, const Workload& workload, JobSource& jobs,
                      const RunOptions& options, const std::vector<sim::Hazard>* explain);

} // namespace fenceline::workloads::inline FENCELINE_MODE
