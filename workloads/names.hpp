// The names that documents use for the enumerations, in both directions.
#pragma once

#include "scheduler/types.hpp"
#include "workloads/workload.hpp"

#include <array>
#include <string_view>

namespace fenceline::workloads {

template <typename Enum>
struct EnumName {
    std::string_view name;
    Enum value;
};

/// The names of an enumeration, in the order in which messages list them.
template <typename Enum>
inline constexpr int kEnumNames = 0;

template <>
inline constexpr std::array kEnumNames<scheduler::Priority>{
    EnumName<scheduler::Priority>{"kernel", scheduler::Priority::kernel},
    EnumName<scheduler::Priority>{"high", scheduler::Priority::high},
    EnumName<scheduler::Priority>{"normal", scheduler::Priority::normal},
    EnumName<scheduler::Priority>{"low", scheduler::Priority::low}};

template <>
inline constexpr std::array kEnumNames<scheduler::KernelVersion>{
    EnumName<scheduler::KernelVersion>{"6.12", scheduler::KernelVersion::v6_12},
    EnumName<scheduler::KernelVersion>{"mainline", scheduler::KernelVersion::mainline}};

template <>
inline constexpr std::array kEnumNames<scheduler::Policy>{
    EnumName<scheduler::Policy>{"fifo", scheduler::Policy::fifo},
    EnumName<scheduler::Policy>{"rr", scheduler::Policy::rr},
    EnumName<scheduler::Policy>{"fair", scheduler::Policy::fair}};

template <>
inline constexpr std::array kEnumNames<scheduler::OnTimeout>{
    EnumName<scheduler::OnTimeout>{"reset", scheduler::OnTimeout::reset},
    EnumName<scheduler::OnTimeout>{"reset-no-resubmit", scheduler::OnTimeout::reset_no_resubmit},
    EnumName<scheduler::OnTimeout>{"no-hang", scheduler::OnTimeout::no_hang},
    EnumName<scheduler::OnTimeout>{"no-device", scheduler::OnTimeout::no_device}};

template <>
inline constexpr std::array kEnumNames<scheduler::RunJobKind>{
    EnumName<scheduler::RunJobKind>{"normal", scheduler::RunJobKind::normal},
    EnumName<scheduler::RunJobKind>{"no-fence", scheduler::RunJobKind::no_fence},
    EnumName<scheduler::RunJobKind>{"error", scheduler::RunJobKind::error},
    EnumName<scheduler::RunJobKind>{"signalled", scheduler::RunJobKind::signalled}};

/// Via::none has no name: a document says it by leaving `via` out.
template <>
inline constexpr std::array kEnumNames<Via>{
    EnumName<Via>{"array", Via::array}, EnumName<Via>{"any", Via::any},
    EnumName<Via>{"chain", Via::chain}, EnumName<Via>{"resv", Via::resv}};

template <>
inline constexpr std::array kEnumNames<ExportTo>{
    EnumName<ExportTo>{"sync_file", ExportTo::sync_file},
    EnumName<ExportTo>{"syncobj", ExportTo::syncobj}, EnumName<ExportTo>{"resv", ExportTo::resv},
    EnumName<ExportTo>{"chain", ExportTo::chain}};

template <>
inline constexpr std::array kEnumNames<ExitKind>{EnumName<ExitKind>{"clean", ExitKind::clean},
                                                 EnumName<ExitKind>{"killed", ExitKind::killed}};

template <>
inline constexpr std::array kEnumNames<ActionKind>{
    EnumName<ActionKind>{"destroy-entity", ActionKind::destroy_entity},
    EnumName<ActionKind>{"kill-entity", ActionKind::kill_entity},
    EnumName<ActionKind>{"fini-entity", ActionKind::fini_entity},
    EnumName<ActionKind>{"set-priority", ActionKind::set_priority},
    EnumName<ActionKind>{"modify-sched", ActionKind::modify_sched},
    EnumName<ActionKind>{"fini-scheduler", ActionKind::fini_scheduler},
    EnumName<ActionKind>{"reset-ring", ActionKind::reset_ring},
    EnumName<ActionKind>{"unbind-device", ActionKind::unbind_device},
    EnumName<ActionKind>{"unload-driver", ActionKind::unload_driver},
    EnumName<ActionKind>{"export", ActionKind::export_fence},
    EnumName<ActionKind>{"import", ActionKind::import_fence},
    EnumName<ActionKind>{"query", ActionKind::query},
    EnumName<ActionKind>{"poll", ActionKind::poll},
    EnumName<ActionKind>{"wait", ActionKind::wait},
    EnumName<ActionKind>{"close", ActionKind::close},
    EnumName<ActionKind>{"terminate", ActionKind::terminate},
    EnumName<ActionKind>{"set-deadline", ActionKind::set_deadline},
    EnumName<ActionKind>{"exit", ActionKind::exit_client},
    EnumName<ActionKind>{"flush", ActionKind::flush},
    EnumName<ActionKind>{"exit-child", ActionKind::exit_child}};

/// The name of a value, or an empty one when documents have none for it.
template <typename Enum>
[[nodiscard]] constexpr std::string_view name_of(Enum value) {
    for (const EnumName<Enum>& entry : kEnumNames<Enum>) {
        if (entry.value == value) {
            return entry.name;
        }
    }
    return {};
}

} // namespace fenceline::workloads
