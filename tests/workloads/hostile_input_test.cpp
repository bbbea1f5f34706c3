// Whatever stands in a file, the answer is one clear message.
#include "documents.hpp"
#include "workloads/json_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace fenceline::workloads::tests {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string load_fault(const std::string& path) {
    return fault_of([&] { (void)read_all(load_workload(path)); });
}

TEST(HostileInput, MissingFile) {
    EXPECT_EQ(load_fault("/nonexistent/w.json"),
              "/nonexistent/w.json: cannot be read: No such file or directory");
    EXPECT_EQ(load_fault("/nonexistent/w.jsonl"),
              "/nonexistent/w.jsonl: cannot be read: No such file or directory");
    EXPECT_EQ(load_fault(std::string("/dev/null\0x", 11)),
              "/dev/null?x: cannot be read: No such file or directory");
    EXPECT_EQ(load_fault(""), "'': cannot be read: No such file or directory");
}

TEST(HostileInput, Directory) {
    EXPECT_EQ(load_fault("/tmp"), "/tmp: cannot be read: Is a directory");
    EXPECT_EQ(fault_of([] { (void)read_config("/tmp"); }), "/tmp: cannot be read: Is a directory");
}

TEST(HostileInput, FileThatFailsWhenItIsRead) {
    EXPECT_EQ(load_fault("/proc/self/mem"), "/proc/self/mem: cannot be read: Input/output error");
}

TEST(HostileInput, UnreadableFile) {
    if (geteuid() == 0) {
        GTEST_SKIP() << "root can read every file";
    }
    const TemporaryFile file("w.json", "{}");
    chmod(file.path().c_str(), 0);
    EXPECT_EQ(load_fault(file.path()), file.path() + ": cannot be read: Permission denied");
}

TEST(HostileInput, EmptyFile) {
    EXPECT_EQ(workload_fault(""), "w.json: found an empty file, expected a JSON document");
    EXPECT_EQ(lines_fault(""), "w.jsonl: found an empty file, expected a JSON document");
    EXPECT_EQ(workload_fault(" \n\t"), "w.json: found only white space, expected a JSON document");
    EXPECT_THAT(load_fault("/dev/null"), HasSubstr("found an empty file"));
}

TEST(HostileInput, EndlessDevice) {
    EXPECT_THAT(load_fault("/dev/zero"), HasSubstr("expected"));
    EXPECT_THAT(fault_of([] { (void)read_config("/dev/zero"); }), HasSubstr("/dev/zero:1:1: "));
}

TEST(HostileInput, PipeIsReadAndOnlyOnce) {
    const TemporaryFile place("unused", "");
    const std::string pipe = (place.folder() / "pipe").string();
    ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    std::thread writer([&] {
        std::ofstream(pipe) << lines_with("", R"({"id":0,"at":0,"entity":"a/gfx","duration":1})");
    });
    const LoadedWorkload loaded = load_workload(pipe);
    EXPECT_EQ(read_all(loaded), 1U);
    writer.join();
    EXPECT_EQ(fault_of([&] { (void)loaded.open_jobs(); }),
              pipe + ": can be read only once; a run that repeats needs the jobs in a file");
}

TEST(HostileInput, TruncatedAnywhere) {
    const std::string whole =
        workload_with_jobs(R"({"id":0,"at":"1us","entity":"a/gfx","duration":1,"after":[]})");
    for (std::size_t length = 1; length < whole.size(); ++length) {
        const std::string message = workload_fault(std::string_view(whole).substr(0, length));
        EXPECT_THAT(message, StartsWith("w.json:1:")) << length;
        EXPECT_THAT(message, HasSubstr(": found ")) << length;
    }
    EXPECT_EQ(workload_fault("{"), "w.json:1:2: found end of input, expected string literal");
    EXPECT_EQ(workload_fault("{\n  \"format\": \"fenc"),
              "w.json:2:18: found an invalid string: missing closing quote; last read: '\"fenc'");
}

TEST(HostileInput, NotJson) {
    EXPECT_EQ(workload_fault("hello"), "w.json:1:1: found an invalid literal; last read: 'h'");
    EXPECT_EQ(workload_fault("{'a': 1}"),
              "w.json:1:2: found an invalid literal, expected string literal");
    EXPECT_EQ(workload_fault("{\"a\": 01}"), "w.json:1:8: found number literal, expected '}'");
    EXPECT_EQ(workload_fault("{\"a\": 1,}"), "w.json:1:9: found '}', expected string literal");
    EXPECT_EQ(workload_fault("// comment\n{}"),
              "w.json:1:1: found an invalid literal; last read: '/'");
    EXPECT_EQ(workload_fault("{\"a\": NaN}"),
              "w.json:1:7: found an invalid literal; last read: '\"a\": N'");
}

TEST(HostileInput, TrailingGarbage) {
    EXPECT_EQ(workload_fault("{}\n{}"), "w.json:2:1: found '{', expected end of input");
    EXPECT_EQ(workload_fault("{} x"),
              "w.json:1:4: found an invalid literal, expected end of input");
}

TEST(HostileInput, WrongTypes) {
    EXPECT_EQ(workload_fault("[]"), "w.json: found an empty array, expected an object");
    EXPECT_EQ(workload_fault("null"), "w.json: found null, expected an object");
    EXPECT_EQ(workload_fault("3"), "w.json: found 3, expected an object");
    EXPECT_EQ(workload_fault(R"("text")"), "w.json: found \"text\", expected an object");
    EXPECT_EQ(workload_fault(workload_with(R"("jobs":{})")),
              "w.json: /jobs: found an empty object, expected an array");
    EXPECT_EQ(workload_fault(workload_with_jobs("7")),
              "w.json: /jobs/0: found 7, expected an object");
    EXPECT_EQ(workload_fault(workload_with(R"("name":["x"])")),
              "w.json: /name: found an array, expected a non-empty string");
    EXPECT_EQ(config_fault("[1]"), "c.json: found an array, expected an object");
}

std::string job_fault(const std::string& id, const std::string& duration) {
    return workload_fault(workload_with_jobs("{\"id\":" + id + R"(,"at":0,"entity":"a/gfx",)" +
                                             "\"duration\":" + duration + "}"));
}

TEST(HostileInput, HugeNumbers) {
    const std::string id = "w.json: /jobs/0/id: found ";
    const std::string range = ", expected an integer from 0 to 2^63 - 1";
    EXPECT_EQ(job_fault("18446744073709551616", "1"), id + "1.8446744073709552e+19" + range);
    EXPECT_EQ(job_fault("18446744073709551615", "1"), id + "18446744073709551615" + range);
    EXPECT_EQ(job_fault("9223372036854775808", "1"), id + "9223372036854775808" + range);
    EXPECT_EQ(job_fault("1e99", "1"), id + "1e+99" + range);
    EXPECT_EQ(job_fault("1.5", "1"), id + "1.5" + range);
    EXPECT_EQ(job_fault("1.0", "1"), id + "1.0" + range);
    EXPECT_EQ(job_fault("-1", "1"), id + "-1" + range);
    EXPECT_EQ(job_fault("-9223372036854775808", "1"), id + "-9223372036854775808" + range);
    const std::string duration = "w.json: /jobs/0/duration: found ";
    EXPECT_EQ(job_fault("0", "1e99"),
              duration + "1e+99, expected a time below 2^63 ns (292 years)");
    EXPECT_EQ(job_fault("0", "-1"), duration + "-1, expected a time of 0 or more");
    EXPECT_THAT(job_fault("0", "0.5"), HasSubstr("found 0.5, expected a time: whole nanoseconds"));
    EXPECT_EQ(job_fault("0", "9223372036854775808"),
              duration + "9223372036854775808, expected a time below 2^63 ns (292 years)");
    EXPECT_EQ(job_fault("1e999", "1"), "w.json:1:106: found a number that is too large: '1e999'");
    EXPECT_EQ(job_fault("-0", "9223372036854775807"), "accepted");
}

TEST(HostileInput, DeepNesting) {
    for (const std::size_t depth : {65U, 1000U, 1'000'000U}) {
        EXPECT_EQ(workload_fault(std::string(depth, '[')),
                  "w.json:1:65: found nesting deeper than 64 levels, expected less");
        EXPECT_THAT(lines_fault(lines_with("", std::string(depth, '['))),
                    HasSubstr("w.jsonl:2:65: found nesting deeper than 64 levels"));
    }
    std::string steps = R"({"sleep":1})";
    for (int i = 0; i < 40; ++i) {
        steps = R"({"loop":{"count":2,"steps":[)" + steps + "]}}";
    }
    EXPECT_THAT(workload_fault(workload_with_program(steps)), HasSubstr("nesting deeper than 64"));
}

TEST(HostileInput, InvalidUtf8) {
    EXPECT_EQ(
        workload_fault("{\"form\xff\": 1}"),
        "w.json:1:7: found an invalid string: ill-formed UTF-8 byte, expected string literal");
    EXPECT_EQ(workload_fault(workload_with("\"name\":\"\xc0\xaf\"")).find('\n'), std::string::npos);
    EXPECT_THAT(lines_fault(lines_with("", "{\"id\":0,\"at\":0,\"entity\":\"\xed\xa0\x80\"}")),
                HasSubstr("w.jsonl:2:27: found an invalid string: ill-formed UTF-8 byte"));
    EXPECT_THAT(workload_fault(R"({"format":"\ud800"})"), HasSubstr("found an invalid string"));
}

TEST(HostileInput, ByteOrderMark) {
    EXPECT_EQ(workload_fault("\xEF\xBB\xBF{}"),
              "w.json:1:1: found a byte order mark, expected UTF-8 without one");
    EXPECT_EQ(workload_fault(std::string_view("\xFF\xFE{\0}\0", 6)),
              "w.json:1:1: found a byte order mark, expected UTF-8 without one");
    EXPECT_EQ(lines_fault("\xEF\xBB\xBF{}"),
              "w.jsonl:1:1: found a byte order mark, expected UTF-8 without one");
}

TEST(HostileInput, KeysThatOccurTwice) {
    EXPECT_EQ(workload_fault("{\"format\": 1,\n \"format\": 2}"),
              "w.json:2:9: found the key 'format' a second time in the same object, "
              "expected it once");
    EXPECT_EQ(
        lines_fault(lines_with("", R"({"id":0,"id":1,"at":0,"entity":"a/gfx","duration":1})")),
        "w.jsonl:2:12: found the key 'id' a second time in the same object, expected it once");
}

TEST(HostileInput, MoreKeysThanAnyDocumentHas) {
    std::string origin;
    for (int i = 0; i < 2000; ++i) {
        origin += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
    }
    EXPECT_THAT(workload_fault(workload_with("\"origin\":{" + origin + "}")),
                HasSubstr("found more than 1024 keys in one object, expected fewer"));
}

TEST(HostileInput, ControlCharactersDoNotReachTheTerminal) {
    const std::string message = workload_fault(R"({"\u001b[31mformat\n":1})");
    EXPECT_THAT(message,
                StartsWith("w.json: found the unknown key '?[31mformat?', expected one of"));
}

TEST(HostileInput, OneFaultIsReportedTheFirstInTheDocument) {
    // Three faults in each; what depends on a faulty part is not what is reported.
    EXPECT_THAT(workload_fault(R"({"version":2,"format":"x","entitys":1})"),
                StartsWith("w.json: /version"));
    EXPECT_THAT(workload_fault(R"({"format":"fenceline/workload","version":1,
        "actions":[{"at":0,"do":"x"}],"jobs":[{"id":-1}],"entities":[{"id":"a","rings":["r"]}]})"),
                StartsWith("w.json: /actions/0/do"));
    EXPECT_THAT(workload_fault(R"({"format":"fenceline/workload","version":1,
        "jobs":[{"id":0,"at":0,"entity":"a","duration":0}],"entities":[{"id":"a"}]})"),
                StartsWith("w.json: /entities/0: found no key 'rings'"));
}

} // namespace
} // namespace fenceline::workloads::tests
