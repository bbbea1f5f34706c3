// The three ways from a line to a job (the usual line, tokens by simdjson, the slow way that
// explains) against the slow way alone: the same jobs, the same fault with the same words and
// place.
#include "documents.hpp"
#include "workloads/job_checker.hpp"
#include "workloads/usual_job_line.hpp"

#include <gtest/gtest.h>

#include <random>

namespace fenceline::workloads::tests {
namespace {

/// What the slow way makes of the lines after the first, one by one.
ReadJobs read_slowly(const std::string& lines, const std::string& file) {
    NameTable entities;
    entities.intern("a/gfx");
    JobChecker checker(entities);
    ReadJobs result;
    result.fault = fault_of([&] {
        std::uint64_t number = 1;
        for (std::size_t begin = 0; begin < lines.size();) {
            const std::size_t end = std::min(lines.find('\n', begin), lines.size());
            const std::string line = lines.substr(begin, end - begin);
            begin = end + 1;
            ++number;
            if (line.find_first_not_of(" \t\r") == std::string::npos) {
                continue;
            }
            const Source source{file, number};
            const Json document = parse_json(line, source);
            JobRecord job;
            checker.read(Cursor(document, source), job);
            result.jobs.push_back(text_of(job));
        }
    });
    return result;
}

/// One of the ways to write job `id`.
std::string written(std::uint64_t id, std::mt19937_64& random) {
    const std::string number = std::to_string(id);
    switch (random() % 8) {
    case 0: // usual, with spaces
        return R"({"id": )" + number + R"(, "at": )" + number +
               R"(, "entity": "a/gfx", "duration": 300})";
    case 1:
        return R"({"id":)" + number + R"(,"at":)" + number +
               R"(,"entity":"a/gfx","duration":3,"after":[)" + (id == 0 ? "" : "0") + "]}";
    case 2: // another order
        return R"({"entity":"a/gfx","duration":"1.5us","id":)" + number + R"(,"at":)" + number +
               "}";
    case 3:
        return R"( {"id" :)" + number + R"(,"at":")" + number +
               R"(ns","entity":"a\/gfx","duration":"forever","credits":2,"via":"any"}  )";
    case 4:
        return random() % 4 == 0 ? "  "
                                 : R"({"id":)" + number + R"(,"at":)" + number +
                                       R"(,"entity":"a/gfx","duration":0,"run_job":"error"})";
    default:
        return R"({"id":)" + number + R"(,"at":)" + number + R"(,"entity":"a/gfx","duration":300})";
    }
}

std::string mutated(std::string text, std::mt19937_64& random) {
    static constexpr std::string_view kBytes = "{}[]\",:0189-.eEnust\\ \n\r\t\x80\xff\x01/\0";
    static constexpr std::string_view kPieces[] = {
        "{\"id\":7}",
        "}\n{",
        "\"after\":[0,",
        "1e3",
        "18446744073709551616",
        "00",
        "\\u0061",
        "\"at\":",
        "null",
        "[[",
        "\xc3\xa4",
        "9223372036854775808",
        "a/gfx\"",
        ",\"duration\":5}",
        "}}",
        "\n\n",
        "{\"id\":1,\"at\":1,\"entity\":\"a/gfx\",\"duration\":1}"};
    const std::size_t edits = 1 + random() % 2;
    for (std::size_t i = 0; i < edits && !text.empty(); ++i) {
        const std::size_t at = random() % text.size();
        const std::size_t length = 1 + random() % std::min<std::size_t>(12, text.size() - at);
        switch (random() % 6) {
        case 0:
            text[at] = kBytes[random() % kBytes.size()];
            break;
        case 1:
            text.erase(at, length);
            break;
        case 2:
            text.insert(at, text.substr(at, length));
            break;
        case 3:
            text.insert(at, kPieces[random() % std::size(kPieces)]);
            break;
        case 4:
            text.resize(at);
            break;
        default:
            text.insert(at, 1, kBytes[random() % kBytes.size()]);
            break;
        }
    }
    return text;
}

TEST(LineWays, AgreeOnMutatedLinesAndOnTheWordsOfTheFault) {
    std::mt19937_64 random(44);
    const TemporaryFile file("w.jsonl", "");
    int accepted = 0;
    int refused = 0;
    for (int round = 0; round < 5000; ++round) {
        const std::size_t count = 1 + random() % 6;
        const std::size_t broken = random() % 2 == 0 ? count - 1 : random() % count;
        std::string lines;
        for (std::size_t i = 0; i < count; ++i) {
            std::string line = written(i, random);
            if (i == broken && round % 8 != 0) {
                line = mutated(std::move(line), random);
            }
            lines += line + (random() % 8 == 0 ? "\r\n" : "\n");
        }
        if (random() % 4 == 0) {
            lines.pop_back(); // the last line needs no end
        }
        std::ofstream(file.path(), std::ios::binary) << lines_with("", lines);
        const ReadJobs expected = read_slowly(lines, file.path());
        const ReadJobs found = read_jobs(*load_workload(file.path()).open_jobs());
        ASSERT_EQ(found.fault, expected.fault) << lines;
        ASSERT_EQ(found.jobs, expected.jobs) << lines;
        ++(expected.fault == "accepted" ? accepted : refused);
    }
    EXPECT_GT(accepted, 500);
    EXPECT_GT(refused, 500);
}

/// Whether the line is taken as a usual one, with something behind its end.
bool usual(const std::string& line, const std::string& behind = "\n") {
    const std::string text = line + behind + std::string(64, '\0');
    RawJob job;
    std::vector<std::uint64_t> after;
    return UsualJobLine::scan(std::string_view(text).substr(0, line.size()), job, after);
}

TEST(LineWays, UsualLinesAreKnown) {
    EXPECT_TRUE(usual(R"({"id":0,"at":0,"entity":"a/gfx","duration":0})"));
    EXPECT_TRUE(usual(R"({"id": 1, "at": 2, "entity": "a/gfx", "duration": 3, "after": [4, 5]})"));
    EXPECT_TRUE(usual(R"({"id":1,"at":2,"entity":"","duration":3,"after":[]})"
                      "\r"));
    EXPECT_TRUE(usual(R"({"id":999999999999999999,"at":2,"entity":"x","duration":3})"));
}

TEST(LineWays, WhatIsUnusualIsLeftToOthers) {
    const auto with_id = [](const std::string& id) {
        return "{\"id\":" + id + R"(,"at":2,"entity":"a","duration":3})";
    };
    ASSERT_TRUE(usual(with_id("1")));
    for (const char* id : {"", "01", "00", "-1", "+1", "1.0", "1e2", "1000000000000000000",
                           "18446744073709551617", "  1", "\t1", "1 ", "\"1\"", "null"}) {
        EXPECT_FALSE(usual(with_id(id))) << id;
    }
    const auto with_entity = [](const std::string& entity) {
        return R"({"id":1,"at":2,"entity":")" + entity + R"(","duration":3})";
    };
    ASSERT_TRUE(usual(with_entity("a b~")));
    for (const char* entity : {"a\\/b", "\xc3\xa4", "\xff", "\x7f", "\x1f", "a\"b"}) {
        EXPECT_FALSE(usual(with_entity(entity))) << entity;
    }
    const std::string start = R"({"id":1,"at":2,"entity":"a","duration":3)";
    ASSERT_TRUE(usual(start + R"(,"after":[1]})"));
    for (const char* rest :
         {"", ",", ",}", "}}", "} ", "}x", "}\r\r", ",\"after\":}", ",\"after\":[1,]}",
          ",\"after\":[,1]}", ",\"after\":[1", ",\"after\":[1]", ",\"after\":1}",
          ",\"after\":[1],}", ",\"after\":[1],\"credits\":2}", ",\"credits\":2}",
          ",\"after\":[ 1]}", ",\"after\":[01]}"}) {
        EXPECT_FALSE(usual(start + rest)) << rest;
    }
}

TEST(LineWays, ALineDoesNotGoOnBehindItsEnd) {
    const std::string line = R"({"id":1,"at":2,"entity":"a","duration":3})";
    for (std::size_t size = 0; size < line.size(); ++size) {
        EXPECT_FALSE(usual(line.substr(0, size), line.substr(size))) << size;
    }
    EXPECT_TRUE(usual(line, line));
}

TEST(JobChecker, SaysWhenItMayHaveForgottenAJob) {
    NameTable entities;
    entities.intern("a/gfx");
    JobChecker checker(entities, 10);
    JobRecord job;
    for (std::uint64_t i = 0; i < 100; ++i) {
        RawJob raw;
        raw.id = 1000 - 2 * i;
        raw.entity = "a/gfx";
        ASSERT_TRUE(checker.accept(raw, {}, job));
    }
    const auto fault = [&](const std::string& after) {
        const Source source{"w.jsonl", 9};
        const Json document = parse_json(
            R"({"id":1,"at":0,"entity":"a/gfx","duration":1,"after":)" + after + "}", source);
        return fault_of([&] { checker.read(Cursor(document, source), job); });
    };
    EXPECT_EQ(fault("[1000]"), "w.jsonl:9: /after/0: found 1000, expected the id of an earlier job "
                               "(a stream of ids in no order knows its last 10 jobs)");
    EXPECT_EQ(fault("[1]"), "w.jsonl:9: /after/0: found 1, the job itself, expected the id of an "
                            "earlier job");
    EXPECT_EQ(fault("[820]"), "accepted"); // ten jobs back
    EXPECT_EQ(job.after.front(), 90U);
}

} // namespace
} // namespace fenceline::workloads::tests
