#include "workloads/input_error.hpp"

#include <gtest/gtest.h>

#include <array>

namespace fenceline::workloads {
namespace {

constexpr std::array<std::string_view, 4> kKnown{"priority", "rings", "id", "client"};

TEST(DidYouMean, FindsTheNameThatIsASlipAway) {
    EXPECT_EQ(did_you_mean("priorty", kKnown), " (did you mean 'priority'?)");
    EXPECT_EQ(did_you_mean("prioritiy", kKnown), " (did you mean 'priority'?)");
    EXPECT_EQ(did_you_mean("rigns", kKnown), " (did you mean 'rings'?)"); // swapped neighbours
    EXPECT_EQ(did_you_mean("ring", kKnown), " (did you mean 'rings'?)");
    EXPECT_EQ(did_you_mean("Client", kKnown), " (did you mean 'client'?)");
}

TEST(DidYouMean, SaysNothingWhereNothingIsClose) {
    EXPECT_EQ(did_you_mean("duration", kKnown), "");
    EXPECT_EQ(did_you_mean("", kKnown), "");
    EXPECT_EQ(did_you_mean("xy", kKnown), "");
    EXPECT_EQ(did_you_mean(std::string(100'000, 'r'), kKnown), "");
}

TEST(InputError, IsOneLineOfPrintableTextWhateverTheInput) {
    EXPECT_STREQ(InputError("a\nb\x1b[31mc\x7f").what(), "a?b?[31mc?");
    EXPECT_STREQ(InputError("x\xff.\xc3.\xc3\xa9\xed\xa0\x80y").what(), "x?.?.\xc3\xa9???y");
    EXPECT_STREQ(InputError("\xc2\x9b").what(), "?"); // a control character of one more kind
    EXPECT_LT(std::string(InputError(std::string(1'000'000, 'x')).what()).size(), 3000U);
}

} // namespace
} // namespace fenceline::workloads
