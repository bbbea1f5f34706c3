#include "sim/arena.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace fenceline::sim {

namespace {
constexpr std::size_t kLine = 64;
constexpr std::size_t kMost = (std::size_t{1} << 32) * Arena::kGranule;
constexpr std::size_t kLeast = std::size_t{1} << 26;
constexpr std::size_t kFirstStep = std::size_t{1} << 20;
} // namespace

Arena::Arena() {
    // Where address space is limited, a smaller range has to do.
    for (reserved_ = kMost; base_ == nullptr; reserved_ /= 2) {
        if (reserved_ < kLeast)
            throw std::bad_alloc();
        void* const range =
            mmap(nullptr, reserved_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (range != MAP_FAILED) {
            base_ = static_cast<std::byte*>(range);
            break;
        }
    }
    try {
        take(kLine);
    } catch (...) {
        munmap(base_, reserved_);
        throw;
    }
    std::memset(base_, 0xff, kGranule); // equal to no handle
}

Arena::~Arena() {
    munmap(base_, reserved_);
}

std::uint32_t Arena::take(std::size_t bytes) {
    const std::size_t size = (bytes + kLine - 1) / kLine * kLine;
    if (size > reserved_ - taken_)
        throw std::bad_alloc();
    const std::size_t first = taken_;
    if (first + size > usable_)
        make_usable(first + size);
    taken_ = first + size;
    return static_cast<std::uint32_t>(first / kGranule);
}

/// Doubles, so that the number of system calls stays small.
void Arena::make_usable(std::size_t bytes) {
    std::size_t wanted = std::max(usable_ * 2, kFirstStep);
    while (wanted < bytes)
        wanted *= 2;
    wanted = std::min(wanted, reserved_);
    if (mprotect(base_ + usable_, wanted - usable_, PROT_READ | PROT_WRITE) != 0)
        throw std::bad_alloc();
    usable_ = wanted;
}

} // namespace fenceline::sim
