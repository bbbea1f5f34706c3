// The life of an entity's statistics, and the one place where GPU time is counted. Mainline only.

#include "scheduler/gpu_sched.hpp"

namespace fenceline::scheduler::inline FENCELINE_MODE {

/// drm_sched_entity_stats_new: the reference is the entity's.
void GpuSched::create_stats(Entity& entity) {
    entity.stats = entity_stats.alloc();
    entity_stats.at(entity.stats.index()).references.init();
    if (stats_by_entity_.size() <= entity.index)
        stats_by_entity_.resize(entity.index + 1);
    stats_by_entity_[entity.index] = entity.stats;
    counts_gpu_time_ = true;
}

/// drm_sched_entity_stats_get, when a job is armed. After the entity's fini this may find nothing:
/// fini puts the entity's reference and leaves the pointer behind.
void GpuSched::get_stats(const Job& job) {
    entity_stats.get(stats_by_entity_[job.entity_index], "entity stats")
        .references.get(machine, "entity stats");
}

/// drm_sched_entity_stats_put.
void GpuSched::put_stats(std::uint32_t entity_index) {
    const EntityStatsRef ref = stats_by_entity_[entity_index];
    if (entity_stats.get(ref, "entity stats").references.put(machine, "entity stats"))
        entity_stats.free(ref);
}

/// drm_sched_entity_stats_job_add_gpu_time and the scheduler's average: from `scheduled` (or the end
/// of the job before it, see get_finished_job) to `finished`.
void GpuSched::account_gpu_time(Scheduler& sched, const Job& job) {
    const sim::Time start = core.get(job.s_fence.sibling(fences::FencePart::scheduled)).timestamp;
    const sim::Time end = core.get(job.s_fence).timestamp;
    const SignedTime duration =
        wrapping_sub(static_cast<SignedTime>(end), static_cast<SignedTime>(start));
    const auto duration_us =
        static_cast<std::uint64_t>(duration / static_cast<SignedTime>(sim::kMicrosecond));
    {
        EntityStats& stats = entity_stats.get(stats_by_entity_[job.entity_index], "entity stats");
        sim::SpinGuard guard(machine, stats.lock, "stats->lock");
        stats.runtime = wrapping_add(stats.runtime, duration);
        stats.avg_job_us.add(duration_us);
    }
    sched.avg_job_us.add(duration_us);
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
