// Durations that programs draw, the same on every machine.
//
// DOC: exactness. A draw is one number of the client's stream (sim/random.hpp) put through the
// inverse of the distribution function, by operations whose result is defined to the last bit:
//
// - uniform: a 64 x 64 bit multiplication, the upper half.
// - exponential: the logarithm by repeated squaring in 64-bit fixed point.
// - normal: Wichura's rational approximations (algorithm AS 241, PPND16, good to about 1e-16) in
//   IEEE doubles, with additions, multiplications, divisions and square roots only. IEEE 754
//   rounds each of them correctly; this file is compiled without contraction into fused
//   multiply-adds. The logarithm that its tails need is the fixed-point one.
//
// No function of the C library takes part. Draws below 0 are cut to 0, draws beyond the latest time
// to that.
#pragma once

#include "sim/random.hpp"
#include "sim/time.hpp"
#include "workloads/workload.hpp"

#include <cstdint>

namespace fenceline::workloads {

/// A value of the distribution: one number of `random`, none when the duration is fixed.
[[nodiscard]] sim::Time draw(const DurationSpec& spec, sim::Random& random);

/// -ln(x / 2^64) in fixed point with 56 binary places, within 2^-53. REQUIRES: x > 0.
[[nodiscard]] std::uint64_t negative_log(std::uint64_t x);

/// The standard normal quantile of the middle of one of 2^52 equal parts of (0, 1).
/// REQUIRES: part < 2^52.
[[nodiscard]] double normal_quantile(std::uint64_t part);

} // namespace fenceline::workloads
