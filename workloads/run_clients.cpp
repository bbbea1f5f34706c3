// Clients with programs: building them, and what they ask of the run.

#include "workloads/input_error.hpp"
#include "workloads/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace fenceline::workloads::inline FENCELINE_MODE {

using fences::FenceRef;
using scheduler::JobRef;

namespace {

fences::ContainerKind container_kind(ExportTo to) {
    switch (to) {
    case ExportTo::syncobj:
        return fences::ContainerKind::syncobj;
    case ExportTo::resv:
        return fences::ContainerKind::resv;
    case ExportTo::chain:
        return fences::ContainerKind::chain;
    default:
        return fences::ContainerKind::sync_file;
    }
}

} // namespace

void Run::build_programs() {
    for (const ClientSpec& client : workload_.clients) {
        programs_.push_back(std::make_unique<ClientProgram>(
            client, ClientProgram::Surroundings{machine_, core_, containers_, names_, *this,
                                                config_.costs.submit, config_.seed}));
        starts_.push_back(programs_.back().get());
    }
    std::stable_sort(starts_.begin(), starts_.end(),
                     [](const ClientProgram* a, const ClientProgram* b) {
                         return a->spec().start < b->spec().start;
                     });
    programs_running_ = programs_.size();
    if (!programs_.empty())
        number_program_jobs();
}

/// Jobs of programs are numbered after the highest listed id, so the listed jobs are gone through
/// once beforehand, also those of a stream.
void Run::number_program_jobs() {
    JobRecord record;
    while (source_.next(record))
        first_program_id_ = std::max(first_program_id_, record.id + 1);
    try {
        source_.rewind();
    } catch (const InputError&) {
        throw InputError(workload_.source_path +
                         ": found clients with programs in a stream that can be read only once, "
                         "expected a file: their jobs are numbered after the highest listed id, "
                         "so the jobs are read twice");
    }
}

void Run::start_program() {
    ClientProgram& program = *starts_[next_start_++];
    update_next_input();
    program.start();
}

void Run::program_ended() {
    --programs_running_;
    stop_if_complete();
}

/// A driver's submit ioctl, in the client's task.
Label Run::submit(const ProgramJob& program_job) {
    const SubmitStep& step = program_job.step;
    sim::Frame frame(machine_, "driver: submit ioctl");
    const JobRef ref = sched_.job_init(entities_[step.entity], step.credits);
    if (!ref) // the ioctl fails, nothing is pushed
        return {};
    scheduler::Job& job = sched_.jobs.get(ref, "job");
    job.id = first_program_id_ + program_jobs_;
    job.ordinal = kProgramOrdinals + program_jobs_++;
    job.duration = program_job.duration;
    job.run_job = step.run_job;
    if (!hand_over(ref, program_job.after, step.via)) {
        fail_submit(ref, "no memory for its dependencies");
        return {};
    }
    sched_.job_arm(ref);
    driver_of_entity_[step.entity]->prepare_fence(ref);
    Label label;
    if (program_job.want_fence)
        label = {core_.take(public_fence(sched_.jobs.get(ref, "job"))), ref};
    sched_.push_job(ref);
    return label;
}

FenceRef Run::dependency_on(const Label& label) {
    if (label.fence.part() != fences::FencePart::hardware)
        return core_.take(label.fence);
    // A job that is part of its fence outlives free_job, and then has given its public one back.
    const FenceRef finished =
        sched_.jobs.alive(label.job) ? sched_.jobs.get(label.job, "job").s_fence : FenceRef{};
    return finished ? core_.take(finished) : finished;
}

/// A job that has not reached its ring will take no time there; one that has ends as the ring says.
void Run::terminate_job(JobRef ref) {
    if (!sched_.jobs.alive(ref))
        return;
    scheduler::Job& job = sched_.jobs.get(ref, "job");
    if (!job.s_fence)
        return; // it has been freed but for its memory
    job.duration = 0;
    const std::uint32_t ring = sched_.schedulers.get(job.sched, "scheduler").ring_index;
    rings_[ring].driver->rings()[rings_[ring].slot].ring->terminate(job.ordinal);
}

void Run::set_priority(std::uint32_t entity, scheduler::Priority priority) {
    sched_.entity_set_priority(entities_[entity], priority);
}

/// Closing the device file destroys the entities one after the other; a killed process takes each
/// off without waiting for its queue.
void Run::end_entities(const std::string& client, ExitKind how) {
    exited_clients_.push_back(client);
    const ActionKind kind =
        how == ExitKind::clean ? ActionKind::destroy_entity : ActionKind::kill_entity;
    for (std::uint32_t index = 0; index < entities_.size(); ++index)
        if (workload_.entities[index].client == client)
            (void)end_entity(index, kind);
}

void Run::exit_client(const Action& action) {
    if (std::find(exited_clients_.begin(), exited_clients_.end(), action.client) !=
        exited_clients_.end()) {
        observe(action, "its end has begun already");
        return;
    }
    const auto program = std::find_if(programs_.begin(), programs_.end(), [&](const auto& p) {
        return p->spec().name == action.client;
    });
    if (program != programs_.end())
        (*program)->stop(false);
    end_entities(action.client, action.how);
    if (program != programs_.end())
        (*program)->close_names();
}

/// A descriptor of the client's device file is closed and others stay open, so that only the flush
/// of its entities happens: by the client itself (of a duplicate), or by a forked child that exits.
void Run::flush_client(const Action& action) {
    const bool by_child = action.kind == ActionKind::exit_child;
    const bool killed = action.how == ExitKind::killed;
    for (std::uint32_t index = 0; index < entities_.size(); ++index)
        if (workload_.entities[index].client == action.client && !entity_ending_[index])
            sched_.entity_flush(entities_[index], by_child, !killed, by_child && killed, !by_child);
}

void Run::export_fence(OpenNames& own, ExportTo to, const std::string& name, FenceRef fence) {
    names_.export_fence(own, container_kind(to), name, fence);
}

std::string Run::describe_status(FenceRef fence) {
    const std::string timeline = core_.timeline_name(fence);
    const std::string driver = core_.driver_name(fence);
    return fmt::format("driver '{}', timeline '{}', status {}", driver, timeline,
                       core_.status(fence));
}

/// "driver 'd', timeline 't', status s" for each fence of a sync_file; a status of what has no
/// names.
std::string Run::query_name(const std::string& name) {
    const fences::SyncFileInfo info = containers_.query(name);
    std::string text;
    for (const fences::FenceInfo& fence : info.fences)
        text += fmt::format("{}driver '{}', timeline '{}', status {}", text.empty() ? "" : "; ",
                            fence.driver, fence.timeline, fence.status);
    if (info.fences.empty())
        text = fmt::format("status {}", info.status);
    if (containers_.kind_of(name) == fences::ContainerKind::chain)
        text += fmt::format(", point {}", info.point);
    return text;
}

void Run::observe_step(const std::string& client, const std::string& text) {
    observe("client " + client, text);
}

/// The end of the run for programs that have not ended by themselves. Where nothing is left to
/// happen, what they wait for never comes.
void Run::stop_programs(bool stuck) {
    for (const auto& program : programs_) {
        if (stuck)
            if (std::string text = program->waiting_text(); !text.empty())
                stuck_programs_.push_back(std::move(text));
        program->stop(true);
    }
}

void Run::report_stuck_programs() {
    if (stuck_programs_.empty())
        return;
    machine_.report({.kind = &sim::hazards::deadlock,
                     .subject = "client",
                     .object = stuck_programs_.front(),
                     .message = fmt::format("nothing could run any more: {}",
                                            fmt::join(stuck_programs_, "; "))});
}

void Run::fill_programs(RunResult& result) const {
    std::unordered_map<std::string_view, ClientResult*> clients;
    for (ClientResult& client : result.clients)
        clients.emplace(client.name, &client);
    for (const auto& program : programs_) {
        ClientResult& client = *clients.at(program->spec().name);
        client.program = program->record().result(client.last_finished, result.end_time);
    }
}

} // namespace fenceline::workloads::inline FENCELINE_MODE
