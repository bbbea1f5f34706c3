// Quirks: single rules of the model that can be switched for one run, by name. A quirk is how a
// historical bug, or a driver's departure from the rules, is brought back.
#pragma once

#include <array>
#include <string_view>

namespace fenceline::workloads {

struct Quirk {
    std::string_view name;
    std::string_view about; ///< one line
};

inline constexpr std::string_view kExportHardwareFence = "export-hardware-fence";

inline constexpr std::string_view kFairMonotonicMinimum = "fair-monotonic-minimum";

inline constexpr std::string_view kBreakContract = "break-contract";

inline constexpr std::array kQuirks{
    Quirk{kExportHardwareFence,
          "export hands out the private hardware fence instead of the public one"},
    Quirk{kFairMonotonicMinimum,
          "fair: the least virtual runtime of a run queue never goes back (mainline's lets it)"},
    Quirk{kBreakContract,
          "the driver does not do at teardown what the lifetime policy demands: it does not drain, "
          "wait, cancel or assert, lets no grace period pass, and unloads a pinned module"},
};

} // namespace fenceline::workloads
