// What goes to standard error: log lines and the one line that says why a command failed.
#pragma once

#include <string>
#include <string_view>

namespace fenceline::tools {

/// Sends log lines of at least this level (`trace` to `error`, `off`) to standard error, coloured
/// on a terminal unless NO_COLOR is set. Throws UsageError for another word.
void set_up_log(const std::string& level);

/// `fenceline: TEXT`.
void write_error_line(std::string_view text);

} // namespace fenceline::tools
