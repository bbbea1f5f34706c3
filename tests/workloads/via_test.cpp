// What jobs wait for through containers, how long their fences live, and exports to more than
// sync_files.
#include "workloads/simulation.hpp"
#include "workloads/support.hpp"

#include "documents.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace fenceline::workloads::tests {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Starts final : scheduler::EventSink {
    void on_event(const scheduler::LoggedEvent& event) override {
        if (event.event == scheduler::JobEvent::run_job)
            at[event.job] = event.time;
    }
    std::map<std::uint64_t, sim::Time> at;
};

const std::string kEntities = R"("entities":[{"id":"a/x","rings":["x"]},{"id":"b/y","rings":["y"]},
    {"id":"c/z","rings":["z"]}])";

std::string document(const std::string& rest) {
    return R"({"format":"fenceline/workload","version":1,)" + kEntities + "," + rest + "}";
}

/// A run and when its jobs began.
struct Played {
    explicit Played(const LoadedWorkload& loaded, const std::string& lifetime = "split") {
        Config config;
        config.lifetime = fences::find_preset(lifetime)->policy;
        const Config resolved = resolve_rings(config, *loaded.workload);
        EXPECT_THAT(unsupported(resolved), IsEmpty());
        RunOptions options;
        options.events = &starts;
        const auto jobs = loaded.open_jobs();
        result = simulate(resolved, *loaded.workload, *jobs, options);
    }
    Starts starts;
    RunResult result;
};

Played run(const std::string& rest) {
    return Played(parse_workload(document(rest), "w.json"));
}

/// Jobs 0 and 1 take 100 and 300 on rings of their own; job 2 names both.
std::string two_and_one(const std::string& via, const std::string& at = "0") {
    return R"({"id":0,"at":0,"entity":"a/x","duration":100},
        {"id":1,"at":0,"entity":"b/y","duration":300},
        {"id":2,"at":)" +
           at + R"(,"entity":"c/z","duration":1,"after":[0,1])" + via + "}";
}

TEST(Via, AllContainersWaitForAllButAny) {
    const auto start = [](const std::string& via) {
        return run("\"jobs\":[" + two_and_one(R"(,"via":")" + via + "\"") + "]").starts.at[2];
    };
    EXPECT_EQ(start("array"), 300u);
    EXPECT_EQ(start("chain"), 300u);
    EXPECT_EQ(start("resv"), 300u);
    EXPECT_EQ(start("any"), 100u);
}

TEST(Via, AContainerOverTheOwnSchedulerIsWaitedForToTheEnd) {
    // Directly it is enough that the other job has been handed to the hardware; the scheduler does
    // not look into a container.
    const auto start = [](const std::string& via) {
        const std::string entities =
            R"("entities":[{"id":"a/x","rings":["x"]},{"id":"b/x","rings":["x"]}])";
        return Played(parse_workload(R"({"format":"fenceline/workload","version":1,)" + entities +
                                         R"(,"jobs":[{"id":0,"at":0,"entity":"a/x","duration":100},
                {"id":1,"at":0,"entity":"b/x","duration":1,"after":[0])" +
                                         via + "}]}",
                                     "w.json"))
            .starts.at[1];
    };
    EXPECT_EQ(start(""), 0u);
    EXPECT_EQ(start(R"(,"via":"resv")"), 0u);
    EXPECT_EQ(start(R"(,"via":"array")"), 100u);
    EXPECT_EQ(start(R"(,"via":"chain")"), 100u);
}

TEST(Via, NamingJobsThatAreLongGoneIsNoWait) {
    for (const char* via :
         {"", R"(,"via":"array")", R"(,"via":"any")", R"(,"via":"chain")", R"(,"via":"resv")"}) {
        const Played late = run("\"jobs\":[" + two_and_one(via, "90000") + "]");
        EXPECT_EQ(late.starts.at.at(2), 90000u) << via;
        EXPECT_EQ(late.result.end, RunEnd::normal);
        EXPECT_THAT(late.result.hazards, IsEmpty()) << via;
    }
}

TEST(Via, StreamsWaitForTheSame) {
    for (const std::string via : {"", "array", "any", "chain", "resv"}) {
        for (const std::string at : {"0", "150", "90000"}) {
            const std::string key = via.empty() ? via : R"(,"via":")" + via + "\"";
            std::string lines = two_and_one(key, at);
            for (std::size_t i = 0; (i = lines.find(",\n", i)) != std::string::npos;)
                lines.erase(i, 1);
            for (std::size_t i = 0; (i = lines.find("  ", i)) != std::string::npos;)
                lines.erase(i, 2);
            const TemporaryFile file(
                "w.jsonl", R"({"format":"fenceline/workload","version":1,)" +
                               std::string(R"("entities":[{"id":"a/x","rings":["x"]},)") +
                               R"({"id":"b/y","rings":["y"]},{"id":"c/z","rings":["z"]}]})" + "\n" +
                               lines + "\n");
            const Played streamed(load_workload(file.path()));
            const Played whole = run("\"jobs\":[" + two_and_one(key, at) + "]");
            EXPECT_EQ(streamed.starts.at, whole.starts.at) << via << " " << at;
            EXPECT_EQ(streamed.starts.at.size(), 3u);
        }
    }
}

TEST(Via, AFenceKeptForAfterIsNotHeldAgainstThePolicy) {
    const Played kept = run("\"jobs\":[" + two_and_one("", R"("10s")") + "]");
    EXPECT_GT(kept.starts.at.at(2), 9 * sim::kSecond);
    EXPECT_LT(kept.result.lifetime.longest_pinned, 10'000'000'000u);
    for (const HolderBytes& holder : kept.result.lifetime.by_holder)
        EXPECT_NE(holder.holder, "workload");
}

TEST(Via, JobsGoOnBeingNamedHoweverMany) {
    // More than one page of the table of named fences, named in both directions of time.
    std::string jobs;
    constexpr int count = 1500;
    for (int i = 0; i < count; ++i) {
        jobs += (i ? "," : "") + (R"({"id":)" + std::to_string(i)) + R"(,"at":)" +
                std::to_string(i) + R"(,"entity":")" + (i % 2 ? "a/x" : "b/y") +
                R"(","duration":1,"after":[)";
        if (i > 0)
            jobs += std::to_string(i * 7919 % i) + "," + std::to_string(i - 1);
        jobs += "]}";
    }
    for (std::size_t at = 0; (at = jobs.find(",]", at)) != std::string::npos;)
        jobs.erase(at, 1);
    const Played all = run("\"jobs\":[" + jobs + "]");
    EXPECT_EQ(all.result.end, RunEnd::normal);
    EXPECT_EQ(all.result.jobs_finished, static_cast<std::uint64_t>(count));
    EXPECT_THAT(all.result.hazards, IsEmpty()) << "nothing leaks";
}

TEST(Via, WhatIsNeverSubmittedLeavesNoLeak) {
    const LoadedWorkload loaded =
        parse_workload(document("\"jobs\":[" + two_and_one("", "9000") + "]"), "w.json");
    Config config;
    config.until = 500;
    const auto jobs = loaded.open_jobs();
    const RunResult result =
        simulate(resolve_rings(config, *loaded.workload), *loaded.workload, *jobs);
    EXPECT_EQ(result.end, RunEnd::until);
    EXPECT_THAT(result.hazards, IsEmpty());
}

// --- actions -------------------------------------------------------------------------------------

const std::string kTwoJobs = R"("jobs":[{"id":0,"at":0,"entity":"a/x","duration":100},
    {"id":1,"at":0,"entity":"b/y","duration":300}])";

TEST(Exports, AChainCountsItsPointsAndAResvWaitsForAll) {
    const Played both = run(kTwoJobs + R"(,"actions":[
        {"at":0,"do":"export","job":0,"to":"chain","as":"c"},
        {"at":0,"do":"export","job":1,"to":"chain","as":"c"},
        {"at":0,"do":"export","job":0,"to":"resv","as":"r"},
        {"at":0,"do":"export","job":1,"to":"resv","as":"r"},
        {"at":200,"do":"query","name":"c"}, {"at":200,"do":"query","name":"r"},
        {"at":200,"do":"wait","name":"r"}, {"at":400,"do":"query","name":"c"},
        {"at":400,"do":"close","name":"c"}, {"at":400,"do":"close","name":"r"}])");
    EXPECT_THAT(both.result.observations,
                ElementsAre("200 ns: query c: status 0, point 1", "200 ns: query r: status 0",
                            "300 ns: wait r: returned", "400 ns: query c: status 1, point 2"));
    EXPECT_THAT(both.result.hazards, IsEmpty());
    EXPECT_EQ(both.result.lifetime.unreleased, 0u);
}

TEST(Exports, ToOneNameAgainOnlyOfOneKindAndNotASyncFile) {
    const auto fault = [](const std::string& first, const std::string& second) {
        return workload_fault(document(kTwoJobs + R"(,"actions":[
            {"at":0,"do":"export","job":0,"as":"n","to":")" +
                                       first + R"("},
            {"at":1,"do":"export","job":1,"as":"n","to":")" +
                                       second + R"("}])"));
    };
    for (const char* kind : {"syncobj", "resv", "chain"})
        EXPECT_EQ(fault(kind, kind), "accepted");
    const std::string twice = "w.json: /actions/1/as: found \"n\", which is exported elsewhere "
                              "already, expected one exporter for each name";
    EXPECT_EQ(fault("sync_file", "sync_file"), twice);
    EXPECT_EQ(fault("chain", "resv"), twice);
}

TEST(Exports, ANameMayBeExportedAgainAfterItsClose) {
    const auto fault = [](const std::string& use_at) {
        return workload_fault(document(kTwoJobs + R"(,"actions":[
            {"at":1,"do":"export","job":0,"as":"n","to":"syncobj"}, {"at":3,"do":"close","name":"n"},
            {"at":5,"do":"export","job":1,"as":"n","to":"syncobj"},
            {"at":)" + use_at + R"(,"do":"poll","name":"n"}])"));
    };
    EXPECT_EQ(fault("0"), "w.json: /actions/3/name: found \"n\", expected a name that is exported "
                          "before it is used (/actions/0 at 1ns exports it)");
    EXPECT_EQ(fault("2"), "accepted");
    EXPECT_EQ(fault("4"), "w.json: /actions/3/name: found \"n\", expected a name that is not "
                          "closed before it is used (/actions/1 at 3ns closes it)");
    EXPECT_EQ(fault("6"), "accepted");
}

TEST(SetDeadline, TellsWhatBecameOfIt) {
    const Played told = run(R"("jobs":[{"id":0,"at":0,"entity":"a/x","duration":100},
        {"id":1,"at":0,"entity":"b/y","duration":300,"after":[0]}],"actions":[
        {"at":10,"do":"set-deadline","job":0,"deadline":90},
        {"at":20,"do":"set-deadline","job":0,"deadline":95},
        {"at":30,"do":"set-deadline","job":1,"deadline":700},
        {"at":200,"do":"set-deadline","job":1,"deadline":600},
        {"at":200,"do":"set-deadline","job":0,"deadline":1}])");
    EXPECT_THAT(
        told.result.observations,
        ElementsAre("10 ns: set-deadline job 0: 90 ns; the driver has been told",
                    "20 ns: set-deadline job 0: ignored, 90 ns comes first",
                    "30 ns: set-deadline job 1: 700 ns; the driver hears of it when the job runs",
                    "200 ns: set-deadline job 1: 600 ns; the driver has been told",
                    "200 ns: set-deadline job 0: ignored, the fence has signalled"));
}

} // namespace
} // namespace fenceline::workloads::tests
