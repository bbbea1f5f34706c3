// The address range of a machine's objects.
#include "sim/arena.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <new>

namespace fenceline::sim {
namespace {

TEST(Arena, GivesZeroedMemoryOnCacheLines) {
    Arena arena;
    const std::uint32_t first = arena.take(100);
    const std::uint32_t second = arena.take(1);
    EXPECT_EQ(first % 8, 0u);
    EXPECT_EQ(second % 8, 0u);
    EXPECT_GE(second - first, 100 / Arena::kGranule);
    EXPECT_EQ(*static_cast<std::uint64_t*>(arena.at(first)), 0u);
    std::memset(arena.at(first), 1, 100);
    EXPECT_EQ(*static_cast<std::uint64_t*>(arena.at(second)), 0u);
}

TEST(Arena, NobodyGetsTheFirstGranule) {
    Arena arena;
    EXPECT_NE(*static_cast<std::uint64_t*>(arena.at(0)), 0u) << "the null handle would fit";
    EXPECT_GT(arena.take(8), 0u);
}

TEST(Arena, DoesNotMoveWhenItGrows) {
    Arena arena;
    const std::uint32_t first = arena.take(8);
    auto* const value = static_cast<std::uint64_t*>(arena.at(first));
    *value = 7;
    std::uint32_t last = 0;
    for (int i = 0; i < 100; ++i) {
        last = arena.take(std::size_t{1} << 20);
        std::memset(arena.at(last), 0xff, 16);
    }
    EXPECT_EQ(arena.at(first), value);
    EXPECT_EQ(*value, 7u);
    EXPECT_EQ(static_cast<std::byte*>(arena.at(last)),
              arena.base() + std::size_t{last} * Arena::kGranule);
}

TEST(Arena, ManyAtOnce) {
    Arena a;
    Arena b;
    EXPECT_NE(a.base(), b.base());
}

TEST(Arena, SaysWhenItIsUsedUp) {
    Arena arena;
    EXPECT_THROW(arena.take(std::size_t{1} << 40), std::bad_alloc);
    EXPECT_NE(arena.take(8), 0u) << "a smaller piece still fits";
}

} // namespace
} // namespace fenceline::sim
