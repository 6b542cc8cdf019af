// HtmlParts: the pieces that RenderHtml puts together. Every function returns markup; every foreign
// string passes through Esc.
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/report.h"
#include "report/summary.h"

namespace keyturn::report {

// Esc makes text safe as element content and inside a quoted attribute.
std::string Esc(std::string_view text);
// VerdictClass: CSS class of a verdict: "v-pass", "v-fail-period", ...
std::string_view VerdictClass(control::Verdict verdict);
// Badge: the verdict as a coloured label; the word is always there, colour is never the only sign.
std::string Badge(control::Verdict verdict);

// The style sheet and the script, without their elements: constants, so that the page's content
// security policy can name their digests.
std::string StyleSheet();
std::string_view Script();

// The frame of a page: everything before its content, and after it. footer is markup.
std::string PageHead(std::string_view title, std::string_view tool_version);
std::string PageBanner(std::string_view heading);
std::string PageEnd(const std::string& footer);

// VerdictLegend: colours, names and numbers of the verdicts that are there.
std::string VerdictLegend(const VerdictCounts& counts);

// Charts (inline SVG).
std::string DonutChart(const control::AuditRun& run);
std::string RegionChart(const std::vector<RegionGroup>& groups);
std::string CalendarChart(const control::AuditRun& run);

// SectionHead opens a section; title and lead are markup.
std::string SectionHead(std::string_view id, std::string_view title, std::string_view lead);

// Sections; empty when there is nothing to say.
std::string FindingsSection(const control::AuditRun& run, std::size_t rows_max);
std::string ChangesSection(const std::vector<ChangeReport>& changes, std::size_t rows_max);
// CoverageSection: a matrix of accounts and regions where there are several of both, and the table
// of all, up to rows_max rows each.
std::string CoverageSection(const control::AuditRun& run, const std::vector<RegionGroup>& groups,
                            std::size_t rows_max);
std::string OutOfScopeSection(const control::AuditRun& run);
std::string ExceptionsSection(const control::AuditRun& run, const HtmlOptions& options);
std::string KeysSection(const control::AuditRun& run, std::size_t rows_max);
std::string ControlSummarySection();
// PeriodsSection: the totals by each maximum period, where there are several.
std::string PeriodsSection(const control::AuditRun& run);
std::string MethodSection(const control::AuditRun& run);

// ScrollClass: a table of many rows scrolls in a window of its own, so that what follows it can be
// reached.
inline std::string_view ScrollClass(std::size_t rows, std::size_t open_max = 100) {
  return rows > open_max ? "scroll tall" : "scroll";
}

}  // namespace keyturn::report
