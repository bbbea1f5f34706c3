// The configuration of a run: which kernel, how rings and scheduler are set up, which lifetime
// policy, what things cost.
//
// The members' defaults are the format's defaults. A Config that a reader returned is valid: policy
// and kernel agree, quirks are known names, ring names are unique. It is a value without ownership
// of anything else; copy it freely. read_config.hpp reads and writes it.
#pragma once

#include "fences/lifetime.hpp"
#include "scheduler/types.hpp"
#include "sim/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fenceline::workloads {

/// What `scheduler` says for all rings, and what any ring may override.
struct SchedulerKeys {
    scheduler::Policy policy = scheduler::Policy::fifo;
    sim::Time timeout = sim::kForever; ///< kForever: `"none"`
    std::uint32_t hang_limit = 0;
    scheduler::OnTimeout on_timeout = scheduler::OnTimeout::reset;
    bool cancel = false; ///< the driver has cancel_job (mainline)

    friend bool operator==(const SchedulerKeys&, const SchedulerKeys&) = default;
};

/// A ring with everything resolved: overrides of its own, else what `scheduler` says.
struct RingConfig : SchedulerKeys {
    std::string name;
    std::uint32_t credit_limit = 2; ///< at least 1
    sim::Time context_switch = 0;
    sim::Time interrupt_latency = 0;
    std::string device = "gpu";
    std::string driver = "drv";

    friend bool operator==(const RingConfig&, const RingConfig&) = default;
};

/// What things cost in virtual time.
struct Costs {
    sim::Time submit = 0;       ///< a client's push
    sim::Time wakeup = 0;       ///< from queueing work on an idle worker to its start
    sim::Time run_job = 0;      ///< the time a run_job work item takes its worker
    sim::Time free_job = 0;     ///< likewise of a free_job work item
    sim::Time timedout_job = 0; ///< how long the driver looks at a job that is late

    friend bool operator==(const Costs&, const Costs&) = default;
};

/// What `compare` varies when the command line does not say: a setting and its values. `"all"` has
/// been replaced by the closed list.
struct VaryAxis {
    std::string key;                 ///< dotted, as for --set
    std::vector<std::string> values; ///< as for --set: JSON text, or a plain string

    friend bool operator==(const VaryAxis&, const VaryAxis&) = default;
};

struct Config {
    std::string source_path;    ///< the file it was read from, as the user gave it; not compared
    std::string source_pointer; ///< where it stands in that file; empty: it is the file; likewise
    std::string workload; ///< relative to the working directory, not to the file; may be empty
    scheduler::KernelVersion kernel = scheduler::KernelVersion::v6_12;
    std::optional<scheduler::KernelVersion> kernel_given; ///< as the document says it; not compared
    SchedulerKeys scheduler;
    std::vector<RingConfig> rings; ///< see resolve_rings() for those that only the workload names
    fences::LifetimePolicy lifetime = fences::find_preset("split")->policy;
    Costs costs;
    sim::Time rcu_grace_period = 10 * sim::kMicrosecond;
    std::vector<std::string> quirks; ///< names of quirks.hpp, without duplicates
    std::uint64_t seed = 1;
    sim::Time until = sim::kForever; ///< kForever: `"none"`
    std::vector<VaryAxis> vary;

    /// Equal in everything that a run depends on.
    friend bool operator==(const Config& a, const Config& b) {
        return a.workload == b.workload && a.kernel == b.kernel && a.scheduler == b.scheduler &&
               a.rings == b.rings && a.lifetime == b.lifetime && a.costs == b.costs &&
               a.rcu_grace_period == b.rcu_grace_period && a.quirks == b.quirks &&
               a.seed == b.seed && a.until == b.until && a.vary == b.vary;
    }

    [[nodiscard]] bool has_quirk(std::string_view name) const {
        for (const std::string& quirk : quirks) {
            if (quirk == name) {
                return true;
            }
        }
        return false;
    }
};

} // namespace fenceline::workloads
