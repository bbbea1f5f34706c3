// Listed jobs from JSON Lines, read and checked as they are needed.
//
// Memory is constant whatever the number of jobs, as long as their ids follow each other (see
// id_index.hpp). A fault in a line is thrown when the line is reached; an action about a job that
// has not come by the action's time is thrown when that time has passed.
#pragma once

#include "workloads/job_checker.hpp"
#include "workloads/line_reader.hpp"
#include "workloads/name_table.hpp"
#include "workloads/workload.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fenceline::workloads {

/// What all sources over one streamed workload share.
struct StreamedWorkload {
    Workload workload;
    NameTable entities; ///< by id, the same indices as workload.entities
    /// The first line, taken by the first source, where the file cannot be opened anew.
    std::unique_ptr<LineReader> once;
};

class JobLineScanner;

class StreamJobSource final : public JobSource {
  public:
    /// `lines` stands after the first line.
    StreamJobSource(std::shared_ptr<const StreamedWorkload> shared,
                    std::unique_ptr<LineReader> lines);
    ~StreamJobSource() override;

    bool next(JobRecord& out) override;
    [[nodiscard]] std::optional<std::uint64_t> count_hint() const override { return std::nullopt; }
    [[nodiscard]] std::optional<std::uint64_t> ordinal_of(std::uint64_t id) const override {
        return checker_.ids().find(id);
    }
    [[nodiscard]] std::string where() const override;
    void rewind() override;

  private:
    void read_slowly(std::string_view line, JobRecord& out);
    void check_actions_before(sim::Time time);

    std::shared_ptr<const StreamedWorkload> shared_;
    std::unique_ptr<LineReader> lines_;
    std::unique_ptr<JobLineScanner> scanner_;
    JobChecker checker_;
    /// Actions about a job, by time: those before `checked_` have been found sound.
    std::vector<std::pair<sim::Time, std::size_t>> job_actions_;
    std::size_t checked_ = 0;
};

} // namespace fenceline::workloads
