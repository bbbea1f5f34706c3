#include "workloads/name_table.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace fenceline::workloads {
namespace {

TEST(NameTable, FindsWhatWasAddedAndNothingElse) {
    NameTable table;
    EXPECT_EQ(table.find("a"), NameTable::kNone);
    EXPECT_EQ(table.intern("a"), 0u);
    EXPECT_EQ(table.intern("b"), 1u);
    EXPECT_EQ(table.intern("a"), 0u);
    EXPECT_EQ(table.find("b"), 1u);
    EXPECT_EQ(table.find(""), NameTable::kNone);
    EXPECT_EQ(table.intern(""), 2u);
}

// Names that people number: the number at the start, in the middle and at the end, of names shorter
// and longer than a word.
TEST(NameTable, NumberedNamesDoNotCollide) {
    const auto number_in = [](int form, int number) {
        switch (form) {
        case 0:
            return fmt::format("{}", number);
        case 1:
            return fmt::format("c{}/gfx", number);
        case 2:
            return fmt::format("{}-client", number);
        case 3:
            return fmt::format("client-{}/render-queue", number);
        default:
            return fmt::format("a-long-name-in-front-{}", number);
        }
    };
    for (int form = 0; form < 5; ++form)
        for (const int count : {16, 64, 100, 1000, 4096}) {
            NameTable table;
            for (int number = 0; number < count; ++number)
                table.intern(number_in(form, number));
            EXPECT_LT(table.mean_search(), 2) << number_in(form, 17) << ", " << count;
        }
}

} // namespace
} // namespace fenceline::workloads
