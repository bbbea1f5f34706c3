// A run in progress: the machine with everything on it, and the input that drives it.
//
// DOC: the parts. Run is where the layers meet: it owns the machine, RCU, the fences, the
// scheduler, one driver per driver name of the configuration, the containers that user space put
// fences in, and the statistics. It is class 0 of the order of events (listed jobs, then actions).
//
// Ownership: Run owns all of it; the workload, the configuration and the job source are the
// caller's and outlive it. Members die in reverse order, the machine last, after everything that
// was blocked on it has been unwound.
//
// Jobs of programs have ordinals of their own, from kProgramOrdinals up: nothing refers to them by
// ordinal, and the window over listed jobs stays what it is.
#pragma once

#include "fences/container.hpp"
#include "scheduler/gpu_sched.hpp"
#include "scheduler/ring_driver.hpp"
#include "sim/interleaver.hpp"
#include "sim/machine.hpp"
#include "sim/rcu.hpp"
#include "workloads/client_program.hpp"
#include "workloads/entity_history.hpp"
#include "workloads/job_window.hpp"
#include "workloads/named_fences.hpp"
#include "workloads/quirks.hpp"
#include "workloads/simulation.hpp"
#include "workloads/statistics.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace fenceline::workloads::inline FENCELINE_MODE {

/// The first ordinal of a job that a program submits.
inline constexpr std::uint64_t kProgramOrdinals = std::uint64_t{1} << 63;
/// Between looks at progress and Ctrl-C.
inline constexpr std::uint64_t kEventsPerSlice = 1 << 15;

class Run final : public sim::InputSource, private ClientHost, private sim::Witness {
  public:
    /// `explain`, if given, are the hazards of an identical run: the histories of what they were
    /// about are recorded, in the instrumented form.
    Run(const Config& config, const Workload& workload, JobSource& jobs, const RunOptions& options,
        const std::vector<sim::Hazard>* explain);
    ~Run() override;

    RunResult execute();

    // sim::InputSource: listed jobs, then actions, then the starts of programs.
    sim::Time next_time() override { return next_input_; }
    sim::Time fire() override;

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
        scheduler::JobRef job;
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
        std::vector<UnloadMoment> moments;
    };

    // run.cpp: building and running
    void build_rings();
    void warn_of_unused_rings();
    void build_entities();
    [[gnu::cold]] void note_last_job();
    void update_next_input();
    RunEnd run_proper();
    bool take_ledger_on_the_way(bool more);
    void take_ledger(RunResult& result);
    void run_to_idle();
    void stop_if_complete();
    [[nodiscard]] bool complete() const;
    void check_stalled();
    // submit.cpp: the input
    void fetch_first_job();
    void fetch_job();
    void submit_listed();
    [[gnu::noinline]] void submit_otherwise(std::uint64_t ordinal);
    void submit_on_fiber(const JobRecord& record, std::uint64_t ordinal);
    void submit(const JobRecord& record, std::uint64_t ordinal);
    [[gnu::noinline]] void submit_in_steps(const JobRecord& record, std::uint64_t ordinal);
    void submit_later(std::uint64_t ordinal);
    void submit_delayed(Client& client);
    void fail_submit(scheduler::JobRef job, std::string_view why);
    void give_up(const JobRecord& record);
    void hold_for_actions(std::uint64_t id, scheduler::JobRef job);
    [[nodiscard]] fences::FenceRef public_fence(const scheduler::Job& job) const;
    // run_clients.cpp
    void build_programs();
    void number_program_jobs();
    void start_program();
    void stop_programs(bool stuck);
    void report_stuck_programs();
    void fill_programs(RunResult& result) const;
    void exit_client(const Action& action);
    void flush_client(const Action& action);
    // ClientHost.
    Label submit(const ProgramJob& job) override;
    fences::FenceRef dependency_on(const Label& label) override;
    void terminate_job(scheduler::JobRef job) override;
    void set_priority(std::uint32_t entity, scheduler::Priority priority) override;
    void end_entities(const std::string& client, ExitKind how) override;
    void export_fence(OpenNames& own, ExportTo to, const std::string& name,
                      fences::FenceRef fence) override;
    std::string describe_status(fences::FenceRef fence) override;
    std::string query_name(const std::string& name) override;
    void observe_step(const std::string& client, const std::string& text) override;
    void program_ended() override;
    // dependencies.cpp
    bool add_dependencies(scheduler::JobRef job, std::span<const std::uint64_t> after, Via via);
    bool collect_dependencies(std::span<const std::uint64_t> after);
    [[nodiscard]] fences::FenceRef fence_of(std::uint64_t ordinal);
    bool hand_over(scheduler::JobRef job, std::span<const fences::FenceRef> list, Via via);
    // actions.cpp
    void plan_actions();
    void perform(const Action& action);
    void perform_on_entity(const Action& action);
    [[nodiscard]] bool end_entity(std::uint32_t index, ActionKind how);
    void perform_on_fence(const Action& action);
    void export_fence(const Action& action);
    void set_deadline(const Action& action);
    void fini_scheduler(std::uint32_t ring);
    void reset_ring(const Action& action);
    void unbind_device(const std::string& device);
    void unload_driver(const std::string& driver);
    void as_unload(const std::string& who, std::function<void()> body);
    HeldFence& held(const Action& action);
    void release_held(const Action& action);
    void terminate(const Action& action);
    void observe(const Action& action, const std::string& text);
    void observe(const std::string& who, const std::string& text);
    // holders.cpp
    [[nodiscard]] fences::Snapshot snapshot() { return snapshot_with({}); }
    [[nodiscard]] fences::Snapshot
    snapshot_with(const std::function<void(fences::SnapshotBuilder&)>& also);
    void note_unload(UnloadRecord& record, std::string moment, std::string_view reason);
    // Witness (explain.cpp).
    std::vector<std::string> holders_of(std::string_view pool, std::uint64_t key) override;
    std::string_view part_at(std::string_view pool, std::size_t offset) override;
    void find_fence(sim::Hazard& hazard) override;
    // teardown.cpp
    void teardown(RunEnd end);
    void end_all_entities(bool destroy);
    void end_all_schedulers();
    void guarded(const std::function<void()>& step);
    bool run_slice(sim::InputSource* input, sim::Time until);
    [[nodiscard]] bool only_false_alarms_left(const sim::InputSource* input, sim::Time until);
    void report_never_signalled();
    void report_leaks();
    void fill_lifetime(RunResult& result);

    const Config& config_;
    const Workload& workload_;
    JobSource& source_;
    const RunOptions& options_;
    const QuirkSet quirks_;

    sim::Machine machine_;
    std::unique_ptr<sim::Interleaver> interleaver_; ///< of a run under a schedule
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
    SharedNames names_;
    OpenNames action_names_; ///< what actions have exported and imported: they are one party
    Statistics statistics_;

    std::vector<Client> clients_;
    std::vector<std::uint32_t> client_of_entity_;
    std::vector<sim::Context*> context_of_entity_; ///< the client's
    /// No driver makes fences early, no rule asks for more of a job, and no action waits for one:
    /// nothing lies between init and push.
    bool plain_submits_ = false;
    bool straight_submits_ = false; ///< nor does pushing take time
    JobWindow window_;
    NamedFences named_;
    EntityHistory history_;                        ///< of a stream
    std::vector<DependencySlot> dependency_slots_; ///< kept for its capacity
    std::vector<fences::FenceRef> dependencies_;   ///< the same
    JobRecord records_[2];
    JobRecord* next_job_ = &records_[0];
    bool have_job_ = false;
    std::unordered_map<std::uint64_t, sim::Time> pushes_; ///< under way: when each will be done
    std::vector<const Action*> actions_;                  ///< by time, then as they stand
    std::size_t next_action_ = 0;
    std::size_t actions_running_ = 0;
    std::vector<std::unique_ptr<ClientProgram>> programs_;
    std::vector<ClientProgram*> starts_; ///< by time, then as they stand
    std::size_t next_start_ = 0;
    std::size_t programs_running_ = 0; ///< or still to start
    std::uint64_t program_jobs_ = 0;   ///< submitted by programs so far
    std::uint64_t first_program_id_ = 0;
    std::vector<std::string> exited_clients_;
    std::vector<std::string> stuck_programs_; ///< what they waited for when nothing was left to do
    sim::Time next_input_ = 0;
    sim::Time next_other_ = 0;                          ///< the next input that is no listed job
    std::unordered_map<std::uint64_t, HeldFence> held_; ///< by job id
    std::deque<UnloadRecord> unloads_;
    std::optional<fences::Snapshot> ledger_; ///< taken on the way
    std::vector<std::string> observations_;
    std::uint64_t unkept_observations_ = 0;
    std::vector<std::pair<std::string, std::uint64_t>> warnings_;
    bool in_teardown_ = false;
    bool false_alarms_possible_ = false; ///< some ring answers timeouts with "no hang"
};

/// Makes a Run and executes it: what there is one of for each form of the model.
RunResult execute_run(const Config& config, const Workload& workload, JobSource& jobs,
                      const RunOptions& options, const std::vector<sim::Hazard>* explain);

} // namespace fenceline::workloads::inline FENCELINE_MODE
