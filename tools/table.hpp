// Small text tables that fit the width of a page, and text wrapped to the same width.
//
// Cells are laid out in columns two spaces apart. A table that is too wide is narrowed, first by
// breaking the cells of columns that may be broken, then by cutting long names in the middle, and
// if that is not enough the columns are shown in blocks one below the other, the first column in
// each.
//
// Whatever a cell contains, only printable characters reach the output ('\n' starts a new line in
// the cell). Colours do not count as width.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fenceline::tools {

inline constexpr std::size_t kPageWidth = 100;

enum class Tone : std::uint8_t { plain, good, bad, strong, faint };

/// Whether and how text is coloured.
class Style {
  public:
    explicit Style(bool colour) : colour_(colour) {}
    /// For standard output: colours on a terminal unless NO_COLOR is set.
    [[nodiscard]] static Style for_standard_output();

    [[nodiscard]] std::string paint(std::string_view text, Tone tone) const;

  private:
    bool colour_;
};

struct Cell {
    std::string text;
    Tone tone = Tone::plain;
};

enum class Align : std::uint8_t { left, right };
/// What may happen to a column whose cells are too wide: names may also be broken after hyphens.
/// Headers of columns that may change at all are broken as names are.
enum class Overflow : std::uint8_t { keep, cut, wrap, wrap_name };

struct Column {
    std::string header;
    Align align = Align::right;
    Overflow overflow = Overflow::keep;
};

class Table {
  public:
    explicit Table(std::vector<Column> columns);

    /// REQUIRES: a cell for each column.
    void row(std::vector<Cell> cells);
    [[nodiscard]] bool empty() const { return rows_.empty(); }
    /// The table, each line ending with a newline and starting with `indent` spaces.
    [[nodiscard]] std::string text(const Style& style, std::size_t indent = 2,
                                   std::size_t width = kPageWidth) const;

  private:
    [[nodiscard]] std::vector<std::size_t> fitted_widths(std::size_t width) const;
    void append_block(std::string& out, const std::vector<std::size_t>& columns,
                      const std::vector<std::size_t>& widths, const Style& style,
                      std::size_t indent) const;

    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_;
};

/// How many columns of a terminal the text takes. REQUIRES: well-formed UTF-8 on one line.
[[nodiscard]] std::size_t display_width(std::string_view text);

/// The text with its middle replaced by an ellipsis where it is wider than `width`.
[[nodiscard]] std::string cut_middle(std::string_view text, std::size_t width);

/// Printable text broken at spaces into lines, each ending with a newline. The first line starts
/// with `indent` spaces, the others with `hang`.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t indent, std::size_t hang,
                                  std::size_t width = kPageWidth);

} // namespace fenceline::tools
