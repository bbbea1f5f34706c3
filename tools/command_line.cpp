#include "tools/command_line.hpp"

#include "tools/commands.hpp"
#include "tools/messages.hpp"
#include "tools/output_file.hpp"
#include "tools/usage_error.hpp"
#include "workloads/input_error.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <functional>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace fenceline::tools {
namespace {

constexpr std::array<std::string_view, 6> kCommands{"run",  "compare",  "check",
                                                    "test", "validate", "list"};
/// Promised, and not there yet.
constexpr std::array<std::string_view, 2> kLaterCommands{"sweep", "import"};
constexpr std::array<std::string_view, 4> kLaterRunOptions{"--perfetto", "--ftrace", "--report",
                                                           "--events-all"};

constexpr const char* kMainFooter = R"(Examples:
  fenceline run configs/steamvr.json
  fenceline compare configs/lifetime-policies.json
  fenceline list lifetimes

Exit codes: 0 done and nothing wrong; 1 the model found a violation (compare: only with
--fail-on-hazard) or a test failed; 2 bad usage or bad input; 3 internal error; 130 interrupted.)";

constexpr const char* kRunFooter = R"(Examples:
  fenceline run config.json --policy rr --set rings.gfx.credit_limit=1
  fenceline run config.json --workload jobs.jsonl --until 2s --events - > events.jsonl
  fenceline run config.json --lifetime borrowed-lock --keep-going --json result.json
  fenceline run configs/lifetime-policies.json --ledger=1.5ms

Exit codes: 0 no hazard; 1 hazards were found; 2 bad input; 130 interrupted.)";

constexpr const char* kCompareFooter = R"(Examples:
  fenceline compare configs/lifetime-policies.json
  fenceline compare config.json --vary lifetime=all --json comparison.json
  fenceline compare config.json --vary policy=fifo,rr --vary rings.gfx.credit_limit=1,2,4

Hazards are results here: exit code 0 unless --fail-on-hazard.)";

constexpr const char* kCheckFooter = R"(Examples:
  fenceline check config.json --save timed.json
  fenceline check config.json --replay race.json

A schedule lists operations of contexts in the order in which they are to happen; what it leaves out
happens in timed order. --save writes every operation of the run: keep those that matter.

Exit codes: 0 no hazard; 1 hazards were found; 2 bad input, or a schedule that cannot be followed.)";

constexpr const char* kValidateFooter = R"(Examples:
  fenceline validate my-workload.json my-config.json
  fenceline validate workloads/library/*.json
  zcat jobs.json.gz | fenceline validate -

Every file is looked at; exit code 2 if one is not valid.)";

constexpr const char* kTestFooter = R"(Examples:
  fenceline test tests/scenarios
  fenceline test my-scenario.json --filter '*/fixed' --verbose
  fenceline test tests/scenarios --junit results.xml
  fenceline test tests/scenarios --ktap | ./tools/testing/kunit/kunit.py parse

Exit codes: 0 all passed; 1 some failed; 2 bad input, or nothing to run; 130 interrupted.)";

constexpr const char* kListFooter = R"(Examples:
  fenceline list lifetimes
  fenceline list workloads)";

/// Collects settings in the order in which they stand on the command line.
void add_setting_option(CLI::App& app, std::vector<GivenSetting>& settings, const std::string& name,
                        const std::string& key, const std::string& about, const std::string& type) {
    const auto take = [&settings, name, key](const std::string& value) {
        settings.push_back({key, value, name + " " + value});
    };
    app.add_option_function<std::string>(name, take, about)->type_name(type);
}

void add_set_option(CLI::App& app, std::vector<GivenSetting>& settings) {
    const auto take = [&settings](const std::vector<std::string>& values) {
        for (const std::string& value : values) {
            const std::size_t equals = value.find('=');
            if (equals == std::string::npos || equals == 0) {
                throw UsageError("--set " + workloads::printable(value) +
                                 ": expected key=value, such as rings.gfx.credit_limit=1");
            }
            settings.push_back(
                {value.substr(0, equals), value.substr(equals + 1), "--set " + value});
        }
    };
    app.add_option_function<std::vector<std::string>>(
           "--set", take, "change a key, after the options above (repeatable)")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
}

void add_configuration(CLI::App& app, std::string& config, std::vector<GivenSetting>& settings) {
    app.add_option("CONFIG", config, "configuration; - is standard input")
        ->required()
        ->type_name("");
    add_setting_option(app, settings, "--workload", "workload", "workload instead of the one named",
                       "FILE");
    add_setting_option(app, settings, "--policy", "scheduler.policy",
                       "scheduling policy: see list policies", "NAME");
    add_setting_option(app, settings, "--lifetime", "lifetime",
                       "lifetime policy: see list lifetimes", "NAME");
    add_setting_option(app, settings, "--seed", "seed", "seed of the random numbers", "N");
    add_setting_option(app, settings, "--until", "until", "end the run at this time, such as 2s",
                       "TIME");
    add_set_option(app, settings);
}

void add_run_options(CLI::App& run, RunArguments& arguments) {
    add_configuration(run, arguments.config, arguments.settings);
    run.add_option("--json", arguments.json, "write the result here; - is standard output")
        ->type_name("FILE");
    run.add_option("--events", arguments.events, "write the event log here (JSON Lines), or to -")
        ->type_name("FILE");
    run.add_flag("--keep-going", arguments.keep_going,
                 "a fatal hazard ends the context that met it, not the run");
    run.add_flag("--strict", arguments.strict,
                 "what is only a warning otherwise counts as a hazard: score drift");
}

void add_check(CLI::App& app, std::function<int()>& chosen, RunArguments& arguments) {
    CLI::App* const check =
        app.add_subcommand("check", "one simulation under a schedule of its interleaving");
    add_run_options(*check, arguments);
    check
        ->add_option("--replay", arguments.replay, "the schedule to follow; without it timed order")
        ->type_name("FILE");
    check
        ->add_option("--save", arguments.save, "write the schedule that the run took here, or to -")
        ->type_name("FILE");
    check->footer(kCheckFooter);
    check->callback([&] { chosen = [&] { return check_command(arguments); }; });
}

void add_run(CLI::App& app, std::function<int()>& chosen, RunArguments& arguments) {
    CLI::App* const run = app.add_subcommand("run", "one simulation: summary, JSON, event log");
    add_run_options(*run, arguments);
    run->add_flag("--ledger{end}", arguments.ledger,
                  "show who holds what at the end, or with --ledger=TIME at that time");
    run->add_flag("--no-presets", arguments.no_presets,
                  "do not try which lifetime presets avoid the hazards that were found");
    for (const std::string_view name : kLaterRunOptions) {
        const auto refuse = [name](const std::vector<std::string>&) {
            throw UsageError(std::string(name) + " is not available in this version");
        };
        run->add_option_function<std::vector<std::string>>(std::string(name), refuse)
            ->expected(0, 1)
            ->group("");
    }
    run->footer(kRunFooter);
    run->callback([&] { chosen = [&] { return run_command(arguments); }; });
}

void add_compare(CLI::App& app, std::function<int()>& chosen, CompareArguments& arguments) {
    CLI::App* const compare =
        app.add_subcommand("compare", "the same workload under several values, side by side");
    add_configuration(*compare, arguments.config, arguments.settings);
    compare
        ->add_option("--vary", arguments.vary,
                     "values of a key, or all (repeatable; default: the configuration's)")
        ->type_name("KEY=V1,V2,...")
        ->allow_extra_args(false);
    compare->add_option("--json", arguments.json, "write the results here; - is standard output")
        ->type_name("FILE");
    compare->add_option("--jobs", arguments.jobs, "threads (default: as many as the machine has)")
        ->check(CLI::Range(1, 1024).description(""))
        ->type_name("N");
    compare->add_flag("--keep-going", arguments.keep_going,
                      "a fatal hazard ends the context that met it, not the run");
    compare->add_flag("--strict", arguments.strict,
                      "what is only a warning otherwise counts as a hazard: score drift");
    compare->add_flag("--fail-on-hazard", arguments.fail_on_hazard,
                      "exit code 1 when any run finds a hazard");
    compare->footer(kCompareFooter);
    compare->callback([&] { chosen = [&] { return compare_command(arguments); }; });
}

void add_others(CLI::App& app, std::function<int()>& chosen, ValidateArguments& validate,
                ListArguments& list) {
    CLI::App* const check =
        app.add_subcommand("validate", "check workloads, configurations and scenarios, unrun");
    check
        ->add_option("FILE", validate.files,
                     "workloads (.json, .jsonl), configurations and scenarios; or -")
        ->required()
        ->type_name("");
    check->footer(kValidateFooter);
    check->callback([&] { chosen = [&] { return validate_command(validate); }; });

    CLI::App* const show = app.add_subcommand("list", "what there is to choose from");
    show->add_option("WHAT", list.what, "policies, lifetimes, quirks, hazards or workloads")
        ->required()
        ->type_name("");
    show->footer(kListFooter);
    show->callback([&] { chosen = [&] { return list_command(list); }; });
}

void add_test(CLI::App& app, std::function<int()>& chosen, TestArguments& arguments) {
    CLI::App* const test =
        app.add_subcommand("test", "run scenarios and hold them against what they expect");
    test->add_option("PATH", arguments.paths, "scenarios, or folders to search for them")
        ->required()
        ->type_name("");
    test->add_option("--filter", arguments.filter,
                     "only cases whose FILE/SCENARIO/CASE contains it; or a pattern: * ?")
        ->type_name("TEXT");
    test->add_option("--jobs", arguments.jobs, "threads (default: as many as the machine has)")
        ->check(CLI::Range(1, 1024).description(""))
        ->type_name("N");
    test->add_option("--junit", arguments.junit, "write JUnit XML here; - is standard output")
        ->type_name("FILE");
    test->add_flag("--ktap", arguments.ktap, "write KTAP, the kernel's format, in place of lines");
    test->add_flag("--list", arguments.list, "say what would be run, and run nothing");
    test->add_flag("--verbose", arguments.verbose, "show the reports of all hazards");
    test->footer(kTestFooter);
    test->callback([&] { chosen = [&] { return test_command(arguments); }; });
}

/// CLI11 would call an unknown command an argument that was not expected.
void check_command_name(int argc, char** argv) {
    if (argc < 2 || argv[1][0] == '-') {
        return;
    }
    const std::string_view name = argv[1];
    for (const std::string_view known : kCommands) {
        if (name == known) {
            return;
        }
    }
    for (const std::string_view later : kLaterCommands) {
        if (name == later) {
            throw UsageError("the command '" + std::string(name) +
                             "' is not available in this version");
        }
    }
    throw UsageError(fmt::format("unknown command '{}', expected {}{}",
                                 workloads::printable(name, 80), fmt::join(kCommands, ", "),
                                 workloads::did_you_mean(name, kCommands)));
}

/// " (did you mean '--json'?)" for an option that the command does not have.
std::string suggest_option(const CLI::App& app, const std::string& message) {
    const std::size_t at = message.find("--");
    if (at == std::string::npos) {
        return {};
    }
    const std::string found = message.substr(at, message.find_first_of(" =", at) - at);
    std::vector<std::string> names;
    const auto collect = [&](const CLI::App& of) {
        for (const CLI::Option* option : of.get_options()) {
            if (!option->get_lnames().empty() && !option->get_group().empty()) {
                names.push_back("--" + option->get_lnames().front());
            }
        }
    };
    collect(app);
    for (const CLI::App* command : app.get_subcommands()) {
        collect(*command);
    }
    return workloads::did_you_mean(found,
                                   std::vector<std::string_view>(names.begin(), names.end()));
}

int report_usage(const std::string& message) {
    write_error_line(message + " (try --help)");
    return kBadInput;
}

int parse_and_run(int argc, char** argv) {
    CLI::App app{"A user-space simulator of Linux GPU scheduling (drm/sched) and fence lifetimes.",
                 "fenceline"};
    std::function<int()> chosen;
    std::string log_level = "warn";
    RunArguments run;
    RunArguments check;
    CompareArguments compare;
    ValidateArguments validate;
    TestArguments test;
    ListArguments list;
    app.set_version_flag("--version", "fenceline " FENCELINE_VERSION);
    app.add_option("--log-level", log_level, "trace, debug, info, warn, error or off")
        ->type_name("LEVEL");
    app.require_subcommand(1);
    app.fallthrough();
    app.get_formatter()->column_width(28);
    app.footer(kMainFooter);
    add_run(app, chosen, run);
    add_check(app, chosen, check);
    add_compare(app, chosen, compare);
    add_test(app, chosen, test);
    add_others(app, chosen, validate, list);
    try {
        check_command_name(argc, argv);
        app.parse(argc, argv);
        set_up_log(log_level);
    } catch (const CLI::CallForHelp&) {
        write_standard_output(app.help());
        return kDone;
    } catch (const CLI::CallForVersion& version) {
        write_standard_output(std::string(version.what()) + "\n");
        return kDone;
    } catch (const CLI::ExtrasError& error) {
        return report_usage(error.what() + suggest_option(app, error.what()));
    } catch (const CLI::ParseError& error) {
        return report_usage(error.what());
    }
    return chosen();
}

/// A file that we open must never become our standard output.
void fill_standard_descriptors() {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        if (fcntl(fd, F_GETFD) < 0) {                   // NOLINT: variadic by POSIX
            (void)open("/dev/null", O_RDWR | O_NOCTTY); // NOLINT: likewise
        }
    }
}

} // namespace

int run_command_line(int argc, char** argv) {
    fill_standard_descriptors();
    std::signal(SIGPIPE, SIG_IGN); // NOLINT: a reader that goes away is no reason to die
    try {
        return parse_and_run(argc, argv);
    } catch (const UsageError& error) {
        return report_usage(error.what());
    } catch (const workloads::InputError& error) {
        write_error_line(error.what());
        return kBadInput;
    } catch (const OutputError& error) {
        write_error_line(error.what());
        return kBadInput;
    } catch (const std::bad_alloc&) {
        write_error_line("internal error: out of memory");
    } catch (const std::exception& error) {
        write_error_line(std::string("internal error: ") + error.what());
    } catch (...) {
        write_error_line("internal error");
    }
    return kInternal;
}

} // namespace fenceline::tools
