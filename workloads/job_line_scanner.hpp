// The fast way from a line of JSON to the fields of a job.
//
// It recognises lines as programs write them and says no to everything else: to what is wrong, and
// also to what is merely unusual (escapes, fractions). The caller then takes the slow way, which
// decides and explains. So nothing here reports faults, and nothing here may accept a line that the
// slow way would refuse.
#pragma once

#include "workloads/job_checker.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace fenceline::workloads {

class JobLineScanner {
  public:
    JobLineScanner();
    JobLineScanner(const JobLineScanner&) = delete;
    JobLineScanner& operator=(const JobLineScanner&) = delete;
    ~JobLineScanner();

    /// Fills `out` and `after`. The line must be followed by LineReader::kPadding readable bytes;
    /// `out.entity` points into it.
    [[nodiscard]] bool scan(std::string_view line, RawJob& out, std::vector<std::uint64_t>& after);

  private:
    struct Parser; // keeps simdjson out of this header
    std::unique_ptr<Parser> parser_;
};

} // namespace fenceline::workloads
