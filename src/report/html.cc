// HTML: the page that auditors and executives read. One file, nothing fetched, usable without
// script; a content security policy forbids everything but the style and script that are part of
// it.
#include <fmt/format.h>

#include <set>

#include "base/base64.h"
#include "crypto/digest.h"
#include "report/html_parts.h"
#include "report/text.h"

namespace keyturn::report {

using control::AuditRun;
using control::Verdict;

std::string Esc(std::string_view text) {
  const std::string harmless = Harmless(text);
  std::string out;
  out.reserve(harmless.size());
  for (const char c : harmless) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string_view VerdictClass(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "v-pass";
    case Verdict::kFail:
      return "v-fail";
    case Verdict::kFailPeriod:
      return "v-fail-period";
    case Verdict::kNotApplicable:
      return "v-not-applicable";
    case Verdict::kSkipped:
      return "v-skipped";
    case Verdict::kUnknown:
      return "v-unknown";
    case Verdict::kExcepted:
      return "v-excepted";
    case Verdict::kGone:
      return "v-gone";
  }
  return "v-unknown";
}

std::string Badge(Verdict verdict) {
  return fmt::format("<span class=\"badge {}\">{}</span>", VerdictClass(verdict),
                     VerdictWords(verdict));
}

namespace {

std::string CspSource(std::string_view text) {
  return "'sha256-" + Base64Encode(crypto::Sha256(AsBytes(text))) + "'";
}

constexpr std::string_view kBannerBegin = R"html(<body>
<a class="skip" href="#main">Skip to the report</a>
<header><div class="wrap"><div class="brand">
<svg width="26" height="26" viewBox="0 0 26 26" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round"><path d="M4.2 10.4a9.2 9.2 0 0 1 17-1.9M21.8 15.6a9.2 9.2 0 0 1-17 1.9M21.6 3.6v5h-5M4.4 22.4v-5h5"/><circle cx="13" cy="11.4" r="2.2"/><path d="M13 13.6v4"/></svg>
<h1>)html";
constexpr std::string_view kBannerEnd = R"html(</h1></div>
<fieldset class="theme"><legend class="sr">Colours</legend>
<input type="radio" name="theme" id="theme-auto" checked><label for="theme-auto">Auto</label>
<input type="radio" name="theme" id="theme-light"><label for="theme-light">Light</label>
<input type="radio" name="theme" id="theme-dark"><label for="theme-dark">Dark</label>
</fieldset></div></header>
<main id="main" class="wrap">
)html";

}  // namespace

std::string PageHead(std::string_view title, std::string_view tool_version) {
  const std::string style = StyleSheet();
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src {}; "
      "script-src {}; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n"
      "<meta name=\"generator\" content=\"keyturn {}\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n",
      CspSource(style), CspSource(Script()), Esc(tool_version), Esc(title), style);
}

std::string PageBanner(std::string_view heading) {
  return std::string(kBannerBegin) + Esc(heading) + std::string(kBannerEnd);
}

std::string PageEnd(const std::string& footer) {
  return fmt::format(
      "</main>\n<footer><div class=\"wrap\"><p>{}</p></div>"
      "</footer>\n<script>{}</script>\n</body>\n</html>\n",
      footer, Script());
}

namespace {

std::string Hero(const AuditRun& run) {
  const Answer answer = AnswerOf(run);
  const std::string_view tone = answer == Answer::kCompliant      ? "v-pass"
                                : answer == Answer::kNotCompliant ? "v-fail"
                                                                  : "v-unknown";
  std::string percent;
  if (run.totals.compliance_percent) {
    percent = fmt::format(
        "<p class=\"percent\"><b>{}</b><span>of keys in scope rotate as required"
        "</span></p>",
        PercentText(run.totals.compliance_percent));
  }
  return fmt::format(
      "<div class=\"card hero {}\"><div><p class=\"answer\">{}</p>"
      "<p class=\"sentence\">{}</p></div>{}</div>\n",
      tone, Esc(AnswerTitle(run)), Esc(AnswerSentence(run)), percent);
}

std::string Joined(const std::set<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) {
    out += (out.empty() ? "<span class=\"nw\">" : ", <span class=\"nw\">") + Esc(part) + "</span>";
  }
  return out.empty() ? "not told" : out;
}

std::string Scope(const AuditRun& run) {
  std::set<std::string> accounts;
  std::set<std::string> regions;
  for (const auto& region : run.regions) {
    regions.insert(region.region);
    if (!region.account.empty()) {
      accounts.insert(region.account);
    }
  }
  std::string out = "<dl class=\"scope\">";
  const auto fact = [&out](std::string_view name, const std::string& value) {
    out += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", name, value);
  };
  fact("Endpoint", Esc(run.endpoint));
  constexpr std::size_t kNamedMax = 6;
  fact(accounts.size() > 1 ? "Accounts" : "Account",
       accounts.size() > kNamedMax ? Thousands(accounts.size()) + ", named in the coverage"
                                   : Joined(accounts));
  fact(regions.size() == 1 ? "Region" : "Regions",
       regions.size() > kNamedMax ? Thousands(regions.size()) + ", named in the coverage"
                                  : Joined(regions));
  fact("Maximum period", fmt::format("{} days", run.max_period_days));
  if (!run.policy.name.empty()) fact("Policy", Esc(run.policy.name));
  fact("Audited", fmt::format("<time datetime=\"{}\">{}</time>", FormatIso8601(run.started),
                              MinuteText(run.started)));
  fact("Tool", "keyturn " + Esc(run.tool_version));
  return out + "</dl>\n";
}

std::string Footer(const AuditRun& run) {
  return PageEnd(
      fmt::format("Run <code>{}</code>, {} to {}. Made by keyturn {} "
                  "from the recorded run: making it again gives the same page, byte for byte.",
                  Esc(run.run_id), FormatIso8601(run.started), FormatIso8601(run.finished),
                  Esc(run.tool_version)));
}

}  // namespace

std::string RenderHtml(const AuditRun& run, const HtmlOptions& options) {
  const std::vector<RegionGroup> groups = GroupByRegion(run);
  std::string out =
      PageHead(fmt::format("KMS key rotation: {}, {}", AnswerTitle(run), DateText(run.finished)),
               run.tool_version);
  out += PageBanner("KMS key rotation report");
  out += Hero(run);
  out += Scope(run);
  out += "<div class=\"charts\">\n" + DonutChart(run) + '\n' + RegionChart(groups) + '\n' +
         CalendarChart(run) + "\n</div>\n";
  out += PeriodsSection(run);
  out += FindingsSection(run, options.rows_max);
  out += ChangesSection(options.changes, options.rows_max);
  out += ExceptionsSection(run, options);
  out += CoverageSection(run, groups, options.rows_max);
  out += OutOfScopeSection(run);
  out += KeysSection(run, options.rows_max);
  out += ControlSummarySection();
  out += MethodSection(run);
  out += Footer(run);
  return out;
}

}  // namespace keyturn::report
