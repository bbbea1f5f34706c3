#include "documents.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <sys/resource.h>

namespace fenceline::workloads::tests {
namespace {

using testing::HasSubstr;

std::vector<std::string> all_jobs(JobSource& source) {
    std::vector<std::string> jobs;
    JobRecord job;
    while (source.next(job)) {
        jobs.push_back(text_of(job));
    }
    return jobs;
}

/// Jobs as lines, in every way of writing that the format allows.
std::vector<std::string> random_jobs(std::size_t count, unsigned seed) {
    std::mt19937_64 random(seed);
    const auto below = [&](std::uint64_t limit) { return random() % limit; };
    const char* const durations[] = {
        "0", "\"1.5us\"", "\"forever\"", "9223372036854775807", "\"16.667ms\"", "\"\\u0035ns\""};
    std::vector<std::string> lines;
    std::vector<std::uint64_t> ids;
    std::uint64_t at = 0;
    std::uint64_t id = 0;
    for (std::size_t i = 0; i < count; ++i) {
        id += below(4) == 0 ? 1 + below(10) : 1;
        at += below(3) * 1000;
        std::vector<std::string> members{"\"id\": " + std::to_string(id),
                                         below(2) == 0 ? "\"at\":" + std::to_string(at)
                                                       : "\"at\":\"" + std::to_string(at) + "ns\"",
                                         below(5) == 0 ? R"("entity":"a\/gfx")"
                                                       : R"("entity":"a/gfx")",
                                         "\"duration\" :" + std::string(durations[below(6)])};
        if (below(3) == 0 && !ids.empty()) {
            members.push_back("\"after\":[" + std::to_string(ids[below(ids.size())]) + " , " +
                              std::to_string(ids.back()) + "]");
        }
        if (below(4) == 0) {
            members.push_back(R"("credits":2)");
        }
        if (below(9) == 0) {
            members.push_back(R"("run_job":"signalled","via":"resv")");
        }
        std::shuffle(members.begin(), members.end(), random);
        std::string line = below(2) == 0 ? "{" : " { ";
        for (const std::string& member : members) {
            line += (&member == &members.front() ? "" : below(2) == 0 ? "," : " ,\t") + member;
        }
        lines.push_back(line + "}");
        ids.push_back(id);
    }
    return lines;
}

TEST(JobStream, GivesTheSameJobsAsADocumentInMemory) {
    for (unsigned seed = 1; seed <= 5; ++seed) {
        std::string document;
        std::string lines;
        for (const std::string& job : random_jobs(3000, seed)) {
            document += (document.empty() ? "" : ",") + job;
            lines += job + (seed % 2 == 0 ? "\r\n" : "\n");
        }
        const TemporaryFile file("w.jsonl", lines_with("", lines));
        const LoadedWorkload streamed = load_workload(file.path());
        const auto from_memory = parse_workload(workload_with_jobs(document), "w").open_jobs();
        const auto from_lines = streamed.open_jobs();
        EXPECT_TRUE(streamed.workload->streamed);
        EXPECT_FALSE(from_lines->count_hint());
        const std::vector<std::string> expected = all_jobs(*from_memory);
        EXPECT_EQ(expected.size(), 3000U);
        EXPECT_EQ(all_jobs(*from_lines), expected);
        from_lines->rewind();
        EXPECT_EQ(all_jobs(*from_lines), expected);
        EXPECT_EQ(all_jobs(*streamed.open_jobs()), expected);
    }
}

TEST(JobStream, ReadsLinesThatAreLongerThanItsBuffer) {
    std::string after;
    for (int i = 0; i < 200'000; ++i) {
        after += (i == 0 ? "0" : ",0");
    }
    const TemporaryFile file(
        "w.jsonl", lines_with("", R"({"id":0,"at":0,"entity":"a/gfx","duration":1})"
                                  "\n\n"
                                  R"({"id":1,"at":0,"entity":"a/gfx","duration":1,"after":[)" +
                                      after +
                                      "]}\n   \n"
                                      R"({"id":2,"at":0,"entity":"a/gfx","duration":1})"));
    const auto source = load_workload(file.path()).open_jobs();
    JobRecord job;
    ASSERT_TRUE(source->next(job));
    ASSERT_TRUE(source->next(job));
    EXPECT_EQ(job.after.size(), 200'000U);
    EXPECT_EQ(source->where(), file.path() + ":4");
    ASSERT_TRUE(source->next(job)); // the last line needs no end
    EXPECT_FALSE(source->next(job));
}

TEST(JobStream, KnowsTheOrdinalsOfJobsThatHaveCome) {
    const TemporaryFile file("w.jsonl",
                             lines_with("", R"({"id":9,"at":0,"entity":"a/gfx","duration":1})"
                                            "\n"
                                            R"({"id":4,"at":0,"entity":"a/gfx","duration":1})"));
    const auto source = load_workload(file.path()).open_jobs();
    JobRecord job;
    ASSERT_TRUE(source->next(job));
    EXPECT_EQ(source->ordinal_of(9), 0U);
    EXPECT_FALSE(source->ordinal_of(4));
    ASSERT_TRUE(source->next(job));
    EXPECT_EQ(source->ordinal_of(4), 1U);
}

TEST(JobStream, SaysInWhichLineAFaultIs) {
    const std::string good = R"({"id":0,"at":5,"entity":"a/gfx","duration":1})"
                             "\n\n";
    const auto fault = [&](const std::string& line) {
        return lines_fault(lines_with("", good + line));
    };
    EXPECT_EQ(fault(R"({"id":0,"at":5,"entity":"a/gfx","duration":1})"),
              "w.jsonl:4: /id: found 0, the id of an earlier job, expected an id of its own");
    EXPECT_EQ(fault(R"({"id":1,"at":4,"entity":"a/gfx","duration":1})"),
              "w.jsonl:4: /at: found 4, expected a time not before that of the previous job, 5ns");
    EXPECT_EQ(fault(R"({"id":1,"at":5,"entity":"a/gfy","duration":1})"),
              "w.jsonl:4: /entity: found \"a/gfy\", expected the entity 'a/gfx' "
              "(did you mean 'a/gfx'?)");
    EXPECT_EQ(fault(R"({"id":1,"at":5,"entity":"a/gfx","duration":1,"after":[0,1]})"),
              "w.jsonl:4: /after/1: found 1, the job itself, expected the id of an earlier job");
    EXPECT_EQ(fault(R"({"id":1,"at":5,"entity":"a/gfx","duration":1,"after":[2]})"),
              "w.jsonl:4: /after/0: found 2, expected the id of an earlier job");
    EXPECT_THAT(fault(R"({"id":1,"at":5,"entity":"a/gfx","duratoin":1})"),
                HasSubstr("w.jsonl:4: found the unknown key 'duratoin'"));
    EXPECT_EQ(fault(R"({"id":1,"at":5,"entity":"a/gfx"})"),
              "w.jsonl:4: found no key 'duration', expected it (required)");
    EXPECT_EQ(fault(R"({"id":1,"at":5,"entity":"a/gfx","duration":1)"),
              "w.jsonl:4:45: found end of input, expected '}'");
    EXPECT_EQ(fault(R"({"id":1,"at":5,"entity":"a/gfx","duration":1} x)"),
              "w.jsonl:4:47: found an invalid literal, expected end of input");
    EXPECT_EQ(fault(R"({"id":1,"at":5,"entity":"a/gfx","duration":1}{})"),
              "w.jsonl:4:46: found '{', expected end of input");
    EXPECT_EQ(fault("[]"), "w.jsonl:4: found an empty array, expected an object");
    EXPECT_EQ(fault(R"({"id":1,"at":5,"entity":"a/gfx","duration":1,"credits":0})"),
              "w.jsonl:4: /credits: found 0, expected an integer from 1 to 4294967295");
    EXPECT_EQ(
        fault(R"({"id":18446744073709551616,"at":5,"entity":"a/gfx","duration":1})"),
        "w.jsonl:4: /id: found 1.8446744073709552e+19, expected an integer from 0 to 2^63 - 1");
}

TEST(JobStream, RefusesJobsInItsFirstLine) {
    EXPECT_EQ(
        lines_fault(lines_with(R"(,"jobs":[])", "")),
        "w.jsonl:1: /jobs: found the key 'jobs' in the first line of JSON Lines, expected the "
        "jobs on the lines after it");
}

TEST(JobStream, RefusesActionsAboutJobsThatDoNotComeInTime) {
    const std::string jobs = R"({"id":0,"at":5,"entity":"a/gfx","duration":1})"
                             "\n"
                             R"({"id":1,"at":9,"entity":"a/gfx","duration":1})"
                             "\n";
    const auto fault = [&](const std::string& at, const std::string& job) {
        return lines_fault(
            lines_with(R"(,"actions":[{"at":)" + at + R"(,"do":"poll","job":)" + job + "}]", jobs));
    };
    const std::string found = "w.jsonl:1: /actions/0/job: found ";
    EXPECT_EQ(fault("5", "0"), "accepted");
    EXPECT_EQ(fault("9", "1"), "accepted");
    EXPECT_EQ(fault("20", "1"), "accepted");
    EXPECT_EQ(fault("4", "0"), found + "0, expected the id of a job pushed at or before 4ns");
    EXPECT_EQ(fault("8", "1"), found + "1, expected the id of a job pushed at or before 8ns");
    EXPECT_EQ(fault("20", "2"), found + "2, expected the id of a job pushed at or before 20ns");
}

TEST(JobStream, NeedsNoMoreMemoryForMoreJobs) {
    const TemporaryFile file("w.jsonl", lines_with("", ""));
    {
        std::ofstream out(file.path(), std::ios::app);
        for (int i = 0; i < 300'000; ++i) {
            out << "{\"id\":" << i << ",\"at\":" << i << R"(,"entity":"a/gfx","duration":1})"
                << "\n";
        }
    }
    const auto peak = [] {
        rusage usage{};
        getrusage(RUSAGE_SELF, &usage);
        return usage.ru_maxrss;
    };
    const long before = peak();
    EXPECT_EQ(read_all(load_workload(file.path())), 300'000U);
    EXPECT_LT(peak() - before, 4096); // KiB; the file has 15,000
}

} // namespace
} // namespace fenceline::workloads::tests
