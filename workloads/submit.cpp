// The input: listed jobs, from the record to the push.

#include "workloads/run.hpp"

#include <algorithm>

namespace fenceline::workloads::inline FENCELINE_MODE {

using fences::FenceRef;
using scheduler::JobRef;

/// A job that waits for nothing and that nobody will name has nothing between init and push.
inline void Run::submit(const JobRecord& record, std::uint64_t ordinal) {
    if (sim::kInstrumented && machine_.fibers_for_all) {
        submit_on_fiber(record, ordinal);
        return;
    }
    sim::ContextScope scope(machine_, *context_of_entity_[record.entity]);
    sim::Frame frame(machine_, "driver: submit ioctl");
    if (record.after.empty() && record.uses == 0 && plain_submits_)
        sched_.submit(entities_[record.entity], record, ordinal, window_.place_of(ordinal));
    else
        submit_in_steps(record, ordinal);
}

/// Where contexts are interleaved, so that another can come between. A client's pushes are one after
/// the other all the same.
void Run::submit_on_fiber(const JobRecord& record, std::uint64_t ordinal) {
    window_.expect(ordinal);
    Submission due{record, {record.after.begin(), record.after.end()}, ordinal};
    machine_.run_in(*context_of_entity_[record.entity], [this, due = std::move(due)]() mutable {
        sim::Frame frame(machine_, "driver: submit ioctl");
        window_.met(due.ordinal);
        due.record.after = due.after;
        submit_in_steps(due.record, due.ordinal);
    });
}

inline void Run::fetch_job() {
    have_job_ = source_.next(*next_job_);
    next_input_ = next_other_;
    if (!have_job_) [[unlikely]]
        note_last_job();
    else if (next_job_->at < next_other_)
        next_input_ = next_job_->at;
}

void Run::fetch_first_job() {
    fetch_job();
}

/// One that waits for others, or is named by them, or takes its client a while to push.
void Run::submit_otherwise(std::uint64_t ordinal) {
    try {
        if (config_.costs.submit == 0)
            submit(*next_job_, ordinal);
        else
            submit_later(ordinal);
    } catch (const sim::FatalHazard&) { // the submit died; the next one is another's
        fetch_job();
        throw;
    }
    fetch_job();
}

/// The next listed job is pushed, and the one behind it fetched. Which comes first makes no
/// difference to a job that waits for nothing; fetched first, the other one tells whether this is all
/// that is listed for now, so that the job can go on to the hardware in the same step.
inline void Run::submit_listed() {
    const std::uint64_t ordinal = window_.enter();
    if (workload_.streamed)
        history_.push(next_job_->entity);
    if (!straight_submits_ || !next_job_->after.empty() || next_job_->uses != 0) [[unlikely]] {
        submit_otherwise(ordinal);
        return;
    }
    const JobRecord& record = *next_job_;
    next_job_ = &records_[next_job_ == &records_[0]];
    try {
        fetch_job();
    } catch (...) { // the input is at fault, behind this job
        try {
            submit(record, ordinal);
        } catch (const sim::FatalHazard&) { // reported, but the input's fault ends the run
        }
        throw;
    }
    if (sim::kInstrumented || next_input_ == machine_.now() ||
        !sched_.submit_and_run(entities_[record.entity], record, ordinal,
                               window_.place_of(ordinal)))
        submit(record, ordinal);
}

/// Class 0: at one instant listed jobs come before actions, and those before starts of programs.
sim::Time Run::fire() {
    if (have_job_ && next_job_->at == next_input_) {
        submit_listed();
    } else if (next_action_ < actions_.size() && actions_[next_action_]->at == next_input_) {
        const Action& action = *actions_[next_action_++];
        update_next_input();
        perform(action);
    } else {
        start_program();
    }
    if (!have_job_)
        stop_if_complete();
    return next_input_;
}

/// A push takes its client a while, and clients push side by side. One that needs a fence of a job
/// that another client is still pushing starts when that is done.
void Run::submit_later(std::uint64_t ordinal) {
    Client& client = clients_[client_of_entity_[next_job_->entity]];
    sim::Time start = std::max(machine_.now(), client.free_at);
    for (const std::uint64_t earlier : next_job_->after)
        if (const auto push = pushes_.find(earlier); push != pushes_.end())
            start = std::max(start, push->second);
    client.free_at = sim::add_saturating(start, config_.costs.submit);
    window_.expect(ordinal);
    pushes_.emplace(ordinal, client.free_at);
    client.submissions.push_back(
        {*next_job_, {next_job_->after.begin(), next_job_->after.end()}, ordinal});
    machine_.engine.arm(
        client.free_at,
        [](void* self, std::uint64_t index) {
            auto& run = *static_cast<Run*>(self);
            run.submit_delayed(run.clients_[index]);
        },
        this, client_of_entity_[next_job_->entity]);
}

void Run::submit_delayed(Client& client) {
    Submission due = std::move(client.submissions.front());
    client.submissions.pop_front();
    due.record.after = due.after;
    pushes_.erase(due.ordinal);
    window_.met(due.ordinal);
    submit(due.record, due.ordinal);
}

/// What a driver's submit ioctl does: init, dependencies, arm, push.
void Run::submit_in_steps(const JobRecord& record, std::uint64_t ordinal) {
    const JobRef ref = sched_.job_init(entities_[record.entity], record.credits);
    if (!ref) // the ioctl fails, nothing is pushed
        return give_up(record);
    window_.place_of(ordinal) = ref;
    scheduler::Job& job = sched_.jobs.get(ref, "job");
    job.id = record.id;
    job.ordinal = ordinal;
    job.duration = record.duration;
    job.run_job = record.run_job;
    if (!record.after.empty() && !add_dependencies(ref, record.after, record.via)) {
        fail_submit(ref, "no memory for its dependencies");
        return give_up(record);
    }
    sched_.job_arm(ref);
    if (record.uses != 0)
        named_.hold(ordinal, job.s_fence, record.uses);
    driver_of_entity_[record.entity]->prepare_fence(ref);
    if (!held_.empty())
        hold_for_actions(record.id, ref);
    // Quirk: a driver whose ioctl can fail between arm and push, when there is no way back.
    if (quirks_.scheduler.arm_then_fail && record.run_job == scheduler::RunJobKind::error) {
        fail_submit(ref, "an error after drm_sched_job_arm");
        for (const std::uint64_t earlier : record.after)
            named_.named(earlier);
        return;
    }
    sched_.push_job(ref);
    for (const std::uint64_t earlier : record.after)
        named_.named(earlier);
}

/// The ioctl returns an error: the driver's way out.
void Run::fail_submit(JobRef ref, std::string_view why) {
    const scheduler::Job& job = sched_.jobs.get(ref, "job");
    sched_.warn("the submit of job " + std::to_string(job.id) + " fails: " + std::string(why));
    const FenceRef own = job.hardware;
    const bool embedded =
        own && config_.lifetime.hardware.memory == fences::MemoryRule::embedded_in_job;
    sched_.job_cleanup(ref);
    core_.put(own, fences::Holder::job); // an embedded one frees the job as well
    if (!embedded)
        sched_.free_job_memory(ref);
}

/// There will be no job and no fence, and nobody is to wait for the naming of others.
void Run::give_up(const JobRecord& record) {
    if (const auto held = held_.find(record.id); held != held_.end())
        held->second.pushed = true;
    for (const std::uint64_t earlier : record.after)
        named_.named(earlier);
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
    const FenceRef fence = public_fence(sched_.jobs.get(ref, "job"));
    // Quirk: whoever asks about the fence later holds a pointer, and no reference.
    found->second.fence = quirks_.user_keeps_no_reference ? fence : core_.take(fence);
    found->second.job = ref;
    found->second.pushed = true;
}

} // namespace fenceline::workloads::inline FENCELINE_MODE
