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

/// Jobs spread over entities, a little less work than the ring can do.
class GeneratedJobs final : public workloads::JobSource {
  public:
    GeneratedJobs(std::uint64_t jobs, std::uint32_t entities) : jobs_(jobs), entities_(entities) {}
    bool next(workloads::JobRecord& out) override {
        if (next_ == jobs_)
            return false;
        out = {};
        out.id = next_;
        out.at = next_ * 100;
        out.duration = 90;
        out.entity = static_cast<std::uint32_t>(next_ * 7919 % entities_);
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
    std::uint32_t entities_;
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

inline workloads::Config make_config(const workloads::Workload& workload,
                                     const std::string& policy) {
    const std::string text = fmt::format(
        R"({{"format":"fenceline/config","version":1,"scheduler":{{"policy":"{}"}}}})", policy);
    return workloads::resolve_rings(
        workloads::interpret_config(workloads::Json::parse(text), "bench"), workload);
}

} // namespace fenceline::bench
