// The lifetime-checked heap: objects whose life and death are part of what is simulated.
//
// DOC: handles. An object is reached by a handle, an index and the generation it was made for.
// Freeing a slot changes its generation, so a handle to the dead is recognised for ever, also after
// the slot has a new tenant: a freed object is never confused with its successor. Every access says
// which resource is meant ("lock", "names", ...), and a bad one is reported in the manner of KASAN
// and ends the context that made it.
//
// Invariants: addresses of live objects are stable; a slot's generation is odd while it is live;
// the handle with generation 0 refers to nothing. Freed memory is poisoned.
//
// Ownership: a pool owns its slots; whoever allocates an object is responsible for freeing it, as
// in the kernel. What is still alive when a pool is asked at the end of a run is a leak.
//
// Cost: get() is two loads, one compare and one predictable branch. Slots live in blocks that are
// never given back during a run, and are reused last-in-first-out, so a steady state allocates
// nothing.
#pragma once

#include "sim/machine.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fenceline::sim::inline FENCELINE_MODE {

template <class T>
struct Handle {
    std::uint32_t index = 0;
    std::uint32_t generation = 0;

    explicit operator bool() const { return generation != 0; }
    friend bool operator==(Handle, Handle) = default;

    /// For the number that goes with an event or a callback.
    [[nodiscard]] std::uint64_t pack() const { return (std::uint64_t{generation} << 32) | index; }
    [[nodiscard]] static Handle unpack(std::uint64_t packed) {
        return {static_cast<std::uint32_t>(packed), static_cast<std::uint32_t>(packed >> 32)};
    }
};

/// What reports need to know about the objects of one pool beyond the slots themselves: births and
/// deaths of those that the machine wants to know about, and the names of the dead among them.
class ObjectHistory {
  public:
    ObjectHistory(Machine& machine, std::string_view type) : machine_(machine), type_(type) {}

    void born(std::uint64_t key);
    void died(std::uint64_t key, std::string name);
    /// Reports a bad access or a double free, which are fatal: does not return.
    [[noreturn, gnu::cold]] void bad(const HazardClass& kind, std::uint64_t key,
                                     std::string_view resource, std::string_view what);
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

template <class T>
class Pool {
  public:
    /// `type` names the objects in reports; `describe` names one of them.
    using Describe = std::string (*)(const T&);
    Pool(Machine& machine, std::string_view type, Describe describe)
        : machine_(machine), type_(type), describe_(describe), history_(machine, type) {
        add_block();
    }
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;
    ~Pool() {
        for_each_live([](Handle<T>, T& object) { object.~T(); });
    }

    /// Constructs an object. Amortised O(1).
    template <class... Args>
    Handle<T> alloc(Args&&... args) {
        if (free_ == kNoSlot) [[unlikely]]
            add_block();
        const std::uint32_t index = free_;
        Slot& slot = slot_at(index);
        std::memcpy(&free_, slot.memory, sizeof free_);
        machine_.point(Op::alloc, &slot);
        ++slot.generation;
        ::new (static_cast<void*>(slot.memory)) T(std::forward<Args>(args)...);
        if (++live_ > peak_)
            peak_ = live_;
        const Handle<T> handle{index, slot.generation};
        if constexpr (kInstrumented)
            if (machine_.wanted(type_, handle.pack())) [[unlikely]]
                history_.born(handle.pack());
        return handle;
    }

    /// Ends an object's life. Freeing what is dead is a hazard. O(1).
    void free(Handle<T> handle) {
        Slot& slot = slot_at(handle.index);
        machine_.point(Op::free, &slot);
        if (slot.generation != handle.generation) [[unlikely]]
            history_.bad(hazards::double_free, handle.pack(), type_, "is freed twice");
        if constexpr (kInstrumented)
            if (machine_.wanted(type_, handle.pack())) [[unlikely]]
                history_.died(handle.pack(), describe_(slot.object()));
        ++slot.generation;
        slot.object().~T();
        std::memset(slot.memory, 0x6b, sizeof slot.memory);
        std::memcpy(slot.memory, &free_, sizeof free_);
        free_ = handle.index;
        --live_;
    }

    /// The object, checked. `resource` is what the access is about, as reports name it.
    [[nodiscard]] T& get(Handle<T> handle, std::string_view resource) {
        Slot& slot = slot_at(handle.index);
        machine_.point(Op::object, &slot);
        if constexpr (kChecked)
            if (slot.generation != handle.generation) [[unlikely]]
                history_.bad(hazards::use_after_free, handle.pack(), resource,
                             "is accessed after its death");
        return slot.object();
    }
    [[nodiscard]] T& get(Handle<T> handle) { return get(handle, type_); }

    /// For reports and tests: no operation of the model.
    [[nodiscard]] bool alive(Handle<T> handle) const {
        return handle.generation != 0 && slot_at(handle.index).generation == handle.generation;
    }
    /// REQUIRES: alive(handle).
    [[nodiscard]] T& peek(Handle<T> handle) { return slot_at(handle.index).object(); }

    /// An object by slot alone, unchecked: for links that the pool's user keeps consistent itself.
    [[nodiscard]] T& at(std::uint32_t index) { return slot_at(index).object(); }
    [[nodiscard]] Handle<T> handle_at(std::uint32_t index) const {
        return {index, slot_at(index).generation};
    }

    [[nodiscard]] std::size_t live() const { return live_; }
    [[nodiscard]] std::size_t peak() const { return peak_; }
    [[nodiscard]] std::size_t memory_bytes() const {
        return blocks_.size() * kBlockSlots * sizeof(Slot);
    }
    [[nodiscard]] std::string_view type() const { return type_; }

    template <class Visit>
    void for_each_live(Visit visit) {
        const auto slots = static_cast<std::uint32_t>(blocks_.size() * kBlockSlots);
        for (std::uint32_t index = 0; index < slots; ++index) {
            Slot& slot = slot_at(index);
            if ((slot.generation & 1) != 0)
                visit(Handle<T>{index, slot.generation}, slot.object());
        }
    }

    /// Reports everything that is alive as leaked, the first of them with its history.
    void report_leaks() {
        if (live_ == 0)
            return;
        Handle<T> first{};
        for_each_live([&](Handle<T> handle, T&) {
            if (!first)
                first = handle;
        });
        history_.leaked(live_, first.pack(), describe_(at(first.index)));
    }

  private:
    static constexpr std::uint32_t kBlockShift = 8;
    static constexpr std::uint32_t kBlockSlots = 1u << kBlockShift;
    static constexpr std::uint32_t kNoSlot = ~std::uint32_t{0};
    static_assert(sizeof(T) >= sizeof(std::uint32_t));

    struct Slot {
        std::uint32_t generation = 2; ///< even: free; never 0, which no handle may match
        alignas(T) std::byte memory[sizeof(T)];
        [[nodiscard]] T& object() { return *std::launder(reinterpret_cast<T*>(memory)); }
    };

    [[nodiscard]] Slot& slot_at(std::uint32_t index) const {
        return blocks_[index >> kBlockShift][index & (kBlockSlots - 1)];
    }

    void add_block() {
        const auto first = static_cast<std::uint32_t>(blocks_.size() * kBlockSlots);
        blocks_.push_back(std::make_unique_for_overwrite<Slot[]>(kBlockSlots));
        for (std::uint32_t i = kBlockSlots; i-- > 0; free_ = first + i)
            std::memcpy(blocks_.back()[i].memory, &free_, sizeof free_);
    }

    Machine& machine_;
    std::string_view type_;
    Describe describe_;
    std::vector<std::unique_ptr<Slot[]>> blocks_;
    std::uint32_t free_ = kNoSlot; ///< the free slots are a list through their memory
    std::size_t live_ = 0;
    std::size_t peak_ = 0;
    ObjectHistory history_;
};

} // namespace fenceline::sim::inline FENCELINE_MODE
