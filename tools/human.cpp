#include "tools/human.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace fenceline::tools {
namespace {

struct Unit {
    double size;
    std::string_view name;
};

/// The number in the largest unit that does not make it smaller than one.
template <std::size_t Count>
std::string scaled(double number, const std::array<Unit, Count>& units) {
    const Unit* unit = &units.front();
    for (const Unit& larger : units) {
        if (number >= larger.size) {
            unit = &larger;
        }
    }
    const double value = number / unit->size;
    // Past four digits %g would write an exponent; below a thousandth too.
    const std::string digits = value >= 999.95               ? fmt::format("{:.0f}", value)
                               : value != 0 && value < 0.001 ? std::string("<0.001")
                                                             : fmt::format("{:.4g}", value);
    return unit->name.empty() ? digits : fmt::format("{} {}", digits, unit->name);
}

constexpr std::array<Unit, 5> kBytes{{{1, "B"},
                                      {1024.0, "KiB"},
                                      {1024.0 * 1024, "MiB"},
                                      {1024.0 * 1024 * 1024, "GiB"},
                                      {1024.0 * 1024 * 1024 * 1024, "TiB"}}};

} // namespace

std::string human_time(sim::Time time) {
    static constexpr std::array<Unit, 7> kTimes{{{1, "ns"},
                                                 {1e3, "us"},
                                                 {1e6, "ms"},
                                                 {1e9, "s"},
                                                 {60e9, "min"},
                                                 {3600e9, "h"},
                                                 {86400e9, "d"}}};
    if (time == sim::kForever) {
        return "forever";
    }
    return time == 0 ? "0" : scaled(static_cast<double>(time), kTimes);
}

std::string human_mean(double time) {
    return human_time(static_cast<sim::Time>(time + 0.5));
}

std::string human_bytes(double bytes) {
    return bytes == 0 ? "0" : scaled(bytes, kBytes);
}

std::string human_byte_seconds(double byte_seconds) {
    return byte_seconds == 0 ? "0" : scaled(byte_seconds, kBytes) + "*s";
}

std::string human_count(std::uint64_t count) {
    std::string digits = std::to_string(count);
    for (std::size_t at = digits.size(); at > 3;) {
        at -= 3;
        digits.insert(at, ",");
    }
    return digits;
}

std::string human_number(double number) {
    static constexpr std::array<Unit, 4> kSizes{{{1, ""}, {1e3, "k"}, {1e6, "M"}, {1e9, "G"}}};
    return number == 0 ? "0" : scaled(number, kSizes);
}

std::string human_percent(double part) {
    return fmt::format("{:.1f} %", part * 100);
}

std::string human_plural(std::uint64_t count, const std::string& what) {
    return human_count(count) + " " + what + (count == 1 ? "" : "s");
}

} // namespace fenceline::tools
