// CommandDoc: what the command line is, read from the definitions that parse it, so that manual
// pages and completions cannot say anything else than the program does.
//
// Thread-safety: values and pure functions. Facts: groff_man(7), bash(1) "Programmable Completion",
// zshcompsys(1), complete(1) of fish.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}  // namespace CLI

namespace keyturn::cli {

struct OptionDoc {
  std::vector<std::string> names;  // "-f", "--file"; a positional: "PLAN"
  std::string metavar;             // "FILE"; empty: a flag
  std::string description;
  std::string default_text;
  std::vector<std::string> choices;  // the values there are, when these are few
  bool positional = false;
  bool required = false;

  bool TakesFile() const;       // a path of a file or directory
  bool TakesDirectory() const;  // a directory only
};

struct CommandDoc {
  std::vector<std::string> words;  // "keyturn", "policy", "audit"
  std::string description;
  std::vector<OptionDoc> options;  // in the order of --help
  std::string footer;              // what --help says at its end: examples, exit codes
  std::vector<CommandDoc> commands;

  std::string Words(char between) const;
};

CommandDoc DescribeCommands(const CLI::App& app);

// FindCommand: the command of these words below root ({"policy", "audit"}); null when there is
// none.
const CommandDoc* FindCommand(const CommandDoc& root, const std::vector<std::string>& words);

// RenderManPage: section 1, in roff's man macros. version is of the program.
std::string RenderManPage(const CommandDoc& command, std::string_view version);

enum class Shell { kBash, kZsh, kFish };
// RenderCompletion: a script for the shell to source.
std::string RenderCompletion(const CommandDoc& root, Shell shell);

}  // namespace keyturn::cli
