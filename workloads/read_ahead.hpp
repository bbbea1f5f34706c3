// A thread that reads jobs while the simulation consumes those before.
//
// The two exchange whole batches, so that nothing is locked per job; the thread is at most kAhead
// batches ahead, then it waits. Nothing depends on how far it is: a fault travels behind the jobs
// that stand before it.
//
// The reader belongs to the thread from construction to destruction. Destruction stops the thread
// at once, also where it waits for input that does not come, and joins it.
#pragma once

#include "workloads/job_batch_reader.hpp"

#include <array>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace fenceline::workloads {

class ReadAhead {
  public:
    static constexpr std::size_t kAhead = 3;

    explicit ReadAhead(JobBatchReader& reader);
    ReadAhead(const ReadAhead&) = delete;
    ReadAhead& operator=(const ReadAhead&) = delete;
    ~ReadAhead();

    /// Exchanges the batch for the next one. Not after the last.
    void next(JobBatch& batch);
    /// IdIndex::find() on the ids of all jobs read so far.
    [[nodiscard]] std::optional<std::uint64_t> find_id(std::uint64_t id) const;

  private:
    void work();

    JobBatchReader& reader_;
    mutable std::mutex reading_; ///< held while the reader is at work; taken before mutex_
    std::mutex mutex_;           ///< over all that follows, but not over batches outside the queue
    std::condition_variable changed_;
    std::array<JobBatch, kAhead> batches_; ///< a ring; `filled_` of them, from `first_`, are ready
    std::size_t first_ = 0;
    std::size_t filled_ = 0;
    bool stop_ = false;
    std::thread thread_;
};

/// How many processors this process may use.
[[nodiscard]] unsigned available_processors();

} // namespace fenceline::workloads
