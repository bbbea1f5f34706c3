#include "workloads/support.hpp"

#include "fences/lifetime.hpp"

#include <fmt/format.h>

namespace fenceline::workloads {

std::vector<std::string> unsupported(const Config& config) {
    const auto reason = fences::unsupported_reason(config.lifetime);
    if (!reason)
        return {};
    return {fmt::format("{}: {}/lifetime: \"{}\" ({}) is valid but not yet run by this version of "
                        "Fenceline",
                        config.source_path.empty() ? "configuration" : config.source_path,
                        config.source_pointer, config.lifetime.name, *reason)};
}

} // namespace fenceline::workloads
