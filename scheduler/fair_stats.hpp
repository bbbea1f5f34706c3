// What mainline's scheduler knows about the GPU time of an entity (struct drm_sched_entity_stats).
//
// DOC: who counts, and when. The free work adds a job's time just before the job is freed; by then
// the entity may be gone, which is why this is an object of its own, shared by the entity and all
// its armed jobs and counted. `fair` turns the time into virtual runtime when it pops the next job
// (policy_fair.cpp); 6.12 has none of this.
//
// All sums are those of the kernel on a 64-bit machine: times are signed and wrap, averages are
// unsigned and wrap. A job's time can be negative: the end of the one before it in the pending list
// becomes its start, also if it finished earlier than that one.
#pragma once

#include "sim/heap.hpp"
#include "sim/lock.hpp"
#include "sim/refcount.hpp"
#include "sim/time.hpp"

#include <cstdint>

namespace fenceline::scheduler::inline FENCELINE_MODE {

/// Nanoseconds, signed (ktime_t). Arithmetic wraps.
using SignedTime = std::int64_t;

[[nodiscard]] constexpr SignedTime wrapping_add(SignedTime a, SignedTime b) {
    return static_cast<SignedTime>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
[[nodiscard]] constexpr SignedTime wrapping_sub(SignedTime a, SignedTime b) {
    return static_cast<SignedTime>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

/// Exponentially weighted moving average: the newest value counts a quarter, six bits of fraction.
/// Zero is "nothing yet", so that the first value is taken as it is.
class MovingAverage {
  public:
    void add(std::uint64_t value) {
        scaled_ = scaled_ == 0 ? value << kFraction
                               : ((scaled_ << kWeight) - scaled_ + (value << kFraction)) >> kWeight;
    }
    [[nodiscard]] std::uint64_t read() const { return scaled_ >> kFraction; }

  private:
    static constexpr unsigned kFraction = 6;
    static constexpr unsigned kWeight = 2; ///< as a shift
    std::uint64_t scaled_ = 0;
};

struct EntityStats {
    sim::RefCount references; ///< the entity's, and one of each armed job
    sim::SpinLock lock;
    SignedTime runtime = 0;      ///< GPU time of all jobs that were freed
    SignedTime prev_runtime = 0; ///< as much of it as has become virtual
    /// In the tree: the entity's key. Outside: how far behind the minimum it was when it left.
    SignedTime vruntime = 0;
    MovingAverage avg_job_us;
};
using EntityStatsRef = sim::Handle<EntityStats>;

/// Rules of `fair` that a run may switch.
struct FairRules {
    /// The minimum never goes back: neither to 0 when the tree is empty nor to the key of somebody
    /// who joined in front of it. The first repair of the policy; see docs/model.md.
    bool monotonic_minimum = false;
};

} // namespace fenceline::scheduler::inline FENCELINE_MODE
