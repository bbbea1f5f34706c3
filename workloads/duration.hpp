// Times as documents write them: a string of a number with a unit, exact to the nanosecond.
//
// A time in a document is below 2^63 ns (292 years), so that sums of a few of them never wrap and
// kForever cannot be written as a number.
#pragma once

#include "sim/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace fenceline::workloads {

inline constexpr sim::Time kLatestTime = (sim::Time{1} << 63U) - 1;

enum class DurationFault : std::uint8_t { none, malformed, negative, too_fine, too_large };

struct ParsedDuration {
    sim::Time value = 0; ///< 0 when there is a fault
    DurationFault fault = DurationFault::none;
};

/// Reads `500us`, `16.667ms`: digits, perhaps a point and digits, a unit of ns, us, ms or s,
/// without spaces. Trailing zeros may go past the nanosecond, other digits may not.
[[nodiscard]] ParsedDuration parse_duration(std::string_view text);

/// The shortest such string for the time, in the largest unit that does not make it smaller than
/// one: `16.667ms`. kForever gives `forever`.
[[nodiscard]] std::string format_duration(sim::Time time);

} // namespace fenceline::workloads
