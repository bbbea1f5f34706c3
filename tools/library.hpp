// The bundled workloads: where they are.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

namespace fenceline::tools {

/// The folder of the bundled workloads: FENCELINE_LIBRARY if it is set, else where an installation
/// has them (../share/fenceline/workloads beside the program's folder), else workloads/library of
/// the source tree that the program stands in.
[[nodiscard]] std::optional<std::filesystem::path> find_library();

/// The workloads in a folder, by name.
[[nodiscard]] std::vector<std::filesystem::path> library_files(const std::filesystem::path& folder);

} // namespace fenceline::tools
