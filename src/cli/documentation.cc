// keyturn man, keyturn completion: the command line about itself.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "cli/app.h"
#include "cli/command_doc.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "control/run.h"

namespace keyturn::cli {
namespace {

struct ManFlags {
  std::vector<std::string> command;
  std::string out;
};

Status WritePages(const CommandDoc& command, const std::string& directory) {
  KT_TRY(WriteFile(directory + "/" + command.Words('-') + ".1",
                   RenderManPage(command, ToolVersion())));
  for (const CommandDoc& child : command.commands) KT_TRY(WritePages(child, directory));
  return {};
}

int RunMan(const CLI::App& app, const ManFlags& flags) {
  const CommandDoc root = DescribeCommands(app);
  if (!flags.out.empty()) {
    std::error_code error;
    std::filesystem::create_directories(flags.out, error);
    if (error) {
      PrintError("man", fmt::format("cannot make {}: {}", flags.out, error.message()));
      return control::kExitUsage;
    }
    const Status written = WritePages(root, flags.out);
    return written ? 0 : ReportError("man", written.error());
  }
  const CommandDoc* command = FindCommand(root, flags.command);
  if (command == nullptr) {
    std::string words;
    for (const std::string& word : flags.command) words += (words.empty() ? "" : " ") + word;
    PrintError("man", fmt::format("there is no command '{}'", words),
               "'keyturn --help' lists them");
    return control::kExitUsage;
  }
  return WriteOut(RenderManPage(*command, ToolVersion())) ? 0 : control::kExitUsage;
}

}  // namespace

void AddDocumentationCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* man = app.add_subcommand("man", "Print the manual page of a command");
  const auto flags = std::make_shared<ManFlags>();
  man->add_option("COMMAND", flags->command, "Its words; none: of the program")->type_name("");
  man->add_option("--out", flags->out, "Write the page of every command into this directory")
      ->type_name("DIR");
  man->footer(
      "Examples:\n"
      "  keyturn man audit | man -l -\n"
      "  keyturn man policy audit | man -l -\n"
      "  keyturn man --out /usr/local/share/man/man1");
  man->callback([&app, &invocation, flags] {
    if (!flags->out.empty() && !flags->command.empty()) {
      throw CLI::ValidationError("--out writes every page; do not name a command");
    }
    invocation.run = [&app, flags](const Terminal&) { return RunMan(app, *flags); };
  });

  CLI::App* completion = app.add_subcommand("completion", "Print a completion script for a shell");
  const auto shell = std::make_shared<std::string>();
  completion->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->type_name("");
  completion->footer(
      "Examples:\n"
      "  source <(keyturn completion bash)\n"
      "  keyturn completion bash > /usr/share/bash-completion/completions/keyturn\n"
      "  keyturn completion zsh > ~/.zfunc/_keyturn\n"
      "  keyturn completion fish > ~/.config/fish/completions/keyturn.fish");
  completion->callback([&app, &invocation, shell] {
    invocation.run = [&app, shell](const Terminal&) {
      const Shell chosen = *shell == "zsh"    ? Shell::kZsh
                           : *shell == "fish" ? Shell::kFish
                                              : Shell::kBash;
      return WriteOut(RenderCompletion(DescribeCommands(app), chosen)) ? 0 : control::kExitUsage;
    };
  });
}

}  // namespace keyturn::cli
