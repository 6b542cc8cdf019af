// Change table: what apply, verify or backout did, on a terminal. Trouble first.
#include <fmt/format.h>

#include "report/canvas.h"
#include "report/report.h"
#include "report/text.h"

namespace keyturn::report {
namespace {

constexpr std::size_t kOutcomeColumn = 11;  // sign, space, "unchanged"

Ink InkOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDone:
      return Ink::kGreen;
    case Outcome::kUnchanged:
      return Ink::kDim;
    case Outcome::kRefused:
    case Outcome::kPending:
      return Ink::kYellow;
    case Outcome::kFailed:
      return Ink::kRed;
  }
  return Ink::kPlain;
}

std::string_view SignOf(Outcome outcome, const Glyphs& glyphs) {
  switch (outcome) {
    case Outcome::kDone:
      return glyphs.pass;
    case Outcome::kUnchanged:
      return glyphs.none;
    case Outcome::kRefused:
    case Outcome::kPending:
      return glyphs.warn;
    case Outcome::kFailed:
      return glyphs.fail;
  }
  return glyphs.none;
}

// Sentence: what the run as a whole did, in words.
std::string Sentence(const ChangeReport& report) {
  const std::uint64_t all = report.lines.size();
  const std::uint64_t good =
      CountOutcome(report, Outcome::kDone) + CountOutcome(report, Outcome::kUnchanged);
  if (all == 0) {
    return report.incomplete ? "Nothing could be planned." : "There was nothing to do.";
  }
  switch (report.kind) {
    case ChangeKind::kPlan:
      return fmt::format("{} would change.", Counted(all, "key"));
    case ChangeKind::kApply:
      return fmt::format("{} of {} as planned.", Thousands(good), Counted(all, "key"));
    case ChangeKind::kVerify:
      return fmt::format("{} of {} confirmed by reading back.", Thousands(good),
                         Counted(all, "key"));
    case ChangeKind::kBackout:
      return fmt::format("{} of {} as before the change.", Thousands(good), Counted(all, "key"));
  }
  return "";
}

void Line(Canvas& canvas, ChangeKind kind, const ChangeLine& line, bool with_account) {
  const std::size_t slash = line.arn.rfind('/');
  const std::string id = line.arn.substr(slash == std::string::npos ? 0 : slash + 1);
  const std::string label =
      kind == ChangeKind::kPlan
          ? "change"
          : fmt::format("{} {}", SignOf(line.outcome, canvas.glyphs()), OutcomeName(line.outcome));
  std::string what = canvas.Clean(line.region);
  if (with_account) what = canvas.Clean(line.account) + "  " + what;
  if (!line.before.empty() || !line.after.empty()) {
    what += "  " + canvas.Clean(line.before) + " -> " + canvas.Clean(line.after);
  }
  const std::string head = "  " +
                           canvas.Paint(InkOf(line.outcome), PadRight(label, kOutcomeColumn)) +
                           "  " + canvas.Clean(id);
  constexpr std::size_t kSecond = 2 + kOutcomeColumn + 2;
  if (kSecond + DisplayWidth(canvas.Clean(id)) + 2 + DisplayWidth(what) <= canvas.width()) {
    canvas.Line(head + "  " + canvas.Paint(Ink::kDim, what));
  } else {
    canvas.Line(head);
    canvas.Paragraph(what, kSecond, Ink::kDim);
  }
  if (!line.detail.empty()) {
    canvas.Paragraph(canvas.Clean(line.detail), kSecond);
  }
}

}  // namespace

std::string RenderChanges(const ChangeReport& report, const TerminalStyle& style) {
  Canvas canvas(style);
  // A plan has done nothing yet: that its changes are pending is no trouble.
  const bool good =
      report.kind == ChangeKind::kPlan ||
      CountOutcome(report, Outcome::kDone) + CountOutcome(report, Outcome::kUnchanged) ==
          report.lines.size();
  const Glyphs& glyphs = canvas.glyphs();
  const Ink ink = report.incomplete ? Ink::kBoldYellow : good ? Ink::kBoldGreen : Ink::kBoldRed;
  const std::string_view sign = report.incomplete ? glyphs.warn : good ? glyphs.pass : glyphs.fail;
  canvas.Line(canvas.Paint(ink, fmt::format("{} {}", sign, ChangeKindName(report.kind))) + "   " +
              canvas.Paint(Ink::kBold, Sentence(report)));
  if (report.kind == ChangeKind::kPlan && !report.plan_id.empty()) {
    canvas.Line("  " + canvas.Paint(Ink::kDim, "SHA-256 " + canvas.Clean(report.plan_id)));
  }
  if (!report.approval.empty()) {
    canvas.Paragraph("Approval: " + canvas.Clean(report.approval), 2);
  }
  if (!report.reason.empty()) {
    canvas.Paragraph("Reason: " + canvas.Clean(report.reason), 2);
  }
  canvas.Line();
  const bool several_accounts = Differs(report, &ChangeLine::account);
  for (const Outcome outcome : kOutcomes) {
    for (const auto& line : report.lines) {
      if (line.outcome == outcome) {
        Line(canvas, report.kind, line, several_accounts);
      }
    }
  }
  if (!report.lines.empty()) {
    canvas.Line();
  }
  for (const auto& note : report.notes) {
    canvas.Paragraph(canvas.Clean(note), 2);
  }
  if (!report.journal.empty()) {
    canvas.Line("  " + canvas.Paint(Ink::kDim, "Journal: " + canvas.Clean(report.journal)));
  }
  return canvas.Take();
}

}  // namespace keyturn::report
