// The words of the text formats for the oracle's enumerations.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace conformance {

inline constexpr std::array<std::string_view, 4> priority_names{"kernel", "high", "normal", "low"};
inline constexpr std::array<std::string_view, 4> run_names{"normal", "no-fence", "error",
                                                           "signalled"};
inline constexpr std::array<std::string_view, 5> via_names{"", "array", "any", "chain", "resv"};
inline constexpr std::array<std::string_view, 3> on_timeout_names{"reset", "reset-no-resubmit",
                                                                  "no-device"};
inline constexpr std::array<std::string_view, 2> policy_names{"rr", "fifo"};
inline constexpr std::array<std::string_view, 9> action_names{
    "destroy-entity", "kill-entity", "fini-entity", "set-priority", "modify-sched",
    "fini-scheduler", "reset-ring",  "query",       "set-deadline"};

template <typename Enum, std::size_t count>
std::optional<Enum> find_name(const std::array<std::string_view, count>& names,
                              std::string_view word) {
    for (std::size_t i = 0; i < count; ++i)
        if (names[i] == word)
            return static_cast<Enum>(i);
    return std::nullopt;
}

} // namespace conformance
