// Results as JSON: everything that a summary says and more, and what is needed to get it again.
//
// Nothing in it depends on the machine or on the moment: the same inputs give the same bytes.
// Times are in virtual nanoseconds.
#pragma once

#include "tools/prepare.hpp"
#include "workloads/read_matrix.hpp"
#include "workloads/simulation.hpp"

#include <span>
#include <string>
#include <vector>

namespace fenceline::tools {

/// How a run was asked for beyond its configuration.
struct RunFlags {
    bool keep_going = false;
    bool strict = false;
};

/// `{"format":"fenceline/result",...}`.
[[nodiscard]] workloads::Json result_json(const PreparedRun& prepared,
                                          const workloads::RunResult& result, RunFlags flags);

/// One run of a comparison.
struct ComparedRun {
    std::vector<std::string> values; ///< one for each axis
    PreparedRun prepared;
    workloads::RunResult result;
    bool done = false; ///< false: interrupted before it began
};

struct Comparison {
    std::string config_name;
    std::vector<workloads::VaryAxis> axes;
    std::vector<ComparedRun> runs; ///< the last axis changes fastest
    bool interrupted = false;
    RunFlags flags;
    std::vector<workloads::MatrixRow> matrix; ///< see tools/matrix.hpp
};

/// `{"format":"fenceline/comparison",...}`. Runs that never began are left out.
[[nodiscard]] workloads::Json comparison_json(const Comparison& comparison);

/// The document as text, indented, ending with a newline.
[[nodiscard]] std::string json_text(const workloads::Json& document);

} // namespace fenceline::tools
