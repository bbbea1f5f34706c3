#include "workloads/duration.hpp"

#include <array>

namespace fenceline::workloads {
namespace {

struct Unit {
    std::string_view name;
    unsigned digits; ///< decimals down to the nanosecond
};

constexpr std::array kUnits{Unit{"s", 9}, Unit{"ms", 6}, Unit{"us", 3}, Unit{"ns", 0}};

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// The first unit of that name, or nullptr.
const Unit* find_unit(std::string_view name) {
    for (const Unit& unit : kUnits) {
        if (unit.name == name) {
            return &unit;
        }
    }
    return nullptr;
}

/// Digits accumulated without passing kLatestTime.
class Accumulator {
  public:
    void push(unsigned digit) {
        if (value_ > (kLatestTime - digit) / 10) {
            overflow_ = true;
        } else {
            value_ = value_ * 10 + digit;
        }
    }
    [[nodiscard]] bool overflow() const { return overflow_; }
    [[nodiscard]] sim::Time value() const { return value_; }

  private:
    sim::Time value_ = 0;
    bool overflow_ = false;
};

} // namespace

ParsedDuration parse_duration(std::string_view text) {
    const bool negative = !text.empty() && text.front() == '-';
    if (negative) {
        text.remove_prefix(1);
    }
    std::size_t whole = 0;
    while (whole < text.size() && is_digit(text[whole])) {
        ++whole;
    }
    std::size_t end = whole;
    if (end < text.size() && text[end] == '.') {
        ++end;
        while (end < text.size() && is_digit(text[end])) {
            ++end;
        }
        if (end == whole + 1) {
            return {0, DurationFault::malformed};
        }
    }
    const Unit* const unit = find_unit(text.substr(end));
    if (whole == 0 || unit == nullptr) {
        return {0, DurationFault::malformed};
    }
    if (negative) {
        return {0, DurationFault::negative};
    }
    Accumulator total;
    for (std::size_t i = 0; i < whole; ++i) {
        total.push(static_cast<unsigned>(text[i] - '0'));
    }
    // The decimals that the unit has, zeros where none are written; then only zeros may follow.
    for (std::size_t i = 0; i < unit->digits; ++i) {
        const std::size_t at = whole + 1 + i;
        total.push(at < end ? static_cast<unsigned>(text[at] - '0') : 0);
    }
    for (std::size_t at = whole + 1 + unit->digits; at < end; ++at) {
        if (text[at] != '0') {
            return {0, DurationFault::too_fine};
        }
    }
    return total.overflow() ? ParsedDuration{0, DurationFault::too_large}
                            : ParsedDuration{total.value(), DurationFault::none};
}

std::string format_duration(sim::Time time) {
    if (time == sim::kForever) {
        return "forever";
    }
    const Unit* chosen = &kUnits.back();
    sim::Time size = 1;
    for (const Unit& unit : kUnits) {
        sim::Time in_ns = 1;
        for (unsigned i = 0; i < unit.digits; ++i) {
            in_ns *= 10;
        }
        if (time >= in_ns) {
            chosen = &unit;
            size = in_ns;
            break;
        }
    }
    std::string result = std::to_string(time / size);
    if (time % size != 0) {
        std::string decimals = std::to_string(time % size);
        decimals.insert(0, chosen->digits - decimals.size(), '0');
        decimals.erase(decimals.find_last_not_of('0') + 1);
        result += "." + decimals;
    }
    return result + std::string(chosen->name);
}

} // namespace fenceline::workloads
