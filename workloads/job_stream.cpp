#include "workloads/job_stream.hpp"

namespace fenceline::workloads {

StreamJobSource::StreamJobSource(std::shared_ptr<const StreamedWorkload> shared,
                                 std::unique_ptr<LineReader> lines)
    : shared_(std::move(shared)), reader_(shared_->workload, shared_->entities, std::move(lines)) {}

/// Takes the next batch; false when there is none.
bool StreamJobSource::next_batch() {
    if (batch_.fault != nullptr) {
        std::rethrow_exception(batch_.fault);
    }
    if (batch_.last) {
        return false;
    }
    jobs_before_ += batch_.jobs.size();
    position_ = 0;
    if (started_ && read_ahead_ && !ahead_ && reader_.file().can_stop()) {
        ahead_.emplace(reader_);
    }
    if (ahead_) {
        ahead_->next(batch_);
    } else {
        reader_.read(batch_);
    }
    started_ = true;
    return true;
}

std::optional<std::uint64_t> StreamJobSource::ordinal_of(std::uint64_t id) const {
    const auto ordinal = ahead_ ? ahead_->find_id(id) : reader_.ids().find(id);
    // The reader knows of more than have been returned.
    return ordinal && *ordinal < jobs_before_ + position_ ? ordinal : std::nullopt;
}

std::string StreamJobSource::where() const {
    const std::uint64_t line = !started_        ? 1
                               : position_ == 0 ? batch_.first_line - 1
                                                : batch_.first_line + batch_.lines[position_ - 1];
    return reader_.file().name() + ":" + std::to_string(line);
}

void StreamJobSource::rewind() {
    if (!started_) {
        return; // still at the first job
    }
    if (!reader_.file().rewindable()) {
        throw InputError(reader_.file().name() + ": can be read only once; "
                                                 "a run that repeats needs the jobs in a file");
    }
    ahead_.reset();
    reader_.rewind();
    batch_.clear();
    position_ = 0;
    jobs_before_ = 0;
    started_ = false;
}

} // namespace fenceline::workloads
