#include "workloads/draw.hpp"

#include "workloads/duration.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cfloat>
#include <cmath>
#include <limits>

namespace fenceline::workloads {
namespace {

static_assert(std::numeric_limits<double>::is_iec559, "draws need IEEE 754 doubles");
static_assert(FLT_EVAL_METHOD == 0, "draws need operations that round to double");

__extension__ using Wide = unsigned __int128;

constexpr unsigned kPlaces = 56;                        ///< of negative_log()
constexpr std::uint64_t kLn2 = 0xb17217f7d1cf79abU;     ///< ln 2, with 64 binary places
constexpr std::uint64_t kHalf = std::uint64_t{1} << 52; ///< 1/2, with 53 binary places

sim::Time draw_uniform(sim::Time a, sim::Time b, std::uint64_t x) {
    return a + static_cast<sim::Time>((Wide{x} * (Wide{b - a} + 1)) >> 64U);
}

/// The middle of one of 2^63 equal parts of (0, 1) stands for all of it, so that no draw is
/// infinite.
sim::Time draw_exponential(sim::Time mean, std::uint64_t x) {
    const Wide product = Wide{mean} * negative_log(x | 1U);
    const Wide rounded = (product + (Wide{1} << (kPlaces - 1))) >> kPlaces;
    return static_cast<sim::Time>(std::min(rounded, Wide{kLatestTime}));
}

sim::Time draw_normal(sim::Time mean, sim::Time deviation, std::uint64_t x) {
    const double off = normal_quantile(x >> 12U) * static_cast<double>(deviation);
    // No quantile is beyond 9 deviations; what that comes to may be.
    const double rounded = std::floor(std::min(off < 0 ? -off : off, 0x1p63) + 0.5);
    const auto distance = static_cast<std::uint64_t>(rounded);
    if (off < 0)
        return mean > distance ? mean - distance : 0;
    return std::min(sim::add_saturating(mean, distance), kLatestTime);
}

using Coefficients = std::array<double, 8>;

/// From the lowest power up.
double polynomial(const Coefficients& c, double x) {
    double sum = c.back();
    for (std::size_t i = c.size() - 1; i-- > 0;)
        sum = sum * x + c[i];
    return sum;
}

// AS 241: numerator and denominator for the middle, the near tails and the far tails.
constexpr Coefficients kMiddleAbove{3.3871328727963666080e0,  1.3314166789178437745e+2,
                                    1.9715909503065514427e+3, 1.3731693765509461125e+4,
                                    4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                    3.3430575583588128105e+4, 2.5090809287301226727e+3};
constexpr Coefficients kMiddleBelow{1.0,
                                    4.2313330701600911252e+1,
                                    6.8718700749205790830e+2,
                                    5.3941960214247511077e+3,
                                    2.1213794301586595867e+4,
                                    3.9307895800092710610e+4,
                                    2.8729085735721942674e+4,
                                    5.2264952788528545610e+3};
constexpr Coefficients kNearAbove{1.42343711074968357734e0,  4.63033784615654529590e0,
                                  5.76949722146069140550e0,  3.64784832476320460504e0,
                                  1.27045825245236838258e0,  2.41780725177450611770e-1,
                                  2.27238449892691845833e-2, 7.74545014278341407640e-4};
constexpr Coefficients kNearBelow{1.0,
                                  2.05319162663775882187e0,
                                  1.67638483018380384940e0,
                                  6.89767334985100004550e-1,
                                  1.48103976427480074590e-1,
                                  1.51986665636164571966e-2,
                                  5.47593808499534494600e-4,
                                  1.05075007164441684324e-9};
constexpr Coefficients kFarAbove{6.65790464350110377720e0,  5.46378491116411436990e0,
                                 1.78482653991729133580e0,  2.96560571828504891230e-1,
                                 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                 2.71155556874348757815e-5, 2.01033439929228813265e-7};
constexpr Coefficients kFarBelow{1.0,
                                 5.99832206555887937690e-1,
                                 1.36929880922735805310e-1,
                                 1.48753612908506148525e-2,
                                 7.86869131145613259100e-4,
                                 1.84631831751005468180e-5,
                                 1.42151175831644588870e-7,
                                 2.04426310338993978564e-15};

} // namespace

/// The binary places of a logarithm to base 2 one by one: squaring doubles the logarithm.
std::uint64_t negative_log(std::uint64_t x) {
    const auto whole = static_cast<unsigned>(std::bit_width(x)) - 1;
    std::uint64_t mantissa = x << (63U - whole); // from 1 up to below 2, with 63 binary places
    std::uint64_t log2 = whole;
    for (unsigned place = 0; place < kPlaces; ++place) {
        const Wide square = Wide{mantissa} * mantissa;
        const auto bit = static_cast<unsigned>(square >> 127U);
        mantissa = static_cast<std::uint64_t>(square >> (63U + bit));
        log2 = log2 << 1U | bit;
    }
    const std::uint64_t distance = (std::uint64_t{64} << kPlaces) - log2;
    return static_cast<std::uint64_t>((Wide{distance} * kLn2) >> 64U);
}

double normal_quantile(std::uint64_t part) {
    const std::uint64_t p = part << 1U | 1U; // with 53 binary places
    const double q = (static_cast<double>(p) - static_cast<double>(kHalf)) * 0x1p-53;
    if (q >= -0.425 && q <= 0.425) {
        const double r = 0.180625 - q * q;
        return q * polynomial(kMiddleAbove, r) / polynomial(kMiddleBelow, r);
    }
    const std::uint64_t tail = std::min(p, 2 * kHalf - p);
    const double r = std::sqrt(static_cast<double>(negative_log(tail << 11U)) * 0x1p-56);
    const double distance = r <= 5
                                ? polynomial(kNearAbove, r - 1.6) / polynomial(kNearBelow, r - 1.6)
                                : polynomial(kFarAbove, r - 5) / polynomial(kFarBelow, r - 5);
    return q < 0 ? -distance : distance;
}

sim::Time draw(const DurationSpec& spec, sim::Random& random) {
    switch (spec.kind) {
    case DurationSpec::Kind::uniform:
        return draw_uniform(spec.a, spec.b, random.next());
    case DurationSpec::Kind::exponential:
        return draw_exponential(spec.a, random.next());
    case DurationSpec::Kind::normal:
        return draw_normal(spec.a, spec.b, random.next());
    default:
        return spec.a;
    }
}

} // namespace fenceline::workloads
