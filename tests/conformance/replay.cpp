// kernel-replay: runs a workload through the kernel's own scheduler and prints the event log.

#include "names.hpp"
#include "workload.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

using namespace conformance;

namespace {

constexpr const char* usage_text =
    "usage: kernel-replay WORKLOAD.json [--config CONFIG.json] [--policy fifo|rr]\n"
    "                     [--credit-limit N] [--timeout T|none] [--hang-limit N]\n"
    "                     [--on-timeout reset|reset-no-resubmit|no-device] [--until T]\n"
    "                     [--rcu-grace-period T] [--events FILE|-] [--bench]\n"
    "       kernel-replay --synthetic ENTITIES,JOBS [--policy fifo|rr] --bench\n";

struct Options {
    std::string workload, config, events = "-";
    std::optional<std::string> policy, credit_limit, timeout, hang_limit, on_timeout, until, grace,
        synthetic;
    bool bench = false;
};

std::string read_file(const std::string& path) {
    if (path == "-")
        return {std::istreambuf_iterator<char>(std::cin), {}};
    std::ifstream file(path, std::ios::binary);
    if (!file)
        throw InputError(fmt::format("cannot read {}", path));
    return {std::istreambuf_iterator<char>(file), {}};
}

Options parse(const std::vector<std::string>& arguments) {
    Options options;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        const auto value = [&]() -> const std::string& {
            if (++i == arguments.size())
                throw InputError(fmt::format("{} needs a value\n{}", word, usage_text));
            return arguments[i];
        };
        if (word == "--config")
            options.config = value();
        else if (word == "--policy")
            options.policy = value();
        else if (word == "--credit-limit")
            options.credit_limit = value();
        else if (word == "--timeout")
            options.timeout = value();
        else if (word == "--hang-limit")
            options.hang_limit = value();
        else if (word == "--on-timeout")
            options.on_timeout = value();
        else if (word == "--until")
            options.until = value();
        else if (word == "--rcu-grace-period")
            options.grace = value();
        else if (word == "--synthetic")
            options.synthetic = value();
        else if (word == "--events")
            options.events = value();
        else if (word == "--bench")
            options.bench = true;
        else if (word.starts_with("--") || !options.workload.empty())
            throw InputError(fmt::format("what is {}?\n{}", word, usage_text));
        else
            options.workload = word;
    }
    if (options.workload.empty() && !options.synthetic)
        throw InputError(usage_text);
    return options;
}

template <typename Enum, std::size_t count>
Enum word(const std::array<std::string_view, count>& names, const std::string& text) {
    const auto found = find_name<Enum>(names, text);
    if (!found)
        throw InputError(fmt::format("what is {}?\n{}", text, usage_text));
    return *found;
}

std::uint32_t number(const std::string& text) {
    try {
        return static_cast<std::uint32_t>(std::stoul(text));
    } catch (const std::exception&) {
        throw InputError(fmt::format("{} is not a number", text));
    }
}

std::uint64_t duration(const std::string& text) {
    return text.find_first_not_of("0123456789") == std::string::npos ? std::stoull(text)
                                                                     : read_time(text);
}

void apply(const Options& options, Workload& workload) {
    if (options.policy)
        workload.policy = word<oracle_policy>(policy_names, *options.policy);
    if (options.until)
        workload.until = duration(*options.until);
    if (options.grace)
        workload.rcu_grace_period = duration(*options.grace);
    for (auto& ring : workload.rings) {
        if (options.credit_limit)
            ring.credit_limit = number(*options.credit_limit);
        if (options.timeout)
            ring.timeout = *options.timeout == "none" ? never : duration(*options.timeout);
        if (options.hang_limit)
            ring.hang_limit = number(*options.hang_limit);
        if (options.on_timeout)
            ring.on_timeout = word<oracle_on_timeout>(on_timeout_names, *options.on_timeout);
    }
}

// Entities in turn submit a job each microsecond, which is as long as a job takes.
Workload synthetic(const std::string& text) {
    const auto comma = text.find(',');
    if (comma == std::string::npos)
        throw InputError(usage_text);
    const std::uint32_t entities = number(text.substr(0, comma));
    const std::uint32_t jobs = number(text.substr(comma + 1));
    Workload workload;
    workload.rings.push_back({.name = "gfx"});
    for (std::uint32_t i = 0; i < entities; ++i)
        workload.entities.push_back({.id = fmt::format("c{}/gfx", i), .rings = {0}});
    for (std::uint32_t i = 0; i < jobs; ++i)
        workload.jobs.push_back(
            {.id = i, .at = std::uint64_t{i} * 1000, .entity = i % entities, .duration = 1000});
    return workload;
}

void print_verdict(const oracle_result& result) {
    static constexpr const char* ends[] = {"normal", "stuck", "until", "hazard"};
    fmt::print(stderr, "end: {} at {} ns; {} of {} jobs freed; {} warnings, {} messages\n",
               ends[result.end], result.end_time, result.jobs_freed, result.jobs_pushed,
               result.warnings, result.messages);
    if (result.warnings)
        fmt::print(stderr, "first warning: {}\n", result.first_warning);
    if (result.hazard != ORACLE_HAZARD_NONE)
        fmt::print(stderr, "hazard: {}: {}\n", oracle_hazard_name(result.hazard),
                   result.hazard_text);
    if (result.blocked)
        fmt::print(stderr, "{} contexts never came back\n", result.blocked);
    if (result.leaked_blocks)
        fmt::print(stderr, "leaked: {} blocks, {} bytes, the first a {}\n", result.leaked_blocks,
                   result.leaked_bytes, result.leak_first);
}

void bench(const Workload& workload) {
    using Clock = std::chrono::steady_clock;
    oracle_result result;
    oracle_run_silently(workload, result); // warms the pools
    std::uint64_t runs = 0;
    const auto start = Clock::now();
    double seconds = 0;
    while (seconds < 2) {
        oracle_run_silently(workload, result);
        ++runs;
        seconds = std::chrono::duration<double>(Clock::now() - start).count();
    }
    const auto jobs = static_cast<double>(runs * workload.jobs.size());
    fmt::print("{} runs of {} jobs: {:.0f} jobs/s, {:.0f} runs/s\n", runs, workload.jobs.size(),
               jobs / seconds, static_cast<double>(runs) / seconds);
}

int run(const Options& options) {
    Workload workload =
        options.synthetic ? synthetic(*options.synthetic)
                          : read_workload(read_file(options.workload),
                                          options.config.empty() ? "" : read_file(options.config));
    apply(options, workload);
    if (options.bench) {
        bench(workload);
        return 0;
    }
    oracle_result result;
    const std::string log = oracle_log(workload, result);
    if (options.events == "-")
        std::fwrite(log.data(), 1, log.size(), stdout);
    else if (!(std::ofstream(options.events, std::ios::binary) << log))
        throw InputError(fmt::format("cannot write {}", options.events));
    print_verdict(result);
    return result.hazard != ORACLE_HAZARD_NONE || result.leaked_blocks ? 1 : 0;
}

} // namespace

int main(int argc, char** argv) try {
    return run(parse({argv + 1, argv + argc}));
} catch (const InputError& error) {
    fmt::print(stderr, "kernel-replay: {}\n", error.what());
    return 2;
}
