#include "workloads/support.hpp"

#include "fences/lifetime.hpp"
#include "workloads/names.hpp"

namespace fenceline::workloads {
namespace {

/// "WHERE: WHAT is valid but not yet run by this version of Fenceline".
std::string not_yet(const std::string& where, const std::string& what) {
    return where + ": " + what + " is valid but not yet run by this version of Fenceline";
}

std::string quoted(std::string_view text) {
    return '"' + std::string(text) + '"';
}

bool runs(ExportTo to) {
    return to == ExportTo::sync_file || to == ExportTo::syncobj;
}

bool runs(const Action& action) {
    switch (action.kind) {
    case ActionKind::destroy_entity:
    case ActionKind::kill_entity:
    case ActionKind::fini_entity:
    case ActionKind::fini_scheduler:
    case ActionKind::set_priority:
    case ActionKind::modify_sched:
    case ActionKind::unbind_device:
    case ActionKind::unload_driver:
    case ActionKind::query:
    case ActionKind::poll:
    case ActionKind::wait:
    case ActionKind::close:
    case ActionKind::import_fence:
    case ActionKind::terminate:
    case ActionKind::exit_client:
        return true;
    case ActionKind::export_fence:
        return runs(action.to);
    default:
        return false;
    }
}

/// The steps of a program, and those of its loops.
void check_steps(const std::vector<Step>& steps, const std::string& where,
                 std::vector<std::string>& messages) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const std::string at = where + "/" + std::to_string(i);
        if (const auto* const loop = std::get_if<LoopStep>(&steps[i].what)) {
            check_steps(loop->steps, at + "/loop/steps", messages);
        } else if (const auto* const submit = std::get_if<SubmitStep>(&steps[i].what)) {
            if (submit->via != Via::none) {
                messages.push_back(not_yet(at + "/submit/via", quoted(name_of(submit->via))));
            }
        } else if (const auto* const exported = std::get_if<ExportStep>(&steps[i].what)) {
            if (!runs(exported->to)) {
                messages.push_back(not_yet(at + "/export/to", quoted(name_of(exported->to))));
            }
        } else if (std::holds_alternative<SetDeadlineStep>(steps[i].what)) {
            messages.push_back(not_yet(at, quoted("set-deadline")));
        }
    }
}

void check_clients(const Workload& workload, std::vector<std::string>& messages) {
    const std::string file = workload.source_path + (workload.streamed ? ":1" : "");
    for (std::size_t i = 0; i < workload.clients.size(); ++i) {
        check_steps(workload.clients[i].program,
                    file + ": /clients/" + std::to_string(i) + "/program", messages);
    }
}

void check_actions(const Workload& workload, std::vector<std::string>& messages) {
    const std::string file = workload.source_path + (workload.streamed ? ":1" : "");
    for (std::size_t i = 0; i < workload.actions.size(); ++i) {
        const Action& action = workload.actions[i];
        if (runs(action)) {
            continue;
        }
        const std::string where = file + ": /actions/" + std::to_string(i);
        messages.push_back(action.kind == ActionKind::export_fence
                               ? not_yet(where + "/to", quoted(name_of(action.to)))
                               : not_yet(where + "/do", quoted(name_of(action.kind))));
    }
}

/// What `scheduler` or a ring asks for beyond what `inherited` (checked already) does.
void check_keys(const SchedulerKeys& keys, const SchedulerKeys& inherited, const std::string& where,
                std::vector<std::string>& messages) {
    if (keys.policy == scheduler::Policy::fair && keys.policy != inherited.policy) {
        messages.push_back(not_yet(where + "/policy", quoted("fair")));
    }
    if (keys.timeout != sim::kForever && keys.timeout != inherited.timeout) {
        messages.push_back(not_yet(where + "/timeout", "a timeout other than \"none\""));
    }
    if (keys.cancel && !inherited.cancel) {
        messages.push_back(not_yet(where + "/cancel", "true"));
    }
}

void check_config(const Config& config, std::vector<std::string>& messages) {
    const std::string file = config.source_path.empty() ? "configuration" : config.source_path;
    if (config.kernel == scheduler::KernelVersion::mainline) {
        messages.push_back(not_yet(file + ": /kernel", quoted("mainline")));
    }
    check_keys(config.scheduler, {}, file + ": /scheduler", messages);
    for (std::size_t i = 0; i < config.rings.size(); ++i) {
        check_keys(config.rings[i], config.scheduler, file + ": /rings/" + std::to_string(i),
                   messages);
    }
    if (const auto reason = fences::unsupported_reason(config.lifetime)) {
        messages.push_back(
            not_yet(file + ": /lifetime", quoted(config.lifetime.name) + " (" + *reason + ")"));
    }
}

} // namespace

std::vector<std::string> unsupported(const Workload& workload, const Config& config) {
    std::vector<std::string> messages;
    check_clients(workload, messages);
    check_actions(workload, messages);
    check_config(config, messages);
    return messages;
}

std::optional<std::string> unsupported(const JobRecord& job, const JobSource& source) {
    // In JSON Lines the place ends with the line, in a document with the job's pointer.
    const auto at = [&](std::string_view key) {
        const std::string where = source.where();
        const bool pointer = where.rfind(": /jobs/") != std::string::npos;
        return where + (pointer ? "/" : ": /") + std::string(key);
    };
    if (job.via != Via::none) {
        return not_yet(at("via"), quoted(name_of(job.via)));
    }
    return std::nullopt;
}

} // namespace fenceline::workloads
