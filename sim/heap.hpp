// The lifetime-checked heap: objects whose life and death are part of what is simulated.
//
// DOC: handles. An object is reached by a handle, an index and the generation it was made for.
// Freeing a slot changes its generation, so a handle to the dead is recognised for ever, also after
// the slot has a new tenant: a freed object is never confused with its successor. Every access says
// which resource is meant ("lock", "names", ...), and a bad one is reported in the manner of KASAN
// and ends the context that made it.
//
// Invariants: addresses of live objects are stable; a slot's generation is odd while it is live;
// the handle with generation 0 refers to nothing. In the instrumented form freed memory is
// poisoned; in the timed form the generation alone tells (a debugger shows the last contents).
//
// Ownership: a pool owns its slots; whoever allocates an object is responsible for freeing it, as
// in the kernel. What is still alive when a pool is asked at the end of a run is a leak.
//
// Cost: get() is one addition, one compare and one predictable branch: a handle's index is the
// slot's place in the machine's arena, and the generation stands at its front. Slots are never given
// back during a run, and are reused last-in-first-out, so a steady state allocates nothing.
#pragma once

#include "sim/arena.hpp"
#include "sim/machine.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fenceline::sim::inline FENCELINE_MODE {

static_assert(std::endian::native == std::endian::little, "packed handles rely on it");

/// One word, so that it is moved and compared at once: the index below, the generation above.
template <class T>
class Handle {
  public:
    constexpr Handle() = default;
    constexpr Handle(std::uint32_t index, std::uint32_t generation)
        : packed_(std::uint64_t{generation} << 32 | index) {}

    [[nodiscard]] constexpr std::uint32_t index() const {
        return static_cast<std::uint32_t>(packed_);
    }
    [[nodiscard]] constexpr std::uint32_t generation() const {
        return static_cast<std::uint32_t>(packed_ >> 32);
    }
    constexpr explicit operator bool() const { return packed_ != 0; }
    friend constexpr bool operator==(Handle a, Handle b) { return a.packed_ == b.packed_; }

    /// For the number that goes with an event or a callback.
    [[nodiscard]] constexpr std::uint64_t pack() const { return packed_; }
    [[nodiscard]] static constexpr Handle unpack(std::uint64_t packed) {
        Handle handle;
        handle.packed_ = packed;
        return handle;
    }

  private:
    std::uint64_t packed_ = 0;
};

/// What reports need to know about the objects of one pool beyond the slots themselves: births and
/// deaths of those that the machine wants to know about, and the names of the dead among them.
class ObjectHistory {
  public:
    ObjectHistory(Machine& machine, std::string_view type) : machine_(machine), type_(type) {}

    void born(std::uint64_t key, const void* memory, std::size_t size);
    void died(std::uint64_t key, std::string name);
    /// Reports a bad access or a double free, which are fatal: does not return.
    [[noreturn, gnu::cold, gnu::noinline]] void bad(const HazardClass& kind, std::uint64_t key,
                                                    std::string_view resource,
                                                    std::string_view what);
    /// Reports that `count` objects are never freed, the first of which is `name`.
    void leaked(std::size_t count, std::uint64_t key, std::string name);

  private:
    struct Life {
        Incident born;
        Incident died;
        std::string name;
    };
    Machine& machine_;
    std::string_view type_;
    std::unordered_map<std::uint64_t, Life> lives_;
};

/// What stands in front of every object of a pool: while it is live its own handle, so that a check
/// is one comparison of 64 bits.
struct alignas(8) SlotHeader {
    std::uint32_t index;      ///< while it is free: of the next free slot
    std::uint32_t generation; ///< even: free; never 0

    /// Whether it is the one that a handle (its packed form) was made for, and alive.
    [[nodiscard]] bool is(std::uint64_t packed) const {
        return std::bit_cast<std::uint64_t>(*this) == packed;
    }
};

template <class T>
class Pool {
  public:
    /// `type` names the objects in reports; `describe` names one of them.
    using Describe = std::string (*)(const T&);
    Pool(Machine& machine, std::string_view type, Describe describe)
        : machine_(machine), base_(machine.arena.base()), type_(type), describe_(describe),
          history_(machine, type) {}
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;
    ~Pool() {
        if constexpr (!std::is_trivially_destructible_v<T>) {
            for_each_live([](Handle<T>, T& object) { object.~T(); });
            for (const std::uint32_t index : kept_)
                at(index).~T();
        }
    }

    /// Constructs an object. Amortised O(1).
    template <class... Args>
    [[gnu::always_inline]] Handle<T> alloc(Args&&... args) {
        machine_.point(Op::alloc, nullptr, type_);
        if (free_ == kNoSlot) [[unlikely]]
            add_slots();
        const std::uint32_t index = free_;
        Slot& slot = slot_at(index);
        free_ = slot.header.index;
        const Handle<T> handle{index, slot.header.generation + 1};
        slot.header = std::bit_cast<SlotHeader>(handle.pack());
        // Without parentheses only the members are set. Clearing everything first costs more than
        // all the rest of this function.
        if constexpr (sizeof...(Args) == 0 && std::is_class_v<T>)
            ::new (static_cast<void*>(slot.memory)) T;
        else
            ::new (static_cast<void*>(slot.memory)) T(std::forward<Args>(args)...);
        if constexpr (kInstrumented)
            if (machine_.wanted(type_, handle.pack())) [[unlikely]]
                history_.born(handle.pack(), slot.memory, sizeof(T));
        return handle;
    }

    /// Ends an object's life. Freeing what is dead is a hazard. O(1).
    [[gnu::always_inline]] void free(Handle<T> handle) {
        Slot& slot = slot_at(handle.index());
        machine_.point(Op::free, &slot, type_);
        if (!slot.header.is(handle.pack())) [[unlikely]]
            history_.bad(hazards::double_free, handle.pack(), type_, "is freed twice");
        if constexpr (kInstrumented)
            if (machine_.wanted(type_, handle.pack())) [[unlikely]]
                history_.died(handle.pack(), describe_(slot.object()));
        if constexpr (kInstrumented)
            if (machine_.keeps_the_dead()) {
                slot.header.generation = handle.generation() + 1;
                kept_.push_back(handle.index());
                return;
            }
        slot.header = {free_, handle.generation() + 1};
        slot.object().~T();
        if constexpr (kInstrumented)
            std::memset(slot.memory, 0x6b, sizeof slot.memory);
        free_ = handle.index();
    }

    /// The object, checked. `resource` is what the access is about, as reports name it.
    [[nodiscard, gnu::always_inline]] T& get(Handle<T> handle, std::string_view resource) {
        Slot& slot = slot_at(handle.index());
        machine_.point(Op::object, &slot, resource);
        if constexpr (kChecked)
            if (!slot.header.is(handle.pack())) [[unlikely]]
                history_.bad(hazards::use_after_free, handle.pack(), resource,
                             "is accessed after its death");
        return slot.object();
    }
    [[nodiscard]] T& get(Handle<T> handle) { return get(handle, type_); }

    /// The object, or nullptr when it is dead: for whoever has another way then. No operation.
    [[nodiscard, gnu::always_inline]] T* live(Handle<T> handle) const {
        Slot& slot = slot_at(handle.index());
        T* const object = &slot.object();
        if (object == nullptr) // or the compiler would have every caller ask, who asks already
            __builtin_unreachable();
        return !kChecked || slot.header.is(handle.pack()) ? object : nullptr;
    }

    /// For reports and tests: no operation of the model.
    [[nodiscard]] bool alive(Handle<T> handle) const {
        return slot_at(handle.index()).header.is(handle.pack());
    }
    /// REQUIRES: alive(handle).
    [[nodiscard]] T& peek(Handle<T> handle) { return slot_at(handle.index()).object(); }

    /// An object by slot alone, unchecked: for links that the pool's user keeps consistent itself.
    [[nodiscard]] T& at(std::uint32_t index) { return slot_at(index).object(); }
    [[nodiscard]] Handle<T> handle_at(std::uint32_t index) const {
        return {index, slot_at(index).header.generation};
    }

    /// How many are alive. Nobody counts while a run goes on: looks at every slot there is.
    [[nodiscard]] std::size_t live() const {
        std::size_t count = 0;
        for_each_slot(
            [&](std::uint32_t, const Slot& slot) { count += slot.header.generation & 1; });
        return count;
    }
    [[nodiscard]] std::size_t memory_bytes() const { return slots_ * sizeof(Slot); }
    [[nodiscard]] std::string_view type() const { return type_; }

    template <class Visit>
    void for_each_live(Visit visit) {
        for_each_slot([&](std::uint32_t index, Slot& slot) {
            if ((slot.header.generation & 1) != 0)
                visit(Handle<T>{index, slot.header.generation}, slot.object());
        });
    }

    /// Reports everything that is alive as leaked, the first of them with its history.
    void report_leaks() {
        Handle<T> first{};
        std::size_t count = 0;
        for_each_live([&](Handle<T> handle, T&) {
            if (count++ == 0)
                first = handle;
        });
        if (count != 0)
            history_.leaked(count, first.pack(), describe_(at(first.index())));
    }

  private:
    static constexpr std::uint32_t kNoSlot = 0; ///< the arena's first granule is nobody's

    /// Larger slots begin at multiples of 32 bytes: they share fewer cache lines, and the low two
    /// bits of their index are free (see fences::FenceRef).
    static constexpr std::size_t kSlotAlign = sizeof(SlotHeader) + sizeof(T) > 48 ? 32 : 8;
    struct alignas(kSlotAlign) Slot {
        SlotHeader header;
        alignas(Arena::kGranule) std::byte memory[sizeof(T)];
        [[nodiscard]] T& object() { return *std::launder(reinterpret_cast<T*>(memory)); }
    };
    static_assert(alignof(T) <= Arena::kGranule);
    static constexpr std::size_t kGranules = sizeof(Slot) / Arena::kGranule;

    struct Chunk {
        std::uint32_t first;
        std::size_t slots;
    };

    [[nodiscard]] Slot& slot_at(std::uint32_t index) const {
        return *reinterpret_cast<Slot*>(base_ + std::size_t{index} * Arena::kGranule);
    }

    template <class Visit>
    void for_each_slot(Visit visit) const {
        for (const Chunk& chunk : chunks_)
            for (std::size_t i = 0; i < chunk.slots; ++i) {
                const auto index = static_cast<std::uint32_t>(chunk.first + i * kGranules);
                visit(index, slot_at(index));
            }
    }

    /// A page's worth at first, then half as many as there are.
    [[gnu::noinline, gnu::cold]] void add_slots() {
        const std::size_t count =
            std::max({slots_ / 2, std::size_t{4096} / sizeof(Slot), std::size_t{1}});
        const std::uint32_t first = machine_.arena.take(count * sizeof(Slot));
        chunks_.push_back({first, count});
        if constexpr (kInstrumented)
            machine_.register_chunk(first, count, kGranules, &history_);
        slots_ += count;
        for (std::size_t i = count; i-- > 0;) {
            const auto index = static_cast<std::uint32_t>(first + i * kGranules);
            slot_at(index).header = {free_, 2};
            free_ = index;
        }
    }

    Machine& machine_;
    std::byte* base_;
    std::uint32_t free_ = kNoSlot;
    std::size_t slots_ = 0;
    std::vector<Chunk> chunks_;
    std::vector<std::uint32_t> kept_; ///< the dead, see Machine::keeps_the_dead()
    std::string_view type_;
    Describe describe_;
    ObjectHistory history_;
};

} // namespace fenceline::sim::inline FENCELINE_MODE
