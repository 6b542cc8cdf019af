// Table: the run on a terminal. First whether it is compliant, then what fails and why, then what
// to type next.
#include <fmt/format.h>

#include <algorithm>

#include "report/canvas.h"
#include "report/report.h"
#include "report/summary.h"
#include "report/table_fleet.h"
#include "report/text.h"

namespace keyturn::report {
namespace {

using control::AuditRun;
using control::KeyResult;
using control::RegionStatus;
using control::Verdict;

constexpr std::size_t kIndent = 2;
constexpr std::size_t kVerdictColumn = 16;  // sign, space, "NOT_APPLICABLE"
constexpr std::size_t kKeyColumn = 36;      // a key id
constexpr std::size_t kGap = 2;
constexpr std::size_t kWhyMin = 40;
// Keys that ask for nothing are shown as examples only, unless all are asked for.
constexpr std::size_t kQuietRowsMax = 3;

bool IsQuiet(Verdict verdict) {
  return verdict == Verdict::kPass || verdict == Verdict::kNotApplicable;
}

Ink InkOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kFail:
    case Verdict::kFailPeriod:
      return Ink::kRed;
    case Verdict::kUnknown:
      return Ink::kYellow;
    case Verdict::kPass:
      return Ink::kGreen;
    case Verdict::kExcepted:
      return Ink::kBlue;
    case Verdict::kNotApplicable:
    case Verdict::kSkipped:
    case Verdict::kGone:
      return Ink::kDim;
  }
  return Ink::kPlain;
}

std::string_view SignOf(Verdict verdict, const Glyphs& glyphs) {
  switch (verdict) {
    case Verdict::kFail:
    case Verdict::kFailPeriod:
      return glyphs.fail;
    case Verdict::kUnknown:
      return glyphs.warn;
    case Verdict::kPass:
      return glyphs.pass;
    case Verdict::kExcepted:
    case Verdict::kNotApplicable:
    case Verdict::kSkipped:
    case Verdict::kGone:
      return glyphs.none;
  }
  return glyphs.none;
}

// JoinFitting puts parts on lines of at most width columns, sep between them.
std::vector<std::string> JoinFitting(const std::vector<std::string>& parts, std::string_view sep,
                                     std::size_t width) {
  std::vector<std::string> lines;
  for (const auto& part : parts) {
    if (!lines.empty() &&
        DisplayWidth(lines.back()) + DisplayWidth(sep) + DisplayWidth(part) <= width) {
      lines.back() += std::string(sep) + part;
    } else {
      lines.push_back(part);
    }
  }
  return lines;
}

class TablePage {
 public:
  TablePage(const AuditRun& run, const TableOptions& options)
      : run_(run),
        all_(options.all),
        several_endpoints_(HasSeveralEndpoints(run)),
        canvas_(options.style) {}

  std::string Render() {
    Scope();
    AnswerBlock();
    Policy();
    Regions();
    Exceptions();
    Next();
    return canvas_.Take();
  }

 private:
  void Scope() {
    std::vector<std::string> parts = {"KMS key rotation", canvas_.Clean(run_.endpoint)};
    std::vector<std::string> accounts;
    for (const auto& region : run_.regions) {
      if (!region.account.empty() &&
          std::find(accounts.begin(), accounts.end(), region.account) == accounts.end()) {
        accounts.push_back(region.account);
      }
    }
    if (accounts.size() == 1) {
      parts.push_back("account " + canvas_.Clean(accounts.front()));
    } else if (accounts.size() > 1) {
      parts.push_back(Counted(accounts.size(), "account"));
    }
    parts.push_back(Counted(static_cast<std::uint64_t>(
                                std::count_if(run_.regions.begin(), run_.regions.end(),
                                              [](const auto& region) { return !region.excused; })),
                            "region"));
    parts.push_back(Counted(run_.totals.listed, "key"));
    parts.push_back(MinuteText(run_.started));
    const std::string sep = fmt::format(" {} ", canvas_.glyphs().dot);
    for (const auto& line : JoinFitting(parts, sep, canvas_.width())) {
      canvas_.Line(canvas_.Paint(Ink::kDim, line));
    }
    canvas_.Line();
  }

  void AnswerBlock() {
    const Answer answer = AnswerOf(run_);
    const auto& glyphs = canvas_.glyphs();
    const std::string_view sign = answer == Answer::kCompliant      ? glyphs.pass
                                  : answer == Answer::kNotCompliant ? glyphs.fail
                                                                    : glyphs.warn;
    const Ink ink = answer == Answer::kCompliant      ? Ink::kBoldGreen
                    : answer == Answer::kNotCompliant ? Ink::kBoldRed
                                                      : Ink::kBoldYellow;
    std::string title = AnswerTitle(run_);
    std::transform(title.begin(), title.end(), title.begin(), [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    const std::string head = fmt::format("{} {}", sign, title);
    const std::string percent =
        run_.totals.compliance_percent
            ? PercentText(run_.totals.compliance_percent) + " rotate as required"
            : "";
    if (DisplayWidth(head) + 3 + DisplayWidth(percent) <= canvas_.width()) {
      canvas_.Line(canvas_.Paint(ink, head) + "   " + canvas_.Paint(Ink::kBold, percent));
    } else {
      canvas_.Line(canvas_.Paint(ink, head));
      canvas_.Paragraph(percent, kIndent, Ink::kBold);
    }
    canvas_.Paragraph(AnswerSentence(run_), kIndent);
    canvas_.Line();
    Bar();
    Counts();
  }

  // Bar: one cell is at least one key where there is room, so that a single failure is visible.
  void Bar() {
    const std::size_t cells = std::min<std::size_t>(canvas_.width() - kIndent, 72);
    if (run_.totals.listed == 0) {
      return;
    }
    std::string bar(kIndent, ' ');
    std::size_t used = 0;
    std::uint64_t seen = 0;
    for (const Verdict verdict : kVerdictOrder) {
      const std::uint64_t count = Count(verdict);
      if (count == 0) {
        continue;
      }
      seen += count;
      const auto end = static_cast<std::size_t>(
          std::min<std::uint64_t>(seen * cells / run_.totals.listed, cells));
      const std::size_t run_length = std::max<std::size_t>(end > used ? end - used : 0, 1);
      std::string piece;
      for (std::size_t i = 0; i < run_length && used < cells; ++i, ++used) {
        piece += IsFindingOrPass(verdict) ? canvas_.glyphs().bar : canvas_.glyphs().track;
      }
      bar += canvas_.Paint(InkOf(verdict), piece);
    }
    canvas_.Line(bar);
  }

  static bool IsFindingOrPass(Verdict verdict) {
    return verdict == Verdict::kFail || verdict == Verdict::kFailPeriod ||
           verdict == Verdict::kUnknown || verdict == Verdict::kPass;
  }

  std::uint64_t Count(Verdict verdict) const {
    const auto it = run_.totals.by_verdict.find(verdict);
    return it == run_.totals.by_verdict.end() ? 0 : it->second;
  }

  void Counts() {
    std::string line(kIndent, ' ');
    std::size_t column = kIndent;
    for (const Verdict verdict : kVerdictOrder) {
      if (Count(verdict) == 0) {
        continue;
      }
      const std::string text = fmt::format("{} {} {}", SignOf(verdict, canvas_.glyphs()),
                                           Thousands(Count(verdict)), VerdictWords(verdict));
      if (column > kIndent && column + 3 + DisplayWidth(text) > canvas_.width()) {
        canvas_.Line(line);
        line.assign(kIndent, ' ');
        column = kIndent;
      }
      if (column > kIndent) {
        line += "   ";
        column += 3;
      }
      line += canvas_.Paint(InkOf(verdict), text);
      column += DisplayWidth(text);
    }
    canvas_.Line(line);
    canvas_.Line();
  }

  // Policy: the file that was judged by, and what its other maximum periods would find.
  void Policy() {
    if (run_.policy.sha256.empty()) return;
    const std::string name =
        run_.policy.name.empty() ? "" : " \"" + canvas_.Clean(run_.policy.name) + '"';
    canvas_.Line(canvas_.Paint(Ink::kBold, "Policy" + name));
    canvas_.Paragraph("SHA-256 " + canvas_.Clean(run_.policy.sha256), kIndent, Ink::kDim);
    for (const auto& rule : run_.policy.rules) canvas_.Paragraph(canvas_.Clean(rule), kIndent);
    Period(run_.max_period_days, run_.totals, "; decides");
    for (const auto& other : run_.also_judged) Period(other.max_period_days, other.totals, "");
    canvas_.Line();
  }

  void Period(int days, const control::Totals& totals, std::string_view note) {
    const auto count = [&totals](Verdict verdict) {
      const auto found = totals.by_verdict.find(verdict);
      return found == totals.by_verdict.end() ? 0 : found->second;
    };
    const std::uint64_t failing = count(Verdict::kFail) + count(Verdict::kFailPeriod);
    const std::string text =
        fmt::format("{:>4} days: {}, {} {}{}", days,
                    totals.compliance_percent ? PercentText(totals.compliance_percent)
                                              : std::string("nothing to judge"),
                    Thousands(failing), failing == 1 ? "key fails" : "keys fail", note);
    canvas_.Paragraph(text, kIndent, failing == 0 ? Ink::kGreen : Ink::kRed);
  }

  // Regions: where there are many, those that need no word are counted, and those of an account
  // that share a fate are told together.
  void Regions() {
    constexpr std::size_t kShownMax = 20;
    const auto groups = GroupByRegion(run_);
    const bool many = groups.size() > kShownMax;
    many_ = many;
    if (many) ShowWorstAccounts(groups, several_endpoints_, canvas_);
    std::size_t quiet = 0;
    std::size_t quiet_keys = 0;
    for (std::size_t i = 0; i < groups.size();) {
      if (many && !all_ && NeedsNoWord(groups[i])) {
        ++quiet;
        quiet_keys += groups[i].keys.size();
        ++i;
      } else if (many && IsExcused(groups[i])) {
        ++i;  // ShowExcused tells of all of them together
      } else if (many && IsUnscanned(groups[i])) {
        i = SameFate(groups, i);
      } else {
        Region(groups[i++]);
      }
    }
    if (quiet > 0) {
      canvas_.Paragraph(fmt::format("{} with {} need no attention; --all lists them.",
                                    Counted(quiet, "region"), Counted(quiet_keys, "key")),
                        0, Ink::kDim);
      canvas_.Line();
    }
    if (many) ShowExcused(groups, canvas_);
  }

  static bool IsUnscanned(const RegionGroup& group) {
    return group.keys.empty() && group.region != nullptr &&
           group.region->status != RegionStatus::kScanned;
  }

  static bool NeedsNoWord(const RegionGroup& group) {
    if (group.region != nullptr &&
        (group.region->status != RegionStatus::kScanned || !group.region->detail.empty())) {
      return false;
    }
    return CountOf(group.counts, Verdict::kFail) + CountOf(group.counts, Verdict::kFailPeriod) +
               CountOf(group.counts, Verdict::kUnknown) +
               CountOf(group.counts, Verdict::kExcepted) ==
           0;
  }

  // SameFate shows the regions that share account, status and reason with groups[first]; returns
  // where the next begin.
  std::size_t SameFate(const std::vector<RegionGroup>& groups, std::size_t first) {
    const RegionGroup& group = groups[first];
    std::string names;
    std::size_t end = first;
    for (; end < groups.size() && IsUnscanned(groups[end]); ++end) {
      const RegionGroup& other = groups[end];
      if (other.endpoint_url != group.endpoint_url || other.account != group.account ||
          other.region->status != group.region->status ||
          other.region->detail != group.region->detail) {
        break;
      }
      names += (names.empty() ? "" : ", ") + canvas_.Clean(other.name);
    }
    if (end == first + 1) {
      Region(group);
      return end;
    }
    Head(Counted(end - first, "region"), group, 0);
    canvas_.Paragraph(canvas_.Clean(group.region->detail), kIndent, Ink::kYellow);
    canvas_.Paragraph(names, kIndent, Ink::kDim);
    canvas_.Line();
    return end;
  }

  void Region(const RegionGroup& group) {
    Head(canvas_.Clean(group.name), group, group.keys.size());
    if (group.region != nullptr && !group.region->detail.empty()) {
      canvas_.Paragraph(canvas_.Clean(group.region->detail), kIndent,
                        group.region->excused ? Ink::kDim : Ink::kYellow);
    }
    for (std::size_t i = 0; i < group.keys.size();) {
      i = SameVerdict(group, i);
    }
    if (many_ && !all_) QuietKeys(group);
    canvas_.Line();
  }

  // QuietKeys: of many regions only what asks for something is listed.
  void QuietKeys(const RegionGroup& group) {
    std::string text;
    for (const Verdict verdict : kVerdictOrder) {
      if (!IsQuiet(verdict) || CountOf(group.counts, verdict) == 0) continue;
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ",
                          Thousands(CountOf(group.counts, verdict)), VerdictWords(verdict));
    }
    if (!text.empty()) {
      canvas_.Paragraph(fmt::format("{} and {}", canvas_.glyphs().ellipsis, text), kIndent,
                        Ink::kDim);
    }
  }

  // Head is the line above a region's keys.
  void Head(std::string head, const RegionGroup& group, std::size_t keys) {
    if (!group.account.empty()) {
      head += "  " + canvas_.Clean(group.account);
    }
    if (several_endpoints_) {
      head += "  " + canvas_.Clean(control::EndpointName(group.endpoint_url));
    }
    std::string tail = Counted(keys, "key");
    Ink tail_ink = Ink::kDim;
    if (group.region != nullptr && group.region->status != RegionStatus::kScanned) {
      tail = control::RegionStatusName(group.region->status);
      if (group.region->IsGap()) {
        tail = fmt::format("{} {}", canvas_.glyphs().warn, tail);
        tail_ink = Ink::kBoldYellow;
      }
    }
    const std::size_t taken = DisplayWidth(head) + DisplayWidth(tail) + 2;
    std::string rule;
    for (std::size_t i = taken; i < canvas_.width(); ++i) {
      rule += canvas_.glyphs().rule;
    }
    canvas_.Line(canvas_.Paint(Ink::kBold, head) + ' ' + canvas_.Paint(Ink::kDim, rule) + ' ' +
                 canvas_.Paint(tail_ink, tail));
  }

  // SameVerdict shows the keys that share the verdict of keys[first]; returns where the next begin.
  std::size_t SameVerdict(const RegionGroup& group, std::size_t first) {
    const Verdict verdict = group.keys[first]->judgement.verdict;
    const std::size_t end = first + CountOf(group.counts, verdict);
    std::size_t shown_end = end;
    // One hidden key would take the line that says it is hidden.
    if (!all_ && IsQuiet(verdict) && end - first > kQuietRowsMax + 1) {
      shown_end = first + kQuietRowsMax;
    }
    if (many_ && !all_ && IsQuiet(verdict)) return end;  // Region counts them
    for (std::size_t i = first; i < shown_end; ++i) {
      Row(*group.keys[i]);
    }
    if (shown_end < end) {
      canvas_.Paragraph(
          fmt::format("{} and {} more {} (--all shows them; --format csv or json has "
                      "everything)",
                      canvas_.glyphs().ellipsis, Thousands(end - shown_end), VerdictWords(verdict)),
          kIndent + 2, Ink::kDim);
    }
    return end;
  }

  void Row(const KeyResult& key) {
    const Verdict verdict = key.judgement.verdict;
    const std::string label =
        fmt::format("{} {}", SignOf(verdict, canvas_.glyphs()), control::VerdictName(verdict));
    std::string names;
    for (const auto& alias : key.facts.aliases) {
      names += (names.empty() ? "" : ", ") + canvas_.Clean(alias);
    }
    const std::string why = canvas_.Clean(key.judgement.reason);
    const std::size_t before_why = kIndent + kVerdictColumn + kGap + kKeyColumn + kGap;
    if (canvas_.width() < before_why) {
      Stacked(verdict, label, canvas_.Clean(key.facts.key_id), names, why);
      return;
    }
    if (canvas_.width() < before_why + kWhyMin) {
      TwoLines(verdict, label, canvas_.Clean(key.facts.key_id), names, why);
      return;
    }
    // With room to spare the names get a column of their own; else they stand under the key id.
    const std::size_t spare = canvas_.width() - before_why;
    const std::size_t name_column = spare >= 64 ? std::min<std::size_t>(spare / 3, 34) : 0;
    const std::size_t why_width = spare - (name_column > 0 ? name_column + kGap : 0);
    auto key_lines = Wrap(canvas_.Clean(key.facts.key_id), kKeyColumn);
    std::vector<std::string> name_lines;
    std::vector<Ink> key_inks(key_lines.size(), Ink::kPlain);
    if (name_column > 0) {
      name_lines = Wrap(names, name_column);
    } else if (!names.empty()) {
      for (auto& line : Wrap(names, kKeyColumn)) {
        key_lines.push_back(std::move(line));
        key_inks.push_back(Ink::kDim);
      }
    }
    const auto why_lines = Wrap(why, why_width);
    const std::size_t rows = std::max({key_lines.size(), name_lines.size(), why_lines.size()});
    const auto at = [](const std::vector<std::string>& lines, std::size_t i) {
      return i < lines.size() ? lines[i] : std::string();
    };
    for (std::size_t i = 0; i < rows; ++i) {
      const Ink key_ink = i < key_inks.size() ? key_inks[i] : Ink::kPlain;
      std::string line(kIndent, ' ');
      line += canvas_.Paint(InkOf(verdict), PadRight(i == 0 ? label : "", kVerdictColumn));
      line += "  " + canvas_.Paint(key_ink, PadRight(at(key_lines, i), kKeyColumn)) + "  ";
      if (name_column > 0) {
        line += canvas_.Paint(Ink::kDim, PadRight(at(name_lines, i), name_column)) + "  ";
      }
      canvas_.Line(line + at(why_lines, i));
    }
  }

  void TwoLines(Verdict verdict, const std::string& label, const std::string& id,
                const std::string& names, const std::string& why) {
    constexpr std::size_t kSecond = kIndent + kVerdictColumn + kGap;
    const bool beside = kSecond + DisplayWidth(id) + kGap + DisplayWidth(names) <= canvas_.width();
    canvas_.Line(std::string(kIndent, ' ') +
                 canvas_.Paint(InkOf(verdict), PadRight(label, kVerdictColumn)) + "  " + id + "  " +
                 canvas_.Paint(Ink::kDim, beside ? names : ""));
    if (!beside) {
      canvas_.Paragraph(names, kSecond, Ink::kDim);
    }
    canvas_.Paragraph(why, kSecond);
  }

  void Stacked(Verdict verdict, const std::string& label, const std::string& id,
               const std::string& names, const std::string& why) {
    canvas_.Line(std::string(kIndent, ' ') + canvas_.Paint(InkOf(verdict), label));
    canvas_.Paragraph(id, kIndent + 2);
    if (!names.empty()) {
      canvas_.Paragraph(names, kIndent + 2, Ink::kDim);
    }
    canvas_.Paragraph(why, kIndent + 2);
  }

  void Exceptions() {
    if (run_.exception_notes.empty()) {
      return;
    }
    canvas_.Line(canvas_.Paint(Ink::kBold, "Exceptions that need attention"));
    for (const auto& note : run_.exception_notes) {
      canvas_.Paragraph(fmt::format("{} {}: {}", canvas_.glyphs().warn, canvas_.Clean(note.id),
                                    canvas_.Clean(note.problem)),
                        kIndent);
    }
    canvas_.Line();
  }

  void Next() {
    const bool fixable = std::any_of(run_.keys.begin(), run_.keys.end(), [](const KeyResult& key) {
      return key.judgement.remediable && (key.judgement.verdict == Verdict::kFail ||
                                          key.judgement.verdict == Verdict::kFailPeriod);
    });
    if (fixable) {
      canvas_.Line(canvas_.Paint(Ink::kBold, "Next"));
      // Never wrapped: the line is there to be copied.
      canvas_.Line("  " + PlanCommand(run_));
      canvas_.Line("  keyturn apply rotation.plan --journal rotation.journal");
      canvas_.Paragraph(
          "As whom is not in the record: add the --profile, --role-arn or --role-name of this "
          "audit "
          "to both, if it had one.",
          kIndent, Ink::kDim);
    }
  }

  const AuditRun& run_;
  bool all_;
  bool several_endpoints_;
  bool many_ = false;  // regions, so that only what asks for something is listed
  Canvas canvas_;
};

}  // namespace

std::string RenderTable(const AuditRun& run, const TableOptions& options) {
  return TablePage(run, options).Render();
}

}  // namespace keyturn::report
