// Finds live jobs by their ordinal, the position in the list of jobs.
//
// Jobs come and go in roughly the order of their numbers, so the table is a window of pages over
// the ordinals: a page exists while one of its jobs is alive or still to come. Memory follows the
// number of live jobs (and at worst one page for each that lingers), not the length of the run.
#pragma once

#include "scheduler/objects.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <memory>

namespace fenceline::workloads::inline FENCELINE_MODE {

class JobWindow {
  public:
    /// The next job of the list: it has a place from now on, and is still to be pushed. Returns its
    /// ordinal; they count up from 0.
    std::uint64_t enter() {
        const std::uint64_t ordinal = next_++;
        if (ordinal % kPage == 0) [[unlikely]]
            add_page();
        ++last_->alive;
        return ordinal;
    }
    /// It has been pushed. REQUIRES: entered, not removed.
    void set(std::uint64_t ordinal, scheduler::JobRef job) {
        page_of(ordinal).jobs[ordinal % kPage] = job;
    }
    /// The job is gone.
    void remove(std::uint64_t ordinal) {
        Page& page = page_of(ordinal);
        page.jobs[ordinal % kPage] = {};
        if (--page.alive == 0 && &page != last_) [[unlikely]] // the last page still fills
            retire(ordinal / kPage - first_page_);
    }
    /// The job with this ordinal, or null when it is gone or still to be pushed. REQUIRES: entered.
    [[nodiscard]] scheduler::JobRef find(std::uint64_t ordinal) const {
        if (ordinal / kPage < first_page_)
            return {};
        const std::unique_ptr<Page>& page = pages_[ordinal / kPage - first_page_];
        return page ? page->jobs[ordinal % kPage] : scheduler::JobRef{};
    }

  private:
    static constexpr std::uint64_t kPage = 1024;
    struct Page {
        std::array<scheduler::JobRef, kPage> jobs{};
        std::uint32_t alive = 0;
    };

    [[nodiscard]] Page& page_of(std::uint64_t ordinal) {
        if (ordinal >= last_begins_) [[likely]]
            return *last_;
        return *pages_[ordinal / kPage - first_page_];
    }
    [[gnu::noinline]] void add_page() {
        if (last_ != nullptr && last_->alive == 0)
            retire(pages_.size() - 1);
        pages_.push_back(std::make_unique<Page>());
        last_ = pages_.back().get();
        last_begins_ = next_ - 1;
    }
    [[gnu::noinline]] void retire(std::uint64_t index) {
        pages_[index].reset();
        for (; !pages_.empty() && !pages_.front(); ++first_page_)
            pages_.pop_front();
    }

    std::deque<std::unique_ptr<Page>> pages_; ///< null: all its jobs are gone
    Page* last_ = nullptr; ///< the one that fills, in which most of what happens happens
    std::uint64_t last_begins_ = 0;
    std::uint64_t first_page_ = 0;
    std::uint64_t next_ = 0;
};

} // namespace fenceline::workloads::inline FENCELINE_MODE
