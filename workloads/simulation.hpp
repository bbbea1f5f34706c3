// One simulation run: a workload under a configuration, and what came of it.
//
// simulate() builds a machine, the fences, the scheduler and the driver for the configuration,
// feeds them the workload, runs to the end (docs/model.md, "The end of a run") and returns the
// figures. It touches nothing outside: no files, no output, no globals; any number of runs may go
// on in different threads. Same configuration, workload and seed: same result, bit for bit.
//
// When a run finds hazards, a second, identical run records the histories of the objects concerned,
// so that the reports say who allocated and freed them and how each party got there.
#pragma once

#include "fences/ledger.hpp"
#include "fences/snapshot.hpp"
#include "scheduler/event_log.hpp"
#include "scheduler/latency.hpp"
#include "sim/hazard.hpp"
#include "sim/schedule.hpp"
#include "sim/time.hpp"
#include "workloads/config.hpp"
#include "workloads/workload.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fenceline::workloads {

/// How a run ended.
enum class RunEnd : std::uint8_t {
    normal,     ///< no action left, every pushed job freed
    stuck,      ///< nothing left to happen although jobs remain
    until,      ///< the configured time was reached with jobs open
    hazard,     ///< a fatal hazard
    interrupted ///< the caller asked for it
};
[[nodiscard]] std::string_view name_of(RunEnd end);

struct Progress {
    sim::Time now = 0;
    std::uint64_t events = 0;
    std::uint64_t jobs_pushed = 0;
    std::uint64_t jobs_freed = 0;
};

struct RunOptions {
    /// Hears of every job event in order; may be null. Not called again by the second run.
    scheduler::EventSink* events = nullptr;
    /// Called every few ten thousand events; returning false interrupts the run.
    std::function<bool(const Progress&)> on_progress;
    bool strict = false;         ///< what is a warning otherwise (score drift) is a hazard
    bool keep_going = false;     ///< a fatal hazard ends its context only
    bool explain_hazards = true; ///< do the second run
    bool fibers_for_all = false; ///< every context on a fiber (for tests of the model)
    /// Contexts are interleaved as it says (sim/interleaver.hpp); may be null. A schedule that
    /// cannot be followed throws InputError.
    const sim::Schedule* schedule = nullptr;
    /// Becomes the schedule that the run took, operation by operation; may be null. Only of a run
    /// with a schedule, which may be empty.
    sim::Schedule* record = nullptr;
    /// Take a snapshot of who holds what when all that happens at this time has happened; kForever,
    /// or later than that: at the end of the run proper, before the teardown.
    std::optional<sim::Time> ledger;
    /// Hears of a snapshot after every so many events (for tests of the model).
    std::function<void(const fences::Snapshot&)> on_snapshot;
    std::uint64_t snapshot_every = 0;
};

using scheduler::LatencySummary;

/// The least, the mean and the greatest of some times.
struct Spread {
    sim::Time min = 0;
    double mean = 0; ///< nanoseconds
    sim::Time max = 0;
};

/// What became of a client's program. An iteration is one run through it.
struct ProgramResult {
    bool started = false;
    bool ended = false; ///< by itself; else it was stopped
    std::uint64_t iterations = 0;
    /// From its start to the end of the program or, if that is later, of its last job; to the end
    /// of the run when it was still at it.
    sim::Time elapsed = 0;
    double iterations_per_second = 0; ///< over `elapsed`: the frame rate of a client that draws
    std::uint64_t period_misses = 0;  ///< `period` steps that were reached too late
    LatencySummary interval;          ///< from iteration to iteration: the pacing
    double interval_deviation = 0;    ///< its standard deviation, nanoseconds
    Spread cycle;                     ///< an iteration without what it slept by itself
    Spread latency; ///< what a cycle took beyond the GPU time of the jobs it submitted
};

struct ClientResult {
    std::string name;
    std::uint64_t submitted = 0;
    std::uint64_t finished = 0;           ///< signalled, with or without error
    std::uint64_t failed = 0;             ///< of those: with an error
    sim::Time gpu_time = 0;               ///< executing on rings, without context switches
    double gpu_share = 0;                 ///< of all clients' GPU time, 0 to 1
    double jobs_per_second = 0;           ///< finished jobs over the makespan
    LatencySummary queue_delay;           ///< from push to run_job
    LatencySummary completion;            ///< from push to finished
    sim::Time last_finished = 0;          ///< 0 when none has
    std::optional<ProgramResult> program; ///< of a client that has one
};

struct RingResult {
    std::string name;
    std::uint64_t jobs = 0; ///< completed on the hardware
    sim::Time busy = 0;     ///< executing, context switches included
    double utilisation = 0; ///< busy over the makespan, 0 to 1
    double occupancy = 0;   ///< mean number of jobs on the ring over the makespan
    std::uint64_t context_switches = 0;
};

/// What an unload-driver or unbind-device action waited for.
struct UnloadWait {
    std::string who;    ///< "unload-driver drv"
    std::string reason; ///< "synchronize_rcu", "the hardware to drain", ...
    sim::Time from = 0;
    sim::Time duration = 0;
    bool finished = true; ///< false: still waiting at the end
};

struct HolderBytes {
    std::string_view holder;
    double byte_seconds = 0;
};

/// What the lifetime policy cost and pinned.
struct LifetimeResult {
    std::string policy;
    double pinned_byte_seconds = 0;     ///< bytes alive after their fence had signalled, times time
    std::vector<HolderBytes> by_holder; ///< the same by who held on last; only where not zero
    std::uint64_t peak_pinned_bytes = 0;
    std::uint64_t peak_pinned_objects = 0;
    sim::Time longest_pinned = 0;         ///< the longest time one object was pinned
    std::string longest_what;             ///< "scheduler fence", "hardware fence", "context"
    std::string longest_holder;           ///< who held it
    std::uint64_t unreleased = 0;         ///< objects that were still pinned at the end
    std::uint64_t peak_fences = 0;        ///< fences of all kinds alive at once
    double atomics_per_job = 0;           ///< atomic read-modify-writes
    double locks_per_job = 0;             ///< lock acquisitions
    std::uint64_t public_fence_bytes = 0; ///< per job, in the kernel (plain configuration)
    std::uint64_t hardware_fence_bytes =
        0; ///< of a private hardware fence; 0 where it is the public one
    /// The same two by kernel configuration: plain, PREEMPT_RT, lockdep (fences/sizes.hpp).
    std::array<std::array<std::uint64_t, 2>, 3> bytes_by_configuration{};
    std::vector<UnloadWait> unload_waits;
    sim::Time unload_time = 0; ///< longest time an unload or unbind took
};

/// What was alive at a moment of an unload-driver or unbind-device action, and why: all of it when
/// the action began; when it blocked, what leads to what it waited for.
struct UnloadMoment {
    std::string who;    ///< "unload-driver drv"
    std::string moment; ///< "begins", "waits for synchronize_rcu"
    fences::ChainReport chains;
};

struct RunResult {
    RunEnd end = RunEnd::normal;
    sim::Time end_time = 0;   ///< virtual time at which it ended so; teardown comes after
    sim::Time makespan = 0;   ///< from the first push to the last finished
    std::uint64_t events = 0; ///< engine events executed
    std::uint64_t jobs_submitted = 0;
    std::uint64_t jobs_finished = 0;
    std::uint64_t jobs_failed = 0;
    std::uint64_t jobs_unfinished = 0; ///< submitted and not finished when the run proper ended
    double fairness = 1;               ///< Jain's index over the clients' GPU time
    /// In order of their first entity, then those that have only a program.
    std::vector<ClientResult> clients;
    std::vector<RingResult> rings;
    LifetimeResult lifetime;
    std::optional<fences::Snapshot> ledger; ///< if it was asked for
    std::vector<UnloadMoment> unload_moments;
    std::vector<sim::Hazard> hazards;
    std::vector<std::string> warnings;     ///< what the kernel would print, each once, with a count
    std::vector<std::string> observations; ///< what queries and polls returned, in order

    /// Whether the model found a violation: exit code 1.
    [[nodiscard]] bool violated() const { return !hazards.empty(); }
};

/// Runs `workload` under `config` (rings resolved, see resolve_rings()). REQUIRES: nothing in
/// unsupported(config). Throws InputError when the job source meets a bad job.
RunResult simulate(const Config& config, const Workload& workload, JobSource& jobs,
                   const RunOptions& options = {});

/// Every class of hazard, for `list hazards` and for documentation.
[[nodiscard]] std::vector<const sim::HazardClass*> hazard_classes();

} // namespace fenceline::workloads
