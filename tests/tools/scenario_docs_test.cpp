// docs/scenarios.md shows what the program does: its scenario fails as the page says, and passes when
// it is changed as the page says.
#include "tests/tools/program.hpp"
#include "tests/tools/scratch.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace fenceline::tools::testing {
namespace {

/// What stands between ``` and ``` after this opening, in the page's number-th block that has it.
std::string block(const std::string& page, const std::string& opening, int number) {
    const std::string mark = "```" + opening;
    std::size_t at = page.find(mark);
    for (int i = 0; i < number; ++i) {
        at = page.find(mark, at + mark.size());
    }
    const std::size_t begin = at + mark.size();
    return page.substr(begin, page.find("```", begin) - begin);
}

void replace(std::string& text, const std::string& from, const std::string& to) {
    ASSERT_NE(text.find(from), std::string::npos) << from;
    text.replace(text.find(from), from.size(), to);
}

TEST(ScenarioDocs, ShowWhatTheProgramDoes) {
    std::ifstream in(std::string(FENCELINE_SOURCE_DIR) + "/docs/scenarios.md");
    const std::string page{std::istreambuf_iterator<char>(in), {}};
    const Scratch scratch;
    std::string document = block(page, "json\n", 0);
    const std::string file = scratch.file("killed.json", document);
    const Outcome failed = run_program({"test", file});
    EXPECT_EQ(failed.code, 1);
    std::string shown = failed.out;
    replace(shown, file, "killed.json");
    EXPECT_EQ(block(page, "\n$ fenceline test killed.json\n", 0), shown);

    replace(document, "\"failed\": 0", "\"failed\": 1");
    replace(document, "\"counts\"", block(page, "json\n", 1) + "\"counts\"");
    scratch.file("killed.json", document);
    EXPECT_EQ(run_program({"test", file}).code, 0);
}

} // namespace
} // namespace fenceline::tools::testing
