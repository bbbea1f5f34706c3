// Turns what a document says about a job into a JobRecord, and checks it against the jobs before
// it.
//
// Two ways in: read() takes a parsed value and says precisely what is wrong; accept() takes fields
// that a fast scanner has already found and only says yes or no. Whoever gets a no calls read() on
// the same job to learn why. Both leave the checker unchanged unless they succeed.
#pragma once

#include "workloads/id_index.hpp"
#include "workloads/json_reader.hpp"
#include "workloads/name_table.hpp"
#include "workloads/workload.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace fenceline::workloads {

/// The fields of a job as they stand in the document, but for `after`.
struct RawJob {
    std::uint64_t id = 0;
    sim::Time at = 0;
    sim::Time duration = 0;
    std::string_view entity;
    std::uint32_t credits = 1;
    scheduler::RunJobKind run_job = scheduler::RunJobKind::normal;
    Via via = Via::none;
};

class JobChecker {
  public:
    /// How far back `after` may name jobs of a stream, at least: see IdIndex.
    static constexpr std::uint64_t kStreamHorizon = std::uint64_t{1} << 20U;

    /// `entities` must outlive the checker.
    explicit JobChecker(const NameTable& entities, std::uint64_t horizon = IdIndex::kAll)
        : entities_(entities), ids_(horizon) {}

    /// `out.after` is valid until the next call.
    void read(const Cursor& job, JobRecord& out);
    /// The same for scanned fields. `after` has the ids, and gets the ordinals; what it has after a
    /// no means nothing. `out.after` becomes `after`.
    [[nodiscard]] bool accept(const RawJob& job, std::span<std::uint64_t> after, JobRecord& out);

    [[nodiscard]] const IdIndex& ids() const { return ids_; }
    void clear();

  private:
    void read_after(const Cursor& list, const Cursor& job);

    const NameTable& entities_;
    IdIndex ids_;
    sim::Time last_at_ = 0;
    std::vector<std::uint64_t> after_; ///< ordinals, of the job that was read last
};

/// Reads the id of an entity. Fails with the ids that there are, or the one that was meant.
[[nodiscard]] std::uint32_t read_entity(const Cursor& id, const NameTable& entities);

} // namespace fenceline::workloads
