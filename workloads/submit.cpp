// Listed jobs: from the record to the push.

#include "workloads/input_error.hpp"
#include "workloads/run.hpp"
#include "workloads/support.hpp"

#include <algorithm>

namespace fenceline::workloads::inline FENCELINE_MODE {

using fences::FenceRef;
using scheduler::JobRef;

/// The next listed job: pushed now, or once its client is through with the cost of submitting.
void Run::submit_listed() {
    if (next_job_.via != Via::none)
        if (const auto refused = unsupported(next_job_, source_))
            throw InputError(*refused);
    const std::uint64_t ordinal = window_.enter();
    history_.push(next_job_.entity);
    if (config_.costs.submit == 0)
        submit(next_job_, ordinal);
    else
        submit_later(ordinal);
}

/// A push takes its client a while, and clients push side by side. One that needs a fence of a job
/// that another client is still pushing starts when that is done.
void Run::submit_later(std::uint64_t ordinal) {
    Client& client = clients_[client_of_entity_[next_job_.entity]];
    sim::Time start = std::max(machine_.now(), client.free_at);
    for (const std::uint64_t earlier : next_job_.after)
        if (const auto push = pushes_.find(earlier); push != pushes_.end())
            start = std::max(start, push->second);
    client.free_at = sim::add_saturating(start, config_.costs.submit);
    pushes_.emplace(ordinal, client.free_at);
    client.submissions.push_back(
        {next_job_, {next_job_.after.begin(), next_job_.after.end()}, ordinal});
    machine_.engine.arm(
        client.free_at,
        [](void* self, std::uint64_t index) {
            auto& run = *static_cast<Run*>(self);
            run.submit_delayed(run.clients_[index]);
        },
        this, client_of_entity_[next_job_.entity]);
}

void Run::submit_delayed(Client& client) {
    Submission due = std::move(client.submissions.front());
    client.submissions.pop_front();
    due.record.after = due.after;
    pushes_.erase(due.ordinal);
    submit(due.record, due.ordinal);
}

/// What a driver's submit ioctl does: init, dependencies, arm, push.
void Run::submit(const JobRecord& record, std::uint64_t ordinal) {
    sim::ContextScope scope(machine_, *clients_[client_of_entity_[record.entity]].context);
    sim::Frame frame(machine_, "driver: submit ioctl");
    const JobRef ref = sched_.job_init(entities_[record.entity], record.credits);
    if (!ref) { // the ioctl fails, nothing is pushed
        window_.remove(ordinal);
        return;
    }
    window_.set(ordinal, ref);
    scheduler::Job& job = sched_.jobs.get(ref, "job");
    job.id = record.id;
    job.ordinal = ordinal;
    job.duration = record.duration;
    job.run_job = record.run_job;
    if (!record.after.empty())
        add_dependencies(ref, record.after);
    sched_.job_arm(ref);
    driver_of_entity_[record.entity]->prepare_fence(ref);
    if (!held_.empty())
        hold_for_actions(record.id, ref);
    sched_.push_job(ref);
}

/// Hands over the fences of earlier jobs. A job that has been freed has signalled, and waiting for
/// a signalled fence is no wait; but the list keeps one fence per entity, the latest, in the place
/// of the first (drm_sched_job_add_dependency), so the order of waits depends on entities of jobs
/// long gone.
void Run::add_dependencies(JobRef ref, std::span<const std::uint64_t> after) {
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
        if (const JobRef earlier = window_.find(slot.ordinal))
            sched_.add_dependency(ref, core_.take(sched_.jobs.get(earlier, "job").s_fence));
}

FenceRef Run::public_fence(const scheduler::Job& job) const {
    if (config_.lifetime.public_fence == fences::PublicFence::hardware)
        return job.hardware;
    return job.s_fence;
}

void Run::hold_for_actions(std::uint64_t id, JobRef ref) {
    const auto found = held_.find(id);
    if (found == held_.end())
        return;
    found->second.fence = core_.take(public_fence(sched_.jobs.get(ref, "job")));
    found->second.job = ref;
    found->second.pushed = true;
}

} // namespace fenceline::workloads::inline FENCELINE_MODE
