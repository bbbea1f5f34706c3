// The ledger of a lifetime policy: what is pinned after it has done its duty, by whom, for how
// long.
//
// A fence is pinned from the moment it has signalled until its last reference goes; a counted
// context from the moment its creator let go of it until the last fence does. Bytes are those of
// the kernel's objects (x86-64, plain configuration), not of the model's. The duration is booked on
// whoever dropped the last reference, which is the holder that mattered.
//
// Everything is O(1) per event; sums are exact (byte-nanoseconds in 128 bits).
#pragma once

#include "sim/time.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace fenceline::fences {

/// Who holds a reference to a fence, as far as reports care.
enum class Holder : std::uint8_t {
    job,
    last_scheduled,
    dependency,
    sched_fence,
    driver,
    sync_file,
    syncobj,
    timeline,  ///< a syncobj with points
    resv,      ///< a dma_resv
    container, ///< a fence array or chain, or whoever walks one
    fence,
    workload,
    still_held ///< nobody had let go when the run ended
};
inline constexpr std::size_t kHolderCount = 13;
[[nodiscard]] std::string_view name_of(Holder holder);

/// Sizes of the kernel's objects, in bytes (plain configuration of the 6.12 layouts).
inline constexpr std::uint64_t kFenceBytes = 64;
inline constexpr std::uint64_t kSchedFenceBytes = 192; ///< 176 in its cache-aligned slab

class Ledger {
  public:
    struct Longest {
        sim::Time duration = 0;
        sim::Time until = 0;
        std::uint64_t bytes = 0;
        std::string_view what;
        Holder holder = Holder::job;
    };

    void pinned(std::uint64_t bytes, std::uint64_t objects = 1) {
        bytes_now_ += bytes;
        objects_now_ += objects;
        if (bytes_now_ > peak_bytes_)
            peak_bytes_ = bytes_now_;
        if (objects_now_ > peak_objects_)
            peak_objects_ = objects_now_;
    }
    [[gnu::always_inline]] void unpinned(std::uint64_t bytes, sim::Time since, sim::Time now,
                                         Holder holder, std::string_view what) {
        bytes_now_ -= bytes;
        --objects_now_;
        const sim::Time duration = now - since;
        byte_ns_[static_cast<std::size_t>(holder)] += Wide{bytes} * duration;
        if (duration > longest_.duration) [[unlikely]]
            note_longest({duration, now, bytes, what, holder});
    }
    /// Accounts what is still pinned when the run ends, without a release.
    void still_pinned(std::uint64_t bytes, sim::Time since, sim::Time now, std::string_view what) {
        unpinned(bytes, since, now, Holder::still_held, what);
        ++unreleased_;
    }

    [[nodiscard]] double byte_seconds() const;
    [[nodiscard]] double byte_seconds(Holder holder) const;
    [[nodiscard]] std::uint64_t peak_bytes() const { return peak_bytes_; }
    [[nodiscard]] std::uint64_t peak_objects() const { return peak_objects_; }
    [[nodiscard]] std::uint64_t unreleased() const { return unreleased_; }
    [[nodiscard]] const Longest& longest() const { return longest_; }

  private:
    [[gnu::noinline]] void note_longest(const Longest& longest) { longest_ = longest; }

    __extension__ using Wide = unsigned __int128;

    std::uint64_t bytes_now_ = 0;
    std::uint64_t objects_now_ = 0;
    std::uint64_t peak_bytes_ = 0;
    std::uint64_t peak_objects_ = 0;
    std::uint64_t unreleased_ = 0;
    std::array<Wide, kHolderCount> byte_ns_{};
    Longest longest_;
};

} // namespace fenceline::fences
