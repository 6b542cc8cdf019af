// keyturn: the command line program. Each group of commands registers itself; see commands.h.
#include <array>

#include "cli/app.h"
#include "cli/commands.h"

int main(int argc, char** argv) {
  constexpr std::array<keyturn::cli::AddCommands, 9> kGroups = {
      keyturn::cli::AddInitCommand,     keyturn::cli::AddServeCommand,
      keyturn::cli::AddEnvCommand,      keyturn::cli::AddAdminCommands,
      keyturn::cli::AddTrailCommands,   keyturn::cli::AddPolicyCommands,
      keyturn::cli::AddControlCommands, keyturn::cli::AddControlShowCommand,
      keyturn::cli::AddVersionCommand,
  };
  return keyturn::cli::RunProgram(argc, argv, kGroups);
}
