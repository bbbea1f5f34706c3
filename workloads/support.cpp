#include "workloads/support.hpp"

#include "fences/lifetime.hpp"

#include <fmt/format.h>

namespace fenceline::workloads {

std::vector<std::string> unsupported(const Config& config) {
    const auto found = fences::contradiction(config.lifetime);
    if (!found)
        return {};
    return {fmt::format("{}: {}/lifetime: found {}, expected {}",
                        config.source_path.empty() ? "configuration" : config.source_path,
                        config.source_pointer, found->found, found->expected)};
}

} // namespace fenceline::workloads
