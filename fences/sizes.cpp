#include "fences/sizes.hpp"

namespace fenceline::fences {

namespace {

std::uint64_t allocated(std::uint64_t object, MemoryRule memory) {
    switch (memory) {
    case MemoryRule::slab:
        return sizes::slab(object);
    case MemoryRule::embedded_in_job:
        return sizes::kmalloc(sizes::kJob - sizes::kFence + object);
    case MemoryRule::shared_allocation:
        return sizes::kmalloc(object + sizes::kSharedAllocation);
    case MemoryRule::kmalloc:
        break;
    }
    return sizes::kmalloc(object);
}

} // namespace

std::uint64_t hardware_fence_bytes(const LifetimePolicy& policy, KernelConfig config) {
    const FenceRules& rules = policy.hardware;
    return allocated(sizes::fence(rules.lock == LockRule::in_fence, config), rules.memory);
}

std::uint64_t sched_fence_bytes(const LifetimePolicy& policy, KernelConfig config) {
    const FenceRules rules = policy.pair_rules();
    const std::uint64_t object =
        policy.public_fence == PublicFence::finished_only
            ? sizes::fence(rules.lock == LockRule::in_fence, config) + sizes::kPublicTail
            : sizes::pair(rules.lock, config);
    return allocated(object, rules.memory);
}

} // namespace fenceline::fences
