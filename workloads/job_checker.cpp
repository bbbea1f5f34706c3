#include "workloads/job_checker.hpp"

#include "workloads/duration.hpp"

namespace fenceline::workloads {

std::uint32_t read_entity(const Cursor& id, const NameTable& entities) {
    const std::uint32_t index = entities.find(id.name());
    if (index != NameTable::kNone) {
        return index;
    }
    // A few names are best listed; among many, the one that was meant is help enough.
    constexpr std::size_t kListed = 6;
    const std::vector<std::string_view> known = entities.views();
    std::string expected = "the id of an entity";
    if (known.empty()) {
        expected += " (there are none)";
    } else if (known.size() <= kListed) {
        expected =
            (known.size() == 1 ? "the entity " : "one of the entities ") + quoted_list(known);
    }
    id.fail(expected, did_you_mean(id.text(), known));
}

void JobChecker::read(const Cursor& job, JobRecord& out) {
    out = JobRecord{};
    after_.clear();
    job.members({
        {"id", Need::required,
         [&](const Cursor& value) {
             out.id = value.integer();
             if (ids_.find(out.id)) {
                 value.fail_found(describe(value.json()) + ", the id of an earlier job",
                                  "an id of its own");
             }
         }},
        {"at", Need::required,
         [&](const Cursor& value) {
             out.at = value.time();
             if (out.at < last_at_) {
                 value.fail("a time not before that of the previous job, " +
                            format_duration(last_at_));
             }
         }},
        {"entity", Need::required,
         [&](const Cursor& value) { out.entity = read_entity(value, entities_); }},
        {"duration", Need::required,
         [&](const Cursor& value) { out.duration = value.time_or("forever"); }},
        {"credits", Need::optional, [&](const Cursor& value) { out.credits = value.integer32(1); }},
        {"after", Need::optional, [&](const Cursor& value) { read_after(value, job); }},
        {"via", Need::optional, [&](const Cursor& value) { out.via = value.one_of<Via>(); }},
        {"run_job", Need::optional,
         [&](const Cursor& value) { out.run_job = value.one_of<scheduler::RunJobKind>(); }},
    });
    ids_.add(out.id);
    last_at_ = out.at;
    out.after = after_;
}

void JobChecker::read_after(const Cursor& list, const Cursor& job) {
    list.elements([&](const Cursor& value) {
        const std::uint64_t id = value.integer();
        if (const auto ordinal = ids_.find(id)) {
            after_.push_back(*ordinal);
            return;
        }
        const bool itself = job.has("id") && *job.json().find("id") == value.json();
        std::string expected = "the id of an earlier job";
        if (ids_.has_forgotten() && !itself) {
            expected += " (a stream of ids in no order knows its last " +
                        std::to_string(ids_.horizon()) + " jobs)";
        }
        value.fail_found(describe(value.json()) + (itself ? ", the job itself" : ""), expected);
    });
}

bool JobChecker::accept(const RawJob& job, std::span<std::uint64_t> after, JobRecord& out) {
    const std::uint32_t entity = entities_.find(job.entity);
    if (entity == NameTable::kNone || job.at < last_at_) {
        return false;
    }
    for (std::uint64_t& id : after) {
        const auto ordinal = ids_.find(id);
        if (!ordinal) {
            return false;
        }
        id = *ordinal;
    }
    // Last, because it is the one step that cannot be taken back.
    if (!ids_.add(job.id)) {
        return false;
    }
    last_at_ = job.at;
    out = {{job.id, job.duration, job.credits, job.run_job}, job.at, after, entity, 0, job.via};
    return true;
}

void JobChecker::clear() {
    ids_.clear();
    last_at_ = 0;
}

} // namespace fenceline::workloads
