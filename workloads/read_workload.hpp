// Reads workloads: a JSON document, or JSON Lines, which are streamed.
//
// load_workload() checks the whole document; the jobs of JSON Lines are checked as they come, by
// next() of their source. Everything that is wrong with the input is thrown as InputError, the
// first fault in document order. Whether this version can run what the workload asks for is another
// question: see support.hpp.
//
// A path of `-` is standard input. There, and on pipes, the form is recognised by the first line; a
// file is JSON Lines when its name ends in `.jsonl` or `.jsonl.zst`. JSON Lines from standard input
// or a pipe can be read only once.
#pragma once

#include "workloads/json.hpp"
#include "workloads/workload.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace fenceline::workloads {

struct Source;

/// A workload and the way to its jobs. Copyable; copies share the workload.
struct LoadedWorkload {
    std::shared_ptr<const Workload> workload;
    /// Makes a source of the listed jobs, at the first of them. Sources are independent of each
    /// other (each may be read by a thread of its own) and keep what they need alive.
    std::function<std::unique_ptr<JobSource>()> open_jobs;
};

/// Whether a file of that name is JSON Lines.
[[nodiscard]] bool is_named_as_lines(std::string_view path);

[[nodiscard]] LoadedWorkload load_workload(const std::string& path);

/// The same from text in memory, as a JSON document (not JSON Lines); `source_name` stands for the
/// file in messages.
[[nodiscard]] LoadedWorkload parse_workload(std::string_view text, const std::string& source_name);

/// The same from a document that stands somewhere else, such as inside another one.
[[nodiscard]] LoadedWorkload interpret_workload(const Json& document, const Source& source);

} // namespace fenceline::workloads
