// Text as lines of a terminal: width, breaking, cutting. The pieces that table.hpp is made of.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fenceline::tools {

/// The text with everything that is not printable replaced, line by line.
[[nodiscard]] std::string printable_lines(std::string_view text);

/// At newlines; at least one line.
[[nodiscard]] std::vector<std::string> split_lines(std::string_view text);

/// One line broken into several of at most `width` columns: after spaces, which are dropped, and
/// before slashes, with `hyphens` also after hyphens. A part without such a place may be wider.
[[nodiscard]] std::vector<std::string> break_line(std::string_view line, std::size_t width,
                                                  bool hyphens);

} // namespace fenceline::tools
