// Quirks: single rules of the model that can be switched for one run, by name. A quirk is how a
// historical bug, or a driver's departure from the rules, is brought back: the model with one fix
// reverted.
//
// A name says what is broken. Each has a line for lists and a text for whoever wants to know: what
// the code did, since or until when, and where it is on record.
#pragma once

#include "fences/quirks.hpp"
#include "scheduler/quirks.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fenceline::workloads {

/// What the names of a configuration come to, layer by layer.
struct QuirkSet {
    fences::Quirks fences;
    scheduler::Quirks scheduler;
    bool user_keeps_no_reference = false; ///< an action names a job's fence without holding it

    /// Any that the model below knows: no job takes the plain path then.
    [[nodiscard]] bool odd() const {
        return !(fences == fenceline::fences::Quirks{} &&
                 scheduler == fenceline::scheduler::Quirks{});
    }
};

struct Quirk {
    std::string_view name;
    std::string_view about;   ///< one line
    std::string_view story;   ///< what, since or until which kernel, reference
    void (*apply)(QuirkSet&); ///< null where the run itself asks for the name
};

inline constexpr std::string_view kExportHardwareFence = "export-hardware-fence";

inline constexpr std::string_view kFairMonotonicMinimum = "fair-monotonic-minimum";

inline constexpr std::string_view kBreakContract = "break-contract";

/// All of them, in the order in which lists show them.
[[nodiscard]] std::span<const Quirk> quirks();
/// REQUIRES: names of quirks().
[[nodiscard]] QuirkSet quirk_set(const std::vector<std::string>& names);

} // namespace fenceline::workloads
