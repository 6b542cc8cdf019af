// Completion scripts. Each finds the command that is being typed by walking the words, as the
// program does, and offers its commands and options, and the values of an option that has few.
#include <functional>

#include "cli/command_doc.h"

namespace keyturn::cli {
namespace {

void Visit(const CommandDoc& command, const std::function<void(const CommandDoc&)>& visit) {
  visit(command);
  for (const CommandDoc& child : command.commands) Visit(child, visit);
}

// Quoted for all three shells: single quotes, with those inside taken out of them.
std::string Quoted(std::string_view text, Shell shell) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += shell == Shell::kFish ? "\\'" : "'\\''";
    } else if (c == '\\' && shell == Shell::kFish) {
      out += "\\\\";
    } else {
      out += c;
    }
  }
  return out + "'";
}

// ColonsEscaped: _describe takes what follows a colon for the description.
std::string ColonsEscaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ':') out += '\\';
    out += c;
  }
  return out;
}

// Paths: every command below the root, quoted, as one pattern of a case.
std::string Paths(const CommandDoc& root, std::string_view between, Shell shell) {
  std::string out;
  Visit(root, [&](const CommandDoc& command) {
    if (command.words.size() < 2) return;
    if (!out.empty()) out += between;
    out += Quoted(command.Words(' '), shell);
  });
  return out;
}

std::string Joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

// ValuePattern: the option's names after the command's words, as one pattern of a case.
std::string ValuePattern(const CommandDoc& command, const OptionDoc& option, Shell shell) {
  std::string pattern;
  for (const std::string& name : option.names) {
    if (!pattern.empty()) pattern += '|';
    pattern += Quoted(command.Words(' ') + " " + name, shell);
  }
  return pattern;
}

// Values: a case for each option that takes a value; else completing it would offer options.
std::string Values(const CommandDoc& root, Shell shell) {
  std::string out;
  Visit(root, [&](const CommandDoc& command) {
    for (const OptionDoc& option : command.options) {
      if (option.positional || option.metavar.empty()) continue;
      out += "    " + ValuePattern(command, option, shell) + ")\n      ";
      if (shell == Shell::kBash) {
        if (!option.choices.empty()) {
          out += "mapfile -t COMPREPLY < <(compgen -W " + Quoted(Joined(option.choices), shell) +
                 " -- \"$cur\")";
        } else {
          out += option.TakesDirectory() ? "mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")"
                                         : "COMPREPLY=()";  // -o default: names of files
        }
      } else if (!option.choices.empty()) {
        out += "compadd -- " + Joined(option.choices);
      } else {
        out += option.TakesDirectory() ? "_files -/"
               : option.TakesFile()    ? "_files"
                                       : "_message " + Quoted(option.metavar, shell);
      }
      out += "\n      return\n      ;;\n";
    }
  });
  return out;
}

std::string Bash(const CommandDoc& root) {
  std::string out =
      "# bash completion of keyturn; written by `keyturn completion bash`.\n"
      "_keyturn() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
      "  local path=keyturn word i\n"
      "  # --option=value comes as three words.\n"
      "  if [[ $cur == '=' ]]; then cur=''; fi\n"
      "  if [[ $prev == '=' && COMP_CWORD -gt 1 ]]; then prev=${COMP_WORDS[COMP_CWORD - 2]}; fi\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    word=\"$path ${COMP_WORDS[i]}\"\n"
      "    case $word in\n      " +
      Paths(root, "|", Shell::kBash) +
      ") path=$word ;;\n"
      "    esac\n"
      "  done\n"
      "  COMPREPLY=()\n"
      "  case \"$path $prev\" in\n" +
      Values(root, Shell::kBash) +
      "  esac\n"
      "  local words=''\n"
      "  case $path in\n";
  Visit(root, [&out](const CommandDoc& command) {
    std::string words;
    for (const CommandDoc& child : command.commands) words += child.words.back() + " ";
    for (const OptionDoc& option : command.options) {
      if (!option.positional) words += Joined(option.names) + " ";
    }
    words.pop_back();
    out += "    " + Quoted(command.Words(' '), Shell::kBash) +
           ") words=" + Quoted(words, Shell::kBash) + " ;;\n";
  });
  return out +
         "  esac\n"
         "  # Options are offered when one is begun; else commands, or, by -o default, files.\n"
         "  local offered=''\n"
         "  for word in $words; do\n"
         "    if [[ $cur == -* || $word != -* ]]; then offered+=\" $word\"; fi\n"
         "  done\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$offered\" -- \"$cur\")\n"
         "}\n"
         "complete -o bashdefault -o default -F _keyturn keyturn\n";
}

std::string Zsh(const CommandDoc& root) {
  std::string out =
      "#compdef keyturn\n"
      "# zsh completion of keyturn; written by `keyturn completion zsh`.\n"
      "_keyturn() {\n"
      "  local at=keyturn word i\n"
      "  local -a offered\n"
      "  for ((i = 2; i < CURRENT; i++)); do\n"
      "    word=\"$at ${words[i]}\"\n"
      "    case $word in\n      " +
      Paths(root, "|", Shell::kZsh) +
      ") at=$word ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$at ${words[CURRENT - 1]}\" in\n" +
      Values(root, Shell::kZsh) +
      "  esac\n"
      "  case $at in\n";
  Visit(root, [&out](const CommandDoc& command) {
    out += "    " + Quoted(command.Words(' '), Shell::kZsh) + ")\n";
    if (!command.commands.empty()) {
      out += "      offered=(\n";
      for (const CommandDoc& child : command.commands) {
        out += "        " +
               Quoted(child.words.back() + ":" + ColonsEscaped(child.description), Shell::kZsh) +
               "\n";
      }
      out += "      )\n      _describe command offered\n";
    }
    out += "      offered=(\n";
    bool files = false;
    for (const OptionDoc& option : command.options) {
      files = files || option.positional;
      if (option.positional) continue;
      for (const std::string& name : option.names) {
        out +=
            "        " + Quoted(name + ":" + ColonsEscaped(option.description), Shell::kZsh) + "\n";
      }
    }
    out += "      )\n      [[ ${words[CURRENT]} == -* ]] && _describe -o option offered\n";
    if (files) out += "      [[ ${words[CURRENT]} == -* ]] || _files\n";
    out += "      ;;\n";
  });
  return out +
         "  esac\n"
         "}\n"
         "if [[ ${zsh_eval_context[-1]} == loadautofunc ]]; then\n"
         "  _keyturn \"$@\"\n"
         "else\n"
         "  compdef _keyturn keyturn\n"
         "fi\n";
}

void AppendFishOption(const CommandDoc& command, const OptionDoc& option, std::string& out) {
  const std::string at =
      "complete -c keyturn -n " +
      Quoted("__keyturn_at " + Quoted(command.Words(' '), Shell::kFish), Shell::kFish);
  if (option.positional) {
    if (option.TakesFile()) out += at + " -F\n";
    return;
  }
  out += at;
  for (const std::string& name : option.names) {
    out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (!option.choices.empty()) {
    out += " -x -a " + Quoted(Joined(option.choices), Shell::kFish);
  } else if (!option.metavar.empty()) {
    out += option.TakesFile() ? " -r -F" : " -x";
  }
  out += " -d " + Quoted(option.description, Shell::kFish) + "\n";
}

std::string Fish(const CommandDoc& root) {
  std::string out =
      "# fish completion of keyturn; written by `keyturn completion fish`.\n"
      "function __keyturn_at\n"
      "    set -l path keyturn\n"
      "    set -l typed (commandline -opc)\n"
      "    for word in $typed[2..]\n"
      "        switch \"$path $word\"\n"
      "            case " +
      Paths(root, " ", Shell::kFish) +
      "\n"
      "                set path \"$path $word\"\n"
      "        end\n"
      "    end\n"
      "    test \"$path\" = \"$argv[1]\"\n"
      "end\n"
      "complete -c keyturn -f\n";
  Visit(root, [&out](const CommandDoc& command) {
    const std::string at =
        Quoted("__keyturn_at " + Quoted(command.Words(' '), Shell::kFish), Shell::kFish);
    for (const CommandDoc& child : command.commands) {
      out += "complete -c keyturn -n " + at + " -a " + Quoted(child.words.back(), Shell::kFish) +
             " -d " + Quoted(child.description, Shell::kFish) + "\n";
    }
    for (const OptionDoc& option : command.options) AppendFishOption(command, option, out);
  });
  return out;
}

}  // namespace

std::string RenderCompletion(const CommandDoc& root, Shell shell) {
  switch (shell) {
    case Shell::kBash:
      return Bash(root);
    case Shell::kZsh:
      return Zsh(root);
    case Shell::kFish:
      return Fish(root);
  }
  return {};
}

}  // namespace keyturn::cli
