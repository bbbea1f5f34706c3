#include "workloads/job_line_scanner.hpp"

#include "workloads/duration.hpp"

#include <limits>

namespace fenceline::workloads {
namespace {

enum Field : unsigned { id, at, entity, duration, credits, after, via, run_job, unknown };

Field field_of(std::string_view key) {
    switch (key.size()) {
    case 2:
        return key == "id" ? id : key == "at" ? at : unknown;
    case 3:
        return key == "via" ? via : unknown;
    case 5:
        return key == "after" ? after : unknown;
    case 6:
        return key == "entity" ? entity : unknown;
    case 7:
        return key == "credits" ? credits : key == "run_job" ? run_job : unknown;
    case 8:
        return key == "duration" ? duration : unknown;
    default:
        return unknown;
    }
}

/// Walks over one line.
class Walk {
  public:
    Walk(const char* at, const char* end) : at_(at), end_(end) {}

    void skip_space() {
        while (at_ < end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\r')) {
            ++at_;
        }
    }
    /// Takes the byte, and white space around it.
    bool take(char expected) {
        skip_space();
        if (at_ >= end_ || *at_ != expected) {
            return false;
        }
        ++at_;
        skip_space();
        return true;
    }
    [[nodiscard]] bool is(char expected) const { return at_ < end_ && *at_ == expected; }
    [[nodiscard]] bool at_end() const { return at_ == end_; }

    /// A string without escapes and control characters.
    bool string(std::string_view& out) {
        if (!is('"')) {
            return false;
        }
        const char* const begin = ++at_;
        while (at_ < end_ && *at_ != '"') {
            const auto byte = static_cast<unsigned char>(*at_);
            if (byte < 0x20 || byte == '\\') {
                return false;
            }
            ++at_;
        }
        if (at_ >= end_) {
            return false;
        }
        out = {begin, static_cast<std::size_t>(at_ - begin)};
        ++at_;
        return true;
    }
    bool integer(std::uint64_t& out, std::uint64_t greatest) {
        const char* const begin = at_;
        std::uint64_t value = 0;
        while (at_ < end_ && *at_ >= '0' && *at_ <= '9') {
            value = value * 10 + static_cast<std::uint64_t>(*at_ - '0');
            ++at_;
        }
        const auto digits = at_ - begin;
        // 19 digits cannot overflow; a zero in front of others is no number.
        if (digits == 0 || digits > 19 || (digits > 1 && *begin == '0')) {
            return false;
        }
        if (at_ < end_ && (*at_ == '.' || *at_ == 'e' || *at_ == 'E')) {
            return false;
        }
        out = value;
        return value <= greatest;
    }

  private:
    const char* at_;
    const char* end_;
};

bool time(Walk& walk, sim::Time& out, bool may_be_forever) {
    if (!walk.is('"')) {
        return walk.integer(out, kLatestTime);
    }
    std::string_view text;
    if (!walk.string(text)) {
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

bool ids(Walk& walk, std::vector<std::uint64_t>& out) {
    if (!walk.take('[')) {
        return false;
    }
    if (walk.take(']')) {
        return true;
    }
    do {
        std::uint64_t number = 0;
        if (!walk.integer(number, kLargestInteger)) {
            return false;
        }
        out.push_back(number);
    } while (walk.take(','));
    return walk.take(']');
}

template <typename Enum>
bool named(Walk& walk, Enum& out) {
    std::string_view text;
    if (!walk.string(text)) {
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

bool read_field(Field field, Walk& walk, RawJob& out, std::vector<std::uint64_t>& after_ids) {
    switch (field) {
    case id:
        return walk.integer(out.id, kLargestInteger);
    case at:
        return time(walk, out.at, false);
    case entity:
        return walk.string(out.entity);
    case duration:
        return time(walk, out.duration, true);
    case credits: {
        std::uint64_t number = 0;
        const bool good = walk.integer(number, std::numeric_limits<std::uint32_t>::max());
        out.credits = static_cast<std::uint32_t>(number);
        return good && number > 0;
    }
    case after:
        return ids(walk, after_ids);
    case via:
        return named(walk, out.via);
    case run_job:
        return named(walk, out.run_job);
    case unknown:
        break;
    }
    return false;
}

constexpr unsigned kRequired = 1U << id | 1U << at | 1U << entity | 1U << duration;

} // namespace

bool scan_job_line(std::string_view line, RawJob& out, std::vector<std::uint64_t>& after_ids) {
    out = RawJob{};
    after_ids.clear();
    Walk walk(line.data(), line.data() + line.size());
    if (!walk.take('{')) {
        return false;
    }
    unsigned seen = 0;
    do {
        std::string_view key;
        if (!walk.string(key) || !walk.take(':')) {
            return false;
        }
        const Field field = field_of(key);
        const unsigned bit = 1U << field;
        if ((seen & bit) != 0 || !read_field(field, walk, out, after_ids)) {
            return false;
        }
        seen |= bit;
    } while (walk.take(','));
    return walk.take('}') && walk.at_end() && (seen & kRequired) == kRequired;
}

} // namespace fenceline::workloads
