// App: the program around the commands: parsing, help, errors, exit codes.
#pragma once

#include <span>
#include <string_view>

#include "cli/commands.h"

namespace keyturn::cli {

// ToolVersion: "0.1.0".
std::string_view ToolVersion();

// RunProgram parses the command line with the given groups of commands and runs what it chose.
// Returns the exit code: 1 for a wrong command line, 2 when a defect of ours was caught. Nothing is
// thrown out of it.
int RunProgram(int argc, const char* const* argv, std::span<const AddCommands> groups);

}  // namespace keyturn::cli
