// PolicyCommands: the subcommands of `keyturn policy` that have files of their own.
#pragma once

#include "cli/commands.h"

namespace keyturn::cli {

// AddPolicyCheckCommand adds `keyturn policy check`.
void AddPolicyCheckCommand(CLI::App* policy, Invocation& invocation);

}  // namespace keyturn::cli
