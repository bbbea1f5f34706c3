// A workload of the conformance tests: rings, entities, jobs and actions as plain values, with
// everything the two implementations need. Names of rings, entities and jobs are positions in
// their vectors; ids and strings appear only where the text formats are read and written.
//
// Invariants a valid workload has: Job::at never decreases, Job::after names earlier jobs, every
// index is in range. The generator and the shrinker keep them; the reader checks them.
#pragma once

#include "oracle.h"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace conformance {

constexpr std::uint64_t never = ORACLE_NEVER;

struct Ring {
    std::string name;
    std::uint32_t credit_limit = 2;
    std::uint64_t timeout = never;
    std::uint32_t hang_limit = 0;
    oracle_on_timeout on_timeout = ORACLE_RESET;
    bool operator==(const Ring&) const = default;
};

struct Entity {
    std::string id;
    std::vector<std::uint32_t> rings = {};
    oracle_priority priority = ORACLE_PRIORITY_NORMAL;
    bool guilty_flag = false;
    bool operator==(const Entity&) const = default;
};

struct Job {
    std::uint64_t id = 0;
    std::uint64_t at = 0;
    std::uint32_t entity = 0;
    std::uint64_t duration = 0;
    std::uint32_t credits = 1;
    std::vector<std::uint32_t> after = {};
    oracle_via via = ORACLE_VIA_NONE;
    oracle_run_kind run = ORACLE_RUN_NORMAL;
    bool operator==(const Job&) const = default;
};

struct Action {
    std::uint64_t at = 0;
    oracle_action_kind kind = ORACLE_DESTROY_ENTITY;
    std::uint32_t entity = 0;
    std::uint32_t ring = 0;
    oracle_priority priority = ORACLE_PRIORITY_NORMAL;
    std::vector<std::uint32_t> rings = {};
    std::uint32_t job = 0; // query, set-deadline
    std::uint64_t deadline = 0;
    bool names_job() const { return kind == ORACLE_QUERY || kind == ORACLE_SET_DEADLINE; }
    bool names_ring() const { return kind == ORACLE_FINI_SCHEDULER || kind == ORACLE_RESET_RING; }
    bool operator==(const Action&) const = default;
};

struct Workload {
    std::string name = "workload";
    std::vector<Ring> rings;
    std::vector<Entity> entities;
    std::vector<Job> jobs;
    std::vector<Action> actions;
    oracle_policy policy = ORACLE_FIFO;
    std::uint64_t rcu_grace_period = 10'000;
    std::uint64_t until = never;
    bool operator==(const Workload&) const = default;
};

// What is wrong with a document, with where it is.
class InputError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

// workload_read.cpp: both throw InputError. A configuration may be empty; rings it does not name
// get the defaults. What this oracle cannot run (clients, costs, other kernels) is an error.
Workload read_workload(const std::string& workload_text, const std::string& config_text);
std::uint64_t read_time(const std::string& text);

// workload_write.cpp
std::string workload_json(const Workload& workload);
std::string config_json(const Workload& workload);

// oracle_log.cpp: the kernel's event log as JSON Lines; and a run without a log, for measuring.
std::string oracle_log(const Workload& workload, oracle_result& result);
void oracle_run_silently(const Workload& workload, oracle_result& result);

} // namespace conformance
