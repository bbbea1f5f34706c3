// Finds live jobs by their ordinal, the position in the list of jobs.
//
// Jobs come and go in roughly the order of their numbers, so the table is a window of pages over
// the ordinals. Nobody says when a job dies: a handle to a dead job is recognised, so a page is
// looked through once its successor has filled, and goes when all of its jobs are dead. Memory
// follows the number of live jobs (and at worst one page for each that lingers), not the length of
// the run; a job costs a few stores.
#pragma once

#include "scheduler/objects.hpp"
#include "sim/heap.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <memory>

namespace fenceline::workloads::inline FENCELINE_MODE {

class JobWindow {
  public:
    explicit JobWindow(const sim::Pool<scheduler::Job>& jobs) : jobs_(jobs) {}

    /// The next job of the list has a place from now on, and is still to be pushed. Returns its
    /// ordinal; they count up from 0.
    std::uint64_t enter() {
        const std::uint64_t ordinal = next_++;
        if (ordinal % kPage == 0) [[unlikely]]
            add_page();
        return ordinal;
    }
    /// Where its handle goes once it has been made. REQUIRES: entered; if others were entered since,
    /// expected.
    [[nodiscard]] scheduler::JobRef& place_of(std::uint64_t ordinal) {
        return page_of(ordinal).jobs[ordinal % kPage];
    }
    /// It will be set, or met, later than those that are entered after it. REQUIRES: entered.
    void expect(std::uint64_t ordinal) { ++page_of(ordinal).expected; }
    /// What was expected has come about.
    void met(std::uint64_t ordinal) { --page_of(ordinal).expected; }

    /// The job with this ordinal, or null when it is gone or still to be pushed. REQUIRES: entered.
    [[nodiscard]] scheduler::JobRef find(std::uint64_t ordinal) const {
        if (ordinal / kPage < first_page_)
            return {};
        const std::unique_ptr<Page>& page = pages_[ordinal / kPage - first_page_];
        if (!page || !jobs_.alive(page->jobs[ordinal % kPage]))
            return {};
        return page->jobs[ordinal % kPage];
    }

  private:
    static constexpr std::uint64_t kPage = 1024;
    struct Page {
        std::array<scheduler::JobRef, kPage> jobs{};
        std::uint32_t expected = 0;
        std::uint32_t dead = 0; ///< so many at the front are known to be dead
    };

    [[nodiscard]] Page& page_of(std::uint64_t ordinal) {
        if (ordinal >= last_begins_) [[likely]]
            return *last_;
        return *pages_[ordinal / kPage - first_page_];
    }
    [[gnu::noinline]] void add_page() {
        retire_pages();
        left_.push_back(first_page_ + pages_.size());
        pages_.push_back(std::make_unique<Page>());
        last_ = pages_.back().get();
        last_begins_ = next_ - 1;
    }
    /// Looks at a few of the pages that are left, in turn: constant for a job, also where many
    /// linger.
    void retire_pages() {
        for (std::size_t i = std::min<std::size_t>(left_.size(), 4); i > 0; --i) {
            const std::uint64_t number = left_.front();
            left_.pop_front();
            std::unique_ptr<Page>& page = pages_[number - first_page_];
            if (all_dead(*page))
                page.reset();
            else
                left_.push_back(number);
        }
        for (; !pages_.empty() && !pages_.front(); ++first_page_)
            pages_.pop_front();
    }
    [[nodiscard]] bool all_dead(Page& page) const {
        if (page.expected != 0)
            return false;
        while (page.dead < kPage && !jobs_.alive(page.jobs[page.dead]))
            ++page.dead;
        return page.dead == kPage;
    }

    const sim::Pool<scheduler::Job>& jobs_;
    std::deque<std::unique_ptr<Page>> pages_; ///< null: all its jobs are gone
    std::deque<std::uint64_t> left_;          ///< numbers of the others
    Page* last_ = nullptr; ///< the one that fills, in which most of what happens happens
    std::uint64_t last_begins_ = 0;
    std::uint64_t first_page_ = 0;
    std::uint64_t next_ = 0;
};

} // namespace fenceline::workloads::inline FENCELINE_MODE
