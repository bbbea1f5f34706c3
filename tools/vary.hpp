// What a comparison varies: from `--vary key=v1,v2,...`, else from the configuration.
#pragma once

#include "workloads/config.hpp"

#include <span>
#include <string>
#include <vector>

namespace fenceline::tools {

/// `text` split at commas that stand outside of JSON strings, arrays and objects.
[[nodiscard]] std::vector<std::string> split_values(std::string_view text);

/// The axes, "all" expanded. Throws UsageError when there is nothing to vary or `given` is not of
/// the form; whether the values are right is found out when they are applied.
[[nodiscard]] std::vector<workloads::VaryAxis> choose_axes(std::span<const std::string> given,
                                                           const workloads::Config& config);

} // namespace fenceline::tools
