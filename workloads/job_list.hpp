// Listed jobs in memory: the compact list, and a source over it.
//
// A JobList is filled once and then only read; any number of sources, in any threads, may share it.
#pragma once

#include "workloads/workload.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fenceline::workloads {

class JobList {
  public:
    /// Adds a copy of the record, `after` included; counts how often jobs are named.
    void push(const JobRecord& record) {
        entries_.push_back({record, after_.size(), record.after.size()});
        entries_.back().record.after = {};
        for (const std::uint64_t earlier : record.after)
            ++entries_[earlier].record.uses;
        after_.insert(after_.end(), record.after.begin(), record.after.end());
    }
    [[nodiscard]] std::uint64_t size() const { return entries_.size(); }
    /// The record, its `after` valid as long as the list.
    [[nodiscard]] JobRecord at(std::uint64_t ordinal) const {
        const Entry& entry = entries_[ordinal];
        JobRecord record = entry.record;
        record.after = {after_.data() + entry.after_begin, entry.after_count};
        return record;
    }
    /// Makes ordinal_of() work: call it once, when the list is complete.
    void index_ids() {
        by_id_.clear();
        for (std::uint64_t i = 0; i < entries_.size(); ++i) {
            by_id_.emplace_back(entries_[i].record.id, i);
        }
        std::sort(by_id_.begin(), by_id_.end());
    }
    [[nodiscard]] std::optional<std::uint64_t> ordinal_of(std::uint64_t id) const {
        const auto it =
            std::lower_bound(by_id_.begin(), by_id_.end(), std::pair{id, std::uint64_t{0}});
        return it != by_id_.end() && it->first == id ? std::optional(it->second) : std::nullopt;
    }

  private:
    struct Entry {
        JobRecord record; ///< without `after`, which would not survive growth
        std::uint64_t after_begin;
        std::uint64_t after_count;
    };
    std::vector<Entry> entries_;
    std::vector<std::uint64_t> after_; ///< of all jobs, one after the other
    std::vector<std::pair<std::uint64_t, std::uint64_t>> by_id_;
};

class MemoryJobSource final : public JobSource {
  public:
    MemoryJobSource(std::shared_ptr<const JobList> jobs, std::string file)
        : jobs_(std::move(jobs)), file_(std::move(file)) {}

    bool next(JobRecord& out) override {
        if (next_ == jobs_->size()) {
            return false;
        }
        out = jobs_->at(next_++);
        return true;
    }
    [[nodiscard]] std::optional<std::uint64_t> count_hint() const override { return jobs_->size(); }
    [[nodiscard]] std::optional<std::uint64_t> ordinal_of(std::uint64_t id) const override {
        const auto ordinal = jobs_->ordinal_of(id);
        return ordinal && *ordinal < next_ ? ordinal : std::nullopt;
    }
    [[nodiscard]] std::string where() const override {
        return file_ + ": /jobs/" + std::to_string(next_ == 0 ? 0 : next_ - 1);
    }
    void rewind() override { next_ = 0; }

  private:
    std::shared_ptr<const JobList> jobs_;
    std::string file_;
    std::uint64_t next_ = 0;
};

} // namespace fenceline::workloads
