// The strict parser: nlohmann's grammar, our own construction of the document.
#include "workloads/json_reader.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace fenceline::workloads {
namespace {

/// An input iterator that tells how far the parser has read.
class CountingIterator {
  public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    CountingIterator(const char* at, const char** furthest) : at_(at), furthest_(furthest) {}
    reference operator*() const { return *at_; }
    CountingIterator& operator++() {
        *furthest_ = ++at_;
        return *this;
    }
    CountingIterator operator++(int) {
        CountingIterator before = *this;
        ++*this;
        return before;
    }
    friend bool operator==(const CountingIterator& a, const CountingIterator& b) {
        return a.at_ == b.at_;
    }
    friend bool operator!=(const CountingIterator& a, const CountingIterator& b) {
        return a.at_ != b.at_;
    }

  private:
    const char* at_;
    const char** furthest_;
};

/// The parser's message without its own idea of where, in our form.
std::string reworded(std::string message) {
    const auto drop_through = [&](std::string_view mark) {
        if (const std::size_t at = message.find(mark); at != std::string::npos) {
            message.erase(0, at + mark.size());
        }
    };
    drop_through("] ");
    if (message.starts_with("number overflow parsing ")) {
        return "found a number that is too large: " + message.substr(24, 40);
    }
    drop_through(": ");
    if (message.starts_with("syntax error")) {
        drop_through(" - ");
    }
    // "unexpected X; expected Y", "invalid X; last read: '...'", or both ends of the latter.
    if (message.starts_with("unexpected ")) {
        message.replace(0, 10, "found");
        if (const std::size_t at = message.find("; expected "); at != std::string::npos) {
            message.replace(at, 2, ", ");
        }
        return message;
    }
    if (const std::size_t at = message.find("; last read: "); at != std::string::npos) {
        const std::size_t expected = message.rfind("; expected ");
        if (expected != std::string::npos && expected > at) {
            message = message.substr(0, at) + ", " + message.substr(expected + 2);
        } else if (message.size() - at > 60) {
            message.resize(at);
        }
    }
    return "found an " + message;
}

/// Receives the parser's events and builds the document.
class Builder {
  public:
    Builder(std::string_view text, const Source& source, const char* const& furthest)
        : text_(text), source_(source), furthest_(furthest) {}

    Json take() { return std::move(root_); }

    bool null() { return add(Json(nullptr)); }
    bool boolean(bool value) { return add(Json(value)); }
    bool number_integer(Json::number_integer_t value) { return add(Json(value)); }
    bool number_unsigned(Json::number_unsigned_t value) { return add(Json(value)); }
    bool number_float(Json::number_float_t value, const std::string& /*written*/) {
        return add(Json(value));
    }
    bool string(std::string& value) { return add(Json(std::move(value))); }
    bool binary(Json::binary_t& /*value*/) { return false; }
    bool start_object(std::size_t /*count*/) { return open(Json::object()); }
    bool start_array(std::size_t /*count*/) { return open(Json::array()); }
    bool end_object() { return close(); }
    bool end_array() { return close(); }

    bool key(std::string& name) {
        Json& object = *open_.back();
        if (object.contains(name)) {
            fail("found the key '" + printable(name, 40) +
                 "' a second time in the same object, expected it once");
        }
        if (object.size() >= kMostKeys) {
            fail("found more than " + std::to_string(kMostKeys) +
                 " keys in one object, expected fewer");
        }
        slot_ = &object[name];
        return true;
    }

    template <typename Exception>
    bool parse_error(std::size_t position, const std::string& /*last*/, const Exception& error) {
        fail_at(std::min(position == 0 ? 0 : position - 1, text_.size()), reworded(error.what()));
        return false; // not reached
    }

    [[noreturn]] void fail_at(std::size_t offset, const std::string& message) const {
        const std::string_view before = text_.substr(0, offset);
        const auto lines =
            static_cast<std::uint64_t>(std::count(before.begin(), before.end(), '\n'));
        const std::size_t line_start = before.rfind('\n') + 1; // npos + 1 is 0
        const std::uint64_t line = source_.line != 0 ? source_.line : lines + 1;
        throw InputError(source_.file + ":" + std::to_string(line) + ":" +
                         std::to_string(offset - line_start + 1) + ": " + message);
    }

  private:
    [[noreturn]] void fail(const std::string& message) const {
        const auto read = static_cast<std::size_t>(furthest_ - text_.data());
        fail_at(read == 0 ? 0 : read - 1, message);
    }

    Json* add(Json value, bool /*container*/) {
        if (open_.empty()) {
            root_ = std::move(value);
            return &root_;
        }
        if (open_.back()->is_array()) {
            open_.back()->push_back(std::move(value));
            return &open_.back()->back();
        }
        *slot_ = std::move(value);
        return slot_;
    }
    bool add(Json value) { return add(std::move(value), false) != nullptr; }
    bool open(Json container) {
        if (open_.size() >= kDeepest) {
            fail("found nesting deeper than " + std::to_string(kDeepest) +
                 " levels, expected less");
        }
        open_.push_back(add(std::move(container), true));
        return true;
    }
    bool close() {
        open_.pop_back();
        return true;
    }

    std::string_view text_;
    const Source& source_;
    const char* const& furthest_;
    Json root_;
    std::vector<Json*> open_; ///< stable: only the innermost container grows
    Json* slot_ = nullptr;    ///< the value of the key read last
};

bool starts_with_bytes(std::string_view text, std::string_view mark) {
    return text.substr(0, mark.size()) == mark;
}

} // namespace

Json parse_json(std::string_view text, const Source& source) {
    const char* furthest = text.data();
    Builder builder(text, source, furthest);
    if (text.empty()) {
        throw InputError(source.file + ": found an empty file, expected a JSON document");
    }
    if (starts_with_bytes(text, "\xEF\xBB\xBF") || starts_with_bytes(text, "\xFF\xFE") ||
        starts_with_bytes(text, "\xFE\xFF")) {
        builder.fail_at(0, "found a byte order mark, expected UTF-8 without one");
    }
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        throw InputError(source.file + ": found only white space, expected a JSON document");
    }
    // The parser would take a NUL for the end of its input.
    if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
        builder.fail_at(nul, "found a NUL byte, expected JSON text");
    }
    Json::sax_parse(CountingIterator(text.data(), &furthest),
                    CountingIterator(text.data() + text.size(), &furthest), &builder);
    return builder.take();
}

} // namespace fenceline::workloads
