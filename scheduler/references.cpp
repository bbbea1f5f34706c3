// Jobs and queues that are counted (drm_dep), public fences that borrow locks, callbacks whose owner
// goes, and jobs that are given up. Nothing here is on the way of a job unless the policy says so.

#include "fences/sizes.hpp"
#include "scheduler/gpu_sched.hpp"

#include <utility>

namespace fenceline::scheduler::inline FENCELINE_MODE {

using fences::FenceRef;
using fences::Holder;

/// kref_init. The first reference is the queue's, then the pending list's, then that of whoever
/// takes the job off the list.
void GpuSched::count_new_job(JobRef job) {
    job_references_[job.pack()] = sim::RefCount(1);
}

void GpuSched::put_job(Scheduler& sched, JobRef job) {
    if (!counts_jobs_ || job_references_[job.pack()].put(machine, "job"))
        sched.driver->free_job(*this, job);
}

void GpuSched::free_job_memory(JobRef ref) {
    const SchedulerRef sched = counts_queues_ ? jobs.get(ref, "job").sched : SchedulerRef{};
    jobs.free(ref);
    if (counts_jobs_)
        job_references_.erase(ref.pack());
    if (sched)
        put_scheduler(sched);
}

/// The last reference may go in one of the scheduler's own work items, which its end waits for, so
/// that gets a worker of its own.
void GpuSched::put_scheduler(SchedulerRef ref) {
    Scheduler& sched = schedulers.get(ref, "scheduler");
    if (!sched.references.put(machine, "scheduler"))
        return;
    machine.engine.post(
        [](void* self, std::uint64_t packed) {
            auto& gpu = *static_cast<GpuSched*>(self);
            gpu.machine.start_task(
                "queue fini", [self, packed] { end_counted_scheduler(self, packed); }, nullptr,
                sim::ContextKind::worker);
        },
        this, ref.pack());
}

void GpuSched::end_counted_scheduler(void* self, std::uint64_t packed) {
    auto& gpu = *static_cast<GpuSched*>(self);
    const SchedulerRef ref = SchedulerRef::unpack(packed);
    gpu.sched_fini(ref);
    Scheduler& sched = gpu.schedulers.get(ref, "scheduler");
    if (sched.let_go) { // else the driver still has it, and will free it
        gpu.core.ledger.unpinned(fences::sizes::kScheduler, sched.let_go_at, gpu.machine.now(),
                                 Holder::job, "scheduler");
        gpu.free_memory_of(ref, sched);
    }
    gpu.queues_ended.wake_up(gpu.machine);
}

fences::OwnerRef GpuSched::borrowed_lock(const Scheduler& sched, const Entity& entity) const {
    switch (core.policy.pair_rules().lock) {
    case fences::LockRule::context:
        return entity.context;
    case fences::LockRule::ring:
        return sched.ring_owner;
    case fences::LockRule::device:
        return sched.device_owner;
    default:
        return sched.name_owner;
    }
}

/// `callbacks: counted`: before the scheduler goes, what it has registered goes: its completion
/// callbacks, and the wake-ups of the entities on one of its run queues. Each takes its fence's lock,
/// so that none is still running afterwards. Nobody will finish those jobs, unless whoever drops the
/// right to signal says so.
void GpuSched::remove_callbacks(Scheduler& sched, RunQueueRef rq) {
    entities.for_each_live([&](EntityRef, Entity& entity) {
        if (entity.rq != rq || !entity.dependency)
            return;
        core.remove_callback(entity.dependency, entity.cb);
        core.put(std::exchange(entity.dependency, FenceRef{}), Holder::dependency);
    });
    for (JobRef ref = sched.pending_head; ref; ref = jobs.get(ref, "job").next) {
        Job& job = jobs.get(ref, "job");
        if (!job.cb)
            continue;
        if (const FenceRef parent = s_fences.pair(job.s_fence).parent)
            core.remove_callback(parent, job.cb);
        job.cb = {};
    }
}

void GpuSched::drop_jobs(SchedulerRef sched, std::int32_t error) {
    const std::uint32_t ring = schedulers.get(sched, "scheduler").ring_index;
    std::vector<JobRef> dropped;
    jobs.for_each_live([&](JobRef ref, const Job& job) {
        if (job.sched == sched && job.s_fence && !core.peek_signaled(job.s_fence))
            dropped.push_back(ref);
    });
    for (const JobRef ref : dropped) {
        Job& job = jobs.get(ref, "job");
        if (core.peek_signaled(job.s_fence))
            continue; // by what followed from another's end
        log(JobEvent::finished, job, ring, error);
        s_fences.finished(job.s_fence, error);
    }
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
