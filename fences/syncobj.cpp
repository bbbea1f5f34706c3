#include "fences/syncobj.hpp"

#include "fences/fence_chain.hpp"
#include "fences/stub_fence.hpp"

#include <algorithm>
#include <utility>

namespace fenceline::fences::inline FENCELINE_MODE {

FenceRef Syncobj::fence_get() {
    if (core_.quirks.syncobj_counts_late) [[unlikely]]
        return fence_get_late();
    core_.rcu.read_lock();
    FenceRef fence;
    while ((fence = fence_) && !core_.take_rcu(fence)) {
    }
    core_.rcu.read_unlock();
    return fence;
}

/// Quirk: drm_syncobj_fence_get of 2017, before dma_fence_get_rcu_safe: what is read may be released
/// by drm_syncobj_replace_fence before it is counted.
FenceRef Syncobj::fence_get_late() {
    const FenceRef fence = fence_;
    if (!fence)
        return fence;
    sim::Frame frame(core_.machine, "dma_fence_get");
    return core_.take(fence);
}

/// syncobj_wait_syncobj_func, and the second try of drm_syncobj_fence_add_wait: whether there is
/// a fence for the waiter now. The syncobj's lock is held.
bool Syncobj::serve(Waiter& waiter) {
    FenceRef fence = fence_;
    if (!fence)
        return false;
    core_.take(fence);
    if (!fence_chain_find_seqno(core_, fence, waiter.point)) {
        core_.put(fence, holder_);
        return false;
    }
    waiter.fence = fence ? fence : shared_stub_fence(core_);
    return true;
}

void Syncobj::serve_waiters() {
    std::erase_if(waiters_, [&](Waiter* waiter) {
        if (!serve(*waiter))
            return false;
        waiter->sleeper.wake();
        return true;
    });
}

void Syncobj::replace_fence(FenceRef fence) {
    sim::Frame frame(core_.machine, "drm_syncobj_replace_fence");
    if (fence)
        core_.take(fence);
    FenceRef old;
    {
        sim::SpinGuard guard(core_.machine, lock_, "syncobj->lock");
        old = std::exchange(fence_, fence);
        if (fence != old)
            serve_waiters();
    }
    core_.put(old, holder_);
}

void Syncobj::add_point(FenceRef fence, std::uint64_t point) {
    sim::Frame frame(core_.machine, "drm_syncobj_add_point");
    core_.take(fence);
    FenceRef before;
    {
        sim::SpinGuard guard(core_.machine, lock_, "syncobj->lock");
        // The syncobj's reference to what was there moves into the new link; the walk has its own.
        before = fence_get();
        fence_ = fence_chain_init(core_, before, fence, point);
        serve_waiters();
    }
    // Walked once for its garbage collection.
    for (FenceRef link = before ? core_.take(before) : before; link;)
        link = fence_chain_walk(core_, link);
    core_.put(before, holder_);
}

std::optional<FenceRef> Syncobj::find_fence(std::uint64_t point) {
    sim::Frame frame(core_.machine, "drm_syncobj_find_fence");
    FenceRef fence = fence_get();
    if (!fence)
        return std::nullopt;
    if (!fence_chain_find_seqno(core_, fence, point)) {
        core_.put(fence, holder_);
        return std::nullopt;
    }
    return fence ? fence : shared_stub_fence(core_);
}

std::optional<FenceRef> Syncobj::find_fence_when_submitted(std::uint64_t point, sim::Time timeout) {
    if (const auto fence = find_fence(point))
        return fence;
    sim::Frame frame(core_.machine, "drm_syncobj_fence_add_wait");
    Waiter waiter{Sleeper(core_.machine), point, {}};
    {
        sim::SpinGuard guard(core_.machine, lock_, "syncobj->lock");
        if (serve(waiter))
            return waiter.fence;
        waiters_.push_back(&waiter);
    }
    if (timeout != 0)
        waiter.sleeper.sleep(sim::add_saturating(core_.machine.now(), timeout),
                             "a point of a syncobj to be submitted");
    if (waiter.fence)
        return waiter.fence;
    sim::SpinGuard guard(core_.machine, lock_, "syncobj->lock");
    std::erase(waiters_, &waiter);
    return std::nullopt;
}

/// drm_syncobj_array_wait_timeout for one syncobj.
SyncobjWait Syncobj::wait(std::uint64_t point, bool for_submit, sim::Time timeout) {
    sim::Frame frame(core_.machine, "drm_syncobj_array_wait_timeout");
    const sim::Time until = sim::add_saturating(core_.machine.now(), timeout);
    const auto found = for_submit ? find_fence_when_submitted(point, timeout) : find_fence(point);
    if (!found)
        return for_submit ? SyncobjWait::timed_out : SyncobjWait::no_point;
    bool done = core_.is_signaled(*found);
    Sleeper sleeper(core_.machine);
    if (!done) {
        const auto callback =
            core_.add_callback(*found, Sleeper::wake_by_fence, nullptr, sleeper.pack());
        done = !callback || (core_.machine.now() < until &&
                             sleeper.sleep(until, "a point of a syncobj to signal"));
        if (callback)
            core_.remove_callback(*found, *callback);
    }
    core_.put(*found, holder_);
    return done ? SyncobjWait::signalled : SyncobjWait::timed_out;
}

std::uint64_t Syncobj::query(bool last_submitted) {
    sim::Frame frame(core_.machine, "drm_syncobj_query_ioctl");
    const FenceRef newest = fence_get();
    std::uint64_t point = 0;
    if (const FenceChain* chain = core_.to_chain(newest)) {
        point = chain->seqno;
        if (!last_submitted) {
            // The oldest link that is still there: what lay behind it has signalled.
            FenceRef last = core_.take(newest);
            for (FenceRef link = core_.take(newest); link; link = fence_chain_walk(core_, link)) {
                if (core_.get(link).context != core_.get(newest).context) {
                    core_.put(link, holder_);
                    break;
                }
                core_.put(std::exchange(last, core_.take(link)), holder_);
            }
            point = core_.is_signaled(last) ? core_.to_chain(last)->seqno
                                            : core_.to_chain(last)->prev_seqno;
            core_.put(last, holder_);
        }
    }
    core_.put(newest, holder_);
    return point;
}

} // namespace fenceline::fences::inline FENCELINE_MODE
