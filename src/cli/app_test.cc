// The frame of the program: exit codes, where words go, and that nothing is thrown out of it.
#include "cli/app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <vector>

namespace keyturn::cli {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// Three commands: one that ends with the exit code it is told, one that throws, one with a child.
void AddTestCommands(CLI::App& app, Invocation& invocation) {
  static int code;
  CLI::App* finish = app.add_subcommand("finish", "End with a code");
  finish->add_option("--code", code, "The code")->required();
  finish->callback([&invocation] { invocation.run = [](const Terminal&) { return code; }; });
  app.add_subcommand("explode", "Throw")->callback([&invocation] {
    invocation.run = [](const Terminal&) -> int { throw std::runtime_error("boom"); };
  });
  CLI::App* outer = app.add_subcommand("outer", "A group");
  outer->require_subcommand(1);
  outer->add_subcommand("inner", "The innermost");
}

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

Outcome Keyturn(std::vector<const char*> words) {
  words.insert(words.begin(), "keyturn");
  constexpr std::array<AddCommands, 2> kGroups = {AddTestCommands, AddVersionCommand};
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Outcome outcome;
  outcome.code = RunProgram(static_cast<int>(words.size()), words.data(), kGroups);
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.err = testing::internal::GetCapturedStderr();
  return outcome;
}

TEST(Program, EndsWithTheCodeOfItsCommand) {
  EXPECT_EQ(Keyturn({"finish", "--code", "4"}).code, 4);
  EXPECT_EQ(Keyturn({"finish", "--code", "0"}).code, 0);
}

TEST(Program, VersionGoesToStandardOutput) {
  for (const char* spelling : {"--version", "version"}) {
    const Outcome outcome = Keyturn({spelling});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.out, "keyturn " + std::string(ToolVersion()) + "\n");
    EXPECT_THAT(outcome.err, IsEmpty());
  }
}

TEST(Program, AWrongCommandLineIsOneLineAndStatusOne) {
  for (const std::vector<const char*>& words :
       std::vector<std::vector<const char*>>{{"finsh"},
                                             {"zzzzzz"},
                                             {"finish"},
                                             {"finish", "--code", "x"},
                                             {"outer"},
                                             {"outer", "innr"},
                                             {"finish", "--code", "1", "more"},
                                             {"--bogus"}}) {
    const Outcome outcome = Keyturn(words);
    EXPECT_EQ(outcome.code, 1) << words.front();
    EXPECT_THAT(outcome.out, IsEmpty());
    EXPECT_THAT(outcome.err, StartsWith("keyturn: "));
    EXPECT_THAT(outcome.err, EndsWith("\n"));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
}

TEST(Program, NamesThePlaceOfAnError) {
  EXPECT_THAT(Keyturn({"outer", "inner", "--bogus"}).err, StartsWith("keyturn: outer inner: "));
}

TEST(Program, GuessesWhatWasMeant) {
  EXPECT_THAT(Keyturn({"finsh"}).err, HasSubstr("did you mean 'finish'?"));
  EXPECT_THAT(Keyturn({"zzzzzz"}).err, HasSubstr("'keyturn --help' lists them"));
}

TEST(Program, HelpOfTheInnermostCommand) {
  const Outcome outcome = Keyturn({"outer", "inner", "--help"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("keyturn outer inner"));
}

TEST(Program, ADefectIsCaughtAndSaidSo) {
  const Outcome outcome = Keyturn({"explode"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("internal error: boom"));
}

TEST(Program, WithoutACommandShowsHelpButFails) {
  const Outcome outcome = Keyturn({});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("finish"));
}

TEST(ReportError, TellsUsageFromDefects) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(ReportError("audit", Error{ErrorCode::kUsage, "a\nb\x1b[2J", "secret cause"}), 1);
  EXPECT_EQ(ReportError("audit", Error{ErrorCode::kInternal, "", ""}, "try again"), 2);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "keyturn: audit: a b\uFFFD[2J\nkeyturn: audit: Internal; try again\n");
}

}  // namespace
}  // namespace keyturn::cli
