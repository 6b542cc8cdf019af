// App: the program around the commands: parsing, help, errors, exit codes.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/commands.h"

namespace keyturn::cli {

// ToolVersion: "0.1.0".
std::string_view ToolVersion();

// DefineProgram adds the program's own options and the given groups to app. color is where --color
// goes; it and invocation must outlive app.
void DefineProgram(CLI::App& app, std::span<const AddCommands> groups, Invocation& invocation,
                   std::string& color);

// RunProgram parses the command line with the given groups of commands and runs what it chose.
// Returns the exit code: 1 for a wrong command line, 2 when a defect of ours was caught. Nothing is
// thrown out of it.
int RunProgram(int argc, const char* const* argv, std::span<const AddCommands> groups);

}  // namespace keyturn::cli
