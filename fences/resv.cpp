#include "fences/resv.hpp"

#include "fences/fence_array.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <utility>

namespace fenceline::fences::inline FENCELINE_MODE {

void Resv::lock() {
    lock_waiters_.wait_event(core_.machine, "dma_resv_lock", [this] { return !locked_; });
    locked_ = true;
}

void Resv::unlock() {
    assert(locked_);
    locked_ = false;
    lock_waiters_.wake_up(core_.machine);
}

std::uint32_t Resv::count() const {
    return fences_ ? static_cast<std::uint32_t>(core_.resv_lists.at(fences_.index()).table.size())
                   : 0;
}
std::uint32_t Resv::capacity() const {
    return fences_ ? core_.resv_lists.at(fences_.index()).max_fences : 0;
}

/// dma_resv_list_alloc: what kmalloc gives beyond the request is room for more fences.
Resv::ListRef Resv::list_alloc(std::uint32_t max_fences) {
    constexpr std::uint64_t header = 24;
    const std::uint64_t room = kmalloc_bytes(header + 8 * std::uint64_t{max_fences}) - header;
    return core_.resv_lists.alloc(ResvList{static_cast<std::uint32_t>(room / 8), false, {}});
}

/// kfree_rcu.
void Resv::list_free_memory(ListRef list) {
    core_.resv_lists.at(list.index()).retired = true;
    core_.rcu.call(
        [](void* self, std::uint64_t packed) {
            static_cast<FenceCore*>(self)->resv_lists.free(ListRef::unpack(packed));
        },
        &core_, list.pack());
}

/// dma_resv_list_free.
void Resv::list_free(ListRef list) {
    if (!list)
        return;
    for (const ResvList::Entry& entry : get(list).table)
        core_.put(entry.fence, Holder::resv);
    list_free_memory(list);
}

void Resv::fini() {
    sim::Frame frame(core_.machine, "dma_resv_fini");
    list_free(std::exchange(fences_, ListRef{}));
}

/// Quirk: the object that contains the dma_resv is freed although somebody still iterates over it:
/// he goes on with the list that he found.
void Resv::fini_under_reader() {
    sim::Frame frame(core_.machine, "dma_resv_fini");
    list_free(fences_);
}

void Resv::reserve_fences(std::uint32_t count) {
    sim::Frame frame(core_.machine, "dma_resv_reserve_fences");
    assert(locked_ && count != 0);
    const ListRef old = fences_;
    std::uint32_t max = std::max(4u, std::bit_ceil(count));
    if (old && get(old).max_fences != 0) {
        const auto needed = static_cast<std::uint32_t>(get(old).table.size()) + count;
        if (needed <= get(old).max_fences)
            return;
        max = std::max(needed, get(old).max_fences * 2);
    }
    const ListRef renewed = list_alloc(max);
    std::vector<FenceRef> signalled; // their references do not move to the new list
    if (old)
        for (const ResvList::Entry& entry : get(old).table) {
            if (core_.is_signaled(entry.fence))
                signalled.push_back(entry.fence);
            else
                get(renewed).table.push_back(entry);
        }
    fences_ = renewed;
    if (!old)
        return;
    for (auto fence = signalled.rbegin(); fence != signalled.rend(); ++fence)
        core_.put(*fence, Holder::resv);
    list_free_memory(old);
}

void Resv::add_fence(FenceRef fence, ResvUsage usage) {
    sim::Frame frame(core_.machine, "dma_resv_add_fence");
    core_.take(fence);
    assert(locked_ && fences_);
    if (core_.is_container(fence))
        core_.report_nested(fence, "a dma_resv");
    ResvList& list = get(fences_);
    for (ResvList::Entry& entry : list.table) {
        const FenceRef old = entry.fence;
        const bool replaces = core_.get(old).context == core_.get(fence).context &&
                              entry.usage >= usage && (fence == old || core_.is_later(fence, old));
        if (!replaces && !core_.is_signaled(old))
            continue;
        entry = {fence, usage};
        core_.put(old, Holder::resv);
        return;
    }
    assert(list.table.size() < list.max_fences);
    list.table.push_back({fence, usage});
}

void Resv::replace_fences(std::uint32_t context, FenceRef replacement, ResvUsage usage) {
    sim::Frame frame(core_.machine, "dma_resv_replace_fences");
    assert(locked_);
    if (!fences_)
        return;
    for (ResvList::Entry& entry : get(fences_).table) {
        if (core_.get(entry.fence).context != context)
            continue;
        const FenceRef old = entry.fence;
        entry = {core_.take(replacement), usage};
        core_.put(old, Holder::resv);
    }
}

void Resv::copy_fences(Resv& from) {
    sim::Frame frame(core_.machine, "dma_resv_copy_fences");
    assert(locked_);
    ListRef list;
    ResvCursor cursor(from, ResvUsage::bookkeep);
    for (FenceRef fence = from.iter_first_unlocked(cursor); fence;
         fence = from.iter_next_unlocked(cursor)) {
        if (cursor.is_restarted) {
            list_free(list);
            list = list_alloc(cursor.num_fences);
        }
        get(list).table.push_back({core_.take(fence), cursor.fence_usage});
    }
    from.iter_end(cursor);
    list_free(std::exchange(fences_, list));
}

FenceRef Resv::iter_first(ResvCursor& cursor) {
    cursor.index = 0;
    cursor.fences = fences_;
    const FenceRef fence = iter_next(cursor);
    cursor.is_restarted = true;
    return fence;
}

FenceRef Resv::iter_next(ResvCursor& cursor) {
    assert(locked_);
    cursor.is_restarted = false;
    for (;;) {
        if (!cursor.fences || cursor.index >= get(cursor.fences).table.size())
            return {};
        const ResvList::Entry& entry = get(cursor.fences).table[cursor.index++];
        cursor.fence_usage = entry.usage;
        if (entry.usage <= cursor.usage)
            return entry.fence;
    }
}

/// dma_resv_iter_restart_unlocked.
void Resv::restart(ResvCursor& cursor) {
    cursor.index = 0;
    cursor.fences = fences_;
    cursor.num_fences =
        fences_ ? static_cast<std::uint32_t>(get(fences_).table.size()) : std::uint32_t{0};
    cursor.is_restarted = true;
}

/// dma_resv_iter_walk_unlocked: to the next one that has not signalled.
void Resv::walk(ResvCursor& cursor) {
    if (!cursor.fences)
        return;
    for (;;) {
        core_.put(std::exchange(cursor.fence, FenceRef{}), Holder::resv);
        if (cursor.index >= cursor.num_fences)
            return;
        const ResvList::Entry entry = get(cursor.fences).table[cursor.index++];
        cursor.fence_usage = entry.usage;
        cursor.fence = core_.take_rcu(entry.fence);
        if (!cursor.fence)
            restart(cursor);
        else if (!core_.is_signaled(cursor.fence) && cursor.usage >= cursor.fence_usage)
            return;
    }
}

FenceRef Resv::iter_first_unlocked(ResvCursor& cursor) {
    core_.rcu.read_lock();
    do {
        restart(cursor);
        walk(cursor);
    } while (fences_ != cursor.fences);
    core_.rcu.read_unlock();
    return cursor.fence;
}

FenceRef Resv::iter_next_unlocked(ResvCursor& cursor) {
    core_.rcu.read_lock();
    cursor.is_restarted = false;
    bool again = fences_ != cursor.fences;
    do {
        if (again)
            restart(cursor);
        walk(cursor);
        again = true;
    } while (fences_ != cursor.fences);
    core_.rcu.read_unlock();
    return cursor.fence;
}

void Resv::iter_end(ResvCursor& cursor) {
    core_.put(std::exchange(cursor.fence, FenceRef{}), Holder::resv);
}

std::vector<FenceRef> Resv::get_fences(ResvUsage usage) {
    std::vector<FenceRef> fences;
    ResvCursor cursor(*this, usage);
    for (FenceRef fence = iter_first_unlocked(cursor); fence; fence = iter_next_unlocked(cursor)) {
        if (cursor.is_restarted)
            while (!fences.empty()) {
                core_.put(fences.back(), Holder::resv);
                fences.pop_back();
            }
        fences.push_back(core_.take(fence));
    }
    iter_end(cursor);
    return fences;
}

FenceRef Resv::get_singleton(ResvUsage usage) {
    std::vector<FenceRef> fences = get_fences(usage);
    if (fences.size() <= 1)
        return fences.empty() ? FenceRef{} : fences.front();
    return fence_array_create(core_, std::move(fences), core_.context_alloc(1), 1, false);
}

bool Resv::test_signaled(ResvUsage usage) {
    ResvCursor cursor(*this, usage);
    const bool open = static_cast<bool>(iter_first_unlocked(cursor));
    iter_end(cursor);
    return !open;
}

bool Resv::wait(ResvUsage usage, sim::Time timeout) {
    sim::Frame frame(core_.machine, "dma_resv_wait_timeout");
    const sim::Time until = sim::add_saturating(core_.machine.now(), timeout);
    bool in_time = true;
    ResvCursor cursor(*this, usage);
    for (FenceRef fence = iter_first_unlocked(cursor); fence && in_time;
         fence = in_time ? iter_next_unlocked(cursor) : FenceRef{}) {
        const sim::Time left = until == sim::kForever ? until : until - core_.machine.now();
        const HeldWhileWaiting held(core_, fence);
        in_time = core_.wait_timeout(fence, left);
    }
    iter_end(cursor);
    return in_time;
}

void Resv::set_deadline(ResvUsage usage, sim::Time deadline) {
    ResvCursor cursor(*this, usage);
    for (FenceRef fence = iter_first_unlocked(cursor); fence; fence = iter_next_unlocked(cursor))
        core_.set_deadline(fence, deadline);
    iter_end(cursor);
}

} // namespace fenceline::fences::inline FENCELINE_MODE
