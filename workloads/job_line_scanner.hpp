// The fast way from a line of JSON to the fields of a job.
//
// It recognises lines as programs write them and says no to everything else: to what is wrong, and
// also to what is merely unusual (an escape in a string, say). The caller then takes the slow way,
// which decides and explains. So nothing here reports faults, and nothing here may accept a line
// that the slow way would refuse. One pass over the bytes, no allocation: a general parser, even a
// vectorised one, takes about twice as long on lines as short as these.
#pragma once

#include "workloads/job_checker.hpp"

#include <string_view>
#include <vector>

namespace fenceline::workloads {

/// Fills `out` and the ids of `after`. `out.entity` points into the line. Strings are not checked
/// to be UTF-8: the caller compares them with names that are.
[[nodiscard]] bool scan_job_line(std::string_view line, RawJob& out,
                                 std::vector<std::uint64_t>& after);

} // namespace fenceline::workloads
