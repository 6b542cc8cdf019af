// Terminal: what standard output and standard error are connected to, and the words that go there.
//
// Reports and answers go to standard output; errors, questions and progress to standard error.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

#include "base/error.h"
#include "report/report.h"

namespace keyturn::cli {

enum class ColorChoice { kAuto, kAlways, kNever };

struct Terminal {
  bool input_is_terminal = false;
  bool output_is_terminal = false;
  bool error_is_terminal = false;
  report::TerminalStyle style;

  // Detect asks the operating system and the environment: COLUMNS, NO_COLOR, CLICOLOR_FORCE, TERM,
  // LC_ALL, LC_CTYPE, LANG. Output that is no terminal is 100 columns wide unless COLUMNS says
  // else.
  static Terminal Detect(ColorChoice choice);
};

// WriteAll writes to a descriptor; false, with errno, when it cannot.
bool WriteAll(int fd, std::string_view text);

// WriteOut writes to standard output; false when it cannot (closed pipe, full disk).
bool WriteOut(std::string_view text);

// PrintError writes one line, `keyturn: <place>: <what>; <advice>`, to standard error. Empty parts
// are left out; control characters are made harmless.
void PrintError(std::string_view place, std::string_view what, std::string_view advice = {});

// ReportError prints an Error of a command and returns the exit code that belongs to it: usage 1,
// a defect of ours 2.
int ReportError(std::string_view place, const Error& error, std::string_view advice = {});

// ProgressLine: one line on standard error that is rewritten in place; nothing at all where
// standard error is no terminal. Thread-safe. The destructor clears the line.
class ProgressLine {
 public:
  explicit ProgressLine(const Terminal& terminal);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void Show(std::string_view text);
  void Clear();

 private:
  std::mutex mutex_;
  const bool active_;
  const std::size_t width_;
  bool shown_ = false;
};

// AskYes prints question on standard error and reads a line; true only for exactly "yes".
bool AskYes(std::string_view question);

}  // namespace keyturn::cli
