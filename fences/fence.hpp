// struct dma_fence as a model.
//
// DOC: the life of a fence. init (count 1, unsignalled) -> callbacks are added, references handed
// around -> signal, once: the flag is set under the fence's lock, then the callbacks run in the
// order in which they were added, with the lock held -> the last put releases it -> its memory goes
// after a grace period. Everything the fence needs for this may belong to somebody else: the lock
// (LockRule), the ops table (a module's text), the names.
//
// A FenceRef says where a fence is: a hardware fence of its own, the scheduled or finished half of
// a pair, or a fence that dma-buf itself makes (an array, a chain, a stub: container_fence.hpp); and
// the generation of that memory, so that a reference to a dead fence is recognised.
//
// Size: 48 bytes (the kernel's is 64), because millions of them exist in a run.
#pragma once

#include "fences/owner.hpp"
#include "sim/atomic.hpp"
#include "sim/heap.hpp"
#include "sim/lock.hpp"
#include "sim/refcount.hpp"
#include "sim/time.hpp"

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace fenceline::fences::inline FENCELINE_MODE {

/// Which memory a FenceRef points into, and which half of it. The values are such that bit 1 says
/// where in its slot the fence stands: at the front, or behind the room of another fence.
enum class FencePart : std::uint8_t { hardware = 0, scheduled = 1, finished = 2, container = 3 };

class FenceRef {
  public:
    constexpr FenceRef() = default;
    /// `index`: of the slot, a multiple of 4; the part stands in its low two bits.
    constexpr FenceRef(FencePart part, std::uint32_t index, std::uint32_t slot_generation)
        : packed_(std::uint64_t{slot_generation} << 32 | index | static_cast<std::uint64_t>(part)) {
    }

    [[nodiscard]] constexpr FencePart part() const { return static_cast<FencePart>(packed_ & 3u); }
    [[nodiscard]] constexpr std::uint32_t index() const {
        return static_cast<std::uint32_t>(packed_) & ~3u;
    }
    [[nodiscard]] constexpr std::uint32_t generation() const {
        return static_cast<std::uint32_t>(packed_ >> 32);
    }
    [[nodiscard]] constexpr FenceRef sibling(FencePart other) const {
        return unpack((packed_ & ~std::uint64_t{3}) | static_cast<std::uint64_t>(other));
    }
    constexpr explicit operator bool() const { return packed_ != 0; }
    friend constexpr bool operator==(FenceRef a, FenceRef b) { return a.packed_ == b.packed_; }

    [[nodiscard]] constexpr std::uint64_t pack() const { return packed_; }
    [[nodiscard]] static constexpr FenceRef unpack(std::uint64_t packed) {
        FenceRef ref;
        ref.packed_ = packed;
        return ref;
    }
    /// The handle of the memory it is in.
    template <class T>
    [[nodiscard]] constexpr sim::Handle<T> memory() const {
        return sim::Handle<T>::unpack(packed_ & ~std::uint64_t{3});
    }

  private:
    std::uint64_t packed_ = 0;
};

/// dma_fence::flags. The kernel's bits, then ours.
namespace flag {
inline constexpr std::uint16_t signaled = 1 << 0;
inline constexpr std::uint16_t timestamp = 1 << 1;
inline constexpr std::uint16_t enable_signal = 1 << 2;
inline constexpr std::uint16_t dont_pipeline = 1 << 3; ///< DRM_SCHED_FENCE_DONT_PIPELINE
inline constexpr std::uint16_t has_deadline = 1 << 4;  ///< DRM_SCHED_FENCE_FLAG_HAS_DEADLINE_BIT
inline constexpr std::uint16_t is_private = 1 << 8;    ///< must not reach a public container
/// One of its references, which goes last, is the input's own (FenceCore::hold_for_input).
inline constexpr std::uint16_t held_by_input = 1 << 9;
inline constexpr std::uint16_t off_ledger = 1 << 10; ///< its pinning has been booked already
/// Its only callback is the one that stands in the fence itself (FenceCore::add_own_callback).
inline constexpr std::uint16_t own_callback = 1 << 11;
/// The hardware is through with it and the interrupt still to come (Quirks::poll_signals).
inline constexpr std::uint16_t hardware_done = 1 << 15;
} // namespace flag

class FenceCore;
using OpsId = std::uint16_t;

/// struct dma_fence_ops. Absent functions mean the defaults of dma-fence.c.
struct FenceOps {
    std::string_view type;
    std::string (*driver_name)(FenceCore&, FenceRef) = nullptr;
    std::string (*timeline_name)(FenceCore&, FenceRef) = nullptr;
    bool (*enable_signaling)(FenceCore&, FenceRef) = nullptr;
    bool (*signaled)(FenceCore&, FenceRef) = nullptr;
    void (*release)(FenceCore&, FenceRef) = nullptr;
    void (*set_deadline)(FenceCore&, FenceRef, sim::Time) = nullptr;
};

/// Runs when the fence signals, with the fence's lock held. `owner` is whatever the registrant put
/// there, usually a packed handle, because the kernel's callback lives in its owner's memory.
using CallbackFn = void (*)(void* env, FenceRef fence, std::uint64_t owner);

struct Fence;
/// The same for the scheduler's own callback, which wants to look at the fence.
using OwnCallbackFn = void (*)(void* env, FenceRef fence, Fence& memory, std::uint64_t owner);

/// struct dma_fence_cb, a node of a fence's list.
struct Callback {
    CallbackFn fn = nullptr;
    void* env = nullptr;
    std::uint64_t owner = 0;
    std::uint32_t next = 0; ///< slots of the neighbours in the list; kNoCallback at its ends
    std::uint32_t previous = 0;
};
using CallbackRef = sim::Handle<Callback>;
inline constexpr std::uint32_t kNoCallback = ~std::uint32_t{0};
/// Names the callback that stands in the fence itself.
inline constexpr CallbackRef kOwnCallback{0, ~std::uint32_t{0}};

/// dma_fence::cb_list: slots of the first and the last callback, in one word; or, with
/// flag::own_callback, the owner of the only one.
class CallbackList {
  public:
    constexpr CallbackList() = default;
    constexpr CallbackList(std::uint32_t first, std::uint32_t last)
        : packed_(std::uint64_t{last} << 32 | first) {}
    constexpr explicit CallbackList(std::uint64_t owner) : packed_(owner) {}

    [[nodiscard]] constexpr bool empty() const { return packed_ == kNone; }
    [[nodiscard]] constexpr std::uint32_t first() const {
        return static_cast<std::uint32_t>(packed_);
    }
    [[nodiscard]] constexpr std::uint32_t last() const {
        return static_cast<std::uint32_t>(packed_ >> 32);
    }
    [[nodiscard]] constexpr std::uint64_t owner() const { return packed_; }

  private:
    static constexpr std::uint64_t kNone = ~std::uint64_t{0};
    std::uint64_t packed_ = kNone;
};

struct Fence {
    sim::Time timestamp = 0; ///< when it signalled; valid with flag::timestamp
    std::uint32_t context = 0;
    std::uint32_t seqno = 0;
    OwnerRef lock_owner;    ///< null: the lock is in the fence (or shared by the pair)
    CallbackList callbacks; ///< cb_list
    sim::Atomic<std::uint16_t> flags{0};
    OpsId ops = 0;
    std::int32_t error = 0;
    sim::RefCount references;
    sim::SpinLock lock;

    /// As dma_fence_init() leaves it; the lock is its own.
    [[nodiscard, gnu::always_inline]] static Fence made(OpsId ops, std::uint32_t context,
                                                        std::uint32_t seqno) {
        return {0, context, seqno, {}, {}, {}, ops, 0, sim::RefCount(1), {}};
    }

    [[nodiscard]] bool is_signaled_bit() const { return (flags.peek() & flag::signaled) != 0; }
};

static_assert(sizeof(Fence) == 48);

} // namespace fenceline::fences::inline FENCELINE_MODE
