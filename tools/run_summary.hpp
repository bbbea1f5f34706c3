// The summary of one run for human readers. Lines fit the page; only printable text.
#pragma once

#include "tools/json_report.hpp"
#include "tools/table.hpp"

#include <string>

namespace fenceline::tools {

[[nodiscard]] std::string run_summary(const PreparedRun& prepared,
                                      const workloads::RunResult& result, const Style& style);

} // namespace fenceline::tools
