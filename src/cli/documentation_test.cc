// What the program says of itself: every command has examples, the examples parse, and pages and
// completions say what the definitions say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "cli/app.h"
#include "cli/command_doc.h"
#include "client/sources.h"

namespace keyturn::cli {
namespace {

using testing::HasSubstr;

struct Program {
  CLI::App app;
  Invocation invocation;
  std::string color;
  Program() { DefineProgram(app, AllCommands(), invocation, color); }
};

std::vector<CommandDoc> AllOf(const CommandDoc& root) {
  std::vector<CommandDoc> all = {root};
  for (const CommandDoc& command : root.commands) {
    for (CommandDoc& each : AllOf(command)) all.push_back(std::move(each));
  }
  return all;
}

std::vector<CommandDoc> Commands() { return AllOf(DescribeCommands(Program().app)); }

// ExamplesOf: what an example calls keyturn with, up to a pipe, a redirection or a bracket.
std::vector<std::string> ExamplesOf(const CommandDoc& command) {
  std::vector<std::string> examples;
  std::istringstream lines(command.footer);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t begin = line.find("keyturn ");
    if (!line.starts_with("  ") || begin == std::string::npos) continue;
    line = line.substr(begin + std::string("keyturn ").size());
    const std::size_t end = line.find_first_of("|>&)");
    examples.push_back(line.substr(0, end));
  }
  return examples;
}

TEST(Documentation, EveryCommandHasExamplesThatParse) {
  std::size_t examples = 0;
  for (const CommandDoc& command : Commands()) {
    if (command.words.size() == 1) continue;
    const auto lines = ExamplesOf(command);
    EXPECT_FALSE(lines.empty()) << command.Words(' ') << " has no example";
    for (const std::string& line : lines) {
      auto words = client::SplitCommand(line);
      ASSERT_TRUE(words) << line;
      std::vector<std::string> reversed(words->rbegin(), words->rend());
      Program program;
      try {
        program.app.parse(reversed);
        EXPECT_TRUE(program.invocation.run) << line;
      } catch (const CLI::ParseError& error) {
        ADD_FAILURE() << command.Words(' ') << ": " << line << ": " << error.what();
      }
      // An example is of its own command, or of one below it.
      EXPECT_THAT("keyturn " + line, testing::StartsWith(command.Words(' '))) << line;
      ++examples;
    }
  }
  EXPECT_GT(examples, 50U);
}

TEST(Documentation, EveryOptionIsInThePage) {
  for (const CommandDoc& command : Commands()) {
    const std::string page = RenderManPage(command, "1.2.3");
    EXPECT_THAT(page, HasSubstr("keyturn 1.2.3"));
    EXPECT_FALSE(command.description.empty()) << command.Words(' ');
    for (const OptionDoc& option : command.options) {
      EXPECT_FALSE(option.description.empty()) << command.Words(' ') << option.names[0];
      for (std::string name : option.names) {
        for (std::size_t at = 0; (at = name.find('-', at)) != std::string::npos; at += 2) {
          name.insert(at, "\\");
        }
        EXPECT_THAT(page, HasSubstr(name));
      }
    }
  }
}

TEST(Documentation, ChoicesComeFromTheChecks) {
  const CommandDoc root = DescribeCommands(Program().app);
  const CommandDoc* apply = FindCommand(root, {"apply"});
  ASSERT_NE(apply, nullptr);
  bool found = false;
  for (const OptionDoc& option : apply->options) {
    if (option.names.back() != "--format") continue;
    found = true;
    EXPECT_EQ(option.choices, (std::vector<std::string>{"table", "json"}));
    EXPECT_EQ(option.metavar, "FORMAT");
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(FindCommand(root, {"policy", "bogus"}), nullptr);
}

TEST(Documentation, FlagsTakeNoValue) {
  const CommandDoc root = DescribeCommands(Program().app);
  const CommandDoc* apply = FindCommand(root, {"apply"});
  ASSERT_NE(apply, nullptr);
  std::map<std::string, std::string> metavars;
  for (const OptionDoc& option : apply->options) metavars[option.names.back()] = option.metavar;
  EXPECT_EQ(metavars.at("--auto-approve"), "");
  EXPECT_EQ(metavars.at("--help"), "");
  EXPECT_EQ(metavars.at("--journal"), "FILE");
  EXPECT_THAT(RenderManPage(*apply, "1"), HasSubstr("\n\\fB\\-\\-auto\\-approve\\fR\n"));
}

TEST(Documentation, WhatRoffTakesForACommandIsEscaped) {
  CommandDoc command;
  command.words = {"keyturn", "x"};
  command.description = ".TH \\fB 'quoted'";
  command.footer = "Examples:\n  .so /etc/passwd\n  keyturn x --a 'b'\n\n'tail";
  const std::string page = RenderManPage(command, "1");
  EXPECT_THAT(page, HasSubstr("\n\\&.TH \\efB \\(aqquoted\\(aq.\n"));
  EXPECT_THAT(page, HasSubstr("\n\\&.so /etc/passwd\n"));
  EXPECT_THAT(page, HasSubstr("\n\\&\\(aqtail\n"));
}

}  // namespace
}  // namespace keyturn::cli
