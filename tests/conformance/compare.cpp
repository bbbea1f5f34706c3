#include "compare.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>
#include <vector>

namespace conformance {
namespace {

std::vector<std::string_view> split_lines(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        lines.push_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

// One event in few characters; what is not an event is shown as it is.
std::string short_form(std::string_view line) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("t") || !json.contains("ev"))
        return std::string(line);
    std::string text = fmt::format("{:>12} {:<9}", json["t"].dump(), json["ev"].dump());
    for (const char* key : {"job", "entity", "ring", "err"})
        if (json.contains(key))
            text += fmt::format(" {} {}", key, json[key].dump());
    std::erase(text, '"');
    return text;
}

} // namespace

std::optional<std::size_t> first_difference(const std::string& left, const std::string& right) {
    if (left == right)
        return std::nullopt;
    const auto a = split_lines(left), b = split_lines(right);
    const auto common = std::min(a.size(), b.size());
    for (std::size_t i = 0; i < common; ++i)
        if (a[i] != b[i])
            return i;
    return common;
}

std::string side_by_side(const std::string& left_title, const std::string& left,
                         const std::string& right_title, const std::string& right) {
    const auto a = split_lines(left), b = split_lines(right);
    const auto mark = first_difference(left, right);
    std::vector<std::string> columns;
    std::size_t width = left_title.size();
    for (const auto line : a) {
        columns.push_back(short_form(line));
        width = std::max(width, columns.back().size());
    }
    std::string text = fmt::format("     {:<{}}   {}\n", left_title, width, right_title);
    for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i)
        text += fmt::format("{:<4} {:<{}} | {}\n", mark == i ? "-->" : "",
                            i < a.size() ? columns[i] : "", width,
                            i < b.size() ? short_form(b[i]) : "");
    return text;
}

std::string report_difference(const Workload& workload, const std::string& left_title,
                              const std::string& left, const std::string& right_title,
                              const std::string& right) {
    return fmt::format("--- workload\n{}--- configuration\n{}--- event logs\n{}",
                       workload_json(workload), config_json(workload),
                       side_by_side(left_title, left, right_title, right));
}

} // namespace conformance
