// Generated jobs as JSON Lines, as a program would write them.
#pragma once

#include "bench/generated_jobs.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <string_view>

namespace fenceline::bench {

/// `write(text)` gets the document a piece at a time.
template <class Write>
void write_json_lines(workloads::JobSource& source, std::uint32_t entities, Write write) {
    std::string head = workload_text(entities);
    head.resize(head.size() - std::string_view(R"(,"jobs":[]})").size());
    fmt::memory_buffer text;
    fmt::format_to(std::back_inserter(text), "{}}}\n", head);
    const auto flush = [&] {
        write(std::string_view(text.data(), text.size()));
        text.clear();
    };
    for (workloads::JobRecord job; source.next(job);) {
        fmt::format_to(std::back_inserter(text),
                       R"({{"id":{},"at":{},"entity":"c{}/gfx","duration":{})", job.id, job.at,
                       job.entity, job.duration);
        if (!job.after.empty())
            fmt::format_to(std::back_inserter(text), R"(,"after":[{}])", job.after[0]);
        fmt::format_to(std::back_inserter(text), "}}\n");
        if (text.size() > 1 << 16)
            flush();
    }
    flush();
}

} // namespace fenceline::bench
