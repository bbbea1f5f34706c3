// Open-loop jobs that are made up as they are asked for, and a workload and configuration for them:
// what benchmarks replay when they are about the simulation alone.
#pragma once

#include "workloads/read_config.hpp"
#include "workloads/read_workload.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>

namespace fenceline::bench {

/// What jobs are like beyond their number and that of the entities.
struct JobShape {
    bool after = false;   ///< they come in fours, each but the first after the one before it
    bool backlog = false; ///< all come at time 0: none is finished before all are pushed
};

/// Jobs spread over entities, a little less work than the ring can do.
class GeneratedJobs final : public workloads::JobSource {
  public:
    GeneratedJobs(std::uint64_t jobs, std::uint32_t entities, JobShape shape = {})
        : jobs_(jobs), entities_(entities), shape_(shape) {}
    bool next(workloads::JobRecord& out) override {
        if (next_ == jobs_)
            return false;
        out = {};
        out.id = next_;
        out.at = next_ * 100;
        out.duration = 90;
        out.entity = static_cast<std::uint32_t>(next_ * 7919 % entities_);
        if (shape_.after) {
            out.at = next_ / 4 * 400;
            earlier_ = next_ - 1;
            if (next_ % 4 != 0)
                out.after = {&earlier_, 1};
        }
        if (shape_.backlog)
            out.at = 0;
        ++next_;
        return true;
    }
    [[nodiscard]] std::optional<std::uint64_t> count_hint() const override { return jobs_; }
    [[nodiscard]] std::optional<std::uint64_t> ordinal_of(std::uint64_t id) const override {
        return id;
    }
    [[nodiscard]] std::string where() const override { return "generated"; }
    void rewind() override { next_ = 0; }

  private:
    std::uint64_t jobs_;
    std::uint64_t next_ = 0;
    std::uint64_t earlier_ = 0; ///< what the last record's `after` is about
    std::uint32_t entities_;
    JobShape shape_;
};

inline std::string workload_text(std::uint32_t entities) {
    std::string text = R"({"format":"fenceline/workload","version":1,"name":"bench","entities":[)";
    for (std::uint32_t i = 0; i < entities; ++i)
        text += fmt::format(R"({}{{"id":"c{}/gfx","rings":["gfx"]}})", i == 0 ? "" : ",", i);
    return text + R"(],"jobs":[]})";
}

/// One ring, `entities` entities, no listed jobs: the source is a stream, of which nothing is kept.
inline workloads::Workload make_workload(std::uint32_t entities) {
    workloads::Workload workload =
        *workloads::parse_workload(workload_text(entities), "bench").workload;
    workload.streamed = true;
    return workload;
}

/// With a timeout, it is armed anew for each job and never comes.
inline workloads::Config make_config(const workloads::Workload& workload, const std::string& policy,
                                     const std::string& timeout = "none") {
    const std::string text = fmt::format(
        R"({{"format":"fenceline/config","version":1,"scheduler":{{"policy":"{}","timeout":"{}"}}}})",
        policy, timeout);
    return workloads::resolve_rings(
        workloads::interpret_config(workloads::Json::parse(text), "bench"), workload);
}

} // namespace fenceline::bench
