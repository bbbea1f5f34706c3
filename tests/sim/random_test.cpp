// Random numbers against published vectors.
#include "sim/random.hpp"
#include "sim/time.hpp"

#include <gtest/gtest.h>

namespace fenceline::sim {
namespace {

TEST(Random, FnvGivesThePublishedVectors) {
    EXPECT_EQ(fnv1a64(""), 0xcbf29ce484222325u);
    EXPECT_EQ(fnv1a64("a"), 0xaf63dc4c8601ec8cu);
    EXPECT_EQ(fnv1a64("foobar"), 0x85944171f73967e8u);
}

TEST(Random, FnvTakesBytesAsUnsigned) {
    EXPECT_EQ(fnv1a64("\xff"), (0xcbf29ce484222325u ^ 0xffu) * 0x100000001b3u);
}

TEST(Random, SplitMixGivesThePublishedVectors) {
    Random zero(0);
    EXPECT_EQ(zero.next(), 0xe220a8397b1dcdafu);
    EXPECT_EQ(zero.next(), 0x6e789e6aa1b965f4u);
    EXPECT_EQ(zero.next(), 0x06c45d188009454fu);
    Random other(1234567);
    EXPECT_EQ(other.next(), 6457827717110365317u);
    EXPECT_EQ(other.next(), 3203168211198807973u);
    EXPECT_EQ(other.next(), 9817491932198370423u);
    EXPECT_EQ(other.next(), 4593380528125082431u);
    EXPECT_EQ(other.next(), 16408922859458223821u);
}

TEST(Random, AClientsStreamStartsAtTheSeedAndItsName) {
    Random stream(42, "app");
    Random same(42 ^ fnv1a64("app"));
    EXPECT_EQ(stream.next(), same.next());
    Random other(42, "app2");
    EXPECT_NE(stream.next(), other.next());
}

TEST(Random, UnitIsBelowOneAndUsesTheHighBits) {
    Random numbers(7);
    Random units(7);
    for (int i = 0; i < 1000; ++i) {
        const double unit = units.unit();
        EXPECT_EQ(unit, static_cast<double>(numbers.next() >> 11) / 9007199254740992.0);
        EXPECT_GE(unit, 0);
        EXPECT_LT(unit, 1);
    }
}

TEST(Time, SumsStopAtForever) {
    EXPECT_EQ(add_saturating(1, 2), 3u);
    EXPECT_EQ(add_saturating(kForever, 0), kForever);
    EXPECT_EQ(add_saturating(kForever, 1), kForever);
    EXPECT_EQ(add_saturating(kForever - 1, 5), kForever);
}

} // namespace
} // namespace fenceline::sim
