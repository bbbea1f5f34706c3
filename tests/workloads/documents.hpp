// Helpers for tests of the document formats: files that go away by themselves, and the message with
// which a document is refused.
#pragma once

#include "workloads/input_error.hpp"
#include "workloads/read_config.hpp"
#include "workloads/read_workload.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace fenceline::workloads::tests {

/// A file in a folder of its own, removed at the end.
class TemporaryFile {
  public:
    TemporaryFile(const std::string& name, std::string_view content) {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "fenceline-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
        path_ = (folder_ / name).string();
        std::ofstream(path_, std::ios::binary) << content;
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::filesystem::path folder() const { return folder_; }

  private:
    std::filesystem::path folder_;
    std::string path_;
};

/// The message of the InputError that the call ends with, or "accepted".
template <typename Call>
std::string fault_of(Call&& call) {
    try {
        call();
        return "accepted";
    } catch (const InputError& error) {
        return error.what();
    }
}

/// Reads all jobs of a workload.
inline std::size_t read_all(const LoadedWorkload& loaded) {
    const auto source = loaded.open_jobs();
    JobRecord job;
    std::size_t count = 0;
    while (source->next(job)) {
        ++count;
    }
    return count;
}

/// How a workload document is refused, as `w.json`.
inline std::string workload_fault(std::string_view text) {
    return fault_of([&] { (void)parse_workload(text, "w.json"); });
}

/// How JSON Lines are refused, as `w.jsonl`, all jobs read.
inline std::string lines_fault(std::string_view text) {
    const TemporaryFile file("w.jsonl", text);
    std::string message = fault_of([&] { (void)read_all(load_workload(file.path())); });
    if (const std::size_t at = message.find(file.path()); at != std::string::npos) {
        message.replace(at, file.path().size(), "w.jsonl");
    }
    return message;
}

/// A job, with everything it says, as text.
inline std::string text_of(const JobRecord& job) {
    std::string text = std::to_string(job.id) + " " + std::to_string(job.at) + " " +
                       std::to_string(job.entity) + " " + std::to_string(job.duration) + " " +
                       std::to_string(job.credits) + " " +
                       std::to_string(static_cast<int>(job.run_job)) + " " +
                       std::to_string(static_cast<int>(job.via)) + ":";
    for (const std::uint64_t ordinal : job.after) {
        text += " " + std::to_string(ordinal);
    }
    return text;
}

/// All jobs that are left, and how it ended when that was with a fault.
struct ReadJobs {
    std::vector<std::string> jobs;
    std::string fault;
    friend bool operator==(const ReadJobs&, const ReadJobs&) = default;
};
inline ReadJobs read_jobs(JobSource& source) {
    ReadJobs result;
    result.fault = fault_of([&] {
        JobRecord job;
        while (source.next(job)) {
            result.jobs.push_back(text_of(job));
        }
    });
    return result;
}

/// How a configuration document is refused, as `c.json`.
inline std::string config_fault(std::string_view text) {
    return fault_of([&] { (void)interpret_config(Json::parse(text), "c.json"); });
}

/// A workload with one entity `a/gfx` and these members.
inline std::string workload_with(std::string_view members) {
    return R"({"format":"fenceline/workload","version":1,)"
           R"("entities":[{"id":"a/gfx","rings":["gfx"]}],)" +
           std::string(members) + "}";
}

/// A workload with these jobs of `a/gfx`.
inline std::string workload_with_jobs(std::string_view jobs) {
    return workload_with("\"jobs\":[" + std::string(jobs) + "]");
}

/// JSON Lines with one entity `a/gfx`, the other members of the head, and these lines.
inline std::string lines_with(std::string_view members, std::string_view lines) {
    return R"({"format":"fenceline/workload","version":1,)"
           R"("entities":[{"id":"a/gfx","rings":["gfx"]}])" +
           std::string(members) + "}\n" + std::string(lines);
}

/// A workload with one client `b` of one entity `b/gfx` and this program.
inline std::string workload_with_program(std::string_view steps) {
    return R"({"format":"fenceline/workload","version":1,"clients":[{"name":"b",)"
           R"("entities":[{"id":"b/gfx","rings":["gfx"]}],"program":[)" +
           std::string(steps) + "]}]}";
}

/// A configuration with these members.
inline std::string config_with(std::string_view members) {
    return R"({"format":"fenceline/config","version":1)" +
           (members.empty() ? std::string() : "," + std::string(members)) + "}";
}

/// All JSON files of a folder of the corpus, sorted.
inline std::vector<std::string> corpus(const std::string& folder) {
    const std::filesystem::path root(FENCELINE_SOURCE_DIR);
    std::vector<std::string> files;
    for (const auto& entry :
         std::filesystem::directory_iterator(root / "tests/workloads/corpus" / folder)) {
        files.push_back(entry.path().string());
    }
    std::sort(files.begin(), files.end());
    return files;
}

} // namespace fenceline::workloads::tests
