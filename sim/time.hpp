// Virtual time: an unsigned 64-bit count of nanoseconds from 0, the start of the run.
//
// There is no wall clock anywhere in the model. A duration has the same type as a point in time;
// `kForever` stands for "never" (a hang, no timeout, no limit) and is later than every event.
#pragma once

#include <cstdint>

namespace fenceline::sim {

using Time = std::uint64_t;

inline constexpr Time kForever = ~Time{0};
inline constexpr Time kMicrosecond = 1000;
inline constexpr Time kMillisecond = 1000 * kMicrosecond;
inline constexpr Time kSecond = 1000 * kMillisecond;

/// The sum, held at kForever where it would pass it. Cost: one add and one predictable branch.
[[nodiscard]] constexpr Time add_saturating(Time a, Time b) {
    const Time sum = a + b;
    return sum < a ? kForever : sum;
}

} // namespace fenceline::sim
