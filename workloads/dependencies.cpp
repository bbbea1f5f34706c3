// What a job waits for: from the jobs that it names to the fences that the scheduler gets.

#include "workloads/run.hpp"

#include "fences/fence_array.hpp"
#include "fences/fence_chain.hpp"
#include "fences/resv.hpp"

#include <algorithm>

namespace fenceline::workloads::inline FENCELINE_MODE {

using fences::FenceRef;
using scheduler::JobRef;

/// The fence of an earlier job, as whoever names it finds it: kept for that, or still the job's
/// own. Null when the job has been freed, so that it has signalled.
FenceRef Run::fence_of(std::uint64_t ordinal) {
    if (const FenceRef fence = named_.find(ordinal))
        return fence;
    if (const JobRef job = window_.find(ordinal))
        return sched_.jobs.get(job, "job").s_fence;
    return {};
}

/// Collects the fences of `after` into dependencies_. Of a document all are there, like for a
/// driver that keeps them at hand. A stream does not say which jobs will be named, so freed ones
/// are missing; but the scheduler's list keeps one fence per entity, the latest, in the place of
/// the first (drm_sched_job_add_dependency), so the order of waits depends on entities of jobs long
/// gone. Returns whether any was missing.
bool Run::collect_dependencies(std::span<const std::uint64_t> after) {
    dependencies_.clear();
    bool missing = false;
    const auto add = [&](std::uint64_t ordinal) {
        if (const FenceRef fence = fence_of(ordinal))
            dependencies_.push_back(fence);
        else
            missing = true;
    };
    if (!workload_.streamed) {
        for (const std::uint64_t ordinal : after)
            add(ordinal);
        return missing;
    }
    dependency_slots_.clear();
    for (const std::uint64_t ordinal : after) {
        const std::uint32_t entity = history_.entity_of(ordinal);
        const auto same = std::find_if(dependency_slots_.begin(), dependency_slots_.end(),
                                       [&](const auto& slot) { return slot.entity == entity; });
        if (same == dependency_slots_.end() || entity == kNoIndex)
            dependency_slots_.push_back({entity, ordinal});
        else
            same->ordinal = std::max(same->ordinal, ordinal);
    }
    for (const DependencySlot& slot : dependency_slots_)
        add(slot.ordinal);
    return missing;
}

/// False when the scheduler could not take them (-ENOMEM).
bool Run::add_dependencies(JobRef job, std::span<const std::uint64_t> after, Via via) {
    const bool missing = collect_dependencies(after);
    // What is missing of a stream has signalled, which is all that `any` asks for.
    if (missing && via == Via::any && workload_.streamed)
        return true;
    return hand_over(job, dependencies_, via);
}

/// Hands fences to the scheduler, singly or all through one container, as a driver would that got
/// them so from user space. The fences stay the caller's.
bool Run::hand_over(JobRef job, std::span<const FenceRef> list, Via via) {
    if (list.empty() && via != Via::resv)
        return true;
    std::int32_t error = 0;
    switch (via) {
    case Via::none:
        for (const FenceRef fence : list)
            if (error == 0)
                error = sched_.add_dependency(job, core_.take(fence));
        break;
    case Via::array:
    case Via::any: {
        std::vector<FenceRef> members;
        for (const FenceRef fence : list)
            members.push_back(core_.take(fence));
        sched_.add_dependency(job, fences::fence_array_create(core_, std::move(members),
                                                              core_.context_alloc(1), 1,
                                                              via == Via::any));
        break;
    }
    case Via::chain: {
        FenceRef newest;
        std::uint64_t point = 0;
        for (const FenceRef fence : list)
            newest = fences::fence_chain_init(core_, newest, core_.take(fence), ++point);
        sched_.add_dependency(job, newest);
        break;
    }
    case Via::resv: {
        fences::Resv resv(core_);
        resv.lock();
        resv.reserve_fences(std::max<std::uint32_t>(1, static_cast<std::uint32_t>(list.size())));
        for (const FenceRef fence : list)
            resv.add_fence(fence, fences::ResvUsage::write);
        error = sched_.add_resv_dependencies(job, resv, fences::resv_usage_rw(false));
        resv.unlock();
        resv.fini();
        break;
    }
    }
    return error == 0;
}

} // namespace fenceline::workloads::inline FENCELINE_MODE
