// keyturn: the command line program. Each group of commands registers itself; see commands.h.
#include <array>

#include "cli/app.h"
#include "cli/commands.h"

int main(int argc, char** argv) {
  constexpr std::array<keyturn::cli::AddCommands, 2> kGroups = {
      keyturn::cli::AddControlShowCommand,
      keyturn::cli::AddVersionCommand,
  };
  return keyturn::cli::RunProgram(argc, argv, kGroups);
}
