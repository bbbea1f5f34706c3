#include "workloads/job_line_scanner.hpp"

#include "workloads/duration.hpp"
#include "workloads/line_reader.hpp"

#include <simdjson.h>

#include <cstring>
#include <limits>

namespace fenceline::workloads {
namespace {

namespace od = simdjson::ondemand;

static_assert(LineReader::kPadding >= simdjson::SIMDJSON_PADDING);

enum Field : unsigned { id, at, entity, duration, credits, after, via, run_job, unknown };

/// Whether the raw key (it ends with its quote) is this one. The padding makes the read safe.
template <std::size_t Size>
bool is_key(const char* raw, const char (&key)[Size]) {
    return std::memcmp(raw, key, Size - 1) == 0; // Size counts the terminating zero
}

Field field_of(const char* raw) {
    switch (*raw) {
    case 'i':
        return is_key(raw, "id\"") ? id : unknown;
    case 'a':
        return is_key(raw, "at\"") ? at : is_key(raw, "after\"") ? after : unknown;
    case 'e':
        return is_key(raw, "entity\"") ? entity : unknown;
    case 'd':
        return is_key(raw, "duration\"") ? duration : unknown;
    case 'c':
        return is_key(raw, "credits\"") ? credits : unknown;
    case 'v':
        return is_key(raw, "via\"") ? via : unknown;
    case 'r':
        return is_key(raw, "run_job\"") ? run_job : unknown;
    default:
        return unknown;
    }
}

/// The text of a string without escapes. The line has been found to be valid UTF-8 with its quotes
/// in pairs; control characters are the one thing that is left to look for.
bool plain_string(od::value& value, std::string_view& out) {
    od::raw_json_string raw;
    if (value.get_raw_json_string().get(raw) != simdjson::SUCCESS) {
        return false;
    }
    const char* const begin = raw.raw();
    const char* end = begin;
    while (*end != '"') {
        if (*end == '\\' || static_cast<unsigned char>(*end) < 0x20) {
            return false;
        }
        ++end;
    }
    out = {begin, static_cast<std::size_t>(end - begin)};
    return true;
}

bool integer(od::value& value, std::uint64_t& out, std::uint64_t greatest = kLargestInteger) {
    return value.get_uint64().get(out) == simdjson::SUCCESS && out <= greatest;
}

bool time(od::value& value, sim::Time& out, bool may_be_forever) {
    if (integer(value, out, kLatestTime)) {
        return true;
    }
    std::string_view text;
    if (!plain_string(value, text)) {
        return false;
    }
    if (may_be_forever && text == "forever") {
        out = sim::kForever;
        return true;
    }
    const ParsedDuration parsed = parse_duration(text);
    out = parsed.value;
    return parsed.fault == DurationFault::none;
}

bool ids(od::value& value, std::vector<std::uint64_t>& out) {
    od::array list;
    if (value.get_array().get(list) != simdjson::SUCCESS) {
        return false;
    }
    for (auto element : list) {
        od::value number;
        std::uint64_t id = 0;
        if (element.get(number) != simdjson::SUCCESS || !integer(number, id)) {
            return false;
        }
        out.push_back(id);
    }
    return true;
}

template <typename Enum>
bool named(od::value& value, Enum& out) {
    std::string_view text;
    if (!plain_string(value, text)) {
        return false;
    }
    for (const EnumName<Enum>& entry : kEnumNames<Enum>) {
        if (entry.name == text) {
            out = entry.value;
            return true;
        }
    }
    return false;
}

bool read_field(Field field, od::value& value, RawJob& out, std::vector<std::uint64_t>& after_ids) {
    switch (field) {
    case id:
        return integer(value, out.id);
    case at:
        return time(value, out.at, false);
    case entity:
        return plain_string(value, out.entity);
    case duration:
        return time(value, out.duration, true);
    case credits: {
        std::uint64_t number = 0;
        const bool good = integer(value, number, std::numeric_limits<std::uint32_t>::max());
        out.credits = static_cast<std::uint32_t>(number);
        return good && number > 0;
    }
    case after:
        return ids(value, after_ids);
    case via:
        return named(value, out.via);
    case run_job:
        return named(value, out.run_job);
    case unknown:
        break;
    }
    return false;
}

constexpr unsigned kRequired = 1U << id | 1U << at | 1U << entity | 1U << duration;

} // namespace

struct JobLineScanner::Parser {
    od::parser parser;
};

JobLineScanner::JobLineScanner() : parser_(std::make_unique<Parser>()) {}
JobLineScanner::~JobLineScanner() = default;

bool JobLineScanner::scan(std::string_view line, RawJob& out,
                          std::vector<std::uint64_t>& after_ids) {
    out = RawJob{};
    after_ids.clear();
    od::document document;
    od::object object;
    if (parser_->parser.iterate(line.data(), line.size(), line.size() + LineReader::kPadding)
                .get(document) != simdjson::SUCCESS ||
        document.get_object().get(object) != simdjson::SUCCESS) {
        return false;
    }
    unsigned seen = 0;
    for (auto member : object) {
        od::raw_json_string key;
        od::value value;
        if (member.key().get(key) != simdjson::SUCCESS ||
            member.value().get(value) != simdjson::SUCCESS) {
            return false;
        }
        const Field field = field_of(key.raw());
        const unsigned bit = 1U << field;
        if ((seen & bit) != 0 || !read_field(field, value, out, after_ids)) {
            return false;
        }
        seen |= bit;
    }
    // Nothing may follow the object: past the last token there is no location.
    return (seen & kRequired) == kRequired &&
           document.current_location().error() == simdjson::OUT_OF_BOUNDS;
}

} // namespace fenceline::workloads
