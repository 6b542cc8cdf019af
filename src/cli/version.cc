// keyturn version
#include <CLI/CLI.hpp>

#include "cli/app.h"
#include "cli/commands.h"

namespace keyturn::cli {

void AddVersionCommand(CLI::App& app, Invocation& invocation) {
  CLI::App* version = app.add_subcommand("version", "Print the version");
  version->footer("Example:\n  keyturn version");
  version->callback([&invocation] {
    invocation.run = [](const Terminal&) {
      return WriteOut("keyturn " + std::string(ToolVersion()) + '\n') ? 0 : 1;
    };
  });
}

}  // namespace keyturn::cli
