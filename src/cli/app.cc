#include "cli/app.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/run.h"

namespace keyturn::cli {
namespace {

constexpr const char* kFooter =
    "Exit codes of the control: 0 compliant, 1 wrong usage or configuration, 2 internal error,\n"
    "3 findings, 4 incomplete, 5 a change was refused or failed.\n"
    "\n'keyturn COMMAND --help' explains a command and gives examples.";

// HelpFormatter shows what an option takes and what it is by default, and nothing of how it is
// checked: the description says that in words.
class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    std::string out;
    if (option->get_type_size() != 0) {
      const std::string type = option->get_type_name();
      out += (type.empty() ? "" : " ") + type.substr(0, type.find(':'));
    }
    if (!option->get_default_str().empty()) {
      out += " [" + option->get_default_str() + "]";
    }
    return out + (option->get_required() ? " (required)" : "");
  }
  std::string make_usage(const CLI::App* app, std::string name) const override {
    // One blank line between what a command does and how it is called.
    return '\n' + CLI::Formatter::make_usage(app, std::move(name));
  }
};

// Distance: single-character edits between two words (Levenshtein).
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

// Nearest: the command that was probably meant; empty when none is near.
std::string Nearest(const CLI::App& app, std::string_view word) {
  std::string best;
  std::size_t best_distance = word.size() / 3 + 2;
  for (const CLI::App* command : app.get_subcommands({})) {
    const std::size_t distance = Distance(word, command->get_name());
    if (distance < best_distance) {
      best = command->get_name();
      best_distance = distance;
    }
  }
  return best;
}

// Place: the words of the command that was being parsed: "control show".
std::string Place(const CLI::App& app) {
  std::string place;
  const CLI::App* at = &app;
  for (auto parsed = at->get_subcommands(); !parsed.empty(); parsed = at->get_subcommands()) {
    at = parsed.front();
    place += (place.empty() ? "" : " ") + at->get_name();
  }
  return place;
}

int UsageError(const CLI::App& app, std::string what) {
  const std::string place = Place(app);
  std::replace(what.begin(), what.end(), '\n', ' ');
  while (!what.empty() && (what.back() == ' ' || what.back() == '.')) {
    what.pop_back();
  }
  if (what.size() > 1 && what[0] >= 'A' && what[0] <= 'Z' &&
      (what[1] == ' ' || (what[1] >= 'a' && what[1] <= 'z'))) {
    what[0] = static_cast<char>(what[0] - 'A' + 'a');
  }
  PrintError(place, what,
             fmt::format("'keyturn {}{}--help' shows how", place, place.empty() ? "" : " "));
  return control::kExitUsage;
}

// Depth-first through the subcommands that were named on the command line, for help on the last.
const CLI::App* Innermost(const CLI::App& app) {
  const CLI::App* at = &app;
  for (auto parsed = at->get_subcommands(); !parsed.empty(); parsed = at->get_subcommands()) {
    at = parsed.front();
  }
  return at;
}

// Parse returns an exit code when the program ends here: help, version, or a usage error.
std::optional<int> Parse(CLI::App& app, int argc, const char* const* argv) {
  if (argc < 2) {
    WriteOut(app.help());
    return control::kExitUsage;
  }
  const std::string_view first = argv[1];
  const auto commands = app.get_subcommands({});
  const bool known =
      first.starts_with("-") || std::any_of(commands.begin(), commands.end(),
                                            [&](const auto* c) { return c->get_name() == first; });
  if (!known) {
    const std::string nearest = Nearest(app, first);
    PrintError("", fmt::format("there is no command '{}'", first),
               nearest.empty() ? "'keyturn --help' lists them"
                               : fmt::format("did you mean '{}'?", nearest));
    return control::kExitUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForVersion& version) {
    WriteOut(std::string(version.what()) + '\n');
    return 0;
  } catch (const CLI::CallForHelp&) {
    const CLI::App* of = Innermost(app);
    const std::string outer = of == &app ? "" : Place(app);
    const std::string prefix =
        outer.empty()
            ? ""
            : "keyturn" + (outer.size() > of->get_name().size()
                               ? " " + outer.substr(0, outer.size() - of->get_name().size() - 1)
                               : "");
    WriteOut(of->help(prefix));
    return 0;
  } catch (const CLI::ParseError& error) {
    return UsageError(app, error.what());
  }
  return std::nullopt;
}

int RunGuarded(int argc, const char* const* argv, std::span<const AddCommands> groups) {
  CLI::App app;
  Invocation invocation;
  std::string color;
  DefineProgram(app, groups, invocation, color);
  if (const auto ended = Parse(app, argc, argv)) {
    return *ended;
  }
  if (!invocation.run) {
    return UsageError(app, "a command is missing");
  }
  const ColorChoice choice = color == "always"  ? ColorChoice::kAlways
                             : color == "never" ? ColorChoice::kNever
                                                : ColorChoice::kAuto;
  return invocation.run(Terminal::Detect(choice));
}

}  // namespace

void DefineProgram(CLI::App& app, std::span<const AddCommands> groups, Invocation& invocation,
                   std::string& color) {
  app.name("keyturn");
  app.description(
      "Key management whose keys rotate, and the control that proves it on any endpoint that\n"
      "speaks the AWS KMS API.");
  app.require_subcommand(1);
  app.set_version_flag("--version", "keyturn " + std::string(ToolVersion()));
  const auto formatter = std::make_shared<HelpFormatter>();
  formatter->column_width(30);
  app.formatter(formatter);
  color = "auto";
  app.add_option("--color", color, "Colours: auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->type_name("WHEN");
  app.fallthrough();
  for (const AddCommands add : groups) {
    add(app, invocation);
  }
  app.footer(kFooter);  // after the groups: subcommands inherit it
}

std::string_view ToolVersion() { return KEYTURN_VERSION; }

int RunProgram(int argc, const char* const* argv, std::span<const AddCommands> groups) {
  // A reader that goes away (`keyturn audit | head`) is an error of write(), not a reason to die.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return RunGuarded(argc, argv, groups);
  } catch (const std::bad_alloc&) {
    PrintError("", "out of memory");
  } catch (const std::exception& error) {
    PrintError("", std::string("internal error: ") + error.what(), "please report it");
  }
  return control::kExitInternal;
}

}  // namespace keyturn::cli
