#include "workloads/job_batch_reader.hpp"

#include "workloads/duration.hpp"

#include <algorithm>

namespace fenceline::workloads {

JobBatchReader::JobBatchReader(const Workload& workload, const NameTable& entities,
                               std::unique_ptr<LineReader> lines)
    : workload_(workload), lines_(std::move(lines)),
      checker_(entities, JobChecker::kStreamHorizon) {
    for (std::size_t i = 0; i < workload.actions.size(); ++i) {
        const Action& action = workload.actions[i];
        if (action.job) {
            job_actions_.emplace_back(action.at, i);
            awaited_.emplace(*action.job, std::nullopt);
        }
    }
    std::sort(job_actions_.begin(), job_actions_.end());
}

void JobBatchReader::read(JobBatch& batch) noexcept {
    batch.clear();
    batch.first_line = lines_->line_number() + 1;
    try {
        while (batch.jobs.empty() && !batch.last) { // a block may be of empty lines
            const std::string_view block = lines_->ahead();
            batch.last = block.empty();
            read_block(block, batch);
        }
        if (batch.last) {
            check_actions_before(sim::kForever);
        }
    } catch (...) {
        batch.fault = std::current_exception();
        batch.last = true;
    }
    batch.settle();
}

void JobBatchReader::read_block(std::string_view block, JobBatch& batch) {
    scanner_.open(block);
    JobRecord job;
    std::string_view line;
    for (std::size_t done = 0; done < block.size(); done += line.size() + 1) {
        (void)lines_->next(line);
        if (!read_line(line, batch, job)) {
            continue;
        }
        if (checked_ != job_actions_.size()) {
            check_actions_before(job.at);
        }
        batch.jobs.push_back(job);
        batch.lines.push_back(static_cast<std::uint32_t>(lines_->line_number() - batch.first_line));
    }
}

/// The job in the line; false where it is empty.
bool JobBatchReader::read_line(std::string_view line, JobBatch& batch, JobRecord& job) {
    RawJob raw;
    const std::size_t before = batch.after.size();
    if (!scanner_.scan(line, raw, batch.after) ||
        !checker_.accept(raw, std::span(batch.after).subspan(before), job)) [[unlikely]] {
        batch.after.resize(before);
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
            return false; // an empty line says nothing
        }
        // The slow way, which says what is wrong.
        const Source source{file().name(), lines_->line_number()};
        const Json document = parse_json(line, source);
        checker_.read(Cursor(document, source), job);
        batch.after.insert(batch.after.end(), job.after.begin(), job.after.end());
    }
    if (!awaited_.empty()) {
        note_awaited(job.id);
    }
    return true;
}

void JobBatchReader::note_awaited(std::uint64_t id) {
    if (const auto found = awaited_.find(id); found != awaited_.end()) {
        found->second = checker_.ids().size() - 1;
    }
}

/// Jobs come in order of time: once one has come that is pushed at `time`, all that are pushed
/// before it are known. (The action's own job may be the one that has just come.)
void JobBatchReader::check_actions_before(sim::Time time) {
    for (; checked_ < job_actions_.size() && job_actions_[checked_].first < time; ++checked_) {
        const auto& [at, index] = job_actions_[checked_];
        const Action& action = workload_.actions[index];
        const std::optional<std::uint64_t> ordinal = awaited_.at(*action.job);
        // Of those known, only the one that has just come can be too late.
        if (!ordinal || (time != sim::kForever && *ordinal + 1 == checker_.ids().size())) {
            throw InputError(file().name() + ":1: /actions/" + std::to_string(index) +
                             "/job: found " + std::to_string(*action.job) +
                             ", expected the id of a job pushed at or before " +
                             format_duration(at));
        }
    }
}

void JobBatchReader::rewind() {
    std::string_view head;
    lines_->rewind();
    (void)lines_->next(head);
    checker_.clear();
    checked_ = 0;
    for (auto& [id, ordinal] : awaited_) {
        ordinal.reset();
    }
}

} // namespace fenceline::workloads
