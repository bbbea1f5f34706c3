#include "workloads/job_stream.hpp"

#include "workloads/duration.hpp"
#include "workloads/job_line_scanner.hpp"

#include <algorithm>

namespace fenceline::workloads {

StreamJobSource::StreamJobSource(std::shared_ptr<const StreamedWorkload> shared,
                                 std::unique_ptr<LineReader> lines)
    : shared_(std::move(shared)), lines_(std::move(lines)),
      scanner_(std::make_unique<JobLineScanner>()), checker_(shared_->entities) {
    const std::vector<Action>& actions = shared_->workload.actions;
    for (std::size_t i = 0; i < actions.size(); ++i) {
        if (actions[i].job) {
            job_actions_.emplace_back(actions[i].at, i);
        }
    }
    std::sort(job_actions_.begin(), job_actions_.end());
}

StreamJobSource::~StreamJobSource() = default;

bool StreamJobSource::next(JobRecord& out) {
    std::string_view line;
    while (lines_->next(line)) {
        RawJob raw;
        if (!scanner_->scan(line, raw, checker_.after_ids()) || !checker_.accept(raw, out)) {
            if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
                continue; // an empty line says nothing
            }
            read_slowly(line, out);
        }
        check_actions_before(out.at);
        return true;
    }
    check_actions_before(sim::kForever);
    return false;
}

void StreamJobSource::read_slowly(std::string_view line, JobRecord& out) {
    const Source source{lines_->file().name(), lines_->line_number()};
    const Json document = parse_json(line, source);
    checker_.read(Cursor(document, source), out);
}

/// Jobs come in order of time: once one has come that is pushed at `time`, all that are pushed
/// before it are known. (The action's own job may be the one that has just come.)
void StreamJobSource::check_actions_before(sim::Time time) {
    for (; checked_ < job_actions_.size() && job_actions_[checked_].first < time; ++checked_) {
        const auto& [at, index] = job_actions_[checked_];
        const Action& action = shared_->workload.actions[index];
        const auto ordinal = checker_.ids().find(*action.job);
        // Of those known, only the one that has just come can be too late.
        if (!ordinal || (time != sim::kForever && *ordinal + 1 == checker_.ids().size())) {
            throw InputError(lines_->file().name() + ":1: /actions/" + std::to_string(index) +
                             "/job: found " + std::to_string(*action.job) +
                             ", expected the id of a job pushed at or before " +
                             format_duration(at));
        }
    }
}

std::string StreamJobSource::where() const {
    return lines_->file().name() + ":" + std::to_string(lines_->line_number());
}

void StreamJobSource::rewind() {
    if (lines_->line_number() <= 1) {
        return; // still at the first job
    }
    if (!lines_->file().rewindable()) {
        throw InputError(lines_->file().name() + ": can be read only once; "
                                                 "a run that repeats needs the jobs in a file");
    }
    std::string_view head;
    lines_->rewind();
    (void)lines_->next(head);
    checker_.clear();
    checked_ = 0;
}

} // namespace fenceline::workloads
