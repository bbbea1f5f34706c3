// Batches of jobs from JSON Lines, one after the other: a block of lines is read, its tokens are
// found all at once, each line becomes a job.
//
// read() does not throw: what is wrong stands in the batch, behind the jobs before it, so that
// whoever takes the jobs meets it where it stands, however far ahead it was read.
#pragma once

#include "workloads/job_batch.hpp"
#include "workloads/job_checker.hpp"
#include "workloads/job_line_scanner.hpp"
#include "workloads/line_reader.hpp"
#include "workloads/name_table.hpp"

#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fenceline::workloads {

class JobBatchReader {
  public:
    /// `workload` and `entities` (with the indices of workload.entities) outlive the reader; `lines`
    /// stands after the first line.
    JobBatchReader(const Workload& workload, const NameTable& entities,
                   std::unique_ptr<LineReader> lines);

    /// Fills the batch with the next jobs, at least one unless it is the last or has a fault.
    void read(JobBatch& batch) noexcept;
    /// Starts again from the first job. REQUIRES: the file is rewindable.
    void rewind();

    [[nodiscard]] InputFile& file() { return lines_->file(); }
    [[nodiscard]] const InputFile& file() const { return lines_->file(); }
    /// The ids of all jobs read so far.
    [[nodiscard]] const IdIndex& ids() const { return checker_.ids(); }

  private:
    void read_block(std::string_view block, JobBatch& batch);
    bool read_line(std::string_view line, JobBatch& batch, JobRecord& job);
    void note_awaited(std::uint64_t id);
    void check_actions_before(sim::Time time);

    const Workload& workload_;
    std::unique_ptr<LineReader> lines_;
    JobLineScanner scanner_;
    JobChecker checker_;
    /// Actions about a job, by time: those before `checked_` have been found sound.
    std::vector<std::pair<sim::Time, std::size_t>> job_actions_;
    std::size_t checked_ = 0;
    /// The jobs that actions are about, by id, with their ordinals once they have come.
    std::unordered_map<std::uint64_t, std::optional<std::uint64_t>> awaited_;
};

} // namespace fenceline::workloads
