#include "tools/text_lines.hpp"

#include "tools/table.hpp"
#include "workloads/input_error.hpp"

#include <array>
#include <cstdint>

namespace fenceline::tools {
namespace {

constexpr std::string_view kEllipsis = "\u2026";
/// Nobody reads lines longer than this; they are cut.
constexpr std::size_t kLongestLine = 4000;

/// The character at the start of well-formed UTF-8: its length in bytes and its code point.
struct Character {
    std::size_t bytes;
    std::uint32_t code;
};
Character first_character(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    constexpr std::array<unsigned, 5> masks{0, 0x7F, 0x1F, 0x0F, 0x07};
    std::uint32_t code = lead & masks[bytes];
    for (std::size_t i = 1; i < bytes && i < text.size(); ++i) {
        code = (code << 6U) | (static_cast<unsigned char>(text[i]) & 0x3FU);
    }
    return {std::min(bytes, text.size()), code};
}

/// Columns that a terminal gives to the character: the blocks that matter, not all of Unicode.
std::size_t width_of(std::uint32_t code) {
    struct Range {
        std::uint32_t first, last;
    };
    static constexpr std::array<Range, 4> kNarrow{
        {{0x300, 0x36F}, {0x200B, 0x200F}, {0x20D0, 0x20F0}, {0xFE00, 0xFE0F}}};
    static constexpr std::array<Range, 9> kWide{{{0x1100, 0x115F},
                                                 {0x2E80, 0xA4CF},
                                                 {0xAC00, 0xD7A3},
                                                 {0xF900, 0xFAFF},
                                                 {0xFE30, 0xFE6F},
                                                 {0xFF00, 0xFF60},
                                                 {0xFFE0, 0xFFE6},
                                                 {0x1F300, 0x1FAFF},
                                                 {0x20000, 0x3FFFD}}};
    for (const Range& range : kNarrow) {
        if (code >= range.first && code <= range.last) {
            return 0;
        }
    }
    for (const Range& range : kWide) {
        if (code >= range.first && code <= range.last) {
            return 2;
        }
    }
    return 1;
}

/// How many bytes from the front make at most `width` columns.
std::size_t prefix_of_width(std::string_view text, std::size_t width) {
    std::size_t at = 0;
    for (std::size_t used = 0; at < text.size();) {
        const Character character = first_character(text.substr(at));
        used += width_of(character.code);
        if (used > width) {
            break;
        }
        at += character.bytes;
    }
    return at;
}

/// Where the line may be broken after `from`: the end of the part that starts there.
std::size_t part_end(std::string_view line, std::size_t from, bool hyphens) {
    for (std::size_t at = from + 1; at < line.size(); ++at) {
        if (line[at] == ' ' || line[at] == '/' || (hyphens && line[at - 1] == '-')) {
            return at;
        }
    }
    return line.size();
}

} // namespace

std::string printable_lines(std::string_view text) {
    std::string result;
    for (;;) {
        const std::size_t end = text.find('\n');
        result += workloads::printable(text.substr(0, end), kLongestLine);
        if (end == std::string_view::npos) {
            return result;
        }
        result += '\n';
        text.remove_prefix(end + 1);
    }
}

std::vector<std::string> split_lines(std::string_view text) {
    std::vector<std::string> lines;
    for (;;) {
        const std::size_t end = text.find('\n');
        lines.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            return lines;
        }
        text.remove_prefix(end + 1);
    }
}

std::vector<std::string> break_line(std::string_view line, std::size_t width, bool hyphens) {
    std::vector<std::string> lines;
    std::string current;
    for (std::size_t at = 0; at < line.size();) {
        const std::size_t end = part_end(line, at, hyphens);
        std::string_view part = line.substr(at, end - at);
        at = end;
        if (!current.empty() && display_width(current) + display_width(part) > width) {
            lines.push_back(std::move(current));
            current.clear();
            if (part.front() == ' ') {
                part.remove_prefix(1);
            }
        }
        current += part;
    }
    lines.push_back(std::move(current));
    return lines;
}

std::size_t display_width(std::string_view text) {
    std::size_t width = 0;
    while (!text.empty()) {
        const Character character = first_character(text);
        width += width_of(character.code);
        text.remove_prefix(character.bytes);
    }
    return width;
}

std::string cut_middle(std::string_view text, std::size_t width) {
    const std::size_t natural = display_width(text);
    if (natural <= width) {
        return std::string(text);
    }
    if (width <= 1) {
        return width == 0 ? std::string() : std::string(kEllipsis);
    }
    const std::size_t front = prefix_of_width(text, width / 2);
    // The longest end that still fits beside the front and the ellipsis.
    std::size_t back = front;
    const std::size_t room = width - 1 - display_width(text.substr(0, front));
    while (display_width(text.substr(back)) > room) {
        back += first_character(text.substr(back)).bytes;
    }
    return std::string(text.substr(0, front)) + std::string(kEllipsis) +
           std::string(text.substr(back));
}

std::string wrapped(std::string_view text, std::size_t indent, std::size_t hang,
                    std::size_t width) {
    std::string out;
    std::string line(indent, ' ');
    std::size_t used = indent;
    bool fresh = true;
    const std::string clean = workloads::printable(text, kLongestLine);
    for (std::size_t at = 0; at < clean.size();) {
        const std::size_t end = std::min(clean.find(' ', at), clean.size());
        std::string_view word = std::string_view(clean).substr(at, end - at);
        at = end + 1;
        while (!word.empty()) {
            if (!fresh && used + 1 + display_width(word) > width) {
                out += line + "\n";
                line.assign(hang, ' ');
                used = hang;
                fresh = true;
            }
            // Only a word wider than a whole line is broken inside.
            const std::size_t room = fresh ? width - used : width - used - 1;
            const std::size_t bytes = std::max<std::size_t>(1, prefix_of_width(word, room));
            line += (fresh ? "" : " ") + std::string(word.substr(0, bytes));
            used += (fresh ? 0 : 1) + display_width(word.substr(0, bytes));
            fresh = false;
            word.remove_prefix(bytes);
        }
    }
    return out + line + "\n";
}

} // namespace fenceline::tools
