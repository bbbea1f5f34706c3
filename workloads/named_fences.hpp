// The fences of pushed jobs that later jobs of the document are still to name in `after`.
//
// User space keeps such a fence until the last of them has been submitted; here that is one
// reference, counted down. A table of pages over the ordinals, like JobWindow's: a page exists
// while one of its fences is held. Jobs that nobody names never get here.
//
// Ownership: holds the references (FenceCore::hold_for_input) until they are used up or dropped.
#pragma once

#include "fences/fence_core.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <memory>

namespace fenceline::workloads::inline FENCELINE_MODE {

class NamedFences {
  public:
    explicit NamedFences(fences::FenceCore& core) : core_(core) {}
    NamedFences(const NamedFences&) = delete;
    NamedFences& operator=(const NamedFences&) = delete;

    /// The job has been armed, and will be named so often. REQUIRES: uses > 0.
    void hold(std::uint64_t ordinal, fences::FenceRef fence, std::uint32_t uses) {
        const std::uint64_t number = ordinal / kPage;
        if (pages_.empty())
            first_page_ = number;
        for (; first_page_ > number; --first_page_) // pushes may overtake each other
            pages_.emplace_front();
        while (number >= first_page_ + pages_.size())
            pages_.emplace_back();
        std::unique_ptr<Page>& page = pages_[number - first_page_];
        if (!page)
            page = std::make_unique<Page>();
        ++page->held;
        page->entries[ordinal % kPage] = {core_.hold_for_input(fence), uses};
    }
    /// The fence, or null when none is held.
    [[nodiscard]] fences::FenceRef find(std::uint64_t ordinal) const {
        const std::uint64_t index = ordinal / kPage - first_page_;
        if (index >= pages_.size() || !pages_[index])
            return {};
        return pages_[index]->entries[ordinal % kPage].fence;
    }
    /// A job that names it has been submitted; the last one's naming drops the reference.
    void named(std::uint64_t ordinal) {
        const std::uint64_t index = ordinal / kPage - first_page_;
        if (index >= pages_.size() || !pages_[index])
            return;
        Entry& entry = pages_[index]->entries[ordinal % kPage];
        if (entry.fence && --entry.uses == 0)
            drop(index, entry);
    }
    /// Visits every fence that is held, in the order of the ordinals. For reports.
    template <class Visit>
    void for_each(Visit visit) const {
        for (const auto& page : pages_)
            if (page)
                for (const Entry& entry : page->entries)
                    if (entry.fence)
                        visit(entry.fence);
    }
    void drop_all() {
        while (!pages_.empty()) {
            if (pages_.front())
                for (Entry& entry : pages_.front()->entries)
                    if (entry.fence)
                        core_.drop_for_input(std::exchange(entry.fence, {}));
            pages_.pop_front();
            ++first_page_;
        }
    }

  private:
    static constexpr std::uint64_t kPage = 256;
    struct Entry {
        fences::FenceRef fence;
        std::uint32_t uses = 0;
    };
    struct Page {
        std::array<Entry, kPage> entries{};
        std::uint32_t held = 0;
    };

    void drop(std::uint64_t index, Entry& entry) {
        const fences::FenceRef fence = std::exchange(entry.fence, {});
        if (--pages_[index]->held == 0) {
            pages_[index].reset();
            for (; !pages_.empty() && !pages_.front(); ++first_page_)
                pages_.pop_front();
        }
        core_.drop_for_input(fence);
    }

    fences::FenceCore& core_;
    std::deque<std::unique_ptr<Page>> pages_; ///< null: nothing held there
    std::uint64_t first_page_ = 0;
};

} // namespace fenceline::workloads::inline FENCELINE_MODE
