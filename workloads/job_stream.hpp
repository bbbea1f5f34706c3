// Listed jobs from JSON Lines, read and checked as they are needed.
//
// Memory is constant whatever the number of jobs (see id_index.hpp for what that means for ids in
// no order). A fault in a line is thrown when the line is reached; an action about a job that has
// not come by the action's time is thrown when that time has passed.
//
// Jobs are read in batches, a block of lines each. After read_ahead() a thread reads them, once the
// first batch has turned out not to be all: a short stream is not worth a thread. Whoever takes the
// jobs cannot tell the difference.
#pragma once

#include "workloads/job_batch_reader.hpp"
#include "workloads/name_table.hpp"
#include "workloads/read_ahead.hpp"
#include "workloads/workload.hpp"

#include <memory>
#include <optional>
#include <string>

namespace fenceline::workloads {

/// What all sources over one streamed workload share.
struct StreamedWorkload {
    Workload workload;
    NameTable entities; ///< by id, the same indices as workload.entities
    /// The first line, taken by the first source, where the file cannot be opened anew.
    std::unique_ptr<LineReader> once;
};

class StreamJobSource final : public JobSource {
  public:
    /// `lines` stands after the first line.
    StreamJobSource(std::shared_ptr<const StreamedWorkload> shared,
                    std::unique_ptr<LineReader> lines);

    bool next(JobRecord& out) override {
        while (position_ == batch_.jobs.size()) {
            if (!next_batch()) {
                return false;
            }
        }
        out = batch_.jobs[position_++];
        return true;
    }
    [[nodiscard]] std::optional<std::uint64_t> count_hint() const override { return std::nullopt; }
    [[nodiscard]] std::optional<std::uint64_t> ordinal_of(std::uint64_t id) const override;
    [[nodiscard]] std::string where() const override;
    void rewind() override;
    void read_ahead(unsigned processors) override { read_ahead_ = processors > 1; }

    /// Whether a thread is at work.
    [[nodiscard]] bool reads_ahead() const { return ahead_.has_value(); }

  private:
    bool next_batch();

    std::shared_ptr<const StreamedWorkload> shared_;
    JobBatchReader reader_;
    JobBatch batch_;                 ///< the one at hand
    std::size_t position_ = 0;       ///< of its jobs have been returned
    std::uint64_t jobs_before_ = 0;  ///< jobs of the batches before it
    bool started_ = false;           ///< the first batch has been read
    bool read_ahead_ = false;        ///< a thread is welcome
    std::optional<ReadAhead> ahead_; ///< has the reader, while it is there
};

} // namespace fenceline::workloads
