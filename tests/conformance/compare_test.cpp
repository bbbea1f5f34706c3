// The comparison itself, on differences that are planted: it must find them, and the shrinker
// must bring them down to what a reader can take in.

#include "compare.hpp"
#include "generator.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace conformance {
namespace {

std::string kernel(const Workload& workload) {
    oracle_result result;
    return oracle_log(workload, result);
}

// Kernels with one thing wrong.
std::string forgets_foreign_dependencies(Workload workload) {
    for (auto& job : workload.jobs)
        std::erase_if(job.after, [&](std::uint32_t other) {
            return workload.entities[workload.jobs[other].entity].rings !=
                   workload.entities[job.entity].rings;
        });
    return kernel(workload);
}

std::string thinks_every_job_costs_one(Workload workload) {
    for (auto& job : workload.jobs)
        job.credits = 1;
    return kernel(workload);
}

std::string swaps_the_policy(Workload workload) {
    workload.policy = workload.policy == ORACLE_FIFO ? ORACLE_RR : ORACLE_FIFO;
    return kernel(workload);
}

using Wrong = std::string (*)(Workload);

Workload find_and_shrink(Wrong wrong) {
    const auto differs = [wrong](const Workload& w) { return kernel(w) != wrong(w); };
    for (std::uint64_t seed = 1; seed < 1000; ++seed) {
        const Workload found = generate(seed);
        if (differs(found)) {
            const Workload smallest = shrink(found, differs);
            EXPECT_TRUE(differs(smallest));
            return smallest;
        }
    }
    ADD_FAILURE() << "no seed shows the difference";
    return {};
}

TEST(Compare, FindsTheFirstDifference) {
    EXPECT_EQ(first_difference("a\nb\n", "a\nb\n"), std::nullopt);
    EXPECT_EQ(first_difference("a\nb\n", "a\nc\n"), 1u);
    EXPECT_EQ(first_difference("a\n", "a\nb\n"), 1u);
    EXPECT_EQ(first_difference("", "a\n"), 0u);
}

TEST(Compare, ShowsBothSidesAndMarksTheFirstDifference) {
    const std::string text = side_by_side("left", "{\"t\":1,\"ev\":\"queue\",\"job\":0}\nx\n",
                                          "right", "{\"t\":1,\"ev\":\"queue\",\"job\":0}\ny\nz\n");
    EXPECT_NE(text.find("-->"), std::string::npos);
    EXPECT_LT(text.find("1 queue"), text.find("-->"));
    EXPECT_LT(text.find("-->"), text.find("z"));
}

TEST(Shrink, LeavesOnlyTheForgottenDependency) {
    const Workload smallest = find_and_shrink(forgets_foreign_dependencies);
    EXPECT_EQ(smallest.jobs.size(), 2u);
    EXPECT_EQ(smallest.entities.size(), 2u);
    EXPECT_EQ(smallest.rings.size(), 2u);
    EXPECT_EQ(smallest.jobs.at(1).after, std::vector<std::uint32_t>{0});
}

TEST(Shrink, LeavesOnlyTheCostlyJob) {
    const Workload smallest = find_and_shrink(thinks_every_job_costs_one);
    EXPECT_EQ(smallest.jobs.size(), 2u);
    EXPECT_EQ(smallest.rings.size(), 1u);
}

TEST(Shrink, LeavesOnlyTheJobsThatTellThePoliciesApart) {
    const Workload smallest = find_and_shrink(swaps_the_policy);
    EXPECT_LE(smallest.jobs.size(), 5u);
    EXPECT_EQ(smallest.rings.size(), 1u);
}

TEST(Generator, GivesTheSameWorkloadForTheSameSeed) {
    EXPECT_EQ(generate(7), generate(7));
    EXPECT_NE(generate(7).jobs, generate(8).jobs);
    EXPECT_EQ(Random(0).next(), 0xe220a8397b1dcdafu); // as published for SplitMix64
}

TEST(Generator, MeetsWhatItIsMeantToMeet) {
    std::set<std::size_t> rings, entities, dependencies;
    bool ties = false, zero = false, too_many_credits = false, balanced = false, idle = false;
    for (std::uint64_t seed = 1; seed <= 500; ++seed) {
        const Workload w = generate(seed);
        rings.insert(w.rings.size());
        entities.insert(w.entities.size());
        for (std::size_t i = 0; i < w.jobs.size(); ++i) {
            const Job& job = w.jobs[i];
            const Entity& entity = w.entities[job.entity];
            dependencies.insert(job.after.size());
            zero |= job.duration == 0;
            balanced |= entity.rings.size() > 1;
            too_many_credits |= job.credits > w.rings[entity.rings.front()].credit_limit;
            ties |= i && job.at == w.jobs[i - 1].at;
            idle |= i && job.at - w.jobs[i - 1].at >= 1000;
        }
    }
    EXPECT_EQ(rings, (std::set<std::size_t>{1, 2, 3, 4}));
    EXPECT_EQ(entities.size(), 16u);
    EXPECT_EQ(dependencies, (std::set<std::size_t>{0, 1, 2, 3, 4}));
    EXPECT_TRUE(ties && zero && too_many_credits && balanced && idle);
}

TEST(Format, WhatIsWrittenIsReadBackTheSame) {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        const Workload w =
            generate(seed, {.kinds = true, .via = true, .hangs = true, .rough = true});
        Workload back = read_workload(workload_json(w), config_json(w));
        for (std::size_t i = 0; i < w.actions.size(); ++i) // keys that the verb has no use for
            back.actions.at(i).ring = w.actions[i].ring;
        EXPECT_EQ(back, w);
    }
}

TEST(Format, JsonLinesHoldTheSameJobs) {
    const Workload w = generate(3);
    auto document = nlohmann::ordered_json::parse(workload_json(w));
    const auto jobs = document["jobs"];
    document.erase("jobs");
    std::string text = document.dump() + "\n";
    for (const auto& job : jobs)
        text += job.dump() + "\n";
    EXPECT_EQ(read_workload(text, config_json(w)), w);
}

TEST(Format, RefusesWhatTheOracleCannotRun) {
    const char* head = R"({"format":"fenceline/workload","version":1,)";
    EXPECT_THROW(read_workload(std::string(head) + R"("surprise":1})", ""), InputError);
    EXPECT_THROW(read_workload(std::string(head) + R"("clients":[{"name":"a"}]})", ""), InputError);
    EXPECT_THROW(read_workload(std::string(head) + R"("jobs":[{"id":0,"at":0,"entity":"a"}]})", ""),
                 InputError);
    EXPECT_THROW(read_workload("{}", R"({"kernel":"mainline"})"), InputError);
    EXPECT_THROW(read_workload("{}", R"({"costs":{"submit":1}})"), InputError);
}

} // namespace
} // namespace conformance
