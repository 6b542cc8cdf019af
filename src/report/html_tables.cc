// The tables of the HTML report: findings, what was changed, every key.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "report/html_parts.h"
#include "report/text.h"

namespace keyturn::report {
namespace {

using control::AuditRun;
using control::KeyResult;
using control::Verdict;

// NameCell: what people call the key, then what machines call it.
std::string NameCell(const KeyResult& key) {
  std::string names;
  for (const auto& alias : key.facts.aliases) {
    names += "<span class=\"name\"><bdi>" + Esc(alias) + "</bdi></span>";
  }
  std::string out = names + "<code class=\"id\">" + Esc(key.facts.key_id) + "</code>";
  if (!key.facts.description.empty()) {
    out += "<span class=\"desc\"><bdi>" + Esc(key.facts.description) + "</bdi></span>";
  }
  return out;
}

// PlaceCell: where a key is, by as much as tells it from the run's others.
std::string PlaceCell(std::string_view region, std::string_view account,
                      std::string_view endpoint) {
  const auto also = [](std::string_view what) {
    return what.empty() ? "" : "<span class=\"desc\">" + Esc(what) + "</span>";
  };
  return "<td class=\"nw\" data-label=\"Region\">" + Esc(region) + also(account) + also(endpoint) +
         "</td>";
}

std::string PlaceCell(const KeyResult& key, const AuditRun& run) {
  return PlaceCell(
      key.facts.region,
      HasSeveralTargets(run) ? std::string_view(key.facts.account) : std::string_view(),
      HasSeveralEndpoints(run) ? control::EndpointName(key.facts.endpoint_url) : std::string());
}

std::string RotationText(const control::KeyFacts& facts) {
  if (!facts.rotation) {
    return "";
  }
  if (!facts.rotation->enabled) {
    return "off";
  }
  return facts.rotation->period_days ? fmt::format("every {} days", *facts.rotation->period_days)
                                     : "on";
}

std::string KindText(const control::KeyFacts& facts) {
  std::string kind = facts.key_spec;
  const auto add = [&kind](std::string_view what) {
    if (!what.empty()) {
      kind += (kind.empty() ? "" : " · ") + std::string(what);
    }
  };
  add(facts.key_manager == "AWS" ? "AWS managed" : "");
  add(facts.origin == "AWS_KMS" ? "" : facts.origin);
  add(facts.multi_region_type);
  return kind;
}

std::string MoreNote(std::size_t hidden) {
  return hidden == 0 ? ""
                     : fmt::format(
                           "<p class=\"soft\">And {} more, not shown here: the CSV and JSON "
                           "formats have every key.</p>",
                           Thousands(hidden));
}

// Collect returns the keys with one of the verdicts, in verdict order.
std::vector<const KeyResult*> Collect(const AuditRun& run, std::initializer_list<Verdict> wanted) {
  std::vector<const KeyResult*> keys;
  for (const Verdict verdict : wanted) {
    for (const auto& key : run.keys) {
      if (key.judgement.verdict == verdict) {
        keys.push_back(&key);
      }
    }
  }
  return keys;
}

// CommandHtml keeps each option on one line with its value; copied, it is the plain command.
std::string CommandHtml(std::string_view command) {
  std::string out = "<code class=\"cmd\">";
  for (std::size_t start = 0; start < command.size();) {
    const std::size_t end = std::min(command.find(" --", start + 1), command.size());
    const std::size_t space = start == 0 ? 0 : 1;
    out += space == 0 ? "" : " ";
    out +=
        "<span class=\"nw\">" + Esc(command.substr(start + space, end - start - space)) + "</span>";
    start = end;
  }
  return out + "</code>";
}

std::string FindingRow(const KeyResult& key, const AuditRun& run) {
  std::string why = Esc(key.judgement.reason);
  const std::string command = RemediationCommand(key, run);
  if (!command.empty()) {
    why += CommandHtml(command);
  }
  const auto& failure =
      key.facts.describe_failure ? key.facts.describe_failure : key.facts.rotation_failure;
  if (failure && !failure->request_id.empty()) {
    why += "<span class=\"desc\">" + Esc(failure->operation) + ": " + Esc(failure->error_code) +
           ", request " + Esc(failure->request_id) + "</span>";
  }
  return fmt::format(
      "<tr><td class=\"bare\">{}</td><th scope=\"row\">{}</th>{}"
      "<td data-label=\"Why\" class=\"bare\">{}</td></tr>\n",
      Badge(key.judgement.verdict), NameCell(key), PlaceCell(key, run), why);
}

std::string OutcomeBadge(Outcome outcome) {
  return fmt::format("<span class=\"badge {0}\">{0}</span>", OutcomeName(outcome));
}

std::string ChangeTable(const ChangeReport& change, std::size_t rows_max) {
  const bool with_account = Differs(change, &ChangeLine::account);
  const bool with_endpoint = Differs(change, &ChangeLine::endpoint);
  std::string rows;
  std::size_t shown = 0;
  for (const Outcome outcome : kOutcomes) {
    for (const auto& line : change.lines) {
      if (line.outcome != outcome || shown == rows_max) {
        continue;
      }
      ++shown;
      const std::size_t slash = line.arn.rfind('/');
      rows += fmt::format(
          "<tr><td class=\"bare\">{}</td><th scope=\"row\"><code>{}</code></th>{}"
          "<td class=\"nw\" data-label=\"Before\">{}</td>"
          "<td class=\"nw\" data-label=\"Wanted\">{}</td><td data-label=\"Note\">{}</td></tr>\n",
          OutcomeBadge(outcome), Esc(line.arn.substr(slash == std::string::npos ? 0 : slash + 1)),
          PlaceCell(line.region, with_account ? std::string_view(line.account) : std::string_view(),
                    with_endpoint ? std::string_view(line.endpoint) : std::string_view()),
          Esc(line.before), Esc(line.after), Esc(line.detail));
    }
  }
  return "<table class=\"cards\"><thead><tr><th scope=\"col\">Outcome</th><th "
         "scope=\"col\">Key</th>"
         "<th scope=\"col\">Region</th><th scope=\"col\">Before</th><th scope=\"col\">Wanted</th>"
         "<th scope=\"col\">Note</th></tr></thead><tbody>\n" +
         rows + "</tbody></table>" + MoreNote(change.lines.size() - shown);
}

std::string ChangeBlock(const ChangeReport& change, std::size_t rows_max) {
  std::string facts;
  const auto fact = [&facts](std::string_view name, const std::string& value) {
    if (!value.empty()) {
      facts += fmt::format("<span>{}: <b>{}</b></span>", name, value);
    }
  };
  for (const Outcome outcome : kOutcomes) {
    if (const std::uint64_t count = CountOutcome(change, outcome); count > 0) {
      fact(OutcomeName(outcome), Thousands(count));
    }
  }
  fact("started", change.started ? MinuteText(*change.started) : "");
  fact("reason", Esc(change.reason));
  fact("journal", Esc(change.journal));
  fact("plan", change.plan_id.empty() ? "" : "<code>" + Esc(change.plan_id) + "</code>");
  std::string notes;
  for (const auto& note : change.notes) {
    notes += "<div class=\"facts\">" + Esc(note) + "</div>";
  }
  return fmt::format(
      "<div class=\"scroll change\"><h3>{}</h3><div class=\"facts\">{}</div>{}{}</div>\n",
      ChangeKindName(change.kind), facts, notes,
      change.lines.empty() ? "<p class=\"facts\">There was nothing to do.</p>"
                           : ChangeTable(change, rows_max));
}

std::string KeyRow(const KeyResult& key, const AuditRun& run) {
  const auto& facts = key.facts;
  const auto& next = facts.rotation ? facts.rotation->next_rotation_date : std::nullopt;
  const std::string next_text =
      next ? "<span class=\"desc\">next " + DateText(*next) + "</span>" : "";
  const std::string state =
      facts.key_state.empty() ? "" : "<span class=\"desc\">" + Esc(facts.key_state) + "</span>";
  return fmt::format(
      "<tr class=\"{}\"><td class=\"bare\" data-sort=\"{}\">{}</td><th scope=\"row\">{}</th>"
      "{}<td data-label=\"Kind\">{}{}</td>"
      "<td class=\"nw\" data-label=\"Rotation\" data-sort=\"{}\">{}{}</td>"
      "<td class=\"bare why\">{}</td></tr>\n",
      VerdictClass(key.judgement.verdict), VerdictWords(key.judgement.verdict),
      Badge(key.judgement.verdict), NameCell(key), PlaceCell(key, run), Esc(KindText(facts)), state,
      next ? DateText(*next) : Esc(RotationText(facts)), Esc(RotationText(facts)), next_text,
      Esc(key.judgement.reason));
}

}  // namespace

std::string FindingsSection(const AuditRun& run, std::size_t rows_max) {
  const auto keys = Collect(run, {Verdict::kFail, Verdict::kFailPeriod, Verdict::kUnknown});
  std::string out = "<section aria-labelledby=\"findings-h\"><h2 id=\"findings-h\">Findings</h2>\n";
  if (keys.empty()) {
    return out +
           "<p class=\"lead\">None. Every key that could be judged rotates as required, is "
           "excepted, or is out of scope.</p></section>\n";
  }
  out +=
      "<p class=\"lead\">Keys that fail, with the command that puts each right, and keys that "
      "could not be judged. One click selects a command.</p>\n"
      "<div class=\"";
  out += ScrollClass(std::min(keys.size(), rows_max));
  out +=
      "\" tabindex=\"0\" role=\"group\" aria-labelledby=\"findings-h\">"
      "<table class=\"cards\"><thead><tr><th scope=\"col\">Verdict</th><th scope=\"col\">Key</th>"
      "<th scope=\"col\">Region</th><th scope=\"col\">Why, and what to do</th></tr></thead>"
      "<tbody>\n";
  const std::size_t shown = std::min(keys.size(), rows_max);
  for (std::size_t i = 0; i < shown; ++i) {
    out += FindingRow(*keys[i], run);
  }
  return out + "</tbody></table></div>" + MoreNote(keys.size() - shown) + "</section>\n";
}

std::string ChangesSection(const std::vector<ChangeReport>& changes, std::size_t rows_max) {
  if (changes.empty()) {
    return "";
  }
  std::string out =
      "<section aria-labelledby=\"changes-h\"><h2 id=\"changes-h\">What was changed</h2>\n"
      "<p class=\"lead\">The journal of changes that belongs to this audit, in the order in which "
      "they were made.</p><div class=\"stack\">\n";
  for (const auto& change : changes) {
    out += ChangeBlock(change, rows_max);
  }
  return out + "</div></section>\n";
}

std::string KeysSection(const AuditRun& run, std::size_t rows_max) {
  if (run.keys.empty()) {
    return "";
  }
  std::string out =
      "<section id=\"all-keys\" aria-labelledby=\"keys-h\"><h2 id=\"keys-h\">Every key</h2>\n"
      "<p class=\"lead\">All keys that were listed, whatever the verdict.</p>"
      "<div class=\"tools\" role=\"group\" aria-label=\"Show keys with the verdict\">"
      "<span class=\"chip\"><input type=\"radio\" name=\"show\" id=\"show-all\" checked>"
      "<label for=\"show-all\">all " +
      Thousands(run.totals.listed) + "</label></span>";
  for (const Verdict verdict : kVerdictOrder) {
    const auto it = run.totals.by_verdict.find(verdict);
    if (it == run.totals.by_verdict.end() || it->second == 0) {
      continue;
    }
    out += fmt::format(
        "<span class=\"chip\"><input type=\"radio\" name=\"show\" id=\"show-{0}\">"
        "<label for=\"show-{0}\">{1} {2}</label></span>",
        VerdictClass(verdict), VerdictWords(verdict), Thousands(it->second));
  }
  out +=
      "<span class=\"search\" hidden><span id=\"shown\" role=\"status\" class=\"soft\"></span>"
      "<label class=\"sr\" for=\"search\">Search keys</label>"
      "<input id=\"search\" type=\"search\" placeholder=\"Search keys\"></span></div>\n"
      "<div class=\"";
  out += ScrollClass(std::min(run.keys.size(), rows_max));
  out +=
      "\" tabindex=\"0\" role=\"group\" aria-labelledby=\"keys-h\">"
      "<table class=\"cards tight\" id=\"keys\"><thead><tr><th scope=\"col\">Verdict</th>"
      "<th scope=\"col\">Key</th><th scope=\"col\">Region</th><th scope=\"col\">Kind, state</th>"
      "<th scope=\"col\">Rotation</th><th scope=\"col\">Why</th></tr></thead><tbody>\n";
  const std::size_t shown = std::min(run.keys.size(), rows_max);
  // Under a limit the keys that matter must be among those shown.
  std::size_t count = 0;
  for (const auto* key :
       Collect(run, {Verdict::kFail, Verdict::kFailPeriod, Verdict::kUnknown, Verdict::kExcepted,
                     Verdict::kSkipped, Verdict::kGone, Verdict::kNotApplicable, Verdict::kPass})) {
    if (count++ == shown) {
      break;
    }
    out += KeyRow(*key, run);
  }
  return out + "</tbody></table></div>" + MoreNote(run.keys.size() - shown) + "</section>\n";
}

}  // namespace keyturn::report
