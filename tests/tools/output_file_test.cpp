#include "tools/output_file.hpp"

#include "tests/tools/scratch.hpp"
#include "workloads/input_file.hpp"

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

/// Lines such as logs have, some megabytes of them.
std::string long_text() {
    std::string text;
    for (int i = 0; i < 100'000; ++i) {
        text += "{\"t\":" + std::to_string(i * 37) +
                ",\"ev\":\"queue\",\"job\":" + std::to_string(i) +
                ",\"entity\":\"a/gfx\",\"ring\":\"gfx\"}\n";
    }
    return text;
}

TEST(OutputFile, CompressesWhenTheNameSaysSo) {
    const Scratch scratch;
    const std::string text = long_text();
    for (const char* name : {"one.zst", "two.zst"}) {
        OutputFile file(scratch.path(name));
        for (std::size_t at = 0; at < text.size(); at += 1'000'003) {
            file.write(std::string_view(text).substr(at, 1'000'003));
        }
        EXPECT_FALSE(scratch.exists(name));
        file.commit();
        EXPECT_EQ(workloads::read_text(scratch.path(name)), text);
    }
    EXPECT_LT(scratch.read("one.zst").size(), text.size() / 4);
    EXPECT_EQ(scratch.read("one.zst"), scratch.read("two.zst"));
}

TEST(OutputFile, CompressesNothingIntoAFileThatCanBeRead) {
    const Scratch scratch;
    OutputFile file(scratch.path("out.zst"));
    file.commit();
    EXPECT_GT(scratch.read("out.zst").size(), 4U);
    EXPECT_EQ(workloads::read_text(scratch.path("out.zst")), "");
}

TEST(OutputFile, LeavesNoHalfOfACompressedFileBehind) {
    const Scratch scratch;
    {
        OutputFile file(scratch.path("out.zst"));
        file.write(long_text());
    }
    EXPECT_EQ(scratch.file_count(), 0U);
}

TEST(OutputFile, SaysThatACompressedFileCannotBeWritten) {
    const Scratch scratch;
    std::filesystem::create_symlink("/dev/full", scratch.path("full.zst"));
    OutputFile file(scratch.path("full.zst"));
    EXPECT_THROW(
        {
            file.write(long_text());
            file.commit();
        },
        OutputError);
}

} // namespace
} // namespace fenceline::tools
