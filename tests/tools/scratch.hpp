// A temporary folder for one test, and small documents to put into it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace fenceline::tools::testing {

/// Removed with everything in it when the test ends.
class Scratch {
  public:
    Scratch() {
        std::string name =
            (std::filesystem::temp_directory_path() / "fenceline-test-XXXXXX").string();
        EXPECT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() {
        std::error_code error;
        std::filesystem::remove_all(folder_, error);
    }

    [[nodiscard]] std::string path(std::string_view name) const {
        return (folder_ / name).string();
    }
    /// Writes a file and returns its path.
    std::string file(std::string_view name, std::string_view text) const {
        std::ofstream out(folder_ / name, std::ios::binary);
        out << text;
        return path(name);
    }
    [[nodiscard]] std::string read(std::string_view name) const {
        std::ifstream in(folder_ / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    [[nodiscard]] bool exists(std::string_view name) const {
        return std::filesystem::exists(folder_ / name);
    }
    [[nodiscard]] std::size_t file_count() const {
        const std::filesystem::directory_iterator files(folder_);
        return static_cast<std::size_t>(std::distance(begin(files), end(files)));
    }

  private:
    std::filesystem::path folder_;
};

inline constexpr std::string_view kConfig =
    R"({"format":"fenceline/config","version":1,"workload":"workload.json"})";

/// Two clients on one ring; nothing goes wrong.
inline constexpr std::string_view kHarmless = R"({
  "format": "fenceline/workload", "version": 1, "name": "harmless",
  "entities": [ { "id": "a/gfx", "rings": ["gfx"] },
                { "id": "b/gfx", "rings": ["gfx"], "priority": "high" } ],
  "jobs": [ { "id": 0, "at": 0, "entity": "a/gfx", "duration": "500us" },
            { "id": 1, "at": 1200, "entity": "b/gfx", "duration": 300, "after": [0] } ] })";

/// The driver goes while a sync_file is held, which is queried afterwards.
inline constexpr std::string_view kUnload = R"({
  "format": "fenceline/workload", "version": 1, "name": "unload",
  "entities": [ { "id": "a/gfx", "rings": ["gfx"] } ],
  "jobs": [ { "id": 0, "at": 0, "entity": "a/gfx", "duration": "500us" } ],
  "actions": [ { "at": "1us", "do": "export", "job": 0, "to": "sync_file", "as": "f" },
               { "at": "1ms", "do": "destroy-entity", "entity": "a/gfx" },
               { "at": "2ms", "do": "unload-driver", "driver": "drv" },
               { "at": "3ms", "do": "query", "name": "f" },
               { "at": "4ms", "do": "close", "name": "f" } ] })";

} // namespace fenceline::tools::testing
