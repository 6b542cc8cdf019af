// Report: one recorded run, rendered. Each function is pure: no clock, no network, no file, no
// environment; the same record gives the same bytes on every machine.
//
// Everything in a record that came from an endpoint or a file (aliases, descriptions, error texts)
// is foreign. The table and the page show control characters and bidi overrides as U+FFFD; JSON
// keeps them, escaped as JSON asks, and replaces only bytes that are not UTF-8.
// Thread-safety: pure functions. Units: widths in terminal columns.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/pieces.h"
#include "control/run.h"
#include "control/run_compare.h"
#include "control/watch.h"
#include "report/change.h"

namespace keyturn::report {

// TerminalStyle: what the terminal can show. The command line finds out; nothing here asks.
struct TerminalStyle {
  std::size_t width = 100;  // below 40 is treated as 40
  bool color = false;       // ANSI colours
  bool unicode = true;      // false: ASCII only
};

struct TableOptions {
  TerminalStyle style;
  // all: every key. Otherwise PASS and NOT_APPLICABLE keys beyond the first few of a region are
  // counted, not listed. Findings are always listed.
  bool all = false;
};

// RenderTable: the answer first (compliant or not), then what fails and why, by region, then the
// next command to run. Ends with a newline.
std::string RenderTable(const control::AuditRun& run, const TableOptions& options);

// RenderChanges: what apply, verify or backout did, the same way.
std::string RenderChanges(const ChangeReport& report, const TerminalStyle& style);

// RenderDiff: what changed between two audits, worst first; RenderDiffJson: the same for programs,
// "keyturn.diff.v1". End with a newline.
std::string RenderDiff(const control::RunDiff& diff, const TerminalStyle& style);
std::string RenderDiffJson(const control::RunDiff& diff);

// RenderJson: docs/formats/audit-json.md. Ends with a newline.
std::string RenderJson(const control::AuditRun& run);
// WriteJson hands the same on in pieces of about 64 KiB: the text of 100,000 keys is 130 MB.
Status WriteJson(const control::AuditRun& run, const TextSink& sink);

// RenderChangesJson: docs/formats/changes-json.md. Ends with a newline.
std::string RenderChangesJson(const ChangeReport& report);

// RenderCsv: RFC 4180 with CRLF, a header and one record a key. Cells that a spreadsheet would take
// for a formula are prefixed with an apostrophe.
std::string RenderCsv(const control::AuditRun& run);

// RenderJunit: JUnit XML, a suite a region and a case a key. Failing keys are failures; what could
// not be judged, a region too, is an error; what is out of scope or accepted is skipped.
std::string RenderJunit(const control::AuditRun& run);

// RenderSarif: SARIF 2.1.0, a result a key; accepted failures are suppressed, regions that were not
// scanned are notifications of an unsuccessful invocation.
std::string RenderSarif(const control::AuditRun& run);

// RenderOcsf: OCSF 1.6.0 Compliance Findings, one JSON object a line.
std::string RenderOcsf(const control::AuditRun& run);

// RenderOscal: OSCAL 1.1.2 assessment results in JSON; "satisfied" only where all is known and
// passes.
std::string RenderOscal(const control::AuditRun& run);

// RenderAsff: AWS Security Finding Format, one request of BatchImportFindings a line.
std::string RenderAsff(const control::AuditRun& run);

// RenderPrometheus: counts as metrics for node_exporter's textfile collector.
std::string RenderPrometheus(const control::AuditRun& run);

// RenderWatchMetrics: what a watch counts, beside the metrics of its last audit.
std::string RenderWatchMetrics(const control::WatchStatus& status);

// ExceptionEntry: one entry of the exceptions file, for the report's readers.
struct ExceptionEntry {
  std::string id;
  std::string matches;  // what it matches, as written
  std::string owner;
  std::string approver;
  std::string ticket;
  std::string reason;
  std::string expires;  // date
};

struct HtmlOptions {
  std::vector<ExceptionEntry> exceptions;
  // changes: what was done about an earlier audit, oldest first; shown as the cycle's history.
  std::vector<ChangeReport> changes;
  // rows_max: rows of one table; more are counted and pointed to CSV and JSON.
  std::size_t rows_max = 5000;
};

// RenderHtml: one self-contained page (no external resource, works without script), light and dark,
// for screens from 420 px and for paper.
std::string RenderHtml(const control::AuditRun& run, const HtmlOptions& options);

enum class ControlFormat { kText, kMarkdown, kJson };

// RenderControl: the control itself: profile, description, rationale, impact, default value,
// pre-requisites, test plan, implementation steps, back-out plan, references.
std::string RenderControl(ControlFormat format, const TerminalStyle& style);

}  // namespace keyturn::report
