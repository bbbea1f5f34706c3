#include "workloads/quirks.hpp"

#include <algorithm>
#include <array>

namespace fenceline::workloads {

namespace {

using scheduler::TimeoutProtection;

constexpr std::array kQuirks{
    Quirk{kExportHardwareFence,
          "export hands out the private hardware fence instead of the public one",
          "A driver that puts the fence of run_job into a sync_file or a dma_resv. What it points "
          "to goes with the driver's ring, context or device; the public fence was made to outlive "
          "them.",
          nullptr},
    Quirk{kFairMonotonicMinimum,
          "fair: the least virtual runtime of a run queue never goes back (mainline's lets it)",
          "Mainline takes the leftmost entity's virtual runtime as the minimum, which can fall "
          "when that entity leaves. CFS kept the greatest minimum it had seen.",
          nullptr},

    Quirk{kBreakContract, "the driver does not do at teardown what the lifetime policy demands",
          "It does not drain, wait, cancel or assert, lets no grace period pass between signalling "
          "and "
          "freeing, and unloads a module that is pinned. What is safe without this quirk and fails "
          "with "
          "it fails only if the contract is broken.",
          nullptr},

    // The timeout handler.
    Quirk{"timeout-keeps-job-listed",
          "the timeout handler leaves the late job on the pending list, where it can be freed",
          "Until 135517d3565b (2019, 'drm/scheduler: Avoid accessing freed bad job.') "
          "drm_sched_job_timedout looked at the head of the pending list and handed it to the "
          "driver. If the job finished meanwhile the cleanup freed it under the driver's hands.",
          [](QuirkSet& q) { q.scheduler.timeout_protection = TimeoutProtection::none; }},
    Quirk{"timeout-parks-scheduler",
          "the timeout handler stops the scheduler's work instead of taking the job off the list",
          "Proposed in the discussion of August and September 2021 about reverting 135517d3565b: "
          "kthread_park() at the start of the handler, unpark at its end. The job stays on the "
          "list and cannot be freed, so a driver that bails out early loses nothing.",
          [](QuirkSet& q) { q.scheduler.timeout_protection = TimeoutProtection::park; }},
    Quirk{"timeout-pins-fence",
          "the timeout handler only holds a reference on the late job's hardware fence",
          "The first version of that revert (2021): dma_fence_get(parent) around timedout_job. It "
          "helps a driver whose job contains its hardware fence, as amdgpu's does; everywhere else "
          "the fence lives on and the job is freed all the same.",
          [](QuirkSet& q) { q.scheduler.timeout_protection = TimeoutProtection::pin; }},
    Quirk{"timeout-blocks-fence",
          "the late job's completion is put off until the driver has looked at it",
          "The third idea of that discussion (2021, never merged): keep the fence from completing "
          "for as long as the error capture takes.",
          [](QuirkSet& q) { q.scheduler.timeout_protection = TimeoutProtection::block; }},
    Quirk{"false-alarm-forgets-job",
          "mainline: after 'no hang' the late job is not put back on the pending list",
          "Until 0b1217bfdfdd (6.17, 'drm/sched: Allow drivers to skip the reset and keep on "
          "running') a driver that found its hardware alive had no way to say so. The job was on "
          "no list, and nobody called free_job when it was done: etnaviv, v3d and xe leaked it.",
          [](QuirkSet& q) { q.scheduler.false_alarm_forgets_job = true; }},
    Quirk{"false-alarm-skips-free-work",
          "mainline: after 'no hang' the job is put back, and the free work is not queued",
          "The local fix of etnaviv (704d3d60fec4, 2025) put the job back itself. One that had "
          "finished before its timeout was handled had missed its turn: 'a signaled job could be "
          "added to the pending list, but never freed', as 0b1217bfdfdd says.",
          [](QuirkSet& q) { q.scheduler.false_alarm_skips_free_work = true; }},
    Quirk{"no-hang-after-reset",
          "mainline: the driver stops, resets and starts its ring, then says there was no hang",
          "The documentation of DRM_GPU_SCHED_STAT_NO_HANG forbids it, and amdgpu did it on "
          "purpose in 2026. drm_sched_stop has put the job back on the list, or the handler has "
          "freed it as the guilty one: either way it is put on the list once more.",
          [](QuirkSet& q) { q.scheduler.no_hang_after_reset = true; }},
    Quirk{"free-guilty-excludes-no-hang",
          "mainline: a job that the timeout handler has freed is not put back on the list",
          "T. Ursulin's consolidation of 16 July 2025, not merged: the two ifs at the end of "
          "drm_sched_job_timedout become one with an else.",
          [](QuirkSet& q) { q.scheduler.free_guilty_excludes_no_hang = true; }},
    Quirk{"timer-not-pushed-back",
          "a job that starts does not put off the timeout that runs already",
          "Older kernels: drm_sched_start_timeout used queue_delayed_work, which does nothing "
          "while the work is pending. With mod_delayed_work, in 6.12.117 as in mainline, a hung "
          "job is found only one timeout after the last other job was started.",
          [](QuirkSet& q) { q.scheduler.timer_not_pushed_back = true; }},
    Quirk{"popped-job-keeps-entity",
          "a job keeps its pointer to the entity, and the timeout handler follows it",
          "Jobs outlive entities. Several drivers reached through job->entity for a name or a file "
          "until drm_sched_entity_pop_job began to clear it, which makes the mistake obvious.",
          [](QuirkSet& q) { q.scheduler.popped_job_keeps_entity = true; }},
    Quirk{"wedge-on-timeout",
          "the driver answers a timeout by giving up the whole device, as its last act",
          "What xe does when a kernel queue hangs: xe_device_declare_wedged() ends what all "
          "schedulers of the device have pending.",
          [](QuirkSet& q) { q.scheduler.wedge_on_timeout = true; }},
    Quirk{"wedge-before-last-look",
          "the driver gives up the device while its timeout handler still needs the job",
          "xe, 770031ec2312 (June 2026), mended two days later by d42df9dce7b3: wedging started "
          "the handler's own scheduler again, which freed the jobs that it went on to look at.",
          [](QuirkSet& q) { q.scheduler.wedge_before_last_look = true; }},
    Quirk{"recovery-reclaims",
          "recovery allocates memory under the lock that run_job needs, and reclaim waits for a "
          "fence",
          "msm's recover_worker until 4625fe5bbdac (2026): with gpu->lock held the crash dump was "
          "allocated, direct reclaim called msm's shrinker, that waited for the fences of a "
          "buffer, and msm_job_run, which would have produced them, waited for gpu->lock.",
          [](QuirkSet& q) { q.scheduler.recovery_reclaims = true; }},

    // Entities.
    Quirk{"push-peeks-queue", "a push looks at the head of the queue before it wakes the scheduler",
          "Until 2024 drm_sched_wakeup asked drm_sched_can_queue first, which reads the head job. "
          "The worker, awake for other reasons, may have run it and freed it since the push "
          "(440d52b370b0, 'drm/sched: Fix dynamic job-flow control race').",
          [](QuirkSet& q) { q.scheduler.push_peeks_queue = true; }},
    Quirk{"clear-dependency-without-wakeup",
          "a dependency on the same scheduler is cleared without waking it",
          "From 777dbd458c89 (4.6, 2016) to 15f77764e90a (2025): the job that one waits for is "
          "about to run, and running it wakes the worker anyway. Unless it is killed: then "
          "`scheduled` signals, nothing runs, and the waiting entity is ready for ever.",
          [](QuirkSet& q) { q.scheduler.clear_dependency_without_wakeup = true; }},
    Quirk{"kill-skips-seen-dependencies",
          "a killed job does not wait for the dependency that it was waiting for already",
          "Until e30cb0599799 (2023, 'drm/sched: Make sure we wait for all dependencies in "
          "kill_jobs_cb()') the kill went on in the list where the scheduler had got to. The job "
          "finished, and its memory was free, while what it depends on still ran.",
          [](QuirkSet& q) { q.scheduler.kill_skips_seen_dependencies = true; }},
    Quirk{"kill-leaks-dependencies", "killing a job leaks a reference on each of its dependencies",
          "Until b3af84383e7a (2022, 'drm/scheduler: fix fence ref counting').",
          [](QuirkSet& q) { q.scheduler.kill_leaks_dependencies = true; }},
    Quirk{"kill-leaks-previous",
          "killing a job whose predecessor has signalled leaks the predecessor's fence",
          "drm_sched_entity_kill holds the fence before each killed job; it did not put it where "
          "adding the callback failed.",
          [](QuirkSet& q) { q.scheduler.kill_leaks_previous = true; }},
    Quirk{"kill-callback-in-place",
          "the callback of a kill goes on to the next dependency by itself, a fence's lock held",
          "Until 487df8b69834 (2025, Mesa issue 13908) drm_sched_entity_kill_jobs_cb walked the "
          "dependencies in the context of whoever signals. Two fences with one external lock: the "
          "second is locked while the first is.",
          [](QuirkSet& q) { q.scheduler.kill_callback_in_place = true; }},
    Quirk{"flush-trusts-any-user",
          "whoever exits by SIGKILL kills an entity that nobody has used since its last flush",
          "Until 9e8b3201c730 (2025) drm_sched_entity_flush took last_user NULL for its own. A "
          "forked child that inherited the file and was killed ended its parent's entities.",
          [](QuirkSet& q) { q.scheduler.flush_trusts_any_user = true; }},
    Quirk{"no-memory-for-dependencies",
          "a job's list of dependencies cannot grow: the second fence context is -ENOMEM",
          "Memory pressure, not a bug: the xarray keeps its first entry without a node and needs "
          "an allocation for the second. The submit fails.",
          [](QuirkSet& q) { q.scheduler.no_memory_for_dependencies = true; }},
    Quirk{"dependency-error-puts-twice",
          "when adding a dependency of a dma_resv fails its fence is put twice",
          "Until 5801e65206b0 (2025): drm_sched_job_add_dependency takes over the reference also "
          "when it fails, and its caller put it again.",
          [](QuirkSet& q) { q.scheduler.dependency_error_puts_twice = true; }},
    Quirk{"free-any-finished",
          "the free work frees whichever job is done, not only the head of the pending list",
          "No kernel does this. drm_sched_get_finished_job looks at the head alone, so a job that "
          "is busy keeps all those behind it that are done, and what they pin.",
          [](QuirkSet& q) { q.scheduler.free_any_finished = true; }},

    // Drivers.
    Quirk{"drain-looks-once",
          "a driver that waits for its ring to drain does not see what changed while it slept",
          "nouveau_sched_fini until e0023c8a7402 (2025): the barrier in front of wait_event() "
          "orders the first look at the list, and no other. Needs teardown: drain.",
          [](QuirkSet& q) { q.scheduler.drain_looks_once = true; }},
    Quirk{"arm-then-fail", "the submit of a job with run_job 'error' fails after drm_sched_job_arm",
          "drm_sched_job_arm is documented as the point of no return. drm_sched_job_cleanup tells "
          "an armed job by its fence's count and only puts it: nobody will ever signal it.",
          [](QuirkSet& q) { q.scheduler.arm_then_fail = true; }},
    Quirk{
        "interrupt-holds-fence-lock",
        "the interrupt handler signals with the ring's lock held, which its fences borrow",
        "v3d until 2025 ('drm/v3d: create a dedicated lock for dma fence', raspberrypi/linux "
        "7112): one lock for the queue and for its fences. Needs lock: borrowed:ring to go wrong.",
        [](QuirkSet& q) { q.scheduler.interrupt_holds_fence_lock = true; }},
    Quirk{"stats-through-file",
          "the interrupt handler counts a job in its client's file, which may be closed",
          "v3d until 2025 (raspberrypi/linux 6973): job->file was followed from the interrupt "
          "while, or after, the file was closed and freed.",
          [](QuirkSet& q) { q.scheduler.stats_through_file = true; }},
    Quirk{"keeps-last-fence", "the driver holds each entity's last fence, and never lets go of it",
          "amdgpu's user queues until 8e051e38a8d4 (2025): no put of last_fence at teardown, so "
          "that the slab was not empty at rmmod.",
          [](QuirkSet& q) { q.scheduler.keeps_last_fence = true; }},
    Quirk{"given-up-fence-not-signalled",
          "freeing a job that was given up only drops the driver's own fence",
          "A driver whose fence escapes has to signal it on every path. dma_fence_release warns of "
          "one that is released with callbacks on it ('Fence ... released with pending signals!') "
          "and signals it with -EDEADLK; whoever holds a reference waits for ever.",
          [](QuirkSet& q) { q.scheduler.given_up_not_signalled = true; }},
    Quirk{"poll-signals",
          "the driver's ops->signaled reads the hardware: whoever polls signals the fence",
          "Allowed by the rules, and done by i915, amdgpu and others: any reader may become the "
          "signaller, in its own context. Shows with interrupt_latency.",
          [](QuirkSet& q) { q.fences.poll_signals = true; }},
    Quirk{"interrupt-ignores-polls",
          "with poll-signals: the interrupt handler takes it that nobody has signalled before it",
          "The other half of that rule, as ports of i915 found out (freebsd/drm-kmod 9): who "
          "relies on its interrupt being the one that signals acts twice.",
          [](QuirkSet& q) { q.fences.interrupt_ignores_polls = true; }},

    // dma-buf and its users.
    Quirk{"chain-release-recurses",
          "releasing a link of a fence chain releases the one behind it from within",
          "Without the loop in dma_fence_chain_release ('manually unlink the chain as much as "
          "possible to avoid recursion and potential stack overflow') a timeline of a hundred "
          "points whose last reference goes is as many nested calls.",
          [](QuirkSet& q) { q.fences.chain_release_recurses = true; }},
    Quirk{"timeline-name-of-driver", "the name of a fence's timeline is that of its driver",
          "dma_fence_timeline_name as 506aa8b02a8d (6.17) introduced it, a copy that called "
          "get_driver_name; fixed in October 2025, and back in 2026.",
          [](QuirkSet& q) { q.fences.timeline_name_of_driver = true; }},
    Quirk{"syncobj-counts-late",
          "a reader of a syncobj counts the fence some time after it has read the pointer",
          "drm_syncobj in 2017: between the two drm_syncobj_replace_fence may drop the last "
          "reference. dma_fence_get_rcu_safe was the answer.",
          [](QuirkSet& q) { q.fences.syncobj_counts_late = true; }},
    Quirk{"resv-freed-under-reader",
          "a dma_resv is freed while somebody still walks through its fences",
          "NVIDIA's open modules (open-gpu-kernel-modules 1004, 2026): the object went while the "
          "shrinker and drm_exec read its reservation.",
          [](QuirkSet& q) { q.fences.resv_freed_under_reader = true; }},
    Quirk{"user-keeps-no-reference",
          "an action that names a job's fence has kept a pointer to it and no reference",
          "The mock scheduler of drm/sched's own unit tests asked the scheduler's fence for a "
          "job's state after the job was freed (changelog of its fourth version, 2025); amdgpu's "
          "GEM_VA and many others did alike.",
          [](QuirkSet& q) { q.user_keeps_no_reference = true; }},
};

} // namespace

std::span<const Quirk> quirks() {
    return kQuirks;
}

QuirkSet quirk_set(const std::vector<std::string>& names) {
    QuirkSet set;
    for (const std::string& name : names) {
        const auto quirk = std::find_if(kQuirks.begin(), kQuirks.end(),
                                        [&](const Quirk& q) { return q.name == name; });
        if (quirk->apply != nullptr)
            quirk->apply(set);
    }
    return set;
}

} // namespace fenceline::workloads
