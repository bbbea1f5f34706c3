#include "workloads/read_ahead.hpp"

#include <algorithm>
#include <sched.h>
#include <utility>

namespace fenceline::workloads {

ReadAhead::ReadAhead(JobBatchReader& reader) : reader_(reader), thread_([this] { work(); }) {}

ReadAhead::~ReadAhead() {
    {
        const std::lock_guard guard(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
    reader_.file().stop();
    thread_.join();
}

void ReadAhead::work() {
    for (bool last = false; !last;) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return stop_ || filled_ < kAhead; });
        if (stop_) {
            return;
        }
        JobBatch& batch = batches_[(first_ + filled_) % kAhead];
        lock.unlock();
        {
            const std::lock_guard guard(reading_);
            reader_.read(batch);
        }
        last = batch.last;
        lock.lock();
        ++filled_;
        lock.unlock();
        changed_.notify_all();
    }
}

void ReadAhead::next(JobBatch& batch) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return filled_ != 0; });
    std::swap(batch, batches_[first_]);
    first_ = (first_ + 1) % kAhead;
    --filled_;
    lock.unlock();
    changed_.notify_all();
}

std::optional<std::uint64_t> ReadAhead::find_id(std::uint64_t id) const {
    const std::lock_guard guard(reading_);
    return reader_.ids().find(id);
}

unsigned available_processors() {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) { // more of them than the set can say
        return std::max(1U, std::thread::hardware_concurrency());
    }
    return static_cast<unsigned>(CPU_COUNT(&set));
}

} // namespace fenceline::workloads
