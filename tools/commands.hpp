// The commands and their arguments as the command line gives them.
//
// A command checks what it is given, does its work, writes its output and returns the exit code.
// Wrong input is thrown as InputError, output that cannot be written as OutputError.
#pragma once

#include "tools/prepare.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fenceline::tools {

struct RunArguments {
    std::string config;
    std::vector<GivenSetting> settings; ///< in the order in which they apply
    std::optional<std::string> json;    ///< `-`: standard output
    std::optional<std::string> events;  ///< likewise
    std::optional<std::string> replay;  ///< of `check`: the schedule to follow
    std::optional<std::string> save;    ///< of `check`: where to write the one that was taken
    std::string ledger;                 ///< a time, or `end`; empty: no ledger
    bool keep_going = false;
    bool strict = false;
    bool no_presets = false;
};
[[nodiscard]] int run_command(const RunArguments& arguments);
/// One run in which contexts interleave as a schedule says.
[[nodiscard]] int check_command(const RunArguments& arguments);

struct CompareArguments {
    std::string config;
    std::vector<GivenSetting> settings;
    std::vector<std::string> vary; ///< `key=v1,v2,...`, one for each axis
    std::optional<std::string> json;
    unsigned jobs = 0; ///< threads; 0: as many as the machine has
    bool keep_going = false;
    bool strict = false;
    bool fail_on_hazard = false;
};
[[nodiscard]] int compare_command(const CompareArguments& arguments);

struct ValidateArguments {
    std::vector<std::string> files;
};
[[nodiscard]] int validate_command(const ValidateArguments& arguments);

struct TestArguments {
    std::vector<std::string> paths; ///< scenarios, or folders with them
    std::string filter;             ///< empty: all
    std::optional<std::string> junit;
    unsigned jobs = 0; ///< threads; 0: as many as the machine has
    bool ktap = false;
    bool list = false;    ///< say what would be run
    bool verbose = false; ///< show the reports of hazards
};
[[nodiscard]] int test_command(const TestArguments& arguments);

struct ListArguments {
    std::string what;
};
[[nodiscard]] int list_command(const ListArguments& arguments);

} // namespace fenceline::tools
