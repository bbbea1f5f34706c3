// Files as they are read: compressed or not, in any pieces.
#include "documents.hpp"
#include "workloads/input_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include <sys/stat.h>
#include <thread>

namespace fenceline::workloads::tests {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

std::string compressed(const std::string& text) {
    std::string out(ZSTD_compressBound(text.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
    return out;
}

std::string long_text() {
    std::string text;
    for (int i = 0; i < 100'000; ++i) {
        text += std::to_string(i * 7919 % 100'003) + "\n";
    }
    return text;
}

std::string read_fault(const TemporaryFile& file) {
    return fault_of([&] { (void)read_text(file.path()); });
}

TEST(InputFile, DecompressesWhateverTheNameSays) {
    for (const std::string& text : {std::string(), std::string("{}"), long_text()}) {
        EXPECT_EQ(read_text(TemporaryFile("w.json", compressed(text)).path()), text);
        EXPECT_EQ(read_text(TemporaryFile("w.zst", text).path()), text);
    }
    // Frames may follow each other.
    const TemporaryFile two("w.json", compressed("one ") + compressed("") + compressed("two"));
    EXPECT_EQ(read_text(two.path()), "one two");
}

TEST(InputFile, SaysThatCompressedDataAreIncomplete) {
    const std::string whole = compressed(long_text());
    for (const std::size_t size :
         {std::size_t{4}, std::size_t{9}, whole.size() / 2, whole.size() - 1}) {
        const TemporaryFile file("w.json", whole.substr(0, size));
        EXPECT_EQ(read_fault(file),
                  file.path() + ": cannot be read: its compressed data end too early")
            << size;
    }
    // Three bytes are no mark yet, and no JSON either.
    EXPECT_EQ(read_text(TemporaryFile("w.json", whole.substr(0, 3)).path()), whole.substr(0, 3));
}

TEST(InputFile, SaysThatCompressedDataAreDamaged) {
    const TemporaryFile file("w.json", compressed(long_text()) + "garbage");
    EXPECT_THAT(read_fault(file),
                HasSubstr("w.json: cannot be read: its compressed data are damaged ("));
}

TEST(InputFile, ReadsACompressedPipeByteByByte) {
    const TemporaryFile place("unused", "");
    const std::string pipe = (place.folder() / "pipe").string();
    ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    const std::string text = "some text\n";
    std::thread writer([&] {
        std::ofstream out(pipe);
        for (const char c : compressed(text)) {
            out.put(c).flush();
        }
    });
    EXPECT_EQ(read_text(pipe), text);
    writer.join();
}

TEST(InputFile, StopEndsReadingUntilItIsRewound) {
    const TemporaryFile file("w.json", "some text");
    InputFile input(file.path());
    ASSERT_TRUE(input.can_stop());
    input.stop();
    std::string text;
    append_rest(input, text);
    EXPECT_EQ(text, "");
    input.rewind();
    append_rest(input, text);
    EXPECT_EQ(text, "some text");
}

TEST(InputFile, CompressedWorkloadsAreLikeOthers) {
    std::string lines;
    for (int i = 0; i < 20'000; ++i) {
        const std::string number = std::to_string(i);
        lines +=
            "{\"id\":" + number + ",\"at\":" + number + ",\"entity\":\"a/gfx\",\"duration\":1}\n";
    }
    const TemporaryFile plain("w.jsonl", lines_with("", lines));
    const TemporaryFile small("w.jsonl.zst", compressed(lines_with("", lines)));
    const LoadedWorkload loaded = load_workload(small.path());
    EXPECT_TRUE(loaded.workload->streamed);
    EXPECT_EQ(loaded.workload->name, "w");
    const auto source = loaded.open_jobs();
    source->read_ahead(2);
    const ReadJobs expected = read_jobs(*load_workload(plain.path()).open_jobs());
    EXPECT_EQ(expected.jobs.size(), 20'000U);
    EXPECT_EQ(read_jobs(*source), expected);
    source->rewind();
    EXPECT_EQ(read_jobs(*source), expected);

    const TemporaryFile document(
        "w.json.zst",
        compressed(workload_with_jobs(R"({"id":0,"at":0,"entity":"a/gfx","duration":1})")));
    EXPECT_EQ(read_all(load_workload(document.path())), 1U);
    EXPECT_THAT(load_workload(document.path()).workload->name, "w");
}

TEST(InputFile, FaultsInCompressedLinesHaveTheirPlace) {
    const TemporaryFile file("w.jsonl.zst", compressed(lines_with("", "{\"id\":x}\n")));
    EXPECT_THAT(fault_of([&] { (void)read_all(load_workload(file.path())); }),
                EndsWith("w.jsonl.zst:2:7: found an invalid literal; last read: '\"id\":x'"));
}

} // namespace
} // namespace fenceline::workloads::tests
