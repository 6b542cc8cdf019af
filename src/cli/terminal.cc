#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "control/run.h"
#include "report/text.h"

namespace keyturn::cli {
namespace {

std::string_view Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

bool SpeaksUtf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string value(Environment(name));
    if (value.empty()) {
      continue;
    }
    std::transform(value.begin(), value.end(), value.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

std::size_t WidthOf(bool is_terminal) {
  const std::string_view columns = Environment("COLUMNS");
  std::size_t width = 0;
  const auto [end, error] = std::from_chars(columns.data(), columns.data() + columns.size(), width);
  if (error == std::errc() && end == columns.data() + columns.size() && width > 0) {
    return std::min<std::size_t>(width, 1000);
  }
  winsize size{};
  if (is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return size.ws_col;
  }
  return 100;
}

}  // namespace

Terminal Terminal::Detect(ColorChoice choice) {
  Terminal terminal;
  terminal.input_is_terminal = isatty(STDIN_FILENO) == 1;
  terminal.output_is_terminal = isatty(STDOUT_FILENO) == 1;
  terminal.error_is_terminal = isatty(STDERR_FILENO) == 1;
  terminal.style.width = WidthOf(terminal.output_is_terminal);
  // A file or pipe gets UTF-8 whatever the locale: it will be read somewhere else.
  terminal.style.unicode = !terminal.output_is_terminal || SpeaksUtf8();
  switch (choice) {
    case ColorChoice::kAlways:
      terminal.style.color = true;
      break;
    case ColorChoice::kNever:
      terminal.style.color = false;
      break;
    case ColorChoice::kAuto: {
      const std::string_view forced = Environment("CLICOLOR_FORCE");
      terminal.style.color = Environment("NO_COLOR").empty() &&
                             ((terminal.output_is_terminal && Environment("TERM") != "dumb") ||
                              (!forced.empty() && forced != "0"));
      break;
    }
  }
  return terminal;
}

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool WriteOut(std::string_view text) { return WriteAll(STDOUT_FILENO, text); }

void PrintError(std::string_view place, std::string_view what, std::string_view advice) {
  std::string line = "keyturn: ";
  if (!place.empty()) {
    line += report::Harmless(place) + ": ";
  }
  line += report::Harmless(what);
  if (!advice.empty()) {
    line += "; " + report::Harmless(advice);
  }
  line += '\n';
  WriteAll(STDERR_FILENO, line);
}

int ReportError(std::string_view place, const Error& error, std::string_view advice) {
  PrintError(place, error.message.empty() ? ErrorCodeName(error.code) : error.message, advice);
  return error.code == ErrorCode::kInternal ? control::kExitInternal : control::kExitUsage;
}

ProgressLine::ProgressLine(const Terminal& terminal)
    : active_(terminal.error_is_terminal), width_(terminal.style.width) {}

ProgressLine::~ProgressLine() { Clear(); }

void ProgressLine::Show(std::string_view text) {
  if (!active_) {
    return;
  }
  const std::lock_guard lock(mutex_);
  // One column short: a full line would make some terminals scroll.
  const std::string fitting = report::Wrap(report::Harmless(text), width_ - 1).front();
  WriteAll(STDERR_FILENO, "\r\x1b[2K" + fitting);
  shown_ = true;
}

void ProgressLine::Clear() {
  if (!active_) {
    return;
  }
  const std::lock_guard lock(mutex_);
  if (shown_) {
    WriteAll(STDERR_FILENO, "\r\x1b[2K");
    shown_ = false;
  }
}

bool AskYes(std::string_view question) {
  WriteAll(STDERR_FILENO, std::string(question) + ' ');
  std::string answer;
  return std::getline(std::cin, answer) && answer == "yes";
}

}  // namespace keyturn::cli
