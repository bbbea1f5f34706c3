#include "tools/vary.hpp"

#include "tools/usage_error.hpp"
#include "workloads/input_error.hpp"
#include "workloads/read_config.hpp"

#include <optional>
#include <set>

namespace fenceline::tools {
namespace {

using workloads::printable;

workloads::VaryAxis parse_axis(const std::string& text,
                               std::optional<scheduler::KernelVersion> kernel) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
        throw UsageError("--vary " + printable(text) +
                         ": expected key=value1,value2,... or key=all");
    }
    std::string key = text.substr(0, equals);
    if (key == "policy") {
        key = "scheduler.policy"; // as --policy does
    }
    const std::vector<std::string> values = split_values(std::string_view(text).substr(equals + 1));
    for (const std::string& value : values) {
        if (value.empty()) {
            throw UsageError("--vary " + printable(text) + ": found an empty value");
        }
    }
    return {key, workloads::expand_vary(key, values, kernel)};
}

void check_distinct(const std::vector<workloads::VaryAxis>& axes) {
    for (std::size_t i = 0; i < axes.size(); ++i) {
        std::set<std::string_view> seen;
        for (const std::string& value : axes[i].values) {
            if (!seen.insert(value).second) {
                throw UsageError("vary " + printable(axes[i].key) + ": found the value " +
                                 printable(value) + " twice");
            }
        }
        for (std::size_t j = 0; j < i; ++j) {
            if (axes[i].key == axes[j].key) {
                throw UsageError("--vary " + printable(axes[i].key) +
                                 ": found twice; give all "
                                 "values of a key at once");
            }
        }
    }
}

} // namespace

std::vector<std::string> split_values(std::string_view text) {
    std::vector<std::string> values(1);
    int depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted && c == '\\' && i + 1 < text.size()) {
            values.back() += c;
            values.back() += text[++i];
            continue;
        }
        // Quotes inside a plain word mean nothing.
        if (c == '"' && (quoted || depth > 0 || values.back().empty())) {
            quoted = !quoted;
        } else if (!quoted && (c == '{' || c == '[')) {
            ++depth;
        } else if (!quoted && (c == '}' || c == ']')) {
            --depth;
        } else if (c == ',' && !quoted && depth <= 0) {
            values.emplace_back();
            continue;
        }
        values.back() += c;
    }
    return values;
}

std::vector<workloads::VaryAxis> choose_axes(std::span<const std::string> given,
                                             const workloads::Config& config) {
    std::vector<workloads::VaryAxis> axes;
    for (const std::string& text : given) {
        axes.push_back(parse_axis(text, config.kernel_given));
    }
    if (given.empty()) {
        axes = config.vary;
    }
    if (axes.empty()) {
        throw UsageError("nothing to vary: give --vary key=value1,value2,... (" +
                         printable(config.source_path) + " has no 'vary')");
    }
    check_distinct(axes);
    return axes;
}

} // namespace fenceline::tools
