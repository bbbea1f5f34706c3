#include "tools/messages.hpp"

#include "tools/usage_error.hpp"
#include "workloads/input_error.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace fenceline::tools {

void set_up_log(const std::string& level) {
    // spdlog takes every unknown word for "off".
    constexpr std::array<std::string_view, 6> names{"trace", "debug", "info",
                                                    "warn",  "error", "off"};
    constexpr std::array levels{spdlog::level::trace, spdlog::level::debug, spdlog::level::info,
                                spdlog::level::warn,  spdlog::level::err,   spdlog::level::off};
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] == level) {
            const char* const no_color = std::getenv("NO_COLOR"); // NOLINT: before any thread
            const bool plain = no_color != nullptr && *no_color != '\0';
            auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(
                plain ? spdlog::color_mode::never : spdlog::color_mode::automatic);
            auto logger = std::make_shared<spdlog::logger>("fenceline", std::move(sink));
            logger->set_pattern("%n: %^%l%$: %v");
            logger->set_level(levels[i]);
            logger->flush_on(spdlog::level::trace);
            spdlog::set_default_logger(std::move(logger));
            return;
        }
    }
    throw UsageError(fmt::format("--log-level: found '{}', expected {}{}",
                                 workloads::printable(level, 80), fmt::join(names, ", "),
                                 workloads::did_you_mean(level, names)));
}

void write_error_line(std::string_view text) {
    const std::string line = "fenceline: " + workloads::printable(text, 4000) + "\n";
    std::fputs(line.c_str(), stderr);
}

} // namespace fenceline::tools
