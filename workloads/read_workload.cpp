#include "workloads/read_workload.hpp"

#include "workloads/duration.hpp"
#include "workloads/job_list.hpp"
#include "workloads/job_stream.hpp"
#include "workloads/workload_reader.hpp"

#include <filesystem>

namespace fenceline::workloads {
namespace {

/// A workload without a name is called after its file.
void name_after_file(Workload& workload) {
    if (workload.name.empty()) {
        workload.name =
            std::filesystem::path(without_compression(workload.source_path)).stem().string();
    }
}

/// Finds the jobs that actions are about.
void resolve_action_jobs(const Cursor& document, const JobList& jobs, Workload& workload) {
    if (workload.actions.empty()) {
        return;
    }
    const Cursor list = document.member("actions");
    std::size_t index = 0;
    list.elements([&](const Cursor& value) {
        Action& action = workload.actions[index++];
        if (!action.job) {
            return;
        }
        action.job_ordinal = jobs.ordinal_of(*action.job);
        if (!action.job_ordinal) {
            value.member("job").fail("the id of a listed job");
        }
        const sim::Time pushed = jobs.at(*action.job_ordinal).at;
        if (action.at < pushed) {
            const Cursor job = value.member("job");
            job.fail_found(describe(job.json()) + ", a job pushed at " + format_duration(pushed),
                           "a job pushed at or before " + format_duration(action.at));
        }
    });
}

LoadedWorkload load_document(const Json& document, const Source& source) {
    const auto jobs = std::make_shared<JobList>();
    const auto read_jobs = [&](const Cursor& list, Reading& reading) {
        JobChecker checker(reading.entities);
        JobRecord record;
        list.elements([&](const Cursor& job) {
            checker.read(job, record);
            jobs->push(record);
        });
    };
    Reading reading = read_document(document, source, false, read_jobs);
    jobs->index_ids();
    resolve_action_jobs(Cursor(document, source), *jobs, reading.workload);
    name_after_file(reading.workload);
    return {std::make_shared<const Workload>(std::move(reading.workload)),
            [jobs = std::shared_ptr<const JobList>(jobs), source_name = source.file] {
                return std::make_unique<MemoryJobSource>(jobs, source_name);
            }};
}

LoadedWorkload load_document(std::string_view text, const std::string& source_name) {
    const Source source{source_name};
    return load_document(parse_json(text, source), source);
}

/// Reads the first line, from which everything but the jobs is known.
LoadedWorkload load_lines(std::string_view head, std::unique_ptr<LineReader> lines,
                          const std::string& path) {
    const Source source{lines->file().name(), 1};
    Reading reading =
        read_document(parse_json(head, source), source, true, [](const Cursor&, Reading&) {});
    const auto shared = std::make_shared<StreamedWorkload>();
    shared->workload = std::move(reading.workload);
    shared->workload.streamed = true;
    name_after_file(shared->workload);
    shared->entities = std::move(reading.entities);
    const bool reopen = lines->file().rewindable();
    if (!reopen) {
        shared->once = std::move(lines);
    }
    return {std::shared_ptr<const Workload>(shared, &shared->workload),
            [shared, path, reopen]() -> std::unique_ptr<JobSource> {
                std::unique_ptr<LineReader> own;
                if (reopen) {
                    std::string_view first;
                    own = std::make_unique<LineReader>(path);
                    (void)own->next(first);
                } else {
                    own = std::move(shared->once);
                }
                if (own == nullptr) {
                    throw InputError(shared->workload.source_path +
                                     ": can be read only once; "
                                     "a run that repeats needs the jobs in a file");
                }
                return std::make_unique<StreamJobSource>(shared, std::move(own));
            }};
}

/// Whether the first line is a document of its own: then jobs follow, a line each.
bool is_head_of_lines(std::string_view line) {
    try {
        const Json head = parse_json(line, {});
        return head.is_object() && !head.contains("jobs");
    } catch (const InputError&) {
        return false;
    }
}

} // namespace

LoadedWorkload parse_workload(std::string_view text, const std::string& source_name) {
    return load_document(text, source_name);
}

LoadedWorkload interpret_workload(const Json& document, const Source& source) {
    return load_document(document, source);
}

bool is_named_as_lines(std::string_view path) {
    return without_compression(path).ends_with(".jsonl");
}

LoadedWorkload load_workload(const std::string& path) {
    auto lines = std::make_unique<LineReader>(path);
    const std::string name = lines->file().name();
    const bool named_lines = is_named_as_lines(path);
    if (!named_lines && lines->file().rewindable()) {
        return load_document(read_text(path), name);
    }
    std::string_view first;
    if (!lines->next(first)) {
        return load_document("", name); // says that it is empty
    }
    if (named_lines || is_head_of_lines(first)) {
        const std::string head(first);
        return load_lines(head, std::move(lines), path);
    }
    std::string text = std::string(first) + "\n";
    lines->append_rest(text);
    return load_document(text, name);
}

} // namespace fenceline::workloads
