#include "workloads/id_index.hpp"

#include <iterator>

namespace fenceline::workloads {

bool IdIndex::add(std::uint64_t id) {
    // The usual case: the next id of the newest interval, whose ordinals end at the newest one.
    if (newest_ != intervals_.end() && id == newest_->first + newest_->second.count &&
        id < next_limit_) {
        ++newest_->second.count;
        ++size_;
        return true;
    }
    const auto after = intervals_.upper_bound(id);
    if (after != intervals_.begin()) {
        const auto before = std::prev(after);
        if (id - before->first < before->second.count) {
            return false;
        }
    }
    next_limit_ = after == intervals_.end() ? ~std::uint64_t{0} : after->first;
    newest_ = intervals_.emplace_hint(after, id, Interval{1, size_});
    ++size_;
    return true;
}

std::optional<std::uint64_t> IdIndex::find(std::uint64_t id) const {
    // Dependencies mostly point a few jobs back, into the newest interval.
    if (newest_ != intervals_.end() && id - newest_->first < newest_->second.count) {
        return newest_->second.ordinal + (id - newest_->first);
    }
    const auto after = intervals_.upper_bound(id);
    if (after == intervals_.begin()) {
        return std::nullopt;
    }
    const auto& [first, interval] = *std::prev(after);
    if (id - first >= interval.count) {
        return std::nullopt;
    }
    return interval.ordinal + (id - first);
}

void IdIndex::clear() {
    intervals_.clear();
    newest_ = intervals_.end();
    next_limit_ = 0;
    size_ = 0;
}

} // namespace fenceline::workloads
