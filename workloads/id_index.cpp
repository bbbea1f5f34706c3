#include "workloads/id_index.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace fenceline::workloads {

bool IdIndex::add_other(std::uint64_t id) {
    const bool rises = size_ == 0 || id > greatest_; // so that it cannot be known
    if (!rises && find(id)) {
        return false;
    }
    if (newest_.count == 0 || id != newest_.first + newest_.count) {
        end_newest();
        newest_ = {id, 0, size_};
    }
    ++newest_.count;
    ++size_;
    greatest_ = rises ? id : greatest_;
    return true;
}

void IdIndex::end_newest() {
    if (newest_.count == 0) {
        return;
    }
    Generation& young = generations_[0];
    if (newest_.count == 1) {
        young.single.add(newest_.first, newest_.ordinal);
    } else {
        young.longer.emplace_hint(young.longer.end(), newest_.first, newest_);
    }
    if (young.size() >= horizon_) {
        std::swap(generations_[0], generations_[1]);
        forgotten_ = forgotten_ || young.size() != 0;
        young.clear();
    }
}

std::optional<std::uint64_t> IdIndex::find_ended(std::uint64_t id) const {
    for (const Generation& generation : generations_) {
        if (const auto found = generation.find(id)) {
            return found;
        }
    }
    return std::nullopt;
}

std::size_t IdIndex::runs() const {
    return generations_[0].size() + generations_[1].size() + (newest_.count != 0 ? 1 : 0);
}

void IdIndex::clear() {
    newest_ = {};
    for (Generation& generation : generations_) {
        generation.clear();
    }
    greatest_ = 0;
    size_ = 0;
    forgotten_ = false;
}

std::optional<std::uint64_t> IdIndex::Generation::find(std::uint64_t id) const {
    if (const auto found = single.find(id)) {
        return found;
    }
    const auto after = longer.upper_bound(id);
    if (after == longer.begin()) {
        return std::nullopt;
    }
    const Run& run = std::prev(after)->second;
    return id - run.first < run.count ? std::optional(run.ordinal + (id - run.first))
                                      : std::nullopt;
}

void IdIndex::Generation::clear() {
    single.clear();
    longer.clear();
}

// --- Table -----------------------------------------------------------------------------------

std::size_t IdIndex::Table::slot_of(std::uint64_t id) const {
    return static_cast<std::size_t>((id * 0x9E3779B97F4A7C15U) >> shift_);
}

void IdIndex::Table::add(std::uint64_t id, std::uint64_t ordinal) {
    if (2 * (size_ + 1) > slots_.size()) {
        grow();
    }
    std::size_t at = slot_of(id);
    while (slots_[at].id != kFree) {
        at = (at + 1) & (slots_.size() - 1);
    }
    slots_[at] = {id, ordinal};
    ++size_;
}

std::optional<std::uint64_t> IdIndex::Table::find(std::uint64_t id) const {
    if (size_ == 0) {
        return std::nullopt;
    }
    for (std::size_t at = slot_of(id);; at = (at + 1) & (slots_.size() - 1)) {
        if (slots_[at].id == id) {
            return slots_[at].ordinal;
        }
        if (slots_[at].id == kFree) {
            return std::nullopt;
        }
    }
}

void IdIndex::Table::grow() {
    constexpr unsigned kFirstBits = 6;
    const unsigned bits = slots_.empty() ? kFirstBits : 64 - shift_ + 1;
    std::vector<Slot> old(std::size_t{1} << bits);
    old.swap(slots_);
    shift_ = 64 - bits;
    size_ = 0;
    for (const Slot& slot : old) {
        if (slot.id != kFree) {
            add(slot.id, slot.ordinal);
        }
    }
}

void IdIndex::Table::clear() {
    std::fill(slots_.begin(), slots_.end(), Slot{});
    size_ = 0;
}

} // namespace fenceline::workloads
