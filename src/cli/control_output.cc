#include "cli/control_output.h"

#include <string>
#include <utility>

namespace keyturn::cli {
namespace {

// Render is of the formats that are made whole.
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
      break;  // is written in pieces
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

// Write puts a report where it belongs, whole or in pieces.
Status Write(const std::string& path, const TextSource& source) {
  if (!path.empty()) return WriteFile(path, source);
  return source([](std::string_view piece) -> Status {
    if (!WriteOut(piece)) return Fail(ErrorCode::kIo, "standard output cannot be written");
    return {};
  });
}

}  // namespace

Status EmitAudit(const control::AuditRun& run, const AuditOutput& output,
                 const Terminal& terminal) {
  Status first;
  for (const auto& each : output.outputs) {
    Status status;
    if (each.format == Format::kJson) {
      status =
          Write(each.path, [&run](const TextSink& sink) { return report::WriteJson(run, sink); });
    } else {
      const std::string text = Render(run, output, each, terminal);
      status = Write(each.path, WholeText(text));
    }
    if (first && !status) {
      first = std::move(status);
    }
  }
  return first;
}

}  // namespace keyturn::cli
