#include "tools/output_file.hpp"

#include "tests/tools/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sys/stat.h>

namespace fenceline::tools {
namespace {

using ::testing::HasSubstr;
using testing::Scratch;

std::string open_fault(const std::string& path) {
    try {
        const OutputFile file(path);
    } catch (const OutputError& error) {
        return error.what();
    }
    return "no error";
}

TEST(OutputFile, AppearsOnlyWhenComplete) {
    const Scratch scratch;
    OutputFile file(scratch.path("out"));
    file.write("half");
    EXPECT_FALSE(scratch.exists("out"));
    file.write(" and half");
    file.commit();
    EXPECT_EQ(scratch.read("out"), "half and half");
    EXPECT_EQ(scratch.file_count(), 1U);
}

TEST(OutputFile, LeavesNothingBehindWithoutCommit) {
    const Scratch scratch;
    scratch.file("out", "before");
    {
        OutputFile file(scratch.path("out"));
        file.write("after");
    }
    EXPECT_EQ(scratch.read("out"), "before");
    EXPECT_EQ(scratch.file_count(), 1U);
}

TEST(OutputFile, ReplacesAFileAndKeepsItsMode) {
    const Scratch scratch;
    const std::string path = scratch.file("out", "a longer text than the next");
    chmod(path.c_str(), 0640);
    OutputFile file(path);
    file.write("short");
    file.commit();
    EXPECT_EQ(scratch.read("out"), "short");
    struct stat status {};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0640U);
}

TEST(OutputFile, WritesWhereALinkPoints) {
    const Scratch scratch;
    scratch.file("target", "before");
    std::filesystem::create_symlink("target", scratch.path("link"));
    OutputFile file(scratch.path("link"));
    file.write("after");
    file.commit();
    EXPECT_TRUE(std::filesystem::is_symlink(scratch.path("link")));
    EXPECT_EQ(scratch.read("target"), "after");
}

TEST(OutputFile, WritesToDevicesDirectly) {
    OutputFile file("/dev/null");
    file.write("gone");
    file.commit();
    EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(OutputFile, RemovesUnfinishedFilesWhenAsked) {
    const Scratch scratch;
    OutputFile file(scratch.path("out"));
    EXPECT_EQ(scratch.file_count(), 1U);
    remove_unfinished_files();
    EXPECT_EQ(scratch.file_count(), 0U);
}

TEST(OutputFile, SaysWhatIsWrong) {
    const Scratch scratch;
    EXPECT_THAT(open_fault(scratch.path("")), HasSubstr("cannot be written: Is a directory"));
    EXPECT_THAT(open_fault(scratch.path("none/out")),
                HasSubstr("cannot be written: No such file or directory"));
    EXPECT_THAT(open_fault(scratch.file("file", "") + "/out"),
                HasSubstr("cannot be written: Not a directory"));
    EXPECT_EQ(open_fault(""), "'': cannot be written: No such file or directory");
    EXPECT_THAT(open_fault("/dev/null/\x1b"), HasSubstr("/dev/null/?: cannot be written"));
    OutputFile full("/dev/full");
    EXPECT_THROW(full.write("x"), OutputError);
}

} // namespace
} // namespace fenceline::tools
