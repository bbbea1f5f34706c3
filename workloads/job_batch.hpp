// Jobs that have been read and checked together, on their way from the reader to the simulation.
//
// A batch owns what its records refer to. It is made once and then filled again and again, so that
// nothing is allocated per job. It is handed over as a whole (see read_ahead.hpp).
#pragma once

#include "workloads/workload.hpp"

#include <cstdint>
#include <exception>
#include <vector>

namespace fenceline::workloads {

struct JobBatch {
    std::vector<JobRecord> jobs;      ///< in order; their `after` points into `after`
    std::vector<std::uint32_t> lines; ///< of each job: the line it stands in, from `first_line`
    std::vector<std::uint64_t> after; ///< of all jobs, one after the other
    std::uint64_t first_line = 0;
    bool last = false;        ///< no batch follows
    std::exception_ptr fault; ///< what is wrong with what stands after the jobs; then it is last

    void clear() {
        jobs.clear();
        lines.clear();
        after.clear();
        first_line = 0;
        last = false;
        fault = nullptr;
    }
    /// Points the records at their part of `after`, which moves while it grows.
    void settle() {
        if (after.empty()) {
            return;
        }
        const std::uint64_t* next = after.data();
        for (JobRecord& job : jobs) {
            job.after = {next, job.after.size()};
            next += job.after.size();
        }
    }
};

} // namespace fenceline::workloads
