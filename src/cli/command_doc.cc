#include "cli/command_doc.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>

namespace keyturn::cli {
namespace {

// ChoicesOf reads what IsMember says of itself: "FORMAT:{table,json}".
std::vector<std::string> ChoicesOf(const std::string& type) {
  std::vector<std::string> choices;
  const std::size_t open = type.find(":{");
  const std::size_t close = type.rfind('}');
  if (open == std::string::npos || close == std::string::npos || close < open) return choices;
  std::string choice;
  for (std::size_t i = open + 2; i <= close; ++i) {
    if (type[i] != ',' && type[i] != '}') {
      choice += type[i];
    } else {
      choices.push_back(std::move(choice));
      choice.clear();
    }
  }
  return choices;
}

OptionDoc DescribeOption(const CLI::Option& option) {
  OptionDoc doc;
  doc.positional = option.get_positional();
  if (doc.positional) {
    doc.names = {option.get_name(true)};
  } else {
    for (const std::string& name : option.get_snames()) doc.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) doc.names.push_back("--" + name);
  }
  if (option.get_expected_max() != 0) {  // else a flag
    const std::string type = option.get_type_name();
    doc.metavar = type.substr(0, type.find(':'));
    doc.choices = ChoicesOf(type);
    if (doc.metavar.empty()) doc.metavar = doc.positional ? doc.names.front() : "VALUE";
  }
  doc.description = option.get_description();
  std::replace(doc.description.begin(), doc.description.end(), '\n', ' ');
  doc.default_text = option.get_default_str();
  doc.required = option.get_required();
  return doc;
}

CommandDoc Describe(const CLI::App& app, std::vector<std::string> words) {
  CommandDoc doc;
  doc.words = std::move(words);
  doc.words.push_back(app.get_name());
  doc.description = app.get_description();
  std::replace(doc.description.begin(), doc.description.end(), '\n', ' ');
  doc.footer = app.get_footer();
  for (const CLI::Option* option : app.get_options({})) {
    if (!option->get_group().empty()) doc.options.push_back(DescribeOption(*option));
  }
  for (const CLI::App* command : app.get_subcommands({})) {
    const bool hidden = command->get_name().empty() || command->get_group().empty();
    if (!hidden) doc.commands.push_back(Describe(*command, doc.words));
  }
  return doc;
}

}  // namespace

bool OptionDoc::TakesFile() const {
  constexpr std::string_view kFiles[] = {"FILE", "PATH",   "PLAN", "JOURNAL",
                                         "RUN",  "RUN...", "OLD",  "NEW"};
  return TakesDirectory() ||
         std::find(std::begin(kFiles), std::end(kFiles), metavar) != std::end(kFiles);
}

bool OptionDoc::TakesDirectory() const { return metavar == "DIR"; }

std::string CommandDoc::Words(char between) const {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += between;
    out += word;
  }
  return out;
}

CommandDoc DescribeCommands(const CLI::App& app) { return Describe(app, {}); }

const CommandDoc* FindCommand(const CommandDoc& root, const std::vector<std::string>& words) {
  const CommandDoc* at = &root;
  for (const std::string& word : words) {
    const auto found =
        std::find_if(at->commands.begin(), at->commands.end(),
                     [&word](const CommandDoc& command) { return command.words.back() == word; });
    if (found == at->commands.end()) return nullptr;
    at = &*found;
  }
  return at;
}

}  // namespace keyturn::cli
