// credential_process: a command whose standard output is credentials.
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "client/sources.h"
#include "json/json.h"

namespace keyturn::client {
namespace {

constexpr std::size_t kOutputBytesMax = 256 << 10;
constexpr std::chrono::seconds kProcessTimeout{60};

// Child: a process under way, and the end of its standard output that we read.
struct Child {
  pid_t pid = -1;
  int output = -1;
};

Error ProcessError(std::string_view program, std::string_view why) {
  return {ErrorCode::kUsage,
          "credential_process " + std::string(program) + ": " + std::string(why),
          {}};
}

Result<Child> Start(const std::vector<std::string>& words) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Fail(ProcessError(words.front(), std::strerror(errno)));
  }
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  Child child;
  const int error =
      posix_spawnp(&child.pid, words.front().c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    return Fail(ProcessError(words.front(), std::strerror(error)));
  }
  child.output = ends[0];
  return child;
}

// ReadAll reads to the end; false when the time or the size is up.
bool ReadAll(int file, std::string& out) {
  const auto deadline = std::chrono::steady_clock::now() + kProcessTimeout;
  std::array<char, 4096> buffer{};
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd ready{.fd = file, .events = POLLIN, .revents = 0};
    const int count = poll(&ready, 1, static_cast<int>(left.count()));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    const ssize_t got = read(file, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) return true;
    out.append(buffer.data(), static_cast<std::size_t>(got));
    if (out.size() > kOutputBytesMax) return false;
  }
}

int Wait(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

Result<std::vector<std::string>> SplitCommand(std::string_view command) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    const bool more = i + 1 < command.size();
    if (quote == '\'') {
      if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if (c == '\\' && more &&
               (quote == 0 || command[i + 1] == '"' || command[i + 1] == '\\')) {
      word += command[++i];
      in_word = true;
    } else if (quote == '"' && c == '"') {
      quote = 0;
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
      in_word = true;
    } else if (quote == 0 && (c == ' ' || c == '\t')) {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != 0) return Fail(ErrorCode::kUsage, "credential_process: a quote is not closed");
  if (in_word) words.push_back(std::move(word));
  if (words.empty()) return Fail(ErrorCode::kUsage, "credential_process: there is no command");
  return words;
}

Result<FoundCredentials> FromProcess(const std::string& command) {
  KT_ASSIGN(const std::vector<std::string> words, SplitCommand(command));
  const std::string& program = words.front();
  KT_ASSIGN(const Child child, Start(words));
  std::string output;
  const bool whole = ReadAll(child.output, output);
  close(child.output);
  if (!whole) {
    kill(child.pid, SIGKILL);
    Wait(child.pid);
    return Fail(ProcessError(program, "it gave no whole answer in a minute"));
  }
  const int status = Wait(child.pid);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return Fail(ProcessError(program, WIFEXITED(status)
                                          ? "it ended with " + std::to_string(WEXITSTATUS(status))
                                          : std::string("a signal ended it")));
  }
  json::Parser parser;
  const auto value = parser.Parse(output);
  if (!value) return Fail(ProcessError(program, "its answer is no JSON"));
  const auto version = value->Find("Version");
  if (!version || version->AsInt() != 1) {
    return Fail(ProcessError(program, "its answer has no Version 1"));
  }
  auto found = ParseCredentials(output, "SessionToken", "credential_process " + program);
  WipeMemory(output.data(), output.size());
  return found;
}

}  // namespace keyturn::client
