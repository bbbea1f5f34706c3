// Common to the tests of the oracle: small workloads in few words, and what became of them.
#pragma once

#include "workload.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sstream>
#include <string>
#include <vector>

namespace conformance {
struct Line {
    std::uint64_t t;
    std::string ev;
    std::uint64_t job;
    int err;
};

// One run, with the questions the tests ask of its log.
class Outcome {
  public:
    explicit Outcome(const Workload& workload) {
        std::istringstream lines(oracle_log(workload, result));
        for (std::string text; std::getline(lines, text);) {
            const auto json = nlohmann::json::parse(text);
            log.push_back({json.at("t"), json.at("ev"), json.value("job", std::uint64_t{999}),
                           json.value("err", 0)});
        }
    }

    std::vector<std::uint64_t> jobs(const std::string& ev) const {
        std::vector<std::uint64_t> ids;
        for (const auto& line : log)
            if (line.ev == ev)
                ids.push_back(line.job);
        return ids;
    }

    std::vector<std::string> life(std::uint64_t job) const {
        std::vector<std::string> evs;
        for (const auto& line : log)
            if (line.job == job)
                evs.push_back(line.ev + (line.err ? std::to_string(line.err) : ""));
        return evs;
    }

    // Position and time of the (first) event; fails the test if there is none.
    std::size_t place(const std::string& ev, std::uint64_t job) const {
        for (std::size_t i = 0; i < log.size(); ++i)
            if (log[i].ev == ev && log[i].job == job)
                return i;
        ADD_FAILURE() << "no " << ev << " of job " << job;
        return log.size();
    }
    std::uint64_t time(const std::string& ev, std::uint64_t job) const {
        const auto at = place(ev, job);
        return at < log.size() ? log[at].t : never;
    }
    bool before(const std::string& ev, std::uint64_t job, const std::string& other_ev,
                std::uint64_t other) const {
        return place(ev, job) < place(other_ev, other);
    }

    std::vector<Line> log;
    oracle_result result{};
};

using Ids = std::vector<std::uint64_t>;
using Words = std::vector<std::string>;
inline const Words whole_life{"queue", "run_job", "scheduled", "hw_done", "finished", "free_job"};

inline Workload machine(std::uint32_t rings, std::uint32_t entities,
                        std::uint32_t credit_limit = 2) {
    Workload w;
    for (std::uint32_t i = 0; i < rings; ++i)
        w.rings.push_back({.name = "r" + std::to_string(i), .credit_limit = credit_limit});
    for (std::uint32_t i = 0; i < entities; ++i)
        w.entities.push_back({.id = "e" + std::to_string(i), .rings = {0}});
    return w;
}

inline void add(Workload& w, std::uint32_t entity, std::uint64_t at, std::uint64_t duration,
                std::vector<std::uint32_t> after = {}) {
    w.jobs.push_back({.id = w.jobs.size(),
                      .at = at,
                      .entity = entity,
                      .duration = duration,
                      .after = std::move(after)});
}

inline void expect_clean(const Outcome& run) {
    EXPECT_EQ(run.result.end, ORACLE_END_NORMAL);
    EXPECT_EQ(run.result.hazard, ORACLE_HAZARD_NONE) << run.result.hazard_text;
    EXPECT_EQ(run.result.leaked_blocks, 0u) << run.result.leak_first;
}

} // namespace conformance
