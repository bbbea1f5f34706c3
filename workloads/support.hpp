// What a configuration asks for that makes no sense, and that only a configuration made by hand can
// have: a reader refuses it.
#pragma once

#include "workloads/config.hpp"

#include <string>
#include <vector>

namespace fenceline::workloads {

/// One line for each contradiction. Empty when all of it can be run.
[[nodiscard]] std::vector<std::string> unsupported(const Config& config);

} // namespace fenceline::workloads
