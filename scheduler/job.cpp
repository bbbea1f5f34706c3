// A job before it is pushed and after it is freed.

#include "scheduler/gpu_sched.hpp"

#include <utility>

namespace fenceline::scheduler::inline FENCELINE_MODE {

using fences::FenceRef;
using fences::Holder;

/// Init, arm and push look up the same objects, so they hand them on.
bool GpuSched::submit(EntityRef entity_ref, const JobSpec& spec, std::uint64_t ordinal,
                      JobRef& made) {
    Entity& entity = entities.get(entity_ref, "entity");
    return (!sim::kInstrumented && submit_plainly(entity, spec, ordinal, made)) ||
           submit_in_steps(entity, spec, ordinal, made);
}

bool GpuSched::submit_in_steps(Entity& entity, const JobSpec& spec, std::uint64_t ordinal,
                               JobRef& made) {
    const JobRef job_ref = job_init(entity, spec.credits);
    if (!job_ref)
        return false;
    made = job_ref;
    Job& job = jobs.at(job_ref.index());
    job.id = spec.id;
    job.ordinal = ordinal;
    job.duration = spec.duration;
    job.run_job = spec.run_job;
    RunQueue& rq = arm_for(job, entity);
    push_job(job_ref, job, entity, rq, schedulers.get(rq.sched, "scheduler"));
    return true;
}

/// drm_sched_job_init: the pair's memory is allocated now, and initialised by job_arm.
FENCELINE_HOT JobRef GpuSched::job_init(Entity& entity, std::uint32_t credits) {
    sim::Frame frame(machine, "drm_sched_job_init");
    if (!entity.rq || credits == 0) [[unlikely]] {
        refuse_job(entity);
        return {};
    }
    const JobRef job_ref = jobs.alloc();
    Job& job = jobs.at(job_ref.index());
    job.entity = entity.self;
    job.entity_index = entity.index;
    job.credits = credits;
    job.s_fence = s_fences.create();
    if (counts_jobs_) [[unlikely]]
        count_new_job(job_ref);
    return job_ref;
}

JobRef GpuSched::job_init(EntityRef entity, std::uint32_t credits) {
    return job_init(entities.get(entity, "entity"), credits);
}

void GpuSched::refuse_job(const Entity& entity) {
    if (!entity.rq)
        print("drm_sched_job_init: entity " + entity.id + " has no run queue");
    else
        print("drm_sched_job_init: credits cannot be 0!");
}

/// drm_sched_job_add_dependency: one per fence context, of which the later one stays.
std::int32_t GpuSched::add_dependency(JobRef job_ref, FenceRef fence) {
    if (!fence)
        return 0;
    sim::Frame frame(machine, "drm_sched_job_add_dependency");
    Job& job = jobs.get(job_ref, "job");
    const fences::Fence& added = core.get(fence);
    for (std::uint32_t slot = job.first_dependency; slot != kNoDependency;) {
        Dependency& entry = dependencies_.at(slot);
        const fences::Fence& known = core.get(entry.fence);
        if (known.context == added.context) {
            if (core.is_later(fence, entry.fence))
                std::swap(entry.fence, fence);
            core.put(fence, Holder::dependency);
            return 0;
        }
        slot = entry.next;
    }
    // The first entry needs no node of the xarray (xarray_erased()); where there is no memory...
    if (quirks.no_memory_for_dependencies && job.first_dependency != kNoDependency) [[unlikely]] {
        core.put(fence, Holder::dependency);
        return kEnomem;
    }
    const auto node = dependencies_.alloc(Dependency{fence, kNoDependency, 0});
    if (job.first_dependency == kNoDependency) {
        job.first_dependency = job.next_dependency = node.index();
    } else {
        Dependency& last = dependencies_.at(job.last_dependency);
        last.next = node.index();
        dependencies_.at(node.index()).index = last.index + 1;
    }
    job.last_dependency = node.index();
    return 0;
}

/// drm_sched_job_add_resv_dependencies. Quirk: before 5801e65206b0 (2025) it put the fence once more
/// when adding had failed.
std::int32_t GpuSched::add_resv_dependencies(JobRef job, fences::Resv& resv,
                                             fences::ResvUsage usage) {
    fences::ResvCursor cursor(resv, usage);
    for (FenceRef fence = resv.iter_first(cursor); fence; fence = resv.iter_next(cursor))
        if (const std::int32_t error = add_dependency(job, core.take(fence)); error != 0) {
            if (quirks.dependency_error_puts_twice)
                core.put(fence, Holder::dependency);
            return error;
        }
    return 0;
}

/// What xarray does when an entry goes, or all do: a node that is empty is freed by call_rcu. The
/// first entry alone needs no node; nodes have 64 slots. That nothing follows from it does not
/// matter: a grace period that runs is something left to happen.
void GpuSched::xarray_erased(const Dependency& entry, bool all) {
    constexpr std::uint32_t slots = 64;
    const bool last = entry.next == kNoDependency;
    if (entry.index != 0 && (last || (!all && entry.index % slots == slots - 1)))
        core.rcu.call([](void*, std::uint64_t) {}, nullptr, 0);
}

/// drm_sched_job_arm. Returns the run queue that was chosen.
FENCELINE_HOT RunQueue& GpuSched::arm_for(Job& job, Entity& entity) {
    sim::Frame frame(machine, "drm_sched_job_arm");
    if (!entity.sched_list.empty()) [[unlikely]]
        select_rq(entity);
    RunQueue& rq = run_queues.get(entity.rq, "run queue");
    job.sched = rq.sched;
    job.s_priority = entity.priority;
    if (entity.stats) [[unlikely]]
        get_stats(job);
    const std::uint32_t seqno = entity.fence_seq.inc_return(machine);
    Scheduler& sched = schedulers.get(job.sched, "scheduler");
    s_fences.init(job.s_fence, sched.name_owner, entity.fence_context, seqno,
                  pair_borrows_ ? borrowed_lock(sched, entity) : fences::OwnerRef{});
    if (counts_queues_) [[unlikely]]
        sched.references.get(machine, "scheduler");
    return rq;
}

void GpuSched::job_arm(JobRef job_ref) {
    Job& job = jobs.get(job_ref, "job");
    arm_for(job, entities.get(job.entity, "entity"));
}

void GpuSched::release_dependencies(Job& job) {
    for (std::uint32_t slot = job.first_dependency; slot != kNoDependency;) {
        const Dependency entry = dependencies_.at(slot);
        dependencies_.free(dependencies_.handle_at(slot));
        core.put(entry.fence, Holder::dependency);
        xarray_erased(entry, true);
        slot = entry.next;
    }
    job.first_dependency = job.last_dependency = job.next_dependency = kNoDependency;
}

/// drm_sched_job_cleanup: also for a job that was never armed.
void GpuSched::job_cleanup(JobRef job_ref) {
    sim::Frame frame(machine, "drm_sched_job_cleanup");
    Job& job = jobs.get(job_ref, "job");
    const FenceRef finished = std::exchange(job.s_fence, FenceRef{});
    fences::Fence& fence = core.get(finished);
    if (fence.references.peek() != 0) {
        core.put(finished, fence, Holder::job);
        if (counts_gpu_time_)
            put_stats(job.entity_index);
    } else {
        s_fences.discard(finished);
    }
    if (job.first_dependency != kNoDependency)
        release_dependencies(job);
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
