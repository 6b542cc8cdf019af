#include "cli/control_output.h"

#include <string>
#include <utility>

namespace keyturn::cli {
namespace {

std::string Render(const control::AuditRun& run, const AuditOutput& how, const Output& output,
                   const Terminal& terminal) {
  switch (output.format) {
    case Format::kTable: {
      report::TableOptions options{.style = terminal.style, .all = how.all};
      if (!output.path.empty()) {
        // A file outlives this terminal: no colours, a width for reading.
        options.style = {.width = 120, .color = false, .unicode = true};
        options.all = true;
      }
      return report::RenderTable(run, options);
    }
    case Format::kJson:
      return report::RenderJson(run);
    case Format::kCsv:
      return report::RenderCsv(run);
    case Format::kHtml:
      return report::RenderHtml(run, how.html);
    case Format::kJunit:
      return report::RenderJunit(run);
    case Format::kSarif:
      return report::RenderSarif(run);
    case Format::kOcsf:
      return report::RenderOcsf(run);
    case Format::kPrometheus:
      return report::RenderPrometheus(run);
    case Format::kOscal:
      return report::RenderOscal(run);
    case Format::kAsff:
      return report::RenderAsff(run);
  }
  return {};
}

}  // namespace

Status EmitAudit(const control::AuditRun& run, const AuditOutput& output,
                 const Terminal& terminal) {
  Status first;
  for (const auto& each : output.outputs) {
    const std::string text = Render(run, output, each, terminal);
    Status status;
    if (each.path.empty()) {
      if (!WriteOut(text)) {
        status = Fail(ErrorCode::kIo, "standard output cannot be written");
      }
    } else {
      status = WriteFile(each.path, text);
    }
    if (first && !status) {
      first = std::move(status);
    }
  }
  return first;
}

}  // namespace keyturn::cli
