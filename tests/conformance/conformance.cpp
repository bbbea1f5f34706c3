// conformance: runs random workloads through the kernel's own scheduler and through Fenceline and
// demands the same event log, line for line. A difference is shrunk and shown side by side; or it
// is what was hoped for, when a deliberate mistake has been built in (deviations.cmake).

#include "compare.hpp"
#include "fenceline_side.hpp"
#include "generator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <vector>

using namespace conformance;

namespace {

constexpr const char* usage_text =
    "usage: conformance [--count K] [--fresh M] [--base SEED] [--seed S] [--policy fifo|rr|both]\n"
    "                   [--kinds] [--via] [--hangs] [--rough]\n"
    "                   [--kernel-only | --expect-difference] [--json FILE]\n"
    "Seeds 1 to K, then M fresh ones from a base that is printed; or one seed alone.\n";

struct Options {
    std::uint64_t count = 1000, fresh = 200;
    std::optional<std::uint64_t> base, seed;
    std::vector<oracle_policy> policies{ORACLE_FIFO, ORACLE_RR};
    GeneratorOptions generator;
    bool kernel_only = false;
    bool expect_difference = false; // fails if all are identical
    std::string json;               // where the totals go, too
};

struct Totals {
    std::uint64_t workloads = 0, jobs = 0, events = 0;
    std::uint64_t hazards = 0;            // in the kernel's own code
    std::optional<std::uint64_t> differs; // the seed of the first difference
};

[[noreturn]] void usage(const std::string& text) {
    fmt::print(stderr, "conformance: {}\n{}", text, usage_text);
    std::exit(2);
}

std::uint64_t number(const std::string& text) {
    char* end = nullptr;
    const auto value = std::strtoull(text.c_str(), &end, 10);
    if (text.empty() || *end)
        usage(fmt::format("{} is not a number", text));
    return value;
}

std::vector<oracle_policy> policies(const std::string& text) {
    if (text == "both")
        return {ORACLE_FIFO, ORACLE_RR};
    if (text != "fifo" && text != "rr")
        usage(fmt::format("what is the policy {}?", text));
    return {text == "fifo" ? ORACLE_FIFO : ORACLE_RR};
}

Options parse(const std::vector<std::string>& arguments) {
    Options options;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        const auto value = [&]() -> const std::string& {
            if (++i == arguments.size())
                usage(fmt::format("{} needs a value", word));
            return arguments[i];
        };
        if (word == "--count")
            options.count = number(value());
        else if (word == "--fresh")
            options.fresh = number(value());
        else if (word == "--base")
            options.base = number(value());
        else if (word == "--seed")
            options.seed = number(value());
        else if (word == "--policy")
            options.policies = policies(value());
        else if (word == "--kinds")
            options.generator.kinds = true;
        else if (word == "--via")
            options.generator.via = true;
        else if (word == "--hangs")
            options.generator.hangs = true;
        else if (word == "--rough")
            options.generator.rough = true;
        else if (word == "--kernel-only")
            options.kernel_only = true;
        else if (word == "--expect-difference")
            options.expect_difference = true;
        else if (word == "--json")
            options.json = value();
        else
            usage(fmt::format("what is {}?", word));
    }
    return options;
}

// Both sides stop at the first fatal hazard, which both have to see; but one may see it a step
// before the other: then the shorter log has to be a beginning of the longer one.
bool agree(const oracle_result& result, const std::string& kernel, const FencelineRun& other) {
    if (result.hazard == ORACLE_HAZARD_NONE)
        return kernel == other.log && other.hazard.empty();
    if (other.hazard.empty())
        return false;
    const auto common = std::min(kernel.size(), other.log.size());
    return kernel.compare(0, common, other.log, 0, common) == 0;
}

// A workload that is not rough ends well in the kernel too, or the oracle is at fault.
bool kernel_sound(const Options& options, const oracle_result& result) {
    const bool plain = !options.generator.rough;
    const bool clean = result.end == ORACLE_END_NORMAL && !result.leaked_blocks;
    return !plain || clean;
}

// A refusal is a difference too, and shown in the place of the log.
constexpr const char* refusal = "error: ";
FencelineRun fenceline_run(const Workload& workload) try {
    return run_fenceline(workload_json(workload), config_json(workload));
} catch (const std::exception& error) {
    return {fmt::format("{}{}\n", refusal, error.what()), {}};
}

void show_difference(const Workload& found, std::uint64_t seed) {
    // A wrong log must not shrink into a refusal of something else, nor the other way round.
    const bool refused = fenceline_run(found).log.starts_with(refusal);
    const Workload smallest = shrink(found, [refused](const Workload& candidate) {
        oracle_result result;
        const std::string kernel = oracle_log(candidate, result);
        const FencelineRun fenceline = fenceline_run(candidate);
        return fenceline.log.starts_with(refusal) == refused && !agree(result, kernel, fenceline);
    });
    oracle_result result;
    std::string kernel = oracle_log(smallest, result);
    FencelineRun fenceline = fenceline_run(smallest);
    if (result.hazard != ORACLE_HAZARD_NONE)
        kernel += fmt::format("{}: {}\n", oracle_hazard_name(result.hazard), result.hazard_text);
    if (!fenceline.hazard.empty())
        fenceline.log += fenceline.hazard + '\n';
    fmt::print("seed {}: the event logs differ; {} jobs, shrunk to {}\n{}", seed, found.jobs.size(),
               smallest.jobs.size(),
               report_difference(smallest, "kernel 6.12", kernel, "fenceline", fenceline.log));
}

bool check(const Workload& workload, std::uint64_t seed, const Options& options, Totals& totals) {
    oracle_result result;
    const std::string kernel = oracle_log(workload, result);
    ++totals.workloads;
    totals.jobs += workload.jobs.size();
    for (const auto events : result.events)
        totals.events += events;
    if (!kernel_sound(options, result)) {
        fmt::print("seed {}: the kernel does not end well: {} {}; {} blocks leaked\n{}{}", seed,
                   oracle_hazard_name(result.hazard), result.hazard_text, result.leaked_blocks,
                   workload_json(workload), config_json(workload));
        return false;
    }
    totals.hazards += result.hazard != ORACLE_HAZARD_NONE ? 1 : 0;
    if (options.kernel_only)
        return true;
    const FencelineRun fenceline = fenceline_run(workload);
    if (agree(result, kernel, fenceline))
        return true;
    if (options.expect_difference && !fenceline.log.starts_with(refusal))
        totals.differs = seed; // a refusal is no decision
    else
        show_difference(workload, seed);
    return false;
}

bool check_seed(std::uint64_t seed, const Options& options, Totals& totals) {
    Workload workload = generate(seed, options.generator);
    for (const auto policy : options.policies) {
        workload.policy = policy;
        if (!check(workload, seed, options, totals))
            return false;
    }
    return true;
}

std::vector<std::uint64_t> seeds(const Options& options) {
    if (options.seed)
        return {*options.seed};
    std::vector<std::uint64_t> list;
    for (std::uint64_t i = 1; i <= options.count; ++i)
        list.push_back(i);
    const std::uint64_t base =
        options.base ? *options.base
                     : (std::uint64_t{std::random_device{}()} << 32 | std::random_device{}());
    if (options.fresh)
        fmt::print("fresh seeds from base {} (--base {} repeats them)\n", base, base);
    Random random(base);
    for (std::uint64_t i = 0; i < options.fresh; ++i)
        list.push_back(random.next());
    return list;
}

bool all_identical(const Options& options, Totals& totals) {
    for (const auto seed : seeds(options))
        if (!check_seed(seed, options, totals))
            return false;
    return true;
}

void print_totals(const Options& options, const Totals& totals, double seconds) {
    fmt::print("{}: {} workloads, {} jobs, {} events; {} hazards of the kernel's own; "
               "{:.0f} workloads/s\n",
               options.kernel_only ? "the kernel ends well" : "identical", totals.workloads,
               totals.jobs, totals.events, totals.hazards,
               static_cast<double>(totals.workloads) / seconds);
    if (options.json.empty())
        return;
    std::ofstream file(options.json);
    file << fmt::format(R"({{"workloads":{},"jobs":{},"events":{},"hazards":{}}})",
                        totals.workloads, totals.jobs, totals.events, totals.hazards)
         << '\n';
    if (!file)
        throw std::runtime_error(fmt::format("cannot write {}", options.json));
}

} // namespace

int main(int argc, char** argv) try {
    const Options options = parse({argv + 1, argv + argc});
    Totals totals;
    const auto start = std::chrono::steady_clock::now();
    const bool identical = all_identical(options, totals);
    if (options.expect_difference && totals.differs) {
        fmt::print("caught by seed {}, workload {}\n", *totals.differs, totals.workloads);
        return 0;
    }
    if (!identical)
        return 1;
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    print_totals(options, totals, seconds);
    return options.expect_difference ? 1 : 0;
} catch (const std::exception& error) {
    fmt::print(stderr, "conformance: {}\n", error.what());
    return 3;
}
