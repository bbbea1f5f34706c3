// The command line: commands, options, help, and how a command's end becomes an exit code.
//
// docs/cli.md is the contract. Nothing is thrown out of here: wrong input and wrong usage give one
// line on standard error and exit code 2, everything unforeseen one line and exit code 3.
#pragma once

namespace fenceline::tools {

/// What the process returns to its caller.
enum ExitCode : int {
    kDone = 0,         ///< done and nothing wrong
    kViolation = 1,    ///< the model found a violation
    kBadInput = 2,     ///< bad usage, bad input, or an output that cannot be written
    kInternal = 3,     ///< our own fault
    kInterrupted = 130 ///< ended early; partial results are kept and marked so
};

/// Runs the program. The strings of `argv` may be changed.
[[nodiscard]] int run_command_line(int argc, char** argv);

} // namespace fenceline::tools
