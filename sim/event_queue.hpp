// The pending-event set of the simulation: a priority queue of 16-byte entries ordered by
// (time, seq). It is a radix heap over the whole 128-bit key with a small sorted window in front.
//
//   near_    up to 48 entries, sorted, soonest last: pop is a decrement, push a short insertion,
//            and where the entry becomes the earliest a comparison and a store.
//            A queue that never exceeds 48 entries lives here only and never allocates. Below them
//            stands an entry that is not one: see first().
//   early_   binary heap; empty unless many entries arrive below `base_` (see below).
//   wheel_   16 levels (one per key byte) x 256 buckets. An entry sits at the level of the most
//            significant byte in which it differs from `base_`, in the bucket of that byte's value.
//            A bucket is an unordered stack of 256-byte chunks drawn from one free list.
//
// Invariants
//   keys in near_ <= horizon_ < keys in early_ < base_ <= keys in wheel_ (for non-empty parts);
//   a push goes to the part its key selects. When everything is in near_, horizon_ is the maximum,
//   and only then.
//
// When near_ runs dry the first non-empty bucket of the lowest non-empty level (the least keys of
// the wheel) is taken: a small one becomes near_, a large one is dealt out to the levels below it.
// When near_ overflows its later half is sent back. Refilling waits until the next entry is asked
// for, because a handler's pushes after a pop would otherwise meet a base that is already beyond
// them. Only looking ahead across a gap and then pushing many entries into the gap can put keys
// below `base_`; early_ takes those, so that such a pattern costs O(log n) and not a rebuild.
//
// Complexity: amortised O(1) for realistic keys. An entry descends at most 15 levels, and in
// practice moves about log256(n) times; nothing is tuned to a distribution and no resize exists, so
// equal times, clusters and gaps of 2^63 behave alike (the seq bytes separate equal times). Through
// early_ it is O(log n). Order is independent of layout since keys are unique: it is deterministic.
//
// Memory: 16 bytes per entry plus 1/15 for chunk links, partly filled chunks and a 66 KB wheel
// allocated on the first overflow. Chunks are recycled and not returned before destruction, so a
// queue in a steady state does not allocate. Scattered keys can leave up to 4096 chunks partly
// filled: 1 MB at most, whatever the size.
//
// Why this one: cost per HOLD event relative to this queue, exponential increments (GCC 12, -O3,
// plain x86-64, a shared two-core machine; the least of four runs, of two at 10^7).
// bench/event_queue_bench.cpp repeats it.
//
//   pending               1     4     16    64    10^3   10^5   10^6   10^7
//   std::priority_queue   1.1   1.3   1.6   1.8   2.7    4.1    4.5    9
//   4-ary heap            1.0   1.3   1.6   1.9   2.8    3.9    5.2    9.5
//   8-ary heap            1.0   1.4   1.7   1.8   3.2    4.8    6.2    11
//   calendar queue        5.0   1.9   1.4   1.2   1.2    1.8    4.2    not run
//
// With all times equal std::priority_queue wins near 16. The calendar queue has no such bound: at 10^3
// pending it takes over 20 times as long as this queue on bimodal and over 100 times as long on
// equal times. Refill sizes of 16 to 48 and windows of 32 to 96 differ little but at sizes near the
// window itself. Batches of 50 to 5000 pushed into a gap that was looked across, with 10^5 pending
// behind it, cost no more than with std::priority_queue. Memory, measured: 17 to 19 bytes per entry
// at 10^5 and 10^6.
#pragma once

#include "sim/time.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace fenceline::sim {

class EventQueue {
  public:
    using Payload = std::uint32_t;

    static constexpr unsigned kPayloadBits = 24;
    static constexpr unsigned kSeqBits = 64 - kPayloadBits;

    /// Compared lexicographically. The payload is below the seq, which is unique, so it never
    /// decides the order.
    struct Entry {
        Time time;
        std::uint64_t seq_payload;

        [[nodiscard]] Payload payload() const {
            return static_cast<Payload>(seq_payload & ((std::uint64_t{1} << kPayloadBits) - 1));
        }
        [[nodiscard]] std::uint64_t seq() const { return seq_payload >> kPayloadBits; }
    };
    static_assert(sizeof(Entry) == 16);

    EventQueue() = default;
    EventQueue(const EventQueue&) = delete;
    EventQueue& operator=(const EventQueue&) = delete;

    /// REQUIRES: seq < 2^40 and not pending already; payload < 2^24. A time before the last popped
    /// one is still ordered correctly, it is only not what the structure is fast at.
    /// Cost: amortised O(1), see above; allocates only when more chunks are needed than ever
    /// before.
    [[gnu::always_inline]] void push(Time time, std::uint64_t seq, Payload payload) {
        assert(seq >> kSeqBits == 0 && payload >> kPayloadBits == 0);
        push(time, seq << kPayloadBits | payload);
    }
    /// The same with seq and payload as an entry has them.
    [[gnu::always_inline]] void push(Time time, std::uint64_t seq_payload) {
        if (takes_first(time))
            push_first(time, seq_payload);
        else
            push_behind(time, seq_payload);
    }
    /// Whether an entry at this time would be the earliest and cost next to nothing: it is before
    /// every other one, and the window has room.
    [[nodiscard]] bool takes_first(Time time) const {
        return time < top_->time && top_ != &near_[kNearCapacity];
    }
    /// REQUIRES: takes_first(time).
    void push_first(Time time, std::uint64_t seq_payload) { set(++top_, time, seq_payload); }
    /// The same as push(), for one of which takes_first() is not true.
    [[gnu::always_inline]] void push_behind(Time time, std::uint64_t seq_payload) {
        const Key key = Key{time} << 64 | seq_payload;
        if (key > horizon_)
            insert_beyond(key);
        else
            insert_within(key);
    }

    [[nodiscard]] bool empty() const { return size() == 0; }
    [[nodiscard]] std::size_t size() const { return near_size() + early_.size() + wheel_size_; }

    /// REQUIRES: !empty(). The reference is valid until the next push, pop or clear. Const to the
    /// caller but may refill the window, so that even const access from two threads needs a lock.
    [[nodiscard]] const Entry& top() const {
        assert(!empty());
        fetch();
        return *top_;
    }
    [[nodiscard]] Time next_time() const { return top().time; }

    /// REQUIRES: !empty(). Removes and returns the entry with the least (time, seq).
    Entry pop() {
        const Entry least = top();
        --top_;
        return least;
    }

    /// The earliest entry without looking further than the window: where that is empty, a stand-in
    /// with seq and payload 0 and a time that no entry is before, kForever when there is none at
    /// all. One load; it lets the caller find out that nothing is due yet without a refill.
    [[nodiscard]] const Entry& first() const { return *top_; }
    /// Brings the earliest entry into the window, so that first() is it, if there is any.
    void fetch() const {
        if (top_ == near_.data() && horizon_ != kMaxKey) // else there is nothing behind it
            refill();
    }
    /// Removes first(). REQUIRES: it is an entry.
    void drop_first() { --top_; }

    [[nodiscard]] std::size_t memory_bytes() const {
        return sizeof(*this) + early_.capacity() * sizeof(Entry) + (wheel_ ? sizeof(Wheel) : 0) +
               slabs_.capacity() * sizeof(slabs_[0]) + slabs_.size() * kSlabChunks * sizeof(Chunk);
    }

    /// Drops all entries and keeps the memory; times may start again from zero.
    void clear() {
        while (wheel_size_ != 0) {
            const Bucket bucket = take_first_bucket().bucket;
            for (Chunk* chunk = bucket.head; chunk != nullptr;)
                chunk = recycle(chunk);
        }
        early_.clear();
        top_ = near_.data();
        set_horizon(kMaxKey);
        base_ = 0;
    }

  private:
    __extension__ typedef unsigned __int128 Key; // one compare-and-borrow pair, no branch on ties

    static constexpr Key kMaxKey = ~Key{0};
    static constexpr std::size_t kNearCapacity = 48;
    // Buckets up to this size are sorted into the window, larger ones split.
    static constexpr std::size_t kRefill = kNearCapacity / 2;
    static constexpr unsigned kLevels = 16;
    static constexpr unsigned kDigits = 256;
    static constexpr std::uint32_t kChunkEntries = 15;
    static constexpr std::size_t kSlabChunks = 64;

    struct alignas(64) Chunk {
        Chunk* next;
        std::array<Entry, kChunkEntries> entries;
    };
    static_assert(sizeof(Chunk) == 256);

    // Only the head chunk may be partly filled: its entries are [head_free, kChunkEntries).
    struct Bucket {
        Chunk* head = nullptr;
        std::uint32_t head_free = 0;
        std::uint32_t count = 0;
    };

    struct Wheel {
        std::array<std::array<Bucket, kDigits>, kLevels> buckets;
        std::array<std::array<std::uint64_t, kDigits / 64>, kLevels> occupied{};
        std::uint32_t levels = 0; // bit per level with a non-empty bucket
    };

    struct TakenBucket {
        Bucket bucket;
        unsigned level;
        unsigned digit;
    };

    static Key key_of(const Entry& entry) { return Key{entry.time} << 64 | entry.seq_payload; }

    // With this order std::push_heap keeps the least entry at the front.
    static bool later(const Entry& a, const Entry& b) { return key_of(a) > key_of(b); }

    [[nodiscard]] std::size_t near_size() const {
        return static_cast<std::size_t>(top_ - near_.data());
    }

    void set_horizon(Key key) const {
        horizon_ = key;
        near_[0] = {static_cast<Time>(key >> 64), 0};
    }

    // Field by field: an entry that is put together elsewhere and copied as a whole waits until its
    // halves have been written.
    static void set(Entry* at, Time time, std::uint64_t seq_payload) {
        at->time = time;
        at->seq_payload = seq_payload;
    }
    static void set(Entry* at, Key key) {
        set(at, static_cast<Time>(key >> 64), static_cast<std::uint64_t>(key));
    }

    [[gnu::noinline]] void insert_within(Key key) {
        if (top_ == &near_[kNearCapacity])
            evict_near();
        if (key <= horizon_)
            insert_near(key);
        else
            insert_beyond(key);
    }

    void insert_near(Key key) const {
        Entry* hole = ++top_;
        for (; hole - 1 != near_.data() && key_of(hole[-1]) < key; --hole)
            *hole = hole[-1];
        set(hole, key);
    }

    [[gnu::noinline]] void insert_beyond(Key key) const {
        if (key >= base_) {
            insert_wheel(key);
            ++wheel_size_;
        } else {
            early_.push_back({static_cast<Time>(key >> 64), static_cast<std::uint64_t>(key)});
            std::push_heap(early_.begin(), early_.end(), later);
        }
    }

    void insert_wheel(Key key) const {
        const Time time = static_cast<Time>(key >> 64);
        const auto seq_payload = static_cast<std::uint64_t>(key);
        // The two halves separately: shifting 128 bits by a variable costs more than this branch,
        // which goes the same way for long runs.
        const std::uint64_t time_diff = time ^ static_cast<std::uint64_t>(base_ >> 64);
        const std::uint64_t seq_diff = seq_payload ^ static_cast<std::uint64_t>(base_);
        const bool by_time = time_diff != 0;
        const std::uint64_t diff = by_time ? time_diff : seq_diff | 1;
        const std::uint64_t word = by_time ? time : seq_payload;
        const unsigned byte = static_cast<unsigned>(std::bit_width(diff) - 1) / 8;
        const unsigned level = by_time ? byte + kLevels / 2 : byte;
        const unsigned digit = static_cast<unsigned>(word >> (byte * 8)) % kDigits;

        Bucket& bucket = wheel_->buckets[level][digit];
        if (bucket.head_free == 0) {
            Chunk* chunk = new_chunk();
            chunk->next = bucket.head;
            bucket.head = chunk;
            bucket.head_free = kChunkEntries;
            wheel_->occupied[level][digit / 64] |= std::uint64_t{1} << (digit % 64);
            wheel_->levels |= 1u << level;
        }
        set(&bucket.head->entries[--bucket.head_free], key);
        ++bucket.count;
    }

    // Sends the later half of the full window back where its keys belong.
    [[gnu::noinline]] void evict_near() {
        constexpr std::size_t kEvicted = kNearCapacity / 2;
        if (!wheel_)
            wheel_ = std::make_unique<Wheel>();
        // With nothing behind the window the base is free; the least pending key is the best one,
        // as it leaves no room for early_.
        if (early_.empty() && wheel_size_ == 0)
            base_ = key_of(*top_);
        set_horizon(key_of(near_[kEvicted + 1]));
        for (std::size_t i = 1; i <= kEvicted; ++i)
            insert_beyond(key_of(near_[i]));
        std::copy(near_.begin() + kEvicted + 1, near_.end(), near_.begin() + 1);
        top_ -= kEvicted;
    }

    // REQUIRES: near_ is empty and another part is not. Moves the least entries there.
    [[gnu::noinline]] void refill() const {
        if (!early_.empty()) {
            refill_from_early();
        } else {
            refill_from_wheel();
        }
        if (early_.empty() && wheel_size_ == 0)
            set_horizon(kMaxKey);
    }

    void refill_from_early() const {
        const std::size_t size = std::min(kRefill, early_.size());
        for (std::size_t i = size; i > 0; --i) {
            std::pop_heap(early_.begin(), early_.end(), later);
            near_[i] = early_.back();
            early_.pop_back();
        }
        top_ = &near_[size];
        set_horizon(early_.empty() ? base_ - 1 : key_of(near_[1]));
    }

    void refill_from_wheel() const {
        for (;;) {
            const auto [bucket, level, digit] = take_first_bucket();
            const Key below = (Key{1} << (level * 8)) - 1; // the bytes below the bucket's own
            base_ = (base_ & ~(below << 8 | 0xff)) | Key{digit} << (level * 8);
            const bool small = bucket.count <= kRefill;
            assert(small || level > 0); // a level-0 bucket holds one key, and keys are unique
            std::uint32_t first = bucket.head_free;
            for (Chunk* chunk = bucket.head; chunk != nullptr; first = 0) {
                for (std::uint32_t i = first; i < kChunkEntries; ++i) {
                    const Key key = key_of(chunk->entries[i]);
                    if (small) {
                        insert_near(key);
                    } else {
                        insert_wheel(key);
                    }
                }
                chunk = recycle(chunk);
            }
            if (small) {
                set_horizon(base_ | below);
                return;
            }
            wheel_size_ += bucket.count;
        }
    }

    // REQUIRES: wheel_size_ != 0. Unlinks the bucket with the least keys: lower levels agree with
    // base_ in more leading bytes and so come first.
    TakenBucket take_first_bucket() const {
        const unsigned level = static_cast<unsigned>(std::countr_zero(wheel_->levels));
        auto& occupied = wheel_->occupied[level];
        unsigned word = 0;
        while (occupied[word] == 0)
            ++word;
        const unsigned digit = word * 64 + static_cast<unsigned>(std::countr_zero(occupied[word]));
        occupied[word] &= occupied[word] - 1;
        if ((occupied[0] | occupied[1] | occupied[2] | occupied[3]) == 0) {
            wheel_->levels &= ~(1u << level);
        }
        const Bucket bucket = std::exchange(wheel_->buckets[level][digit], Bucket{});
        wheel_size_ -= bucket.count;
        return {bucket, level, digit};
    }

    Chunk* new_chunk() const {
        if (free_chunks_ == nullptr) {
            slabs_.push_back(std::make_unique_for_overwrite<Chunk[]>(kSlabChunks));
            for (std::size_t i = kSlabChunks; i-- > 0;)
                recycle(&slabs_.back()[i]);
        }
        return std::exchange(free_chunks_, free_chunks_->next);
    }

    // Returns the chunk that followed. The next of a fresh chunk is meaningless and ignored.
    Chunk* recycle(Chunk* chunk) const {
        Chunk* const next = chunk->next;
        chunk->next = std::exchange(free_chunks_, chunk);
        return next;
    }

    // Mutable because top() refills: which part holds an entry is not observable.
    // Descending, the soonest at top_; [0] is the stand-in, which carries the time of horizon_.
    mutable std::array<Entry, kNearCapacity + 1> near_{{{kForever, 0}}};
    mutable Entry* top_ = near_.data();
    mutable std::size_t wheel_size_ = 0;
    mutable Key horizon_ = kMaxKey;
    mutable Key base_ = 0;
    mutable std::vector<Entry> early_;
    mutable Chunk* free_chunks_ = nullptr;
    mutable std::vector<std::unique_ptr<Chunk[]>> slabs_;
    std::unique_ptr<Wheel> wheel_;
};

} // namespace fenceline::sim
