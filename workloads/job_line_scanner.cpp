#include "workloads/job_line_scanner.hpp"

#include "workloads/duration.hpp"
#include "workloads/line_reader.hpp"
#include "workloads/usual_job_line.hpp"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

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

[[gnu::always_inline]] inline Field field_of(const char* raw) {
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

// The functions below that every line goes through are small and inlined: simdjson's values then
// live in registers, which makes a threefold difference.

/// The text of a string without escapes. The block has been found to be valid UTF-8, its strings
/// closed and free of control characters.
[[gnu::always_inline]] inline bool plain_string(od::value& value, std::string_view& out) {
    od::raw_json_string raw;
    if (value.get_raw_json_string().get(raw) != simdjson::SUCCESS) {
        return false;
    }
    const char* const begin = raw.raw();
    const char* end = begin;
    while (*end != '"') {
        if (*end == '\\') {
            return false;
        }
        ++end;
    }
    out = {begin, static_cast<std::size_t>(end - begin)};
    return true;
}

[[gnu::always_inline]] inline bool integer(od::value& value, std::uint64_t& out,
                                           std::uint64_t greatest = kLargestInteger) {
    return value.get_uint64().get(out) == simdjson::SUCCESS && out <= greatest;
}

/// A time that is written as a string.
[[gnu::noinline]] bool written_time(od::value value, sim::Time& out, bool may_be_forever) {
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

[[gnu::always_inline]] inline bool time(od::value& value, sim::Time& out, bool may_be_forever) {
    return integer(value, out, kLatestTime) || written_time(value, out, may_be_forever);
}

[[gnu::always_inline]] inline bool ids(od::value& value, std::vector<std::uint64_t>& out) {
    od::array list;
    if (value.get_array().get(list) != simdjson::SUCCESS) {
        return false;
    }
    for (auto element : list) {
        od::value number;
        std::uint64_t id = 0;
        if (std::move(element).get(number) != simdjson::SUCCESS || !integer(number, id)) {
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

/// The keys that few lines have.
[[gnu::noinline]] bool read_rare_field(Field field, od::value value, RawJob& out) {
    switch (field) {
    case credits: {
        std::uint64_t number = 0;
        const bool good = integer(value, number, std::numeric_limits<std::uint32_t>::max());
        out.credits = static_cast<std::uint32_t>(number);
        return good && number > 0;
    }
    case via:
        return named(value, out.via);
    case run_job:
        return named(value, out.run_job);
    default:
        return false;
    }
}

[[gnu::always_inline]] inline bool read_field(Field field, od::value& value, RawJob& out,
                                              std::vector<std::uint64_t>& after_ids) {
    switch (field) {
    case id:
        return integer(value, out.id);
    case at:
        return time(value, out.at, false);
    case entity:
        return plain_string(value, out.entity);
    case duration:
        return time(value, out.duration, true);
    case after:
        return ids(value, after_ids);
    default:
        return read_rare_field(field, value, out);
    }
}

/// What iterate_many() wants at least is less.
constexpr std::size_t kLeastRoom = 1024;
constexpr unsigned kRequired = 1U << id | 1U << at | 1U << entity | 1U << duration;

[[gnu::always_inline]] inline bool read_job(od::document_reference document, RawJob& out,
                                            std::vector<std::uint64_t>& after_ids) {
    od::object object;
    if (document.get_object().get(object) != simdjson::SUCCESS) {
        return false;
    }
    unsigned seen = 0;
    for (auto member : object) {
        od::field pair;
        if (std::move(member).get(pair) != simdjson::SUCCESS) {
            return false;
        }
        const Field field = field_of(pair.key().raw());
        od::value value = pair.value();
        const unsigned bit = 1U << field;
        if ((seen & bit) != 0 || !read_field(field, value, out, after_ids)) {
            return false;
        }
        seen |= bit;
    }
    return (seen & kRequired) == kRequired;
}

/// Whether the last character of the line that is not white space ends an object. In a line that
/// holds a job without objects inside, that is the end of the job: no string goes past a line.
inline bool ends_with_brace(std::string_view line) {
    std::size_t size = line.size();
    while (size != 0 &&
           (line[size - 1] == '\r' || line[size - 1] == ' ' || line[size - 1] == '\t')) {
        --size;
    }
    return size != 0 && line[size - 1] == '}';
}

} // namespace

struct JobLineScanner::Parser {
    od::parser parser;
    od::document_stream stream;
    od::document_stream::iterator at;
    const char* base = nullptr; ///< where the stream begins
    std::string_view block;
    bool opened = false;  ///< the stream has been made for this block
    bool in_step = false; ///< the stream has documents, and they begin where lines do

    /// Where the document that the stream is at begins.
    [[nodiscard]] const char* document() const { return base + at.current_index(); }
    void open(const char* from);
    void advance();
    void advance_to(const char* line);
};

JobLineScanner::JobLineScanner() : parser_(std::make_unique<Parser>()) {}
JobLineScanner::~JobLineScanner() = default;

void JobLineScanner::open(std::string_view block) {
    parser_->block = block;
    parser_->opened = false;
    parser_->in_step = false;
}

/// Finds the tokens of the block from this line on.
void JobLineScanner::Parser::open(const char* from) {
    opened = true;
    std::string_view rest = block.substr(static_cast<std::size_t>(from - block.data()));
    // The stream takes its start for that of the first document.
    const std::size_t blank = rest.find_first_not_of(" \t\r\n");
    if (blank == std::string_view::npos) {
        return;
    }
    rest.remove_prefix(blank);
    base = rest.data();
    // One batch (so that simdjson starts no thread for the next), with room for any block up to the
    // next power of two, so that memory is kept.
    const std::size_t room = std::max(std::bit_ceil(rest.size()), kLeastRoom);
    if (parser.iterate_many(rest.data(), rest.size(), room).get(stream) != simdjson::SUCCESS) {
        return;
    }
    at = stream.begin();
    in_step = at != stream.end() && at.error() == simdjson::SUCCESS;
    // The stream leaves out what is at its end and looks incomplete. Of whole lines nothing does,
    // unless there is a fault; then what is left out might be a part of a line.
    in_step = in_step && stream.truncated_bytes() == 0;
}

void JobLineScanner::Parser::advance() {
    ++at;
    in_step = at != stream.end() && at.error() == simdjson::SUCCESS;
}

/// Passes over the documents of lines that were read without the stream.
void JobLineScanner::Parser::advance_to(const char* line) {
    while (in_step && document() < line) {
        advance();
    }
}

bool JobLineScanner::scan(std::string_view line, RawJob& out,
                          std::vector<std::uint64_t>& after_ids) {
    const std::size_t before = after_ids.size();
    if (UsualJobLine::scan(line, out, after_ids)) [[likely]] {
        return true;
    }
    out = {};
    after_ids.resize(before);
    Parser& p = *parser_;
    if (!p.opened) {
        p.open(line.data());
    }
    p.advance_to(line.data());
    const char* const end = line.data() + line.size();
    if (!p.in_step || p.document() >= end) {
        return false; // a blank line
    }
    od::document_reference document;
    const bool good = ends_with_brace(line) && (*p.at).get(document) == simdjson::SUCCESS &&
                      read_job(document, out, after_ids);
    p.advance();
    if (p.in_step && p.document() < end) { // something follows the object in its line
        p.in_step = false;
        return false;
    }
    return good;
}

} // namespace fenceline::workloads
