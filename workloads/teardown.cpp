// The end of a run: teardown in order, then what is left over.

#include "fences/sizes.hpp"
#include "workloads/run.hpp"

#include <algorithm>

namespace fenceline::workloads::inline FENCELINE_MODE {

using fences::Holder;

/// Programs stop where they are; processes close their files; entities end in the order in which
/// they stand, then all that follows from that happens; schedulers in order, then all that follows.
/// Entities are destroyed after a normal end; after any other they are only fini'd, since waiting
/// for their queues could take for ever.
void Run::teardown(RunEnd end) {
    in_teardown_ = true;
    if (end == RunEnd::stuck)
        sched_.report_lost_wakeups();
    guarded([this, end] {
        stop_programs(end == RunEnd::stuck);
        containers_.close_all();
        for (auto& [id, held] : held_)
            if (held.fence && !quirks_.user_keeps_no_reference)
                core_.put(std::exchange(held.fence, fences::FenceRef{}), Holder::workload);
    });
    guarded([this, end] {
        machine_.start_task("teardown", [this, end] { end_all_entities(end == RunEnd::normal); });
    });
    run_to_idle();
    guarded([this] { machine_.start_task("teardown", [this] { end_all_schedulers(); }); });
    run_to_idle();
    guarded([this] { report_stuck_programs(); });
    guarded([this] { machine_.check_deadlock(); });
    sched_.check_scores();
    sched_.check_credits();
    guarded([this] {
        named_.drop_all(); // where jobs were never submitted, nobody has named them
        for (const auto& driver : drivers_)
            driver->free_rest();
    });
    run_to_idle();
}

void Run::end_all_entities(bool destroy) {
    for (std::size_t index = 0; index < entities_.size(); ++index) {
        const scheduler::EntityRef entity = entities_[index];
        if (entity_ending_[index] || sched_.entities.get(entity, "entity").fini_done)
            continue; // somebody else is at it, perhaps still waiting for its queue
        if (destroy)
            sched_.entity_destroy(entity);
        else
            sched_.entity_fini(entity);
        driver_of_entity_[index]->close_entity(entity);
    }
}

void Run::end_all_schedulers() {
    for (const RingPlace& place : rings_) {
        auto& slot = place.driver->rings()[place.slot];
        if (slot.sched)
            place.driver->fini_scheduler(slot);
    }
}

/// A step of the teardown that a fatal hazard ends: with --keep-going only this one, as in
/// run_to_idle().
void Run::guarded(const std::function<void()>& step) {
    try {
        step();
    } catch (const sim::FatalHazard&) {
        if (!options_.keep_going)
            throw;
    }
}

/// A driver that answers every timeout of a hung job with "no hang" is asked again for ever. So
/// where any may, events run one by one, up to where only such questions are left.
bool Run::run_slice(sim::InputSource* input, sim::Time until) {
    if (options_.snapshot_every != 0) {
        const bool more = machine_.engine.run(input, options_.snapshot_every, until);
        options_.on_snapshot(snapshot());
        return more;
    }
    if (!false_alarms_possible_)
        return machine_.engine.run(input, kEventsPerSlice, until);
    for (std::uint64_t i = 0; i < kEventsPerSlice; ++i) {
        if (only_false_alarms_left(input, until) || !machine_.engine.run(input, 1, until))
            return false;
        if (!in_teardown_ && complete())
            return true;
    }
    return true;
}

/// Whether all that can still happen is that timers strike, each for a job that was found not to
/// hang when its timer struck the last time.
bool Run::only_false_alarms_left(const sim::InputSource* input, sim::Time until) {
    const std::size_t pending = machine_.engine.pending();
    if (pending == 0 || pending > rings_.size() || until != sim::kForever ||
        (input != nullptr && next_input_ != sim::kForever))
        return false;
    std::size_t alarms = 0;
    for (const RingPlace& place : rings_) {
        const auto& slot = place.driver->rings()[place.slot];
        if (!slot.sched)
            continue;
        const scheduler::Scheduler& sched = sched_.schedulers.peek(slot.sched);
        if (sched.work_tdr && sched.work_tdr->pending() && slot.false_alarm &&
            slot.false_alarm == sched.pending_head)
            ++alarms;
    }
    return alarms == pending;
}

void Run::report_never_signalled() {
    std::uint64_t count = 0;
    fences::FenceRef first;
    core_.pairs.for_each_live([&](auto handle, const fences::SchedFence& pair) {
        if (pair.finished.references.peek() == 0 || pair.finished.is_signaled_bit())
            return;
        if (count++ == 0)
            first = {fences::FencePart::finished, handle.index(), handle.generation()};
    });
    if (count == 0)
        return;
    std::string message = core_.describe(first) + " was armed and nothing will signal it";
    if (count > 1)
        message = std::to_string(count) + " public fences will never signal, the first is " +
                  core_.describe(first);
    machine_.report(
        {.kind = &fences::hazards::never_signalled,
         .subject = "fence",
         .object = core_.describe(first),
         .message = message,
         .pool = core_.pairs.type(),
         .key = sim::Handle<fences::SchedFence>{first.index(), first.generation()}.pack()});
}

void Run::report_leaks() {
    sched_.report_leaked_jobs();
    core_.report_leaks();
    core_.owners.report_leaks();
}

void Run::fill_lifetime(RunResult& result) {
    LifetimeResult& out = result.lifetime;
    const fences::Ledger& ledger = core_.ledger;
    out.policy = config_.lifetime.name;
    out.pinned_byte_seconds = ledger.byte_seconds();
    for (std::size_t i = 0; i < fences::kHolderCount; ++i) {
        const auto holder = static_cast<Holder>(i);
        if (const double bytes = ledger.byte_seconds(holder); bytes > 0)
            out.by_holder.push_back({fences::name_of(holder), bytes});
    }
    out.peak_pinned_bytes = ledger.peak_bytes();
    out.peak_pinned_objects = ledger.peak_objects();
    out.longest_pinned = ledger.longest().duration;
    out.longest_what = ledger.longest().what;
    if (out.longest_pinned > 0)
        out.longest_holder = fences::name_of(ledger.longest().holder);
    out.unreleased = ledger.unreleased();
    out.peak_fences = core_.peak_alive();
    if (const auto jobs = static_cast<double>(sched_.figures.total_submitted()); jobs > 0) {
        out.atomics_per_job = static_cast<double>(machine_.counters.atomics) / jobs;
        out.locks_per_job = static_cast<double>(machine_.counters.locks) / jobs;
    }
    const bool one_fence = config_.lifetime.public_fence == fences::PublicFence::hardware;
    const std::uint64_t hardware = fences::hardware_fence_bytes(config_.lifetime);
    out.public_fence_bytes = one_fence ? hardware : fences::sched_fence_bytes(config_.lifetime);
    out.hardware_fence_bytes = one_fence ? 0 : hardware;
    for (std::size_t i = 0; i < out.bytes_by_configuration.size(); ++i) {
        const auto kernel = static_cast<fences::KernelConfig>(i);
        out.bytes_by_configuration[i] = {fences::sched_fence_bytes(config_.lifetime, kernel),
                                         fences::hardware_fence_bytes(config_.lifetime, kernel)};
    }
    for (const UnloadRecord& unload : unloads_)
        for (const UnloadMoment& moment : unload.moments)
            result.unload_moments.push_back(moment);
    for (const UnloadRecord& unload : unloads_) {
        const sim::Time end = unload.ended ? unload.to : machine_.now();
        out.unload_time = std::max(out.unload_time, end - unload.from);
        for (const sim::WaitRecord& wait : unload.waits)
            out.unload_waits.push_back(
                {unload.who, std::string(wait.reason), wait.from, wait.to - wait.from, true});
    }
    for (const sim::Context* context : machine_.blocked())
        for (const UnloadRecord& unload : unloads_)
            if (context->waits == &unload.waits)
                out.unload_waits.push_back({unload.who, std::string(context->waiting_for),
                                            context->waiting_since,
                                            machine_.now() - context->waiting_since, false});
}

} // namespace fenceline::workloads::inline FENCELINE_MODE
