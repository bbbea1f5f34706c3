// Figures for human readers: four significant digits and a unit.
#pragma once

#include "sim/time.hpp"

#include <cstdint>
#include <string>

namespace fenceline::tools {

/// `0`, `500 ns`, `1.234 ms`, `2.5 h`; kForever is `forever`.
[[nodiscard]] std::string human_time(sim::Time time);
/// The same for a mean of times, to the nearest nanosecond.
[[nodiscard]] std::string human_mean(double time);
/// `192 B`, `1.5 KiB`.
[[nodiscard]] std::string human_bytes(double bytes);
/// The same times seconds: `1.5 KiB*s`.
[[nodiscard]] std::string human_byte_seconds(double byte_seconds);
/// `1,234,567`.
[[nodiscard]] std::string human_count(std::uint64_t count);
/// `1.23 M`, `950.1`.
[[nodiscard]] std::string human_number(double number);
/// `12.3 %` for 0.123.
[[nodiscard]] std::string human_percent(double part);
/// `1 job`, `2 jobs`.
[[nodiscard]] std::string human_plural(std::uint64_t count, const std::string& what);

} // namespace fenceline::tools
