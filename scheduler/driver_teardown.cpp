// How the bundled driver goes: devices are unbound, the module is unloaded, and what the lifetime
// policy demands before anything that a fence could reach is freed.

#include "fences/hazards.hpp"
#include "scheduler/ring_driver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace fenceline::scheduler::inline FENCELINE_MODE {

using fences::FenceRef;
using fences::Holder;
using fences::OwnerRef;
using fences::TeardownRule;

std::vector<RingSlot*> RingDriver::rings_of(std::size_t device) {
    std::vector<RingSlot*> slots;
    for (RingSlot& slot : rings_)
        if (slot.device == device)
            slots.push_back(&slot);
    return slots;
}

/// The memory of a fence goes. Where it is part of its job's, that goes with it.
void RingDriver::fence_freed(void* self, FenceRef fence) {
    auto& driver = *static_cast<RingDriver*>(self);
    const auto found = driver.watched_.find(fence.pack());
    if (found == driver.watched_.end())
        return; // another driver's
    const JobRef job = found->second.job;
    driver.watched_.erase(found);
    if (driver.embedded_)
        driver.sched_.free_job_memory(job);
}

bool RingDriver::runs_on(const Entity& entity, std::size_t device) {
    const auto on_device = [&](SchedulerRef sched) { return slot_of(sched).device == device; };
    if (!entity.sched_list.empty())
        return std::any_of(entity.sched_list.begin(), entity.sched_list.end(), on_device);
    return on_device(sched_.run_queues.get(entity.rq, "run queue").sched);
}

/// What they have queued fails with `error`.
void RingDriver::end_entities(std::size_t device, std::int32_t error) {
    for (std::size_t index = 0; index < entities_.size(); ++index) {
        const EntityRef ref = entities_[index].entity;
        if (!entities_[index].open || sched_.entities.get(ref, "entity").fini_done ||
            !runs_on(sched_.entities.get(ref, "entity"), device))
            continue;
        sched_.entities.get(ref, "entity").kill_error = error;
        sched_.entity_fini(ref);
        close_entity(ref);
    }
}

/// Waits until everything that is on the hardware has signalled, then for readers of old pointers.
void RingDriver::drain(std::size_t device) {
    for (RingSlot* slot : rings_of(device)) {
        // Quirk: nouveau_sched_fini before e0023c8a7402 (6.16). A barrier before wait_event() orders
        // only the first look at the condition; the looks after a wake-up may see what was there.
        const bool first = slot->ring->in_flight() == 0;
        slot->ring->drained.wait_event(machine_, "the hardware to drain", [&] {
            return sched_.quirks.drain_looks_once ? first : slot->ring->in_flight() == 0;
        });
    }
    core_.rcu.synchronize();
}

/// Everything that has not signalled does, with -ECANCELED: what is queued, when its entity ends and
/// the jobs before it have; what is on the hardware, at once. Then waits until it is all freed.
void RingDriver::cancel(std::size_t device) {
    std::vector<FenceRef> last_queued;
    for (const EntityState& state : entities_) {
        if (!state.open)
            continue;
        const Entity& entity = sched_.entities.get(state.entity, "entity");
        if (entity.tail && !entity.fini_done && runs_on(entity, device))
            last_queued.push_back(core_.take(sched_.jobs.get(entity.tail, "job").s_fence));
    }
    end_entities(device, kEcanceled);
    for (RingSlot* slot : rings_of(device))
        slot->ring->drop(slot->ring->take_all(), kEcanceled);
    for (const FenceRef fence : last_queued) {
        core_.wait(fence);
        core_.put(fence, Holder::driver);
    }
    wait_for_freed_jobs(device);
}

void RingDriver::wait_for_freed_jobs(std::size_t device) {
    for (RingSlot* slot : rings_of(device)) {
        if (!slot->sched_alive)
            continue; // nobody frees them any more
        job_freed_.wait_event(machine_, "the jobs on the hardware to be freed", [&] {
            return !sched_.schedulers.get(slot->identity, "scheduler").pending_head;
        });
    }
}

/// As a context does that panics rather than leave fences behind that nobody can signal.
void RingDriver::assert_signalled(std::size_t device) {
    std::size_t count = 0;
    FenceRef first;
    const std::vector<RingSlot*> slots = rings_of(device);
    sched_.jobs.for_each_live([&](JobRef, const Job& job) {
        if (!job.s_fence || std::none_of(slots.begin(), slots.end(), [&](const RingSlot* slot) {
                return slot->identity == job.sched;
            }))
            return;
        const FenceRef own =
            job.hardware ? job.hardware : core_.pairs.at(job.s_fence.index()).parent;
        if (own && core_.alive(own) && !core_.peek_signaled(own) && count++ == 0)
            first = own;
    });
    if (count == 0)
        return;
    const std::string name = core_.describe(first);
    machine_.report({.kind = &fences::hazards::unsignalled_at_teardown,
                     .subject = "fence",
                     .object = name,
                     .message = count == 1
                                    ? name + " has not signalled when its device goes"
                                    : fmt::format("{} fences have not signalled when their device "
                                                  "goes, the first is {}",
                                                  count, name)});
}

/// Where queues are counted: until the last job's reference has gone and the queues have ended.
void RingDriver::wait_for_queues(std::size_t device) {
    if (!sched_.counts_queues())
        return;
    for (RingSlot* slot : rings_of(device))
        sched_.queues_ended.wait_event(machine_, "the last job to let go of its queue", [&] {
            return !sched_.schedulers.alive(slot->identity) ||
                   sched_.schedulers.peek(slot->identity).fini_done;
        });
}

/// The fences whose memory is still there: the driver's own of this device, and public ones that
/// point to its schedulers. `first`: the one that was made first.
std::size_t RingDriver::fences_left(std::size_t device, FenceRef& first) {
    std::size_t count = 0;
    std::tuple<std::uint32_t, std::uint32_t> number;
    const auto found = [&](FenceRef ref, const fences::Fence& fence) {
        const std::tuple candidate{fence.context, fence.seqno};
        if (count++ != 0 && candidate >= number)
            return;
        first = ref;
        number = candidate;
    };
    core_.pairs.for_each_live([&](auto handle, const fences::SchedFence& pair) {
        for (const RingSlot* slot : rings_of(device))
            if (sched_.schedulers.alive(slot->identity) &&
                sched_.schedulers.peek(slot->identity).name_owner == pair.sched)
                found({fences::FencePart::finished, handle.index(), handle.generation()},
                      pair.finished);
    });
    for (const auto& [packed, watched] : watched_) {
        const FenceRef ref = FenceRef::unpack(packed);
        if (watched.device == device)
            found(ref, core_.hardware.at(ref.index()).base);
    }
    return count;
}

void RingDriver::wait_for_references(std::size_t device) {
    FenceRef first;
    const std::size_t count = fences_left(device, first);
    if (count == 0)
        return;
    const std::string& reason = wait_reasons_.emplace_back(
        fmt::format("{} to be released, the first is {}",
                    count == 1 ? std::string("a fence") : fmt::format("{} fences", count),
                    core_.describe(first)));
    core_.freed.wait_event(machine_, reason, [&] { return fences_left(device, first) == 0; });
}

/// `signal_on_drop`: the device goes with jobs on the hardware.
void RingDriver::drop_right_to_signal(std::size_t device) {
    if (!core_.policy.signal_on_drop)
        return;
    for (RingSlot* slot : rings_of(device))
        slot->ring->drop(slot->ring->take_all(), kEcanceled);
}

void RingDriver::fini_scheduler(RingSlot& slot) {
    if (!std::exchange(slot.sched_alive, false))
        return;
    if (sched_.counts_queues())
        sched_.put_scheduler(slot.sched);
    else
        sched_.sched_fini(slot.sched);
}

void RingDriver::free_owner(OwnerRef& owner) {
    if (owner)
        core_.owners.free(std::exchange(owner, OwnerRef{}));
}

void RingDriver::free_device(std::size_t device) {
    sim::Frame frame(machine_, "driver: free the device");
    for (EntityState& state : entities_)
        if (state.timeline && !state.open && static_contexts_)
            fences_.abandon_context(std::exchange(state.timeline, OwnerRef{}));
    for (RingSlot* slot : rings_of(device)) {
        if (slot->sched) {
            if (core_.policy.signal_on_drop)
                sched_.drop_jobs(slot->sched, kEcanceled);
            if (sched_.counts_queues())
                fini_scheduler(*slot);
            sched_.free_scheduler(std::exchange(slot->sched, SchedulerRef{}));
        }
        free_owner(slot->owner);
    }
    free_owner(devices_[device].owner);
}

void RingDriver::unbind(std::size_t device) {
    if (!std::exchange(devices_[device].bound, false))
        return;
    for (RingSlot* slot : rings_of(device))
        slot->bound = false;
    for (EntityState& state : entities_)
        state.borrows_from = nullptr;
    sim::Frame frame(machine_, "driver: remove");
    const TeardownRule teardown = core_.policy.teardown_done();
    if (teardown == TeardownRule::cancel)
        cancel(device);
    else
        end_entities(device, kEsrch);
    if (teardown == TeardownRule::drain || teardown == TeardownRule::wait_for_references)
        drain(device);
    if (teardown == TeardownRule::wait_for_references)
        wait_for_freed_jobs(device);
    if (teardown == TeardownRule::assert_signalled)
        assert_signalled(device);
    drop_right_to_signal(device);
    for (RingSlot* slot : rings_of(device))
        fini_scheduler(*slot);
    if (teardown == TeardownRule::drain || teardown == TeardownRule::cancel ||
        teardown == TeardownRule::wait_for_references)
        wait_for_queues(device);
    if (teardown == TeardownRule::wait_for_references)
        wait_for_references(device);
    if (core_.policy.retire_done() == fences::RetireRule::after_grace_period)
        core_.rcu.synchronize();
    else if (core_.policy.retire_done() == fences::RetireRule::rcu_barrier)
        core_.rcu.barrier();
    free_device(device);
}

std::string RingDriver::unload() {
    if (!loaded_)
        return {};
    sim::Frame frame(machine_, "driver: module_exit");
    if (const std::uint32_t users =
            core_.modules.get(fences_.module(), "module").users.read(machine_);
        users != 0 && core_.policy.keeps_contract)
        return fmt::format("refused, module {} is in use: {}, the first of {}", name_,
                           users == 1 ? std::string("1 reference")
                                      : fmt::format("{} references", users),
                           core_.first_user_of(fences_.module()));
    loaded_ = false;
    for (std::size_t device = 0; device < devices_.size(); ++device)
        unbind(device);
    if (core_.policy.hardware.memory == fences::MemoryRule::slab) {
        if (core_.policy.keeps_contract)
            core_.rcu.barrier(); // what was put already comes back to the slab first
        sim::Frame destroy(machine_, "kmem_cache_destroy");
        const std::uint64_t alive = core_.modules.get(fences_.module(), "slab").slab_objects;
        if (alive != 0)
            machine_.report(
                {.kind = &fences::hazards::slab_in_use,
                 .subject = "slab",
                 .object = "fence slab of module " + name_,
                 .message = std::to_string(alive) + (alive == 1 ? " fence is" : " fences are") +
                            " alive when the slab of module " + name_ + " is destroyed"});
    }
    core_.modules.free(fences_.module());
    return {};
}

void RingDriver::fini_schedulers() {
    for (RingSlot& slot : rings_)
        if (slot.sched)
            fini_scheduler(slot);
}

void RingDriver::free_rest() {
    for (std::size_t device = 0; device < devices_.size(); ++device)
        if (std::exchange(devices_[device].bound, false)) {
            drop_right_to_signal(device);
            free_device(device);
        }
    // What is counted frees it no more: contexts that wait for a grace period, say.
    if (std::exchange(loaded_, false) &&
        core_.modules.get(fences_.module(), "module").users.peek() == 0)
        core_.modules.free(fences_.module());
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
