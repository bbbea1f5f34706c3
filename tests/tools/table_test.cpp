#include "tools/table.hpp"

#include "tools/human.hpp"
#include "tools/text_lines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::tools {
namespace {

const Style kPlain(false);

std::size_t widest_line(const std::string& text) {
    std::size_t width = 0;
    for (const std::string& line : split_lines(text)) {
        width = std::max(width, display_width(line));
    }
    return width;
}

TEST(Table, AlignsColumns) {
    Table table({{"name", Align::left}, {"jobs"}});
    table.row({{"a"}, {"12"}});
    table.row({{"longer"}, {"3"}});
    EXPECT_EQ(table.text(kPlain), "  name    jobs\n"
                                  "  a         12\n"
                                  "  longer     3\n");
}

TEST(Table, CutsLongNamesInTheMiddle) {
    Table table({{"name", Align::left, Overflow::cut}, {"jobs"}});
    table.row({{std::string(300, 'x') + "end"}, {"3"}});
    const std::string text = table.text(kPlain);
    EXPECT_EQ(widest_line(text), kPageWidth);
    EXPECT_THAT(text, ::testing::HasSubstr("x\u2026x"));
    EXPECT_THAT(text, ::testing::HasSubstr("xend"));
}

TEST(Table, BreaksCellsAtSpacesAndSlashes) {
    Table table({{"a", Align::left, Overflow::wrap}, {"b", Align::left}});
    table.row({{"FAILS use-after-free/lock"}, {"x"}});
    EXPECT_EQ(table.text(kPlain, 0, 18), "a                b\n"
                                         "FAILS            x\n"
                                         "use-after-free\n"
                                         "/lock\n");
}

TEST(Table, ShowsTooManyColumnsInBlocks) {
    std::vector<Column> columns{{"name", Align::left}};
    std::vector<Cell> cells{{"first"}};
    for (int i = 0; i < 30; ++i) {
        columns.push_back({"column" + std::to_string(i)});
        cells.push_back({"value" + std::to_string(i)});
    }
    Table table(columns);
    table.row(cells);
    const std::string text = table.text(kPlain);
    EXPECT_LE(widest_line(text), kPageWidth);
    EXPECT_THAT(text, ::testing::HasSubstr("value29"));
    EXPECT_EQ(split_lines(text).back(), "");
}

TEST(Table, NeverIsWiderThanThePage) {
    for (const Overflow overflow :
         {Overflow::keep, Overflow::cut, Overflow::wrap, Overflow::wrap_name}) {
        for (std::size_t size = 1; size < 250; size += 7) {
            Table table({{std::string(size, 'h'), Align::left, overflow},
                         {"b\nc", Align::right, overflow},
                         {"d", Align::left, overflow}});
            table.row(
                {{std::string(size, 'x')}, {"a b c d e f"}, {"\u4e2d" + std::string(size, '-')}});
            EXPECT_LE(widest_line(table.text(kPlain)), kPageWidth) << size;
        }
    }
}

TEST(Table, LetsNoControlCharactersThrough) {
    Table table({{"name", Align::left}});
    table.row({{"\x1b[2Jx\xff\ty"}});
    EXPECT_EQ(table.text(kPlain, 0), "name\n?[2Jx??y\n");
}

TEST(Table, ColoursDoNotChangeTheLayout) {
    Table table({{"name", Align::left}, {"b"}});
    table.row({{"a", Tone::bad}, {"1"}});
    EXPECT_THAT(table.text(Style(true)), ::testing::HasSubstr("\x1b[31ma\x1b[0m     1\n"));
}

TEST(Text, CutMiddleCountsColumns) {
    EXPECT_EQ(cut_middle("abcdefghij", 7), "abc\u2026hij");
    EXPECT_EQ(cut_middle("short", 7), "short");
    EXPECT_EQ(cut_middle("\u4e2d\u4e2d\u4e2d\u4e2d", 5), "\u4e2d\u2026\u4e2d");
    EXPECT_EQ(display_width("e\u0301\u4e2d"), 3U);
}

TEST(Text, WrapsAtSpacesAndBreaksOnlyWhatMustBe) {
    EXPECT_EQ(wrapped("one two three", 2, 4, 10), "  one two\n    three\n");
    EXPECT_EQ(wrapped("abcdefghijkl", 0, 2, 6), "abcdef\n  ghij\n  kl\n");
    EXPECT_EQ(wrapped("", 2, 4), "  \n");
}

TEST(Human, Times) {
    EXPECT_EQ(human_time(0), "0");
    EXPECT_EQ(human_time(999), "999 ns");
    EXPECT_EQ(human_time(1'234'567), "1.235 ms");
    EXPECT_EQ(human_time(999'999), "1000 us");
    EXPECT_EQ(human_time(9'000'000'000'000), "2.5 h");
    EXPECT_EQ(human_time(sim::kForever), "forever");
}

TEST(Human, OtherFigures) {
    EXPECT_EQ(human_bytes(192), "192 B");
    EXPECT_EQ(human_bytes(1536), "1.5 KiB");
    EXPECT_EQ(human_byte_seconds(0), "0");
    EXPECT_EQ(human_byte_seconds(0.0000001), "<0.001 B*s");
    EXPECT_EQ(human_count(1234567), "1,234,567");
    EXPECT_EQ(human_count(123), "123");
    EXPECT_EQ(human_number(1'230'000), "1.23 M");
    EXPECT_EQ(human_percent(0.123), "12.3 %");
    EXPECT_EQ(human_plural(1, "job"), "1 job");
    EXPECT_EQ(human_plural(2000, "job"), "2,000 jobs");
}

} // namespace
} // namespace fenceline::tools
