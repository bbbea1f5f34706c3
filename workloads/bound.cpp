// Bound: a value or a range, as expectations have it.
#include "workloads/duration.hpp"
#include "workloads/expectations.hpp"
#include "workloads/json_reader.hpp"

namespace fenceline::workloads {
namespace {

/// Wide enough for every integer of the formats and every figure. A string that is a time is its
/// nanoseconds.
std::optional<long double> number_of(const Json& value) {
    if (value.is_number_unsigned()) {
        return static_cast<long double>(value.get<std::uint64_t>());
    }
    if (value.is_number_integer()) {
        return static_cast<long double>(value.get<std::int64_t>());
    }
    if (value.is_number_float()) {
        return static_cast<long double>(value.get<double>());
    }
    if (value.is_string()) {
        const ParsedDuration parsed = parse_duration(value.get_ref<const std::string&>());
        if (parsed.fault == DurationFault::none) {
            return static_cast<long double>(parsed.value);
        }
    }
    return std::nullopt;
}

Json any_number(const Cursor& value) {
    if (!number_of(value.json())) {
        value.fail("a number, or a time such as \"10ms\"");
    }
    return value.json();
}

Json any_value(const Cursor& value) {
    const Json& json = value.json();
    if (!json.is_number() && !json.is_string() && !json.is_boolean()) {
        value.fail("a number, a string, a boolean, or bounds such as {\"max\": \"10ms\"}");
    }
    return json;
}

Json count_value(const Cursor& value) {
    return value.integer();
}

Json time_value(const Cursor& value) {
    (void)value.time();
    return value.json();
}

} // namespace

bool Bound::admits(const Json& value) const {
    if (exactly_.is_boolean() || (exactly_.is_string() && value.is_string())) {
        return exactly_ == value;
    }
    // A time is compared with numbers; a string of the result is no time.
    if (!value.is_number()) {
        return exactly_.is_null() && min_.is_null() && max_.is_null();
    }
    const long double number = *number_of(value);
    if (!exactly_.is_null()) {
        return number_of(exactly_) == number;
    }
    return (min_.is_null() || *number_of(min_) <= number) &&
           (max_.is_null() || number <= *number_of(max_));
}

std::string Bound::text() const {
    if (!exactly_.is_null()) {
        return describe(exactly_);
    }
    if (max_.is_null()) {
        return "at least " + describe(min_);
    }
    return min_.is_null() ? "at most " + describe(max_)
                          : "from " + describe(min_) + " to " + describe(max_);
}

bool Bound::is_time() const {
    return exactly_.is_string() || min_.is_string() || max_.is_string();
}

std::uint64_t Bound::least() const {
    const Json& value = exactly_.is_null() ? min_ : exactly_;
    return value.is_null() ? 0 : value.get<std::uint64_t>();
}

std::uint64_t Bound::greatest() const {
    const Json& value = exactly_.is_null() ? max_ : exactly_;
    return value.is_null() ? ~std::uint64_t{0} : value.get<std::uint64_t>();
}

Bound Bound::read_with(const Cursor& value, ReadValue read) {
    Bound bound;
    if (!value.is_object()) {
        bound.exactly_ = read(value);
        return bound;
    }
    value.members({
        {"min", Need::optional, [&](const Cursor& v) { bound.min_ = read(v); }},
        {"max", Need::optional, [&](const Cursor& v) { bound.max_ = read(v); }},
    });
    if (bound.min_.is_null() && bound.max_.is_null()) {
        value.fail("'min', 'max' or both");
    }
    if (!bound.min_.is_null() && !bound.max_.is_null() &&
        *number_of(bound.min_) > *number_of(bound.max_)) {
        value.member("max").fail("no less than 'min', " + describe(bound.min_));
    }
    return bound;
}

Bound Bound::read(const Cursor& value) {
    return read_with(value, value.is_object() ? any_number : any_value);
}

Bound Bound::read_count(const Cursor& value) {
    return read_with(value, count_value);
}

Bound Bound::read_time(const Cursor& value) {
    return read_with(value, time_value);
}

} // namespace fenceline::workloads
