// The explaining sections of the HTML report: what was not judged and why, exceptions, the control
// itself, method.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "report/control_text.h"
#include "report/html_parts.h"
#include "report/text.h"

namespace keyturn::report {
namespace {

using control::AuditRun;
using control::Verdict;

std::uint64_t CountIn(const AuditRun& run, Verdict verdict) {
  const auto it = run.totals.by_verdict.find(verdict);
  return it == run.totals.by_verdict.end() ? 0 : it->second;
}

// ReasonsTable: the reasons behind a verdict, most frequent first.
std::string ReasonsTable(const AuditRun& run, std::initializer_list<Verdict> verdicts) {
  constexpr std::size_t kRowsMax = 20;
  std::map<std::pair<Verdict, std::string>, std::uint64_t> counts;
  for (const auto& key : run.keys) {
    if (std::find(verdicts.begin(), verdicts.end(), key.judgement.verdict) != verdicts.end()) {
      ++counts[{key.judgement.verdict, key.judgement.reason}];
    }
  }
  std::vector<std::pair<std::pair<Verdict, std::string>, std::uint64_t>> rows(counts.begin(),
                                                                              counts.end());
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string out;
  for (std::size_t i = 0; i < std::min(rows.size(), kRowsMax); ++i) {
    out += fmt::format(
        "<tr><td class=\"bare\">{}</td><td>{}</td><td class=\"num\" data-label=\"Keys\">{}</td>"
        "</tr>\n",
        Badge(rows[i].first.first), Esc(rows[i].first.second), Thousands(rows[i].second));
  }
  if (out.empty()) {
    return "";
  }
  if (rows.size() > kRowsMax) {
    out += fmt::format("<tr><td></td><td>{}</td><td></td></tr>\n",
                       Counted(rows.size() - kRowsMax, "more reason"));
  }
  return "<div class=\"scroll\" tabindex=\"0\" role=\"group\" "
         "aria-label=\"Reasons\"><table><thead><tr><th scope=\"col\">Verdict</th>"
         "<th scope=\"col\">Reason</th><th scope=\"col\" class=\"num\">Keys</th></tr></thead>"
         "<tbody>\n" +
         out + "</tbody></table></div>";
}

std::string BlocksHtml(const ControlSection& section) {
  std::string out = "<h3>" + Esc(section.title) + "</h3>";
  for (const auto& block : section.blocks) {
    if (block.kind == BlockKind::kBullets) {
      out += "<ul>";
    }
    for (const std::string_view item : block.items) {
      out += block.kind == BlockKind::kBullets ? "<li>" + Esc(item) + "</li>"
                                               : "<p>" + Esc(item) + "</p>";
    }
    if (block.kind == BlockKind::kBullets) {
      out += "</ul>";
    }
  }
  return out;
}

}  // namespace

std::string SectionHead(std::string_view id, std::string_view title, std::string_view lead) {
  return fmt::format("<section aria-labelledby=\"{0}-h\"><h2 id=\"{0}-h\">{1}</h2>\n{2}", id, title,
                     lead.empty() ? "" : fmt::format("<p class=\"lead\">{}</p>\n", lead));
}

std::string OutOfScopeSection(const AuditRun& run) {
  std::string out = SectionHead("verdicts", "What the verdicts mean", "");
  out += "<div class=\"stack\"><dl class=\"card meaning\">";
  for (const Verdict verdict : kVerdictOrder) {
    out +=
        fmt::format("<dt>{}</dt><dd class=\"num\">{}</dd><dd class=\"text soft\">{}</dd>\n",
                    Badge(verdict), Thousands(CountIn(run, verdict)), Esc(VerdictMeaning(verdict)));
  }
  out += "</dl>";
  const std::string reasons = ReasonsTable(
      run, {Verdict::kUnknown, Verdict::kSkipped, Verdict::kGone, Verdict::kNotApplicable});
  if (!reasons.empty()) {
    out += "<h3>Why keys were not judged</h3>" + reasons;
  }
  return out + "</div></section>\n";
}

std::string ExceptionsSection(const AuditRun& run, const HtmlOptions& options) {
  if (options.exceptions.empty() && run.exception_notes.empty() &&
      CountIn(run, Verdict::kExcepted) == 0) {
    return "";
  }
  std::string out = SectionHead("exceptions", "Exceptions",
                                "Failures that someone has accepted, for a time. A key under an "
                                "exception is never changed.");
  out += "<div class=\"stack\">";
  std::map<std::string, std::uint64_t> used;
  for (const auto& key : run.keys) {
    if (key.judgement.verdict == Verdict::kExcepted) {
      ++used[key.judgement.exception_id];
    }
  }
  std::vector<ExceptionEntry> entries = options.exceptions;
  for (const auto& [id, count] : used) {
    if (std::none_of(entries.begin(), entries.end(),
                     [&id = id](const ExceptionEntry& e) { return e.id == id; })) {
      entries.push_back({.id = id,
                         .matches = {},
                         .owner = {},
                         .approver = {},
                         .ticket = {},
                         .reason = {},
                         .expires = {}});
    }
  }
  if (!entries.empty()) {
    out +=
        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Exceptions\"><table "
        "class=\"cards\"><thead><tr><th scope=\"col\">Exception</th>"
        "<th scope=\"col\">Matches</th><th scope=\"col\">Owner</th><th scope=\"col\">Approver"
        "</th><th scope=\"col\">Ticket</th><th scope=\"col\">Reason</th>"
        "<th scope=\"col\">Expires</th><th scope=\"col\" class=\"num\">Keys</th></tr></thead>"
        "<tbody>\n";
    for (const auto& e : entries) {
      out += fmt::format(
          "<tr><th scope=\"row\">{}</th><td data-label=\"Matches\">{}</td>"
          "<td data-label=\"Owner\">{}</td><td data-label=\"Approver\">{}</td>"
          "<td class=\"nw\" data-label=\"Ticket\">{}</td><td data-label=\"Reason\">{}</td>"
          "<td class=\"nw\" data-label=\"Expires\">{}</td><td class=\"num\" "
          "data-label=\"Keys\">{}</td></tr>\n",
          Esc(e.id), Esc(e.matches), Esc(e.owner), Esc(e.approver), Esc(e.ticket), Esc(e.reason),
          Esc(e.expires), Thousands(used[e.id]));
    }
    out += "</tbody></table></div>";
  }
  if (!run.exception_notes.empty()) {
    out += "<div class=\"card pad\"><h3>Entries that need attention</h3><ul>";
    for (const auto& note : run.exception_notes) {
      out += "<li><b>" + Esc(note.id) + "</b>: " + Esc(note.problem) + "</li>";
    }
    out += "</ul></div>";
  }
  return out + "</div></section>\n";
}

std::string ControlSummarySection() {
  std::string out = SectionHead("control", "The control", Esc(kControlTitle) + ".");
  out += "<div class=\"two\"><div class=\"card pad\">";
  for (const auto& section : ControlSections()) {
    if (section.id == "profile_applicability" || section.id == "description" ||
        section.id == "rationale" || section.id == "default_value") {
      out += BlocksHtml(section);
    }
  }
  out +=
      "<h3>One key by hand</h3><code class=\"cmd\">aws kms get-key-rotation-status --key-id "
      "&lt;kms-key-id&gt;</code><code class=\"cmd\">aws kms enable-key-rotation --key-id "
      "&lt;kms-key-id&gt;</code><code class=\"cmd\">aws kms disable-key-rotation --key-id "
      "&lt;kms-key-id&gt;</code></div>\n"
      "<div class=\"scroll\" tabindex=\"0\" role=\"group\" "
      "aria-label=\"Frameworks\"><table><caption>Where frameworks ask for it</caption><thead><tr>"
      "<th scope=\"col\">Framework</th><th scope=\"col\">References</th>"
      "<th scope=\"col\">Mapped by</th></tr></thead><tbody>\n";
  for (const auto& mapping : ComplianceMappings()) {
    out += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"soft\">{}</td></tr>\n",
                       Esc(mapping.framework), Esc(mapping.references), Esc(mapping.said_by));
  }
  return out + "</tbody></table></div></div></section>\n";
}

namespace {

// PolicyFacts: the policy file, and what its other maximum periods would find.
std::string PolicyFacts(const AuditRun& run) {
  if (run.policy.sha256.empty()) return "";
  std::string out = fmt::format(
      "<p><b>Policy file:</b> {}{}</p>", run.policy.name.empty() ? "" : Esc(run.policy.name) + ", ",
      fmt::format("SHA-256 <code class=\"desc\">{}</code>", Esc(run.policy.sha256)));
  if (!run.policy.rules.empty()) {
    out += "<ul>";
    for (const auto& rule : run.policy.rules) out += "<li>" + Esc(rule) + "</li>";
    out += "</ul>";
  }
  return out;
}

}  // namespace

std::string PeriodsSection(const AuditRun& run) {
  if (run.also_judged.empty()) return "";
  std::string out = SectionHead("periods", "Maximum periods",
                                "The same facts, judged by each maximum of the policy. The first "
                                "decides the answer above and the exit code.");
  out +=
      "<div class=\"card scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Maximum periods\">"
      "<table><thead><tr><th scope=\"col\">Maximum period</th>"
      "<th scope=\"col\" class=\"num\">Compliant</th><th scope=\"col\" class=\"num\">Pass</th>"
      "<th scope=\"col\" class=\"num\">Rotation off</th>"
      "<th scope=\"col\" class=\"num\">Period too long</th>"
      "<th scope=\"col\" class=\"num\">Excepted</th></tr></thead><tbody>\n";
  const auto row = [&out](int days, const control::Totals& totals) {
    const auto count = [&totals](control::Verdict verdict) {
      const auto found = totals.by_verdict.find(verdict);
      return Thousands(found == totals.by_verdict.end() ? 0 : found->second);
    };
    out += fmt::format(
        "<tr><th scope=\"row\">{} days</th><td class=\"num\">{}</td><td class=\"num\">{}</td>"
        "<td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td></tr>\n",
        days,
        totals.compliance_percent ? PercentText(totals.compliance_percent) : "nothing to judge",
        count(control::Verdict::kPass), count(control::Verdict::kFail),
        count(control::Verdict::kFailPeriod), count(control::Verdict::kExcepted));
  };
  row(run.max_period_days, run.totals);
  for (const auto& other : run.also_judged) row(other.max_period_days, other.totals);
  return out + "</tbody></table></div></section>\n";
}

std::string MethodSection(const AuditRun& run) {
  std::string sum;
  std::uint64_t total = 0;
  for (const Verdict verdict : kVerdictOrder) {
    const std::uint64_t count = CountIn(run, verdict);
    total += count;
    if (count > 0) {
      sum +=
          fmt::format("{}{} {}", sum.empty() ? "" : " + ", Thousands(count), VerdictWords(verdict));
    }
  }
  std::uint64_t calls = 0;
  std::string rows;
  for (const auto& [operation, count] : run.calls) {
    calls += count.calls;
    rows += fmt::format(
        "<tr><th scope=\"row\">{}</th><td class=\"num\">{}</td><td class=\"num\">{}</td>"
        "<td class=\"num\">{}</td></tr>\n",
        Esc(operation), Thousands(count.calls), Thousands(count.throttled),
        Thousands(count.failed));
  }
  std::string out = SectionHead("method", "Method and accounting", "");
  out +=
      "<div class=\"two\"><div class=\"card pad\"><p>Facts were read with the calls listed here; "
      "none of them changes a key. The verdict of a key follows from its recorded facts and the "
      "policy alone. What could not be read is unknown, never compliant.</p>";
  out += fmt::format("<p><b>Accounting:</b> {} listed = {}{}.</p>", Thousands(run.totals.listed),
                     sum.empty() ? "0" : sum,
                     total == run.totals.listed ? "" : " (the sum does NOT match)");
  out += fmt::format("<p><b>Policy:</b> maximum period {} days; disabled keys {}.</p>",
                     run.max_period_days, run.strict_disabled ? "fail" : "are skipped");
  out += PolicyFacts(run);
  if (run.totals.listed > 0) {
    out += fmt::format("<p><b>Cost:</b> {}, {:.2f} a key, in {}.</p>", Counted(calls, "call"),
                       static_cast<double>(calls) / static_cast<double>(run.totals.listed),
                       DurationText(run.finished - run.started));
  }
  out +=
      "<p class=\"soft\">Compliance is the share of passing keys among those that pass or fail. "
      "The percentage is rounded down, so 100.0 % means all.</p></div>\n";
  if (!rows.empty()) {
    out +=
        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" "
        "aria-label=\"Calls\"><table><thead><tr><th scope=\"col\">Call</th>"
        "<th scope=\"col\" class=\"num\">Made</th><th scope=\"col\" class=\"num\">Throttled</th>"
        "<th scope=\"col\" class=\"num\">Failed</th></tr></thead><tbody>\n" +
        rows + "</tbody></table></div>";
  }
  return out + "</div></section>\n";
}

}  // namespace keyturn::report
