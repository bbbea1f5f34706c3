// Timed actions: what happens to entities, rings, devices, drivers, and to fences in user space.
//
// Each action is a task of its own, so one that blocks holds up no other.

#include "workloads/input_error.hpp"
#include "workloads/names.hpp"
#include "workloads/quirks.hpp"
#include "workloads/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace fenceline::workloads::inline FENCELINE_MODE {

using fences::FenceRef;
using fences::Holder;

namespace {

/// Kept word by word; programs can make any number.
constexpr std::size_t kMostObservations = 10'000;

std::string title(const Action& action, const Workload& workload) {
    std::string text(name_of(action.kind));
    if (action.entity != kNoIndex)
        return text + " " + workload.entities[action.entity].id;
    if (action.ring != kNoIndex)
        return text + " " + workload.rings[action.ring];
    for (const std::string* name : {&action.device, &action.driver, &action.client, &action.name})
        if (!name->empty())
            return text + " " + *name;
    return action.job ? text + " job " + std::to_string(*action.job) : text;
}

} // namespace

void Run::plan_actions() {
    for (const Action& action : workload_.actions) {
        actions_.push_back(&action);
        if (action.job)
            ++held_[*action.job].uses;
    }
    std::stable_sort(actions_.begin(), actions_.end(),
                     [](const Action* a, const Action* b) { return a->at < b->at; });
}

void Run::perform(const Action& action) {
    if (action.job && !held_[*action.job].pushed)
        throw InputError(fmt::format("{}: {} at {} ns is about job {}, which has not been pushed "
                                     "by then (costs.submit puts pushes off)",
                                     workload_.source_path, name_of(action.kind), action.at,
                                     *action.job));
    ++actions_running_;
    const std::string who = title(action, workload_);
    const auto body = [this, &action] {
        const ActionScope scope(*this);
        switch (action.kind) {
        case ActionKind::unbind_device:
            return unbind_device(action.device);
        case ActionKind::unload_driver:
            return unload_driver(action.driver);
        case ActionKind::fini_scheduler:
            return fini_scheduler(action.ring);
        case ActionKind::reset_ring:
            return reset_ring(action);
        case ActionKind::exit_client:
            return exit_client(action);
        case ActionKind::flush:
        case ActionKind::exit_child:
            return flush_client(action);
        case ActionKind::terminate:
            return terminate(action);
        default:
            return action.entity != kNoIndex ? perform_on_entity(action) : perform_on_fence(action);
        }
    };
    if (action.kind == ActionKind::unbind_device || action.kind == ActionKind::unload_driver)
        as_unload(who, body);
    else
        machine_.start_task(who, body);
}

void Run::perform_on_entity(const Action& action) {
    const scheduler::EntityRef entity = entities_[action.entity];
    if (action.kind == ActionKind::set_priority)
        return sched_.entity_set_priority(entity, action.priority);
    if (action.kind == ActionKind::modify_sched) {
        std::vector<scheduler::SchedulerRef> list;
        for (const std::uint32_t ring : action.rings)
            list.push_back(rings_[ring].driver->rings()[rings_[ring].slot].sched);
        return sched_.entity_modify_sched(entity, list);
    }
    if (!end_entity(action.entity, action.kind))
        observe(action, "its end has begun already");
}

/// Ends an entity in the way of an action of that kind; false when its end has begun already.
bool Run::end_entity(std::uint32_t index, ActionKind how) {
    if (entity_ending_[index])
        return false;
    entity_ending_[index] = true;
    const scheduler::EntityRef entity = entities_[index];
    switch (how) {
    case ActionKind::destroy_entity:
        sched_.entity_destroy(entity);
        break;
    case ActionKind::kill_entity: // the exiting task flushes without waiting, then lets go
        sched_.entity_flush(entity, true, false, true);
        sched_.entity_fini(entity);
        break;
    default:
        assert(how == ActionKind::fini_entity);
        sched_.entity_fini(entity);
        break;
    }
    driver_of_entity_[index]->close_entity(entity);
    return true;
}

void Run::fini_scheduler(std::uint32_t ring) {
    scheduler::RingDriver& driver = *rings_[ring].driver;
    driver.fini_scheduler(driver.rings()[rings_[ring].slot]);
}

/// The hardware is reset although nothing has timed out (an engine reset from debugfs, say).
void Run::reset_ring(const Action& action) {
    scheduler::RingDriver& driver = *rings_[action.ring].driver;
    scheduler::RingSlot& slot = driver.rings()[rings_[action.ring].slot];
    if (!slot.sched) {
        observe(action, "its device is gone");
        return;
    }
    driver.reset(slot, {});
}

/// Runs an unload in a task whose waits are a result of the run.
void Run::as_unload(const std::string& who, std::function<void()> body) {
    UnloadRecord& record = unloads_.emplace_back();
    record.who = who;
    record.from = machine_.now();
    note_unload(record, "begins", {});
    machine_.start_task(
        who,
        [this, &record, body = std::move(body)] {
            // Also when it dies of a hazard: a dead unload waits for nothing any more.
            const auto end = [&] {
                record.to = machine_.now();
                record.ended = true;
            };
            try {
                body();
            } catch (const sim::FatalHazard&) {
                end();
                throw;
            }
            end();
        },
        &record.waits, sim::ContextKind::task,
        [this, &record](const sim::Context& task) {
            note_unload(record, "waits for " + std::string(task.waiting_for), task.waiting_for);
        });
}

void Run::unbind_device(const std::string& device) {
    for (const auto& driver : drivers_)
        for (std::size_t index = 0; index < driver->device_count(); ++index)
            if (driver->device_name(index) == device) {
                if (driver->bound(index))
                    driver->unbind(index);
                else
                    observe("unbind-device " + device, "it is gone already");
            }
}

void Run::unload_driver(const std::string& name) {
    for (const auto& driver : drivers_)
        if (driver->name() == name) {
            if (!driver->loaded())
                observe("unload-driver " + name, "it is gone already");
            else if (const std::string refusal = driver->unload(); !refusal.empty())
                observe("unload-driver " + name, refusal);
        }
}

Run::HeldFence& Run::held(const Action& action) {
    return held_.at(*action.job);
}

void Run::release_held(const Action& action) {
    HeldFence& fence = held(action);
    if (--fence.uses == 0 && !quirks_.user_keeps_no_reference)
        core_.put(std::exchange(fence.fence, FenceRef{}), Holder::workload);
}

void Run::export_fence(const Action& action) {
    FenceRef fence = held(action).fence;
    if (config_.has_quirk(kExportHardwareFence) && fence.part() != fences::FencePart::hardware) {
        if (const FenceRef parent = sched_.s_fences.pair(fence).parent)
            fence = parent;
        else
            observe(action, "there is no hardware fence yet; the public one is exported");
    }
    export_fence(action_names_, action.to, action.name, fence);
}

/// A deadline hint on the job's public fence; what became of it is an observation.
void Run::set_deadline(const Action& action) {
    const FenceRef fence = held(action).fence;
    const auto before = core_.deadline_of(fence);
    core_.set_deadline(fence, action.deadline);
    const auto now = core_.deadline_of(fence);
    if (core_.get(fence).is_signaled_bit())
        observe(action, "ignored, the fence has signalled");
    else if (before && *before < action.deadline)
        observe(action, fmt::format("ignored, {} ns comes first", *before));
    else if (fence.part() == fences::FencePart::finished && !sched_.s_fences.pair(fence).parent)
        observe(action, fmt::format("{} ns; the driver hears of it when the job runs", *now));
    else
        observe(action, fmt::format("{} ns; the driver has been told", *now));
}

/// The job, or the one that the ring executes, ends now.
void Run::terminate(const Action& action) {
    if (!action.job) {
        const RingPlace& place = rings_[action.ring];
        return place.driver->rings()[place.slot].ring->terminate_current();
    }
    terminate_job(held(action).job);
    release_held(action);
}

/// export, import, set-deadline, query, poll, wait, close: on a container by name, or on a
/// job's fence directly.
void Run::perform_on_fence(const Action& action) {
    const bool by_name = !action.job.has_value();
    if (!by_name && !held(action).fence) {
        observe(action, "its submit had failed");
        release_held(action);
        return;
    }
    if (action.kind == ActionKind::export_fence || action.kind == ActionKind::set_deadline) {
        if (action.kind == ActionKind::export_fence)
            export_fence(action);
        else
            set_deadline(action);
        release_held(action);
        return;
    }
    if (action.kind == ActionKind::import_fence) {
        names_.import(action_names_, action.name);
        observe(action, "it is there");
        return;
    }
    if (by_name && !containers_.exists(action.name)) {
        observe(action, "nothing is open under that name");
        return;
    }
    switch (action.kind) {
    case ActionKind::query:
        observe(action, by_name ? query_name(action.name) : describe_status(held(action).fence));
        break;
    case ActionKind::poll: {
        const bool done =
            by_name ? containers_.poll(action.name) : core_.is_signaled(held(action).fence);
        observe(action, done ? "signalled" : "not signalled");
        break;
    }
    case ActionKind::wait:
        if (by_name)
            containers_.wait(action.name);
        else
            core_.wait(held(action).fence);
        observe(action, "returned");
        break;
    default:
        assert(action.kind == ActionKind::close);
        if (by_name && !names_.close(action_names_, action.name))
            observe(action, "no action has it open");
        break;
    }
    if (!by_name)
        release_held(action);
}

void Run::observe(const Action& action, const std::string& text) {
    observe(title(action, workload_), text);
}

void Run::observe(const std::string& who, const std::string& text) {
    if (observations_.size() == kMostObservations)
        ++unkept_observations_;
    else
        observations_.push_back(fmt::format("{} ns: {}: {}", machine_.now(), who, text));
}

} // namespace fenceline::workloads::inline FENCELINE_MODE
