// drm_gpu_scheduler::pending_list: jobs that are on the hardware, or done and not freed yet, in the
// order in which they were handed over. REQUIRES of all three: job_list_lock held, or nobody else
// about.

#include "scheduler/gpu_sched.hpp"
#include "scheduler/hazards.hpp"

namespace fenceline::scheduler::inline FENCELINE_MODE {

/// CONFIG_DEBUG_LIST would notice a job that is on the list already.
void GpuSched::pending_add_head(Scheduler& sched, JobRef job_ref, Job& job) {
    if (job_ref == sched.pending_head || job.previous || job.next)
        machine.report({.kind = &hazards::list_corruption,
                        .subject = "pending list",
                        .object = "job " + std::to_string(job.id),
                        .message = "job " + std::to_string(job.id) +
                                   " is put on the pending list of scheduler " + sched.name +
                                   ", on which it is already",
                        .pool = jobs.type(),
                        .key = job_ref.pack()});
    job.previous = JobRef{};
    job.next = sched.pending_head;
    if (sched.pending_head)
        jobs.get(sched.pending_head, "job").previous = job_ref;
    else
        sched.pending_tail = job_ref;
    sched.pending_head = job_ref;
}

FENCELINE_HOT void GpuSched::pending_add_tail(Scheduler& sched, JobRef job_ref, Job& job) {
    job.previous = sched.pending_tail;
    job.next = JobRef{};
    if (sched.pending_tail)
        jobs.get(sched.pending_tail, "job").next = job_ref;
    else
        sched.pending_head = job_ref;
    sched.pending_tail = job_ref;
}

/// list_del_init.
FENCELINE_HOT void GpuSched::pending_remove(Scheduler& sched, Job& job) {
    if (job.previous)
        jobs.get(job.previous, "job").next = job.next;
    else
        sched.pending_head = job.next;
    if (job.next)
        jobs.get(job.next, "job").previous = job.previous;
    else
        sched.pending_tail = job.previous;
    job.previous = job.next = JobRef{};
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
