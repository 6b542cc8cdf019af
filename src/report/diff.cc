// Diff: what changed between two audits, on a terminal and as JSON.
#include <fmt/format.h>

#include "json/json.h"
#include "report/canvas.h"
#include "report/report.h"
#include "report/text.h"

namespace keyturn::report {
namespace {

using control::DiffKind;
using control::DiffLine;
using control::RunDiff;

constexpr std::size_t kKindColumn = 16;  // sign, space, "newly excepted"
constexpr DiffKind kKinds[] = {DiffKind::kWorse,   DiffKind::kRegionLost, DiffKind::kBetter,
                               DiffKind::kChanged, DiffKind::kPeriod,     DiffKind::kNewlyExcepted,
                               DiffKind::kNew,     DiffKind::kGone,       DiffKind::kRegionFound};

std::uint64_t CountKind(const RunDiff& diff, DiffKind kind) {
  std::uint64_t count = 0;
  for (const DiffLine& line : diff.lines) count += line.kind == kind ? 1 : 0;
  return count;
}

Ink InkOf(DiffKind kind) {
  switch (kind) {
    case DiffKind::kWorse:
    case DiffKind::kRegionLost:
      return Ink::kRed;
    case DiffKind::kBetter:
    case DiffKind::kRegionFound:
      return Ink::kGreen;
    case DiffKind::kNewlyExcepted:
      return Ink::kYellow;
    case DiffKind::kChanged:
    case DiffKind::kPeriod:
    case DiffKind::kNew:
    case DiffKind::kGone:
      break;
  }
  return Ink::kPlain;
}

std::string_view SignOf(DiffKind kind, const Glyphs& glyphs) {
  switch (kind) {
    case DiffKind::kWorse:
    case DiffKind::kRegionLost:
      return glyphs.fail;
    case DiffKind::kBetter:
    case DiffKind::kRegionFound:
      return glyphs.pass;
    case DiffKind::kNewlyExcepted:
      return glyphs.warn;
    case DiffKind::kChanged:
    case DiffKind::kPeriod:
    case DiffKind::kNew:
    case DiffKind::kGone:
      break;
  }
  return glyphs.none;
}

std::string Sentence(const RunDiff& diff) {
  if (diff.lines.empty()) {
    return fmt::format("Nothing changed in {}.", Counted(diff.unchanged, "key"));
  }
  std::string text;
  for (const DiffKind kind : kKinds) {
    if (const std::uint64_t count = CountKind(diff, kind); count > 0) {
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", Thousands(count),
                          control::DiffKindName(kind));
    }
  }
  return text + fmt::format("; {} as before.", Counted(diff.unchanged, "key"));
}

void Line(Canvas& canvas, const DiffLine& line) {
  const std::size_t slash = line.arn.rfind('/');
  std::string what =
      line.arn.empty() ? canvas.Clean(line.region)
                       : canvas.Clean(line.arn.substr(slash == std::string::npos ? 0 : slash + 1));
  if (!line.name.empty()) what += "  " + canvas.Clean(line.name);
  const std::string label =
      fmt::format("{} {}", SignOf(line.kind, canvas.glyphs()), control::DiffKindName(line.kind));
  constexpr std::size_t kSecond = 2 + kKindColumn + 2;
  canvas.Line("  " + canvas.Paint(InkOf(line.kind), PadRight(label, kKindColumn)) + "  " + what);
  std::string detail = canvas.Clean(line.account);
  if (!line.arn.empty()) detail += (detail.empty() ? "" : " ") + canvas.Clean(line.region);
  if (!line.before.empty() || !line.after.empty()) {
    detail += fmt::format("{}{} -> {}", detail.empty() ? "" : "  ",
                          line.before.empty() ? "not there" : canvas.Clean(line.before),
                          line.after.empty() ? "not there" : canvas.Clean(line.after));
  }
  canvas.Paragraph(detail, kSecond, Ink::kDim);
  if (!line.reason.empty()) canvas.Paragraph(canvas.Clean(line.reason), kSecond);
}

std::string Side(TimePoint started, const control::Totals& totals) {
  return fmt::format("{}, {}, {} rotate as required", MinuteText(started),
                     Counted(totals.listed, "key"), PercentText(totals.compliance_percent));
}

void JsonText(json::Writer& w, std::string_view name, std::string_view value) {
  w.Key(name);
  if (value.empty()) {
    w.Null();
  } else {
    w.String(WellFormed(value));
  }
}

void JsonSide(json::Writer& w, std::string_view name, const std::string& run_id, TimePoint started,
              int max_period_days, const control::Totals& totals) {
  w.Key(name).BeginObject();
  JsonText(w, "run_id", run_id);
  JsonText(w, "started", FormatIso8601Millis(started));
  w.Key("max_period_days").Int(max_period_days);
  w.Key("listed").Int(static_cast<std::int64_t>(totals.listed)).Key("compliance_percent");
  if (totals.compliance_percent) {
    w.Double(*totals.compliance_percent);
  } else {
    w.Null();
  }
  w.EndObject();
}

}  // namespace

std::string RenderDiff(const RunDiff& diff, const TerminalStyle& style) {
  Canvas canvas(style);
  const bool good = !diff.HasRegression();
  canvas.Line(canvas.Paint(good ? Ink::kBoldGreen : Ink::kBoldRed,
                           fmt::format("{} {}", good ? canvas.glyphs().pass : canvas.glyphs().fail,
                                       good ? "no regression" : "something got worse")));
  canvas.Paragraph(Sentence(diff), 2, Ink::kBold);
  canvas.Line();
  canvas.Paragraph("Before: " + Side(diff.old_started, diff.old_totals), 2, Ink::kDim);
  canvas.Paragraph("After:  " + Side(diff.new_started, diff.new_totals), 2, Ink::kDim);
  if (diff.old_max_period_days != diff.new_max_period_days) {
    canvas.Paragraph(
        fmt::format("The maximum period was {} days and is {}: verdicts changed with it.",
                    diff.old_max_period_days, diff.new_max_period_days),
        2);
  }
  if (!diff.lines.empty()) canvas.Line();
  for (const DiffLine& line : diff.lines) Line(canvas, line);
  return canvas.Take();
}

std::string RenderDiffJson(const RunDiff& diff) {
  std::string out;
  json::Writer w(out, json::Writer::Style::kPretty);
  w.BeginObject().Key("format").String("keyturn.diff.v1");
  w.Key("regression").Bool(diff.HasRegression());
  JsonSide(w, "before", diff.old_run_id, diff.old_started, diff.old_max_period_days,
           diff.old_totals);
  JsonSide(w, "after", diff.new_run_id, diff.new_started, diff.new_max_period_days,
           diff.new_totals);
  w.Key("totals").BeginObject();
  for (const DiffKind kind : kKinds) {
    w.Key(control::DiffKindName(kind)).Int(static_cast<std::int64_t>(CountKind(diff, kind)));
  }
  w.Key("unchanged").Int(static_cast<std::int64_t>(diff.unchanged)).EndObject();
  w.Key("changes").BeginArray();
  for (const DiffLine& line : diff.lines) {
    w.BeginObject().Key("kind").String(control::DiffKindName(line.kind));
    w.Key("regression").Bool(control::IsRegression(line.kind));
    JsonText(w, "endpoint", control::EndpointName(line.endpoint_url));
    JsonText(w, "account", line.account);
    JsonText(w, "region", line.region);
    JsonText(w, "arn", line.arn);
    JsonText(w, "alias", line.name);
    JsonText(w, "before", line.before);
    JsonText(w, "after", line.after);
    JsonText(w, "reason", line.reason);
    w.EndObject();
  }
  w.EndArray().EndObject();
  return out + '\n';
}

}  // namespace keyturn::report
