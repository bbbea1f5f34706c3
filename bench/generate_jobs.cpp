// The generated jobs as a file: generate_jobs JOBS ENTITIES [after] > jobs.jsonl
#include "bench/json_lines.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

using namespace fenceline;

int main(int argc, char** argv) {
    if (argc < 3) {
        fmt::print(stderr, "usage: generate_jobs JOBS ENTITIES [after]\n");
        return 2;
    }
    const auto entities = static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10));
    const bool after = argc > 3 && std::string_view(argv[3]) == "after";
    bench::GeneratedJobs source(std::strtoull(argv[1], nullptr, 10), entities, {.after = after});
    bench::write_json_lines(source, entities, [&](std::string_view lines) {
        std::fwrite(lines.data(), 1, lines.size(), stdout);
    });
    return std::fflush(stdout) == 0 && std::ferror(stdout) == 0 ? 0 : 3;
}
