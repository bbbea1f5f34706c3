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

bool runs(const Action& action) {
    switch (action.kind) {
    case ActionKind::destroy_entity:
    case ActionKind::kill_entity:
    case ActionKind::fini_entity:
    case ActionKind::fini_scheduler:
    case ActionKind::reset_ring:
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
    case ActionKind::export_fence:
    case ActionKind::set_deadline:
        return true;
    default:
        return false;
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
        messages.push_back(not_yet(where + "/do", quoted(name_of(action.kind))));
    }
}

void check_config(const Config& config, std::vector<std::string>& messages) {
    const std::string file = config.source_path.empty() ? "configuration" : config.source_path;
    if (const auto reason = fences::unsupported_reason(config.lifetime)) {
        messages.push_back(
            not_yet(file + ": /lifetime", quoted(config.lifetime.name) + " (" + *reason + ")"));
    }
}

} // namespace

std::vector<std::string> unsupported(const Workload& workload, const Config& config) {
    std::vector<std::string> messages;
    check_actions(workload, messages);
    check_config(config, messages);
    return messages;
}

} // namespace fenceline::workloads
