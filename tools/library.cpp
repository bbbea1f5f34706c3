#include "tools/library.hpp"

#include <algorithm>
#include <cstdlib>

namespace fenceline::tools {

namespace fs = std::filesystem;

std::optional<fs::path> find_library() {
    std::error_code error;
    if (const char* const given = std::getenv("FENCELINE_LIBRARY"); // NOLINT: before any thread
        given != nullptr && *given != '\0') {
        return fs::path(given);
    }
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    if (error) {
        return std::nullopt;
    }
    const fs::path folder = program.parent_path();
    const fs::path installed = folder.parent_path() / "share" / "fenceline" / "workloads";
    if (fs::is_directory(installed, error)) {
        return installed;
    }
    for (fs::path at = folder;; at = at.parent_path()) {
        fs::path candidate = at / "workloads" / "library";
        if (fs::is_directory(candidate, error)) {
            return candidate;
        }
        if (at == at.parent_path()) {
            return std::nullopt;
        }
    }
}

std::vector<fs::path> library_files(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        const fs::path extension = it->path().extension();
        if (extension == ".json" || extension == ".jsonl") {
            files.push_back(it->path());
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

} // namespace fenceline::tools
