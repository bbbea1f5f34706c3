// Names shared by everything that speaks about scheduling: priorities, kernel versions, policies.
#pragma once

#include "sim/time.hpp"

#include <cstdint>

namespace fenceline::scheduler {

// Errors that the scheduler and its drivers put on fences.
inline constexpr std::int32_t kEsrch = -3;       ///< the job's entity was killed
inline constexpr std::int32_t kEio = -5;         ///< run_job failed
inline constexpr std::int32_t kEnomem = -12;     ///< no memory
inline constexpr std::int32_t kEtime = -62;      ///< the driver refuses to run it yet again
inline constexpr std::int32_t kEcanceled = -125; ///< given up after a hang, or at the end

/// enum drm_sched_priority: the lower the value, the more urgent. One run queue each in 6.12.
enum class Priority : std::uint8_t { kernel, high, normal, low };
inline constexpr unsigned kPriorityCount = 4;

/// The version of drm/sched that is modelled: 6.12 has a run queue per priority, mainline has one.
enum class KernelVersion : std::uint8_t { v6_12, mainline };

/// How a run queue chooses the next entity: sched_policy of the gpu_sched module (fifo, rr) and
/// mainline's fair.
enum class Policy : std::uint8_t { fifo, rr, fair };

/// What the driver's timedout_job does (drm_gpu_sched_stat and the recipe behind it).
enum class OnTimeout : std::uint8_t { reset, reset_no_resubmit, no_hang, no_device };

/// enum drm_gpu_sched_stat: what timedout_job says. `no_hang` is mainline's.
enum class TimeoutVerdict : std::uint8_t { reset, no_hang, no_device };

/// What run_job returns: a fence, NULL, an error pointer, or a fence that has already signalled.
enum class RunJobKind : std::uint8_t { normal, no_fence, error, signalled };

/// What a submitter says of a job, wherever it was read.
struct JobSpec {
    std::uint64_t id = 0;
    sim::Time duration = 0; ///< kForever: a hang, or ended from outside
    std::uint32_t credits = 1;
    RunJobKind run_job = RunJobKind::normal;
};

} // namespace fenceline::scheduler
