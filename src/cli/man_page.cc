// Manual pages in roff.
#include <cctype>
#include <sstream>

#include "cli/command_doc.h"

namespace keyturn::cli {
namespace {

// Escaped makes text mean itself. Hyphens become minus signs, so that what is copied from a page
// is what was typed.
std::string Escaped(std::string_view text) {
  std::string out;
  if (!text.empty() && (text[0] == '.' || text[0] == '\'')) out = "\\&";
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '`') {
      out += "\\(ga";
    } else if (c == '\'') {
      out += "\\(aq";
    } else if (c == '"') {
      out += "\\(dq";
    } else {
      out += c;
    }
  }
  return out;
}

std::string Upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

void AppendOption(const OptionDoc& option, std::string& out) {
  out += ".TP\n";
  std::string names;
  for (const std::string& name : option.names) {
    if (!names.empty()) names += ", ";
    names += (option.positional ? "\\fI" : "\\fB") + Escaped(name) + "\\fR";
  }
  if (!option.positional && !option.metavar.empty()) {
    names += " \\fI" + Escaped(option.metavar) + "\\fR";
  }
  out += names + "\n" + Escaped(option.description) + ".";
  if (!option.choices.empty() && option.description.find(option.choices[0]) == std::string::npos) {
    out += " One of";
    for (std::size_t i = 0; i < option.choices.size(); ++i) {
      out += (i == 0 ? " " : ", ") + Escaped(option.choices[i]);
    }
    out += '.';
  }
  if (!option.default_text.empty()) out += " Default: " + Escaped(option.default_text) + ".";
  if (option.required) out += " Required.";
  out += '\n';
}

// AppendFooter: "Examples:" and "Exit codes" begin sections of their own; indented lines are what
// one types.
void AppendFooter(const std::string& footer, std::string& out) {
  std::istringstream lines(footer);
  std::string line;
  bool literal = false;
  bool section = false;
  bool paragraph = false;
  const auto end_literal = [&] {
    if (literal) out += ".fi\n";
    literal = false;
  };
  while (std::getline(lines, line)) {
    const bool indented = line.starts_with("  ");
    if (!indented) end_literal();
    if (line == "Examples:" || line == "Example:") {
      out += ".SH EXAMPLES\n";
      section = true;
      paragraph = false;
    } else if (line.empty()) {
      paragraph = true;
    } else if (indented) {
      if (!literal) out += ".nf\n";
      literal = true;
      out += Escaped(std::string_view(line).substr(2)) + "\n";
    } else {
      if (line.starts_with("Exit code")) {
        out += ".SH EXIT STATUS\n";
      } else if (!section || (paragraph && out.ends_with(".fi\n"))) {
        out += ".SH NOTES\n";
      } else if (paragraph) {
        out += ".PP\n";
      }
      section = true;
      paragraph = false;
      out += Escaped(line) + "\n";
    }
  }
  end_literal();
}

}  // namespace

std::string RenderManPage(const CommandDoc& command, std::string_view version) {
  const std::string name = command.Words('-');
  std::string out = ".\\\" Written by keyturn man from the definitions of its command line.\n";
  // No date: the page is of a version, and the same on every day.
  out += ".TH " + Upper(name) + " 1 \"\" \"keyturn " + std::string(version) + "\" \"Keyturn\"\n";
  out += ".SH NAME\n" + Escaped(name) + " \\- " + Escaped(command.description) + "\n";
  out += ".SH SYNOPSIS\n.B " + Escaped(command.Words(' ')) + "\n";
  bool any = false;
  for (const OptionDoc& option : command.options) {
    if (option.positional) continue;
    any = true;
    if (!option.required) continue;
    out += "\\fB" + Escaped(option.names.back()) + "\\fR \\fI" + Escaped(option.metavar) + "\\fR\n";
  }
  if (any) out += "[\\fIOPTIONS\\fR]\n";
  for (const OptionDoc& option : command.options) {
    if (!option.positional) continue;
    const std::string text = "\\fI" + Escaped(option.names[0]) + "\\fR";
    out += option.required ? text + "\n" : "[" + text + "]\n";
  }
  if (!command.commands.empty()) out += "\\fICOMMAND\\fR\n";
  out += ".SH DESCRIPTION\n" + Escaped(command.description) + ".\n";
  if (!command.commands.empty()) {
    out += ".SH COMMANDS\n";
    for (const CommandDoc& child : command.commands) {
      out += ".TP\n\\fB" + Escaped(child.Words('-')) + "\\fR(1)\n" + Escaped(child.description) +
             ".\n";
    }
  }
  out += ".SH OPTIONS\n";
  for (const OptionDoc& option : command.options) AppendOption(option, out);
  AppendFooter(command.footer, out);
  if (command.words.size() > 1) {
    CommandDoc parent;
    parent.words.assign(command.words.begin(), command.words.end() - 1);
    out += ".SH SEE ALSO\n.BR " + Escaped(parent.Words('-')) + " (1)\n";
  }
  return out;
}

}  // namespace keyturn::cli
