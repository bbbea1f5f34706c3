// The fast way from a line of JSON to the fields of a job.
//
// It recognises lines as programs write them and says no to everything else: to what is wrong, and
// also to what is merely unusual (escapes, fractions). The caller then takes the slow way, which
// decides and explains. So nothing here reports faults, and nothing here may accept a line that the
// slow way would refuse.
//
// Most lines are in the form of usual_job_line.hpp. From the first that is not, simdjson finds the
// tokens of all lines of the block at once (that is what makes it fast) and then sees a stream of
// documents, whose ends need not be ends of lines. scan() compares the two; where they disagree, or
// where the block as a whole is no sound JSON, it says no to the rest of the block.
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

    /// Begins a block of whole lines, followed by LineReader::kPadding readable bytes. It must stay
    /// where it is until its last line has been scanned.
    void open(std::string_view block);
    /// Fills `out` from the next line of the block, given without its end (lines are scanned in
    /// order, each once), and appends to `after`. `out.entity` points into the line.
    [[nodiscard]] bool scan(std::string_view line, RawJob& out, std::vector<std::uint64_t>& after);

  private:
    struct Parser; // keeps simdjson out of this header
    std::unique_ptr<Parser> parser_;
};

} // namespace fenceline::workloads
