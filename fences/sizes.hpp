// How large the kernel's objects are, by kernel configuration: what the ledger's figures rest on.
//
// DOC: where the figures come from. x86-64, layouts of 6.12. Only the spinlock differs between
// configurations: 4 bytes plain, 32 with PREEMPT_RT, 72 with lockdep and spinlock debugging (the
// two last are assumed). A dma_fence is 64 bytes whether its lock is elsewhere (a pointer) or, in
// the plain configuration, in the fence (in the pointer's place). A drm_sched_fence is two of them,
// 40 bytes of pointers and the deadline, and the lock if the two share one.
//
// What is pinned is what the allocator gives, not what the object needs: the size class of kmalloc,
// or whole cache lines in a slab that is aligned to them, as those of fences are.
#pragma once

#include "fences/lifetime.hpp"

#include <cstdint>

namespace fenceline::fences {

enum class KernelConfig : std::uint8_t { plain, rt, lockdep };

namespace sizes {

/// struct dma_fence with its lock elsewhere.
inline constexpr std::uint64_t kFence = 64;
/// What drm_sched_fence has besides its fences and their lock: scheduler, parent, deadline, owner,
/// client.
inline constexpr std::uint64_t kPublicTail = 40;
/// What sharing one allocation with the driver's side adds: rcu_head and the way to the context.
inline constexpr std::uint64_t kSharedAllocation = 24;
/// A driver's job with its fence embedded: drm_sched_job (about 180 bytes) and what a driver adds
/// (virtual memory state, fences to sync with, the hardware fence, command buffers). A round figure:
/// amdgpu's comes to about this much, small drivers' to half of it.
inline constexpr std::uint64_t kJob = 512;
/// drm_gpu_scheduler (about 320 bytes) with its four run queues (64 each) and their table (32).
inline constexpr std::uint64_t kScheduler = 608;

[[nodiscard]] constexpr std::uint64_t spinlock(KernelConfig config) {
    return config == KernelConfig::plain ? 4 : config == KernelConfig::rt ? 32 : 72;
}
/// One dma_fence; an inline lock takes the place of the pointer as far as it goes.
[[nodiscard]] constexpr std::uint64_t fence(bool inline_lock, KernelConfig config) {
    const std::uint64_t lock = spinlock(config);
    return inline_lock && lock > 8 ? kFence - 8 + lock : kFence;
}
/// drm_sched_fence.
[[nodiscard]] constexpr std::uint64_t pair(LockRule lock, KernelConfig config) {
    const std::uint64_t shared = lock == LockRule::shared ? (spinlock(config) + 7) / 8 * 8 : 0;
    return 2 * fence(lock == LockRule::in_fence, config) + kPublicTail + shared;
}
/// The size class from which kmalloc serves `bytes`.
[[nodiscard]] constexpr std::uint64_t kmalloc(std::uint64_t bytes) {
    for (const std::uint64_t size : {8, 16, 32, 64, 96, 128, 192, 256})
        if (bytes <= size)
            return size;
    std::uint64_t size = 512;
    while (size < bytes)
        size *= 2;
    return size;
}
/// An object of a slab with SLAB_HWCACHE_ALIGN. REQUIRES: more than half a cache line.
[[nodiscard]] constexpr std::uint64_t slab(std::uint64_t bytes) {
    return (bytes + 63) / 64 * 64;
}

} // namespace sizes

/// What one hardware fence takes, without the copies of names (those depend on the names).
[[nodiscard]] std::uint64_t hardware_fence_bytes(const LifetimePolicy& policy,
                                                 KernelConfig config = KernelConfig::plain);
/// What the scheduler's public fence or pair takes; where the driver's own fence is the public one,
/// the pair that drm/sched keeps all the same.
[[nodiscard]] std::uint64_t sched_fence_bytes(const LifetimePolicy& policy,
                                              KernelConfig config = KernelConfig::plain);

} // namespace fenceline::fences
