// A job as nearly every program writes it, read in one pass over the line:
//
//     {"id":1,"at":1200,"entity":"a/gfx","duration":300,"after":[0]}
//
// that is: these keys in this order, `after` or not; whole numbers of at most 18 digits, so that
// they cannot be too large; an entity of ASCII without escapes; at most one space after a colon or
// a comma. Anything else gets a no and is left to job_line_scanner.hpp. This takes a quarter of the
// instructions of a general parser, because it never asks what comes next.
#pragma once

#include "workloads/job_checker.hpp"

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace fenceline::workloads {

class UsualJobLine {
  public:
    /// The line must be followed by LineReader::kPadding readable bytes, whatever they are: nothing
    /// that is asked for goes past one of them that does not fit, and a line that seems to end
    /// behind its end is not taken.
    static bool scan(std::string_view line, RawJob& out, std::vector<std::uint64_t>& after) {
        UsualJobLine text(line.data());
        if (!text.take("{\"id\":") || !text.number(out.id) || !text.take(",") ||
            !text.take("\"at\":") || !text.number(out.at) || !text.take(",") ||
            !text.take("\"entity\":") || !text.plain_string(out.entity) || !text.take(",") ||
            !text.take("\"duration\":") || !text.number(out.duration)) {
            return false;
        }
        if (*text.at_ == ',' && (!text.take(",") || !text.take("\"after\":") || !text.ids(after))) {
            return false;
        }
        if (!text.take("}")) {
            return false;
        }
        return text.at_ == line.data() + line.size() ||
               (*text.at_ == '\r' && text.at_ + 1 == line.data() + line.size());
    }

  private:
    explicit UsualJobLine(const char* at) : at_(at) {}

    /// This text, and a space behind it unless it ends the object.
    template <std::size_t Size>
    bool take(const char (&text)[Size]) {
        constexpr std::size_t kLength = Size - 1; // without the terminating zero
        if (std::memcmp(at_, text, kLength) != 0) {
            return false;
        }
        at_ += kLength;
        at_ += text[kLength - 1] != '}' && *at_ == ' ' ? 1 : 0;
        return true;
    }

    bool number(std::uint64_t& out) {
        constexpr std::ptrdiff_t kMostDigits = 18;
        const char* const begin = at_;
        std::uint64_t value = 0;
        for (unsigned digit = 0; (digit = digit_at(at_)) < 10; ++at_) {
            value = value * 10 + digit;
        }
        out = value;
        const std::ptrdiff_t digits = at_ - begin;
        return digits == 1 || (digits > 0 && digits <= kMostDigits && *begin != '0');
    }

    bool plain_string(std::string_view& out) {
        if (*at_ != '"') {
            return false;
        }
        const char* const begin = ++at_;
        while (is_plain(*at_)) {
            ++at_;
        }
        out = {begin, static_cast<std::size_t>(at_ - begin)};
        return *at_++ == '"';
    }

    bool ids(std::vector<std::uint64_t>& out) {
        if (*at_++ != '[') {
            return false;
        }
        if (*at_ == ']') {
            ++at_;
            return true;
        }
        do {
            if (!number(out.emplace_back())) {
                return false;
            }
        } while (*at_ == ',' && take(","));
        return *at_++ == ']';
    }

    static unsigned digit_at(const char* at) { return static_cast<unsigned char>(*at) - '0'; }
    static bool is_plain(char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; }

    const char* at_;
};

} // namespace fenceline::workloads
