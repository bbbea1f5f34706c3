// What quirks make of the bundled driver: the mistakes that real drivers made, each where it was.
// With no quirk set nothing of this runs but the first lines of look_at().

#include "scheduler/ring_driver.hpp"

#include <algorithm>
#include <utility>

namespace fenceline::scheduler::inline FENCELINE_MODE {

using fences::FenceRef;
using fences::Holder;

/// The part of timedout_job before it acts: the driver finds out what hangs (an error capture, a
/// question to the firmware), which takes time, and then needs the job.
void RingDriver::look_at(RingSlot& slot, JobRef ref) {
    const Quirks& quirks = sched_.quirks;
    const GpuLock lock(*this);
    if (slot.look_time != 0) {
        sim::Frame frame(machine_, "driver: error capture");
        machine_.sleep_until(sim::add_saturating(machine_.now(), slot.look_time),
                             "the driver's look at a job that is late");
    }
    if (!sched_.odd)
        return;
    if (quirks.recovery_reclaims)
        reclaim(slot, ref);
    const Job& job = sched_.jobs.get(ref, "job");
    if (quirks.popped_job_keeps_entity)
        read_entity_of(job);
    sched_.timeout_looked_at(slot.sched);
}

/// Quirk: msm's recover_worker before 4625fe5bbdac (2026) allocates its crash dump with gpu->lock
/// held. Memory is short, so the shrinker is called, which waits for the fences of a buffer: here,
/// of the newest job of the ring. msm_job_run would produce that fence, and wants gpu->lock.
void RingDriver::reclaim(const RingSlot& slot, JobRef bad) {
    sim::Frame frame(machine_, "driver: allocate the crash dump");
    const JobRef newest = sched_.schedulers.get(slot.sched, "scheduler").pending_tail;
    if (!newest || newest == bad)
        return;
    sim::Frame shrink(machine_, "driver: shrinker");
    const FenceRef fence = core_.take(sched_.jobs.get(newest, "job").s_fence);
    core_.wait(fence);
    core_.put(fence, Holder::driver);
}

RingDriver::GpuLock::GpuLock(RingDriver& driver)
    : driver_(driver.sched_.quirks.recovery_reclaims ? &driver : nullptr) {
    if (driver_ == nullptr)
        return;
    driver_->gpu_lock_waiters_.wait_event(driver_->machine_, "the driver's lock",
                                          [this] { return !driver_->gpu_locked_; });
    driver_->gpu_locked_ = true;
}

RingDriver::GpuLock::~GpuLock() noexcept(false) {
    if (driver_ == nullptr)
        return;
    driver_->gpu_locked_ = false;
    driver_->gpu_lock_waiters_.wake_up(driver_->machine_);
}

/// Quirk: a handler that reaches through job->entity. The entity may have ended while the job was on
/// the hardware, which is why popping clears the pointer.
void RingDriver::read_entity_of(const Job& job) {
    if (!job.entity)
        return;
    const Entity& entity = sched_.entities.get(job.entity, "entity");
    if (!entity.fini_done)
        return;
    // The memory is its owner's, who frees it right after drm_sched_entity_fini.
    machine_.report({.kind = &sim::hazards::use_after_free,
                     .subject = "entity",
                     .object = "entity " + entity.id,
                     .message = "entity " + entity.id + " is accessed after its death",
                     .pool = sched_.entities.type(),
                     .key = job.entity.pack()});
}

/// Gives up the whole device, as xe_device_declare_wedged does: all that its schedulers have pending
/// fails, and the free work frees it.
void RingDriver::wedge(std::size_t device, JobRef bad) {
    sim::Frame frame(machine_, "driver: declare the device wedged");
    for (RingSlot& slot : rings_) {
        if (slot.device != device || !slot.sched || !slot.sched_alive)
            continue;
        sched_.sched_stop(slot.sched, bad);
        slot.ring->clear();
        sched_.log_reset(sched_.schedulers.get(slot.sched, "scheduler").ring_index);
        sched_.sched_start(slot.sched, kEcanceled);
    }
}

void RingDriver::signal_oddly(const Ring& ring, std::uint32_t entity, FenceRef fence) {
    const auto slot = std::find_if(rings_.begin(), rings_.end(),
                                   [&](const RingSlot& s) { return s.ring.get() == &ring; });
    // Quirk: v3d until 2025 lent its fences the lock under which its interrupt handler looked after
    // the active job.
    const auto signal = [&] {
        if (core_.quirks.poll_signals && !core_.quirks.interrupt_ignores_polls)
            core_.try_signal(fence);
        else
            core_.signal(fence);
    };
    if (sched_.quirks.interrupt_holds_fence_lock) {
        const sim::SpinGuard lock(machine_, core_.owners.get(slot->owner, "lock").lock,
                                  "queue_lock");
        signal();
    } else {
        signal();
    }
    // Quirk: v3d until 2025 went through job->file for its statistics, also when that was closed.
    if (const sim::Handle<ClientFile> file = entities_[entity].file)
        ++files_.get(file, "file").jobs_done;
}

void RingDriver::open_file(EntityState& state, const std::string& client) {
    files_.for_each_live([&](sim::Handle<ClientFile> ref, const ClientFile& file) {
        if (file.client == client)
            state.file = ref;
    });
    if (!state.file)
        state.file = files_.alloc(client);
}

/// Freed with the last entity of the client; its jobs keep the pointer.
void RingDriver::close_file(const EntityState& state) {
    const bool last = std::none_of(entities_.begin(), entities_.end(), [&](const EntityState& s) {
        return s.open && s.file == state.file;
    });
    sim::Frame frame(machine_, "driver: postclose");
    if (last)
        files_.free(state.file);
}

/// Quirk: amdgpu's user queues until 8e051e38a8d4 (2025) dropped this reference nowhere.
void RingDriver::keep_last_fence(EntityState& state, FenceRef fence) {
    core_.put(std::exchange(state.last_fence, core_.take(fence)), Holder::driver);
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
