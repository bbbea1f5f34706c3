// Runs a workload given as text and keeps what happened, one event a line: "8 finished 0".
#pragma once

#include "documents.hpp"

#include "workloads/simulation.hpp"
#include "workloads/support.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace fenceline::workloads::tests {

using Lines = std::vector<std::string>;

struct ProgramRun {
    RunResult result;
    Lines log; ///< "TIME EVENT JOB", with the error where there is one

    /// The events of these kinds.
    [[nodiscard]] Lines only(std::initializer_list<std::string_view> kinds) const {
        Lines lines;
        for (const std::string& line : log) {
            for (const std::string_view kind : kinds) {
                if (line.find(" " + std::string(kind) + " ") != std::string::npos) {
                    lines.push_back(line);
                }
            }
        }
        return lines;
    }
    [[nodiscard]] const ProgramResult& program(std::string_view client) const {
        for (const ClientResult& found : result.clients) {
            if (found.name == client && found.program) {
                return *found.program;
            }
        }
        throw std::out_of_range("no program of client " + std::string(client));
    }
};

class LogLines final : public scheduler::EventSink {
  public:
    void on_event(const scheduler::LoggedEvent& event) override {
        lines.push_back(std::to_string(event.time) + " " +
                        std::string(scheduler::name_of(event.event)) + " " +
                        std::to_string(event.job) +
                        (event.error == 0 ? "" : " err " + std::to_string(event.error)));
    }
    Lines lines;
};

/// `config`: members of the configuration, such as `"until":5`.
inline ProgramRun run_loaded(const LoadedWorkload& loaded, std::string_view config) {
    const Config read = interpret_config(Json::parse(config_with(config)), "c.json");
    EXPECT_EQ(unsupported(read), Lines{});
    const Config resolved = resolve_rings(read, *loaded.workload);
    LogLines sink;
    RunOptions options;
    options.events = &sink;
    const auto jobs = loaded.open_jobs();
    ProgramRun run{simulate(resolved, *loaded.workload, *jobs, options), {}};
    run.log = std::move(sink.lines);
    return run;
}

/// `members`: those of the workload besides format and version.
inline ProgramRun run_text(std::string_view members, std::string_view config = "") {
    return run_loaded(parse_workload(R"({"format":"fenceline/workload","version":1,)" +
                                         std::string(members) + "}",
                                     "w.json"),
                      config);
}

/// One client `b` with the entity `b/gfx` on the ring `gfx`; `more` are members of it.
inline std::string client_b(std::string_view program, std::string_view more = "") {
    return R"({"name":"b","entities":[{"id":"b/gfx","rings":["gfx"]}],"program":[)" +
           std::string(program) + "]" + (more.empty() ? "" : "," + std::string(more)) + "}";
}

/// A workload with that client only.
inline std::string only_b(std::string_view program, std::string_view more = "") {
    return R"("clients":[)" + client_b(program, more) + "]";
}

} // namespace fenceline::workloads::tests
