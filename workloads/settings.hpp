// Settings and what is varied: changes to a configuration document. Not for use outside the reader;
// apply_setting() and expand_vary() are declared in read_config.hpp.
#pragma once

#include "workloads/config.hpp"
#include "workloads/json_reader.hpp"

#include <optional>
#include <vector>

namespace fenceline::workloads {

/// Reads `vary`; every value is tried. `kernel`: what the document says, if it does.
[[nodiscard]] std::vector<VaryAxis> read_vary(const Cursor& value,
                                              std::optional<scheduler::KernelVersion> kernel,
                                              const Source& source);

} // namespace fenceline::workloads
