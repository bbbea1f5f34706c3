#include "tools/table.hpp"

#include "tools/text_lines.hpp"

#include <algorithm>
#include <cstdlib>
#include <unistd.h>

namespace fenceline::tools {
namespace {

constexpr std::size_t kGap = 2;
/// A name is not cut to fewer columns than this.
constexpr std::size_t kShortestCut = 8;

std::size_t widest(const std::vector<std::string>& lines) {
    std::size_t width = 0;
    for (const std::string& line : lines) {
        width = std::max(width, display_width(line));
    }
    return width;
}

/// The lines of a cell in a column of this width.
std::vector<std::string> cell_lines(std::string_view text, Overflow overflow, std::size_t width) {
    std::vector<std::string> lines;
    for (const std::string& line : split_lines(text)) {
        if (display_width(line) <= width) {
            lines.push_back(line);
        } else if (overflow == Overflow::wrap || overflow == Overflow::wrap_name) {
            for (const std::string& part :
                 break_line(line, width, overflow == Overflow::wrap_name)) {
                lines.push_back(cut_middle(part, width));
            }
        } else {
            lines.push_back(cut_middle(line, width));
        }
    }
    return lines;
}

/// The width below which a column is not narrowed. The first text is the header.
std::size_t least_width(const std::vector<std::string>& texts, Overflow overflow,
                        std::size_t natural) {
    if (overflow == Overflow::keep) {
        return natural;
    }
    if (overflow == Overflow::cut) {
        return std::min(natural, kShortestCut);
    }
    std::size_t width = 1;
    bool hyphens = true;
    for (const std::string& text : texts) {
        for (const std::string& line : split_lines(text)) {
            width = std::max(width, widest(break_line(line, 1, hyphens)));
        }
        hyphens = overflow == Overflow::wrap_name;
    }
    return width;
}

void pad(std::string& out, std::size_t count) {
    out.append(count, ' ');
}

void trim_right(std::string& out) {
    while (!out.empty() && out.back() == ' ') {
        out.pop_back();
    }
}

} // namespace

Style Style::for_standard_output() {
    const char* const no_color = std::getenv("NO_COLOR"); // NOLINT: before any thread starts
    const char* const term = std::getenv("TERM");         // NOLINT: likewise
    const bool dumb = term == nullptr || std::string_view(term) == "dumb";
    const bool refused = no_color != nullptr && *no_color != '\0';
    return Style(isatty(STDOUT_FILENO) == 1 && !refused && !dumb);
}

std::string Style::paint(std::string_view text, Tone tone) const {
    constexpr std::string_view codes[] = {"", "\x1b[32m", "\x1b[31m", "\x1b[1m", "\x1b[2m"};
    const std::string_view code = codes[static_cast<std::size_t>(tone)];
    if (!colour_ || code.empty() || text.empty()) {
        return std::string(text);
    }
    // The colour ends with the line, whatever a pager makes of it.
    const std::string_view end = text.ends_with('\n') ? "\n" : "";
    text.remove_suffix(end.size());
    return std::string(code) + std::string(text) + "\x1b[0m" + std::string(end);
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
    for (Column& column : columns_) {
        column.header = printable_lines(column.header);
    }
}

void Table::row(std::vector<Cell> cells) {
    for (Cell& cell : cells) {
        cell.text = printable_lines(cell.text);
    }
    rows_.push_back(std::move(cells));
}

std::vector<std::size_t> Table::fitted_widths(std::size_t width) const {
    std::vector<std::size_t> widths;
    std::vector<std::size_t> least;
    std::size_t total = 0;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::vector<std::string> texts{columns_[i].header};
        for (const std::vector<Cell>& row : rows_) {
            texts.push_back(row[i].text);
        }
        std::size_t natural = 1;
        for (const std::string& text : texts) {
            natural = std::max(natural, widest(split_lines(text)));
        }
        widths.push_back(natural);
        least.push_back(std::min(width, least_width(texts, columns_[i].overflow, natural)));
        total += natural + (i == 0 ? 0 : kGap);
    }
    // The widest gives way first; breaking loses nothing and comes before cutting.
    for (const Overflow overflow : {Overflow::wrap, Overflow::wrap_name, Overflow::cut}) {
        while (total > width) {
            std::size_t at = widths.size();
            for (std::size_t i = 0; i < widths.size(); ++i) {
                const bool may = columns_[i].overflow == overflow && widths[i] > least[i];
                if (may && (at == widths.size() || widths[i] > widths[at])) {
                    at = i;
                }
            }
            if (at == widths.size()) {
                break;
            }
            --widths[at];
            --total;
        }
    }
    // Blocks repeat the first column and need room beside it: the last resort is to cut anything.
    if (total > width) {
        widths.front() = std::min(widths.front(), width / 3);
        for (std::size_t i = 1; i < widths.size(); ++i) {
            widths[i] = std::min(widths[i], width - kGap - widths.front());
        }
    }
    return widths;
}

void Table::append_block(std::string& out, const std::vector<std::size_t>& columns,
                         const std::vector<std::size_t>& widths, const Style& style,
                         std::size_t indent) const {
    const auto append_row = [&](const auto& text_of, const auto& tone_of, bool bottom) {
        std::vector<std::vector<std::string>> cells;
        std::size_t height = 0;
        for (const std::size_t i : columns) {
            cells.push_back(cell_lines(
                text_of(i), bottom ? Overflow::wrap_name : columns_[i].overflow, widths[i]));
            height = std::max(height, cells.back().size());
        }
        for (std::size_t line = 0; line < height; ++line) {
            std::string text(indent, ' ');
            for (std::size_t c = 0; c < columns.size(); ++c) {
                const std::size_t i = columns[c];
                // Headers stand on the bottom line of theirs, cells on the top.
                const std::size_t skip = bottom ? height - cells[c].size() : 0;
                const std::size_t index = line - skip;
                const std::string part =
                    line >= skip && index < cells[c].size() ? cells[c][index] : std::string();
                const std::size_t space = widths[i] - std::min(widths[i], display_width(part));
                pad(text, (c == 0 ? 0 : kGap) + (columns_[i].align == Align::right ? space : 0));
                text += style.paint(part, tone_of(i));
                pad(text, columns_[i].align == Align::right ? 0 : space);
            }
            trim_right(text);
            out += text + "\n";
        }
    };
    append_row([&](std::size_t i) -> const std::string& { return columns_[i].header; },
               [](std::size_t) { return Tone::strong; }, true);
    for (const std::vector<Cell>& row : rows_) {
        append_row([&](std::size_t i) -> const std::string& { return row[i].text; },
                   [&](std::size_t i) { return row[i].tone; }, false);
    }
}

std::string Table::text(const Style& style, std::size_t indent, std::size_t width) const {
    const std::size_t room = width - std::min(indent, width - 1);
    const std::vector<std::size_t> widths = fitted_widths(room);
    std::string out;
    for (std::size_t next = 1; next <= columns_.size();) {
        std::vector<std::size_t> block{0};
        std::size_t used = widths[0];
        while (next < columns_.size() &&
               (block.size() == 1 || used + kGap + widths[next] <= room)) {
            used += kGap + widths[next];
            block.push_back(next++);
        }
        if (!out.empty()) {
            out += "\n";
        }
        append_block(out, block, widths, style, indent);
        if (next == columns_.size()) {
            break;
        }
    }
    return out;
}

} // namespace fenceline::tools
