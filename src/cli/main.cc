// keyturn: the command line program. Each group of commands registers itself; see commands.h.
#include "cli/app.h"
#include "cli/commands.h"

int main(int argc, char** argv) {
  return keyturn::cli::RunProgram(argc, argv, keyturn::cli::AllCommands());
}
