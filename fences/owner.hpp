// What a fence can reach outside its own memory: the owners of locks and names, and modules.
//
// DOC: owners. In the kernel a fence borrows a lock by pointer (dma_fence::lock) and finds names
// through a back pointer; both point into some object of a driver or of the scheduler: a timeline
// (nouveau_fence_chan, an i915 timeline, an Xe hw_fence_irq), a ring, a device, a
// drm_gpu_scheduler. All of these are Owners here, told apart by their kind. Whether the pointer is
// counted is a rule of the lifetime policy, not a property of the owner.
//
// A module owns what goes away at rmmod: the text behind an ops table and slab caches.
#pragma once

#include "sim/atomic.hpp"
#include "sim/heap.hpp"
#include "sim/lock.hpp"
#include "sim/refcount.hpp"

#include <cstdint>
#include <string>

namespace fenceline::fences::inline FENCELINE_MODE {

struct Module;
using ModuleRef = sim::Handle<Module>;

struct Module {
    std::string name;
    std::uint64_t slab_objects = 0; ///< alive in the module's own slab cache
    /// try_module_get less module_put: what rmmod looks at. Counted where the policy says so.
    sim::Atomic<std::uint32_t> users{0};
};

enum class OwnerKind : std::uint8_t { context, ring, device, scheduler };

struct Owner {
    OwnerKind kind = OwnerKind::context;
    std::string name;
    sim::SpinLock lock;
    sim::RefCount references; ///< used where the policy counts contexts
    ModuleRef pinned;         ///< the module that it holds, under `module: pinned-by-context`
    bool abandoned = false;   ///< its creator has let go of it, fences still count it
    sim::Time abandoned_at = 0;
};

[[nodiscard]] std::string describe_owner(const Owner& owner);
[[nodiscard]] std::string describe_module(const Module& module);

using OwnerRef = sim::Handle<Owner>;

/// Bytes of a context object that a counted fence pins; a round figure for a small driver object
/// (name, lock, count, list, hardware mapping), since every driver's differs.
inline constexpr std::uint64_t kContextBytes = 256;

} // namespace fenceline::fences::inline FENCELINE_MODE
