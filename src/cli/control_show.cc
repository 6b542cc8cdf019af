// keyturn control show
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "control/run.h"
#include "report/report.h"

namespace keyturn::cli {
namespace {

int Show(const std::string& format, const Terminal& terminal) {
  const report::ControlFormat chosen = format == "json"       ? report::ControlFormat::kJson
                                       : format == "markdown" ? report::ControlFormat::kMarkdown
                                                              : report::ControlFormat::kText;
  return WriteOut(report::RenderControl(chosen, terminal.style)) ? control::kExitCompliant
                                                                 : control::kExitUsage;
}

}  // namespace

void AddControlShowCommand(CLI::App& app, Invocation& invocation) {
  CLI::App* control = app.add_subcommand("control", "The control itself");
  control->require_subcommand(1);
  control->footer("Example:\n  keyturn control show");
  CLI::App* command = control->add_subcommand(
      "show", "Print the control: what it asks, why, how to test, implement and back out");
  auto format = std::make_shared<std::string>("text");
  command->add_option("--format", *format, "text, markdown or json")
      ->check(CLI::IsMember({"text", "markdown", "json"}))
      ->capture_default_str()
      ->type_name("FORMAT");
  command->footer(
      "Examples:\n"
      "  keyturn control show\n"
      "  keyturn control show --format markdown > control.md");
  command->callback([&invocation, format] {
    invocation.run = [format](const Terminal& terminal) { return Show(*format, terminal); };
  });
}

}  // namespace keyturn::cli
