#include "scheduler/ring_driver.hpp"

#include <algorithm>
#include <utility>

namespace fenceline::scheduler::inline FENCELINE_MODE {

using fences::FenceRef;
using fences::Holder;
using fences::Owner;
using fences::OwnerKind;
using fences::OwnerRef;

namespace {

/// A job that hung so often is not run again, whatever the scheduler thinks: one of kernel priority
/// gains no karma and would come back for ever.
constexpr unsigned kRunsBeforeRefusal = 3;

OwnerRef make_owner(fences::FenceCore& core, OwnerKind kind, std::string name) {
    const OwnerRef ref = core.owners.alloc();
    Owner& owner = core.owners.at(ref.index());
    owner.kind = kind;
    owner.name = std::move(name);
    return ref;
}

} // namespace

RingDriver::RingDriver(GpuSched& sched, std::string name)
    : sched_(sched), machine_(sched.machine), core_(sched.core), name_(std::move(name)),
      fences_(sched.core, sched.core.modules.alloc(fences::Module{name_, 0})),
      files_(sched.machine, "file",
             [](const ClientFile& file) { return "file of client " + file.client; }),
      private_fences_(core_.policy.public_fence != fences::PublicFence::hardware),
      embedded_(core_.policy.hardware.memory == fences::MemoryRule::embedded_in_job),
      early_fences_(!private_fences_ || embedded_), plain_(core_.policy.plain_jobs() && !sched.odd),
      static_contexts_(core_.policy.teardown == fences::TeardownRule::drain ||
                       core_.policy.teardown == fences::TeardownRule::cancel ||
                       core_.policy.teardown == fences::TeardownRule::wait_for_references),
      watches_fences_(embedded_ ||
                      core_.policy.teardown == fences::TeardownRule::wait_for_references) {
    if (watches_fences_)
        core_.watch_freed(fence_freed, this);
}

std::size_t RingDriver::add_device(std::string name) {
    const OwnerRef owner = make_owner(core_, OwnerKind::device, name);
    devices_.push_back({std::move(name), owner, true});
    return devices_.size() - 1;
}

SchedulerRef RingDriver::add_ring(std::size_t device, const RingArgs& ring, SchedulerArgs args,
                                  OnTimeout on_timeout) {
    args.driver = this;
    RingSlot slot;
    slot.ring = std::make_unique<Ring>(machine_, core_, ring);
    slot.ring->sink = sched_.sink;
    slot.ring->gpu = plain_ ? &sched_ : nullptr;
    slot.ring->odd = sched_.odd ? this : nullptr;
    slot.sched = slot.identity = sched_.sched_init(args);
    slot.owner = make_owner(core_, OwnerKind::ring, ring.name);
    Scheduler& sched = sched_.schedulers.get(slot.sched);
    slot.lender =
        core_.policy.hardware.lock == fences::LockRule::queue ? sched.name_owner : slot.owner;
    sched.ring_owner = slot.owner;
    sched.device_owner = devices_[device].owner;
    slot.device = device;
    slot.on_timeout = on_timeout;
    slot.driver = this;
    slot.look_time = args.timedout_job_cost;
    rings_.push_back(std::move(slot));
    if (plain_)
        sched.plain_ring = &rings_.back();
    return rings_.back().sched;
}

FENCELINE_HOT RingSlot& RingDriver::slot_of(SchedulerRef sched) {
    if (rings_.size() == 1) [[likely]]
        return rings_.front();
    return *std::find_if(rings_.begin(), rings_.end(),
                         [&](const RingSlot& slot) { return slot.identity == sched; });
}

void RingDriver::open_entity(EntityRef ref, const std::string& client) {
    Entity& entity = sched_.entities.get(ref, "entity");
    if (entities_.size() <= entity.index)
        entities_.resize(entity.index + 1);
    EntityState& state = entities_[entity.index];
    state.entity = ref;
    state.open = true;
    state.borrows_from = nullptr;
    state.fence_context = core_.context_alloc(1);
    core_.name_context(state.fence_context, entity.id);
    if (sched_.quirks.stats_through_file)
        open_file(state, client);
    if (fences::HardwareFences::needs_context(core_.policy))
        entity.context = state.timeline = fences_.create_context(entity.id);
}

void RingDriver::close_entity(EntityRef ref) {
    Entity& entity = sched_.entities.get(ref, "entity");
    if (entity.index >= entities_.size() || !entities_[entity.index].open)
        return;
    entities_[entity.index].open = false;
    entities_[entity.index].borrows_from = nullptr;
    if (entities_[entity.index].file)
        close_file(entities_[entity.index]);
    if (static_contexts_)
        return; // it goes with the device
    entity.context = {};
    fences_.abandon_context(std::exchange(entities_[entity.index].timeline, OwnerRef{}));
}

FENCELINE_HOT FenceRef RingDriver::create_fence(const RingSlot& slot, JobRef ref, const Job& job) {
    EntityState& state = entities_[job.entity_index];
    const FenceRef fence =
        fences_.create(lenders_of(slot, state), state.fence_context, ++state.seqno);
    if (watches_fences_) [[unlikely]]
        watched_[fence.pack()] = {ref, slot.device};
    if (private_fences_)
        core_.hardware.at(fence.index()).base.flags.set_bit(machine_, fences::flag::is_private);
    return fence;
}

void RingDriver::prepare_fence(JobRef ref) {
    if (!early_fences_)
        return;
    Job& job = sched_.jobs.get(ref, "job");
    job.hardware = create_fence(slot_of(job.sched), ref, job);
}

/// ops->run_job: the ring and the scheduler get a reference each.
RunResult RingDriver::run_job(GpuSched& sched, JobRef ref) {
    sim::Frame frame(machine_, "driver: run_job");
    enter_text();
    const GpuLock lock(*this);
    Job& job = sched.jobs.get(ref, "job");
    const std::int32_t marked = core_.get(job.s_fence).error; // the scheduler gave it up already
    const std::int32_t error = marked != 0                        ? marked
                               : ++job.runs > kRunsBeforeRefusal  ? kEtime
                               : job.run_job == RunJobKind::error ? kEio
                                                                  : 0;
    const std::uint32_t ring = sched.schedulers.get(job.sched, "scheduler").ring_index;
    sched.log(JobEvent::run_job, job, ring, error);
    if (marked != 0 || job.run_job == RunJobKind::no_fence)
        return {};
    if (error != 0)
        return {{}, error};
    RingSlot& slot = slot_of(job.sched);
    const FenceRef fence = job.hardware ? core_.take(job.hardware) : create_fence(slot, ref, job);
    if (job.run_job == RunJobKind::signalled) { // done before anybody could wait for it
        sched.log(JobEvent::hw_done, job, ring);
        core_.signal(fence);
        return {fence, 0};
    }
    core_.hardware.at(fence.index()).base.references.get(machine_, "fence");
    if (sched.quirks.keeps_last_fence) [[unlikely]]
        keep_last_fence(entities_[job.entity_index], fence);
    slot.ring->submit({fence, job.id, job.ordinal, job.entity_index, job.duration});
    return {fence, 0};
}

bool RingDriver::borrow(const RingSlot& slot, EntityState& state) {
    if (!slot.bound || !state.open)
        return false;
    state.loan = fences_.lend(lenders_of(slot, state));
    state.borrows_from = &slot;
    return true;
}

FENCELINE_HOT FenceRef RingDriver::run_plainly(RingSlot& slot, JobRef ref, Job& job) {
    using namespace fences;
    ++job.runs;
    EntityState& state = entities_[job.entity_index];
    const FenceRef fence = fences_.create(
        state.loan, state.fence_context, ++state.seqno,
        {2, flag::is_private | flag::enable_signal | flag::own_callback, CallbackList(ref.pack())});
    slot.ring->submit({fence, job.id, job.ordinal, job.entity_index, job.duration});
    return fence;
}

/// ops->timedout_job.
TimeoutVerdict RingDriver::timedout_job(GpuSched& sched, JobRef ref) {
    sim::Frame frame(machine_, "driver: timedout_job");
    enter_text();
    const Job& job = sched.jobs.get(ref, "job");
    RingSlot& slot = slot_of(job.sched);
    sched.log(JobEvent::timedout, job, sched.schedulers.get(job.sched, "scheduler").ring_index);
    if (sched.quirks.wedge_before_last_look)
        wedge(slot.device, ref);
    look_at(slot, ref);
    if (sched.quirks.wedge_before_last_look)
        return TimeoutVerdict::no_device;
    if (sched.quirks.wedge_on_timeout) {
        wedge(slot.device, ref);
        return TimeoutVerdict::no_device;
    }
    switch (slot.on_timeout) {
    case OnTimeout::no_hang:
        slot.false_alarm = ref;
        return TimeoutVerdict::no_hang;
    case OnTimeout::no_device:
        return TimeoutVerdict::no_device;
    case OnTimeout::reset:
    case OnTimeout::reset_no_resubmit:
        break;
    }
    reset(slot, ref);
    return sched.quirks.no_hang_after_reset ? TimeoutVerdict::no_hang : TimeoutVerdict::reset;
}

void RingDriver::reset(RingSlot& slot, JobRef bad) {
    sim::Frame frame(machine_, "driver: reset");
    sched_.sched_stop(slot.sched, bad);
    if (bad)
        sched_.increase_karma(bad);
    std::vector<Ring::Item> dropped;
    if (core_.policy.signal_on_drop)
        dropped = slot.ring->take_all();
    else
        slot.ring->clear();
    sched_.log_reset(sched_.schedulers.get(slot.sched, "scheduler").ring_index);
    if (slot.on_timeout != OnTimeout::reset_no_resubmit)
        sched_.resubmit_jobs(slot.sched);
    slot.ring->drop(dropped, kEcanceled);
    sched_.sched_start(slot.sched);
}

/// ops->cancel_job.
void RingDriver::cancel_job(GpuSched& sched, JobRef ref) {
    sim::Frame frame(machine_, "driver: cancel_job");
    enter_text();
    const Job& job = sched.jobs.get(ref, "job");
    RingSlot& slot = slot_of(job.sched);
    sched.log(JobEvent::cancel_job, job, sched.schedulers.get(job.sched, "scheduler").ring_index);
    slot.ring->cancel(job.ordinal, kEcanceled);
}

/// ops->free_job.
void RingDriver::free_job(GpuSched& sched, JobRef ref) {
    sim::Frame frame(machine_, "driver: free_job");
    enter_text();
    const Job& job = sched.jobs.get(ref, "job");
    sched.log(JobEvent::free_job, job, sched.schedulers.get(job.sched, "scheduler").ring_index);
    const FenceRef own = job.hardware;
    if (own && !sched.quirks.given_up_not_signalled &&
        !core_.peek_signaled(own)) { // it never ran, or was given up: whoever waits must hear
        if (const std::int32_t error = core_.get(job.s_fence).error; error != 0)
            core_.set_error(own, error);
        core_.signal(own);
    }
    sched.job_cleanup(ref);
    if (!embedded_) { // else its fence frees it
        core_.put(own, Holder::job);
        sched.free_job_memory(ref);
    } else {
        core_.put(own, Holder::job);
    }
    job_freed_.wake_up(machine_);
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
