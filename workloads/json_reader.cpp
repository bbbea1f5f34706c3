#include "workloads/json_reader.hpp"

#include "workloads/duration.hpp"

#include <algorithm>
#include <iterator>

namespace fenceline::workloads {
namespace {

/// Stands after every member of an object: where a missing one is reported.
constexpr std::uint32_t kEndOfObject = ~std::uint32_t{0};

/// A key as a JSON pointer writes it.
std::string escaped(std::string_view key) {
    std::string result;
    for (const char c : key) {
        if (c == '~') {
            result += "~0";
        } else if (c == '/') {
            result += "~1";
        } else {
            result += c;
        }
    }
    return printable(result, 60);
}

std::string range_text(std::uint64_t least, std::uint64_t greatest) {
    if (least == greatest) {
        return std::to_string(least);
    }
    if (greatest == kLargestInteger) {
        return least == 0 ? "an integer from 0 to 2^63 - 1"
                          : "an integer from " + std::to_string(least) + " to 2^63 - 1";
    }
    return "an integer from " + std::to_string(least) + " to " + std::to_string(greatest);
}

constexpr std::string_view kTimeForms =
    "a time: whole nanoseconds, or a string with a unit such as \"16.667ms\"";

} // namespace

std::string describe(const Json& value) {
    switch (value.type()) {
    case Json::value_t::object:
        return value.empty() ? "an empty object" : "an object";
    case Json::value_t::array:
        return value.empty() ? "an empty array" : "an array";
    case Json::value_t::string:
        return '"' + printable(value.get_ref<const std::string&>(), 60) + '"';
    default:
        return value.dump();
    }
}

std::string quoted_list(std::span<const std::string_view> names) {
    std::string result;
    for (const std::string_view name : names) {
        if (!result.empty()) {
            result += ", ";
        }
        result += '\'';
        result += name;
        result += '\'';
    }
    return result;
}

void Cursor::members(std::initializer_list<Member> table) const {
    if (!value_.is_object()) {
        fail("an object");
    }
    std::uint64_t seen = 0; // tables are far shorter than 64
    std::size_t index = 0;
    for (auto it = value_.begin(); it != value_.end(); ++it, ++index) {
        const auto* const entry =
            std::find_if(table.begin(), table.end(),
                         [&](const Member& member) { return member.key == it.key(); });
        if (entry == table.end()) {
            unknown_key(it.key(), index, table);
        }
        seen |= std::uint64_t{1} << static_cast<unsigned>(entry - table.begin());
        entry->read(Cursor(it.value(), *this, it.key(), index));
    }
    for (const Member& member : table) {
        const auto bit = static_cast<unsigned>(&member - table.begin());
        if (member.need == Need::required && (seen >> bit & 1U) == 0) {
            fail_missing(member.key);
        }
    }
}

void Cursor::unknown_key(std::string_view key, std::size_t index,
                         std::initializer_list<Member> table) const {
    std::vector<std::string_view> known;
    for (const Member& member : table) {
        known.push_back(member.key);
    }
    std::vector<std::uint32_t> where = place();
    where.push_back(static_cast<std::uint32_t>(index));
    const std::string expected =
        known.size() == 1 ? "only " + quoted_list(known) : "one of " + quoted_list(known);
    fail_at(std::move(where), "the unknown key '" + printable(key, 60) + "'", expected,
            did_you_mean(key, known));
}

void Cursor::each_member(FunctionRef<void(std::string_view, const Cursor&)> read) const {
    if (!value_.is_object()) {
        fail("an object");
    }
    std::size_t index = 0;
    for (auto it = value_.begin(); it != value_.end(); ++it, ++index) {
        read(it.key(), Cursor(it.value(), *this, it.key(), index));
    }
}

void Cursor::elements(FunctionRef<void(const Cursor&)> read, std::size_t least) const {
    if (!value_.is_array() || value_.size() < least) {
        fail(least == 0 ? "an array" : "an array with at least one element");
    }
    for (std::size_t i = 0; i < value_.size(); ++i) {
        read(Cursor(value_[i], *this, {}, i));
    }
}

bool Cursor::has(std::string_view key) const {
    return value_.is_object() && value_.find(key) != value_.end();
}

Cursor Cursor::member(std::string_view key) const {
    const auto it = value_.find(key);
    return {*it, *this, it.key(), static_cast<std::size_t>(std::distance(value_.begin(), it))};
}

std::string_view Cursor::peek(std::string_view key) const {
    if (!has(key)) {
        return {};
    }
    const Json& member = *value_.find(key);
    return member.is_string() ? std::string_view(member.get_ref<const std::string&>())
                              : std::string_view{};
}

const std::string& Cursor::text() const {
    if (!value_.is_string()) {
        fail("a string");
    }
    return value_.get_ref<const std::string&>();
}

const std::string& Cursor::name() const {
    if (!value_.is_string() || value_.get_ref<const std::string&>().empty()) {
        fail("a non-empty string");
    }
    return value_.get_ref<const std::string&>();
}

bool Cursor::boolean() const {
    if (!value_.is_boolean()) {
        fail("true or false");
    }
    return value_.get<bool>();
}

std::uint64_t Cursor::integer(std::uint64_t least, std::uint64_t greatest) const {
    // The parser gives unsigned integers where they fit, signed ones below 0, and floating-point
    // numbers for everything else: fractions, exponents, and what is too large.
    const bool negative = value_.is_number_integer() && !value_.is_number_unsigned() &&
                          value_.get<std::int64_t>() < 0;
    if (!value_.is_number_integer() || negative) {
        fail(range_text(least, greatest));
    }
    const auto result = value_.get<std::uint64_t>();
    if (result < least || result > greatest) {
        fail(range_text(least, greatest));
    }
    return result;
}

sim::Time Cursor::time() const {
    if (value_.is_number()) {
        if (value_.is_number_float()) {
            const bool whole_but_large = value_.get<double>() >= 9.2e18;
            fail(whole_but_large ? "a time below 2^63 ns (292 years)" : kTimeForms);
        }
        if (!value_.is_number_unsigned() && value_.get<std::int64_t>() < 0) {
            fail("a time of 0 or more");
        }
        const auto result = value_.get<std::uint64_t>();
        if (result > kLatestTime) {
            fail("a time below 2^63 ns (292 years)");
        }
        return result;
    }
    if (!value_.is_string()) {
        fail(kTimeForms);
    }
    const ParsedDuration parsed = parse_duration(value_.get_ref<const std::string&>());
    switch (parsed.fault) {
    case DurationFault::none:
        return parsed.value;
    case DurationFault::negative:
        fail("a time of 0 or more");
    case DurationFault::too_fine:
        fail("a time no finer than a nanosecond");
    case DurationFault::too_large:
        fail("a time below 2^63 ns (292 years)");
    case DurationFault::malformed:
        break;
    }
    fail(kTimeForms);
}

sim::Time Cursor::time_or(std::string_view word) const {
    if (value_.is_string()) {
        const std::string_view given = value_.get_ref<const std::string&>();
        if (given == word) {
            return sim::kForever;
        }
        const std::string_view words[] = {word};
        const std::string hint = did_you_mean(given, words);
        if (parse_duration(given).fault == DurationFault::malformed) {
            fail(std::string(kTimeForms) + ", or \"" + std::string(word) + "\"", hint);
        }
    } else if (!value_.is_number()) {
        fail(std::string(kTimeForms) + ", or \"" + std::string(word) + "\"");
    }
    return time();
}

std::size_t Cursor::choice(std::span<const std::string_view> names) const {
    if (value_.is_string()) {
        const auto it = std::find(names.begin(), names.end(),
                                  std::string_view(value_.get_ref<const std::string&>()));
        if (it != names.end()) {
            return static_cast<std::size_t>(it - names.begin());
        }
    }
    const std::string hint =
        value_.is_string() ? did_you_mean(value_.get_ref<const std::string&>(), names) : "";
    fail(names.size() == 1 ? quoted_list(names) : "one of " + quoted_list(names), hint);
}

void Cursor::fail(std::string_view expected, std::string_view hint) const {
    fail_found(describe(value_), expected, hint);
}

void Cursor::fail_found(std::string_view found, std::string_view expected,
                        std::string_view hint) const {
    fail_at(place(), found, expected, hint);
}

void Cursor::fail_unknown(std::string_view key, std::string_view expected,
                          std::string_view hint) const {
    std::vector<std::uint32_t> where = place();
    const auto it = value_.find(key);
    where.push_back(static_cast<std::uint32_t>(std::distance(value_.begin(), it)));
    fail_at(std::move(where), "the unknown key '" + printable(key, 60) + "'", expected, hint);
}

void Cursor::fail_missing(std::string_view key) const {
    std::vector<std::uint32_t> where = place();
    where.push_back(kEndOfObject);
    fail_at(std::move(where), "no key '" + std::string(key) + "'", "it (required)", {});
}

void Cursor::fail_at(std::vector<std::uint32_t> place, std::string_view found,
                     std::string_view expected, std::string_view hint) const {
    std::string message = source_.file + ":";
    if (source_.line != 0) {
        message += std::to_string(source_.line) + ":";
    }
    const std::string where = pointer();
    message += where.empty() ? " " : " " + where + ": ";
    message += "found " + std::string(found) + ", expected " + std::string(expected);
    throw InputError(message + std::string(hint), std::move(place));
}

std::string Cursor::pointer() const {
    if (parent_ == nullptr) {
        return source_.pointer;
    }
    const std::string level = parent_->value_.is_object() ? escaped(key_) : std::to_string(index_);
    return parent_->pointer() + '/' + level;
}

std::vector<std::uint32_t> Cursor::place() const {
    if (parent_ == nullptr) {
        return {};
    }
    std::vector<std::uint32_t> result = parent_->place();
    result.push_back(static_cast<std::uint32_t>(index_));
    return result;
}

} // namespace fenceline::workloads
