// keyturn report, keyturn diff: what recorded runs say, without asking anybody again.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iterator>
#include <memory>
#include <set>

#include "cli/commands.h"
#include "cli/control_engine.h"
#include "cli/control_output.h"
#include "cli/output.h"
#include "control/evidence.h"
#include "control/run_compare.h"
#include "control/run_json.h"
#include "report/report.h"
#include "report/trend.h"

namespace keyturn::cli {
namespace {

struct ReportFlags {
  std::string from;
  std::vector<std::string> trend;
  std::vector<std::string> formats;
  std::vector<std::string> outs;
  std::string exceptions_path;
  std::vector<std::string> journals;
  bool all = false;
};

// ExceptionsPath: those given, else those that the bundle was recorded with.
std::string ExceptionsPath(const ReportFlags& flags) {
  if (!flags.exceptions_path.empty()) return flags.exceptions_path;
  const auto kept = std::filesystem::path(flags.from) / control::kExceptionsFile;
  std::error_code ignored;
  return std::filesystem::is_regular_file(kept, ignored) ? kept.string() : std::string();
}

Result<AuditOutput> OutputFor(const ReportFlags& flags, ControlEngine& engine) {
  AuditOutput output;
  output.all = flags.all;
  KT_ASSIGN(output.outputs, PlanOutputs(flags.formats, flags.outs));
  for (const auto& each : output.outputs) {
    if (!each.path.empty()) KT_TRY(CheckWritable(each.path));
  }
  if (const std::string path = ExceptionsPath(flags); !path.empty()) {
    KT_ASSIGN(output.html.exceptions, engine.ReadExceptions(path));
  }
  for (const auto& path : flags.journals) {
    KT_ASSIGN(auto changes, engine.ReadJournal(path));
    std::move(changes.begin(), changes.end(), std::back_inserter(output.html.changes));
  }
  return output;
}

Status ReportOne(const ReportFlags& flags, ControlEngine& engine, const Terminal& terminal) {
  KT_ASSIGN(const auto output, OutputFor(flags, engine));
  KT_ASSIGN(const auto run, control::ReadRun(flags.from));
  return EmitAudit(run, output, terminal);
}

// TrendFormat: one of the three that a trend has.
Result<Output> TrendOutput(const ReportFlags& flags) {
  if (flags.formats.size() > 1 || flags.outs.size() > 1) {
    return Fail(ErrorCode::kUsage, "a trend is one report: give one --format and one --out");
  }
  std::vector<std::string> formats = flags.formats;
  if (formats.empty() && flags.outs.empty()) formats = {"csv"};
  KT_ASSIGN(const auto outputs, PlanOutputs(formats, flags.outs));
  const Format format = outputs.front().format;
  if (format != Format::kHtml && format != Format::kCsv && format != Format::kJson) {
    return Fail(ErrorCode::kUsage, "a trend is html, csv or json");
  }
  return outputs.front();
}

Status ReportTrend(const ReportFlags& flags) {
  KT_ASSIGN(const Output output, TrendOutput(flags));
  if (!output.path.empty()) KT_TRY(CheckWritable(output.path));
  std::vector<report::TrendPoint> points;
  std::set<std::string> seen;
  for (const std::string& path : flags.trend) {
    // One run is in memory at a time.
    KT_ASSIGN(const auto run, control::ReadRun(path));
    if (!seen.insert(run.run_id).second) {
      return Fail(ErrorCode::kUsage, path + ": its run is given twice");
    }
    points.push_back(report::TrendPointOf(run));
  }
  report::SortTrend(points);
  const std::string text = output.format == Format::kHtml  ? report::RenderTrendHtml(points)
                           : output.format == Format::kCsv ? report::RenderTrendCsv(points)
                                                           : report::RenderTrendJson(points);
  if (!output.path.empty()) return WriteFile(output.path, text);
  if (!WriteOut(text)) return Fail(ErrorCode::kIo, "standard output cannot be written");
  return {};
}

int RunReport(const ReportFlags& flags, ControlEngine& engine, const Terminal& terminal) {
  const Status done = flags.trend.empty() ? ReportOne(flags, engine, terminal) : ReportTrend(flags);
  return done ? control::kExitCompliant : ReportError("report", done.error());
}

int RunDiff(const std::string& older, const std::string& newer, const std::string& format,
            const Terminal& terminal) {
  const auto before = control::ReadRun(older);
  if (!before) return ReportError("diff", before.error());
  const auto after = control::ReadRun(newer);
  if (!after) return ReportError("diff", after.error());
  const control::RunDiff diff = control::DiffRuns(*before, *after);
  if (!WriteOut(format == "json" ? report::RenderDiffJson(diff)
                                 : report::RenderDiff(diff, terminal.style))) {
    PrintError("diff", "standard output cannot be written");
    return control::kExitUsage;
  }
  return diff.HasRegression() ? control::kExitFindings : control::kExitCompliant;
}

void AddReport(const MakeEngine& engine, CLI::App& app, Invocation& invocation) {
  CLI::App* command =
      app.add_subcommand("report", "Render recorded audits again, offline; or a trend over many");
  auto flags = std::make_shared<ReportFlags>();
  CLI::Option* from = command
                          ->add_option("--from", flags->from,
                                       "Recorded run: a directory of --record, or JSON of an audit")
                          ->type_name("RUN");
  CLI::Option* trend =
      command->add_option("--trend", flags->trend, "Recorded runs to compare over time")
          ->excludes(from)
          ->type_name("RUN...");
  command
      ->add_option("--format", flags->formats,
                   "As of audit; of a trend html, csv or json; else by the name of --out")
      ->allow_extra_args(false)
      ->type_name("FORMAT");
  command->add_option("--out", flags->outs, "Write the report there; may be given several times")
      ->allow_extra_args(false)
      ->type_name("FILE");
  command
      ->add_option("--exceptions", flags->exceptions_path,
                   "Show these in the HTML report; else those of the directory")
      ->excludes(trend)
      ->type_name("FILE");
  command->add_option("--journal", flags->journals, "Show these changes in the HTML report, too")
      ->allow_extra_args(false)
      ->excludes(trend)
      ->type_name("FILE");
  command->add_flag("--all", flags->all, "List every key in the table, also those that pass")
      ->excludes(trend);
  command->footer(
      "Examples:\n"
      "  keyturn report --from evidence-2026-11 --out report.html --out audit.oscal.json\n"
      "  keyturn report --from audit.json --format sarif\n"
      "  keyturn report --trend evidence-2026-* --out trend.html\n"
      "\nThe bytes are those that the audit itself would have written. Exit code 0.");
  command->callback([&invocation, flags, engine] {
    if (flags->from.empty() == flags->trend.empty()) {
      throw CLI::ValidationError("--from RUN is required, or --trend RUN...");
    }
    invocation.run = [flags, engine](const Terminal& terminal) {
      return RunReport(*flags, *engine(), terminal);
    };
  });
}

void AddDiff(CLI::App& app, Invocation& invocation) {
  CLI::App* command = app.add_subcommand("diff", "Say what changed between two recorded audits");
  struct DiffFlags {
    std::string older;
    std::string newer;
    std::string format = "table";
  };
  auto flags = std::make_shared<DiffFlags>();
  command->add_option("OLD", flags->older, "Earlier run: a directory of --record, or audit JSON")
      ->required()
      ->type_name("");
  command->add_option("NEW", flags->newer, "Later run")->required()->type_name("");
  command->add_option("--format", flags->format, "Format of the result: table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str()
      ->type_name("FORMAT");
  command->footer(
      "Examples:\n"
      "  keyturn diff evidence-2026-10 evidence-2026-11\n"
      "  keyturn diff old.json new.json --format json\n"
      "\nWorse is a key that fails or cannot be judged and did not or could before, a new key "
      "that\n"
      "fails, and a region that is not scanned any more.\n"
      "\nExit codes: 0 nothing got worse, 3 something did.");
  command->callback([&invocation, flags] {
    invocation.run = [flags](const Terminal& terminal) {
      return RunDiff(flags->older, flags->newer, flags->format, terminal);
    };
  });
}

}  // namespace

void AddRecordedCommandsWith(const MakeEngine& engine, CLI::App& app, Invocation& invocation) {
  AddReport(engine, app, invocation);
  AddDiff(app, invocation);
}

}  // namespace keyturn::cli
