// CSV: one record a key, for spreadsheets and for join.
// Source: RFC 4180; OWASP "CSV Injection" for the apostrophe.
#include <fmt/format.h>

#include "report/report.h"
#include "report/summary.h"

namespace keyturn::report {
namespace {

using control::AuditRun;
using control::KeyResult;

constexpr std::string_view kHeader =
    "account,region,key_id,arn,aliases,verdict,raw_verdict,reason,remediable,exception_id,"
    "rotation_enabled,rotation_period_days,next_rotation_date,last_rotation_date,"
    "last_rotation_type,key_manager,key_spec,key_usage,origin,key_state,multi_region_type,"
    "primary_arn,creation_date,deletion_date,description,error_operation,error_code,"
    "error_request_id,remediation\r\n";

class Record {
 public:
  explicit Record(std::string& out) : out_(out) {}

  void Cell(std::string_view text) {
    if (!first_) {
      out_ += ',';
    }
    first_ = false;
    // A spreadsheet evaluates a cell that begins with one of these; a tab or line break before it
    // is skipped by some of them.
    const bool formula = !text.empty() && std::string_view("=+-@\t\r\n").find(text.front()) !=
                                              std::string_view::npos;
    const bool quoted = text.find_first_of(",\"\r\n") != std::string_view::npos;
    if (!quoted) {
      out_ += formula ? "'" : "";
      out_ += text;
      return;
    }
    out_ += formula ? "\"'" : "\"";
    for (const char c : text) {
      if (c == '"') {
        out_ += '"';
      }
      out_ += c;
    }
    out_ += '"';
  }
  void Time(const std::optional<TimePoint>& t) { Cell(t ? FormatIso8601(*t) : ""); }
  void End() { out_ += "\r\n"; }

 private:
  std::string& out_;
  bool first_ = true;
};

std::string Joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) {
    out += (out.empty() ? "" : " ") + part;
  }
  return out;
}

void AppendKey(const KeyResult& key, const AuditRun& run, std::string& out) {
  const auto& facts = key.facts;
  const auto& rotation = facts.rotation;
  const control::CallFailure* failure = facts.describe_failure   ? &*facts.describe_failure
                                        : facts.rotation_failure ? &*facts.rotation_failure
                                                                 : nullptr;
  Record record(out);
  record.Cell(facts.account);
  record.Cell(facts.region);
  record.Cell(facts.key_id);
  record.Cell(facts.arn);
  record.Cell(Joined(facts.aliases));
  record.Cell(control::VerdictName(key.judgement.verdict));
  record.Cell(control::VerdictName(key.judgement.raw_verdict));
  record.Cell(key.judgement.reason);
  record.Cell(key.judgement.remediable ? "true" : "false");
  record.Cell(key.judgement.exception_id);
  record.Cell(!rotation ? "" : rotation->enabled ? "true" : "false");
  record.Cell(rotation && rotation->period_days ? std::to_string(*rotation->period_days) : "");
  record.Time(rotation ? rotation->next_rotation_date : std::nullopt);
  record.Time(facts.last_rotation_date);
  record.Cell(facts.last_rotation_type);
  record.Cell(facts.key_manager);
  record.Cell(facts.key_spec);
  record.Cell(facts.key_usage);
  record.Cell(facts.origin);
  record.Cell(facts.key_state);
  record.Cell(facts.multi_region_type);
  record.Cell(facts.primary_arn);
  record.Time(facts.creation_date);
  record.Time(facts.deletion_date);
  record.Cell(facts.description);
  record.Cell(failure != nullptr ? failure->operation : "");
  record.Cell(failure != nullptr ? failure->error_code : "");
  record.Cell(failure != nullptr ? failure->request_id : "");
  record.Cell(RemediationCommand(key, run));
  record.End();
}

}  // namespace

std::string RenderCsv(const AuditRun& run) {
  std::string out(kHeader);
  for (const auto& key : run.keys) {
    AppendKey(key, run, out);
  }
  return out;
}

}  // namespace keyturn::report
