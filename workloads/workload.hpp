// The workload: what user space does. Entities, listed jobs, clients with programs, timed actions.
//
// This is the plain data model, independent of the document it was read from. A Workload that a
// reader returned is valid: every index points at something, every label is bound, every name that
// is used is exported by exactly one exporter, every entity id is unique.
//
// Jobs are not part of Workload, because a workload may have more of them than memory: they come
// one by one from a JobSource (see job_list.hpp and job_stream.hpp for the two kinds).
//
// Ownership: Workload owns everything in it and is immutable once read; share it as
// std::shared_ptr<const Workload>. A JobSource belongs to one thread.
#pragma once

#include "scheduler/types.hpp"
#include "sim/time.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace fenceline::workloads {

/// "No entity", "no ring": the value of an index that an action does not use.
inline constexpr std::uint32_t kNoIndex = ~std::uint32_t{0};
/// `"forever"` as a client's `repeat`.
inline constexpr std::uint64_t kRepeatForever = ~std::uint64_t{0};

struct EntitySpec {
    std::string id;
    std::string client;
    std::vector<std::uint32_t> rings; ///< indices into Workload::rings; at least one, no duplicates
    scheduler::Priority priority = scheduler::Priority::normal;
    bool guilty = false; ///< whether the entity has a guilty flag

    friend bool operator==(const EntitySpec&, const EntitySpec&) = default;
};

/// How the fences of `after` are handed to the scheduler: singly, or through one container.
enum class Via : std::uint8_t { none, array, any, chain, resv };

/// Where an exported fence lives on.
enum class ExportTo : std::uint8_t { sync_file, syncobj, resv, chain };

/// How a client ends.
enum class ExitKind : std::uint8_t { clean, killed };

// --- jobs ----------------------------------------------------------------------------------------

/// A listed job. The ordinal of a job is its 0-based position in the list of jobs.
/// Its id is unique, and below 2^63; its credits are at least 1.
struct JobRecord : scheduler::JobSpec {
    sim::Time at = 0;                     ///< when it is pushed; never decreases from job to job
    std::span<const std::uint64_t> after; ///< ordinals of earlier jobs; valid until the next call
    std::uint32_t entity = 0;             ///< index into Workload::entities
    std::uint32_t uses = 0; ///< how often later jobs name it, where that is known beforehand
    Via via = Via::none;
};

/// The listed jobs of a workload, one after the other. Readers check jobs as they come, so next()
/// throws InputError when it reaches one that is wrong.
class JobSource {
  public:
    JobSource() = default;
    JobSource(const JobSource&) = delete;
    JobSource& operator=(const JobSource&) = delete;
    virtual ~JobSource() = default;

    /// The next job, or false at the end.
    virtual bool next(JobRecord& out) = 0;
    /// How many jobs there are in all, where that is known beforehand.
    [[nodiscard]] virtual std::optional<std::uint64_t> count_hint() const = 0;
    /// The ordinal of the job with this id, among those that next() has returned so far.
    [[nodiscard]] virtual std::optional<std::uint64_t> ordinal_of(std::uint64_t id) const = 0;
    /// Where the job that next() returned last stands ("FILE: /jobs/3" or "FILE:5"), for messages.
    [[nodiscard]] virtual std::string where() const = 0;
    /// Start again from the first job. Standard input cannot: it throws InputError.
    virtual void rewind() = 0;
    /// Says that jobs may be read by a thread of its own, ahead of next(), where that is worth it:
    /// this one will be busy with other things. Of use with more than one processor to spare.
    virtual void read_ahead(unsigned /*processors*/) {}
};

// --- programs of closed-loop clients -------------------------------------------------------------

/// A duration in a program: fixed, or drawn anew each time the step runs.
struct DurationSpec {
    enum class Kind : std::uint8_t { fixed, uniform, exponential, normal };
    Kind kind = Kind::fixed;
    sim::Time a = 0; ///< fixed: the value (kForever only in `submit`); uniform: least; else: mean
    sim::Time b = 0; ///< uniform: greatest (at least `a`); normal: standard deviation

    friend bool operator==(const DurationSpec&, const DurationSpec&) = default;
};

// A "fence" in a step is what the client can name: a label (the latest submit that carries it), or
// a name that this client has exported or imported. The two never collide within a client.

struct SubmitStep {
    std::uint32_t entity = 0; ///< one of the client's own
    DurationSpec duration;
    std::uint32_t credits = 1;
    scheduler::RunJobKind run_job = scheduler::RunJobKind::normal;
    Via via = Via::none;
    std::uint64_t count = 1;        ///< this many jobs, one after the other
    std::string as;                 ///< the label, or empty
    std::vector<std::string> after; ///< fences
};
struct WaitStep {
    std::string fence;
};
struct SleepStep {
    DurationSpec duration;
};
struct PeriodStep {
    sim::Time period = 0;
};
struct Step;
struct LoopStep {
    std::uint64_t count = 1;
    std::vector<Step> steps;
};
struct ExportStep {
    std::string fence;
    ExportTo to = ExportTo::sync_file;
    std::string as; ///< one exporter per name in the whole workload; running again replaces
};
struct ImportStep {
    std::string name;
};
struct QueryStep {
    std::string fence;
};
struct PollStep {
    std::string fence;
};
struct CloseStep {
    std::string fence;
};
struct TerminateStep {
    std::string fence;
};
struct SetPriorityStep {
    std::uint32_t entity = 0; ///< one of the client's own
    scheduler::Priority priority = scheduler::Priority::normal;
};
struct SetDeadlineStep {
    std::string fence;
    sim::Time in = 0; ///< from the moment the step runs
};
struct ExitStep {
    ExitKind how = ExitKind::clean;
};

struct Step {
    std::variant<SubmitStep, WaitStep, SleepStep, PeriodStep, LoopStep, ExportStep, ImportStep,
                 QueryStep, PollStep, CloseStep, TerminateStep, SetPriorityStep, SetDeadlineStep,
                 ExitStep>
        what;
};

struct ClientSpec {
    std::string name;
    std::vector<std::uint32_t> entities; ///< of this client, in the order in which they stand
    sim::Time start = 0;
    std::uint64_t repeat = 1; ///< kRepeatForever: until the run's `until`
    std::vector<Step> program;
};

// --- actions -------------------------------------------------------------------------------------

/// What happens to the system at a time. The keys that a document gives with `at` and `do`:
///
///     destroy-entity, kill-entity, fini-entity   entity
///     set-priority                               entity, priority
///     modify-sched                               entity, rings
///     fini-scheduler, reset-ring                 ring
///     unbind-device                              device
///     unload-driver                              driver
///     export                                     job, to, as
///     import                                     name
///     query, poll, wait, close                   name (of an export) or job
///     terminate                                  job (it ends now) or ring (its current job does)
///     set-deadline                               job, deadline (a point in time)
///     exit, exit-child                           client, how (default `clean`)
///     flush                                      client
enum class ActionKind : std::uint8_t {
    destroy_entity,
    kill_entity,
    fini_entity,
    set_priority,
    modify_sched,
    fini_scheduler,
    reset_ring,
    unbind_device,
    unload_driver,
    export_fence,
    import_fence,
    query,
    poll,
    wait,
    close,
    terminate,
    set_deadline,
    exit_client,
    flush,
    exit_child
};

/// A timed action. Members that the kind does not use keep their defaults.
struct Action {
    sim::Time at = 0;
    ActionKind kind = ActionKind::destroy_entity;
    scheduler::Priority priority = scheduler::Priority::normal;
    ExportTo to = ExportTo::sync_file;
    ExitKind how = ExitKind::clean;
    std::uint32_t entity = kNoIndex;  ///< index into Workload::entities
    std::uint32_t ring = kNoIndex;    ///< index into Workload::rings
    std::vector<std::uint32_t> rings; ///< modify-sched
    std::string device;               ///< unbind-device; devices are named by the configuration
    std::string driver;               ///< unload-driver; likewise
    std::string client;               ///< exit
    /// export: the name given (`as`); import, query, poll, wait, close: the exported name, or empty
    /// when a job is given instead.
    std::string name;
    std::optional<std::uint64_t> job; ///< the id of the job it is about, pushed at `at` or earlier
    /// The ordinal of `job`. Empty when the jobs are streamed: then it is known only once the
    /// source has returned that job, see JobSource::ordinal_of().
    std::optional<std::uint64_t> job_ordinal;
    sim::Time deadline = 0;

    friend bool operator==(const Action&, const Action&) = default;
};

// --- the whole -----------------------------------------------------------------------------------

struct Workload {
    std::string name;
    std::string about;
    std::string origin;      ///< provenance as JSON text, uninterpreted; empty when there is none
    std::string source_path; ///< the file it was read from, as the user gave it
    std::string source_pointer;       ///< where it stands in that file; empty: it is the file
    bool streamed = false;            ///< JSON Lines: jobs are read as they are needed
    std::vector<std::string> rings;   ///< in order of first mention: entities, clients', actions
    std::vector<EntitySpec> entities; ///< `entities` first, then the clients' in order
    std::vector<ClientSpec> clients;
    std::vector<Action> actions; ///< in the order in which they stand; not sorted by time

    /// `w.json: /actions/0`, for messages.
    [[nodiscard]] std::string place(std::string_view pointer) const {
        return source_path + ": " + source_pointer + std::string(pointer);
    }
};

} // namespace fenceline::workloads
