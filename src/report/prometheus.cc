// Prometheus: the counts of a run for node_exporter's textfile collector. No series a key: an
// organisation's hundred thousand keys belong in the JSON.
// Source: Prometheus, "Exposition formats".
#include <fmt/format.h>

#include <algorithm>

#include "report/report.h"
#include "report/summary.h"

namespace keyturn::report {
namespace {

using control::AuditRun;

// Label escapes a label's value.
std::string Label(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

void Head(std::string_view name, std::string_view help, std::string& out) {
  out += fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n", name, help);
}

void AppendKeys(const AuditRun& run, std::string& out) {
  Head("keyturn_audit_keys", "Keys by verdict.", out);
  for (const auto& group : GroupByRegion(run)) {
    for (const auto verdict : kVerdictOrder) {
      out += fmt::format("keyturn_audit_keys{{account=\"{}\",region=\"{}\",verdict=\"{}\"}} {}\n",
                         Label(group.account), Label(group.name), control::VerdictName(verdict),
                         CountOf(group.counts, verdict));
    }
  }
}

// AppendPeriods: what each maximum of a policy file would find, the primary one too.
void AppendPeriods(const AuditRun& run, std::string& out) {
  if (run.also_judged.empty()) return;
  Head("keyturn_audit_period_keys", "Keys by verdict under each maximum period of the policy.",
       out);
  const auto one = [&out](int days, const control::Totals& totals) {
    for (const auto& [verdict, count] : totals.by_verdict) {
      out += fmt::format("keyturn_audit_period_keys{{max_period_days=\"{}\",verdict=\"{}\"}} {}\n",
                         days, control::VerdictName(verdict), count);
    }
  };
  one(run.max_period_days, run.totals);
  for (const auto& other : run.also_judged) one(other.max_period_days, other.totals);
}

void AppendRegions(const AuditRun& run, std::string& out) {
  Head("keyturn_audit_region_scanned", "1 where the region's keys were listed, else 0.", out);
  for (const auto& region : run.regions) {
    out += fmt::format(
        "keyturn_audit_region_scanned{{account=\"{}\",region=\"{}\",status=\"{}\"}} {}\n",
        Label(region.account), Label(region.region), control::RegionStatusName(region.status),
        region.status == control::RegionStatus::kScanned ? 1 : 0);
  }
  const auto gaps = std::count_if(run.regions.begin(), run.regions.end(),
                                  [](const auto& region) { return region.IsGap(); });
  Head("keyturn_audit_regions_missed", "Regions that should have been scanned and were not.", out);
  out += fmt::format("keyturn_audit_regions_missed {}\n", gaps);
}

void AppendCalls(const AuditRun& run, std::string& out) {
  Head("keyturn_audit_calls", "Calls made, retries too.", out);
  for (const auto& [operation, count] : run.calls) {
    out +=
        fmt::format("keyturn_audit_calls{{operation=\"{}\"}} {}\n", Label(operation), count.calls);
  }
  Head("keyturn_audit_calls_throttled", "Calls that the endpoint throttled.", out);
  for (const auto& [operation, count] : run.calls) {
    out += fmt::format("keyturn_audit_calls_throttled{{operation=\"{}\"}} {}\n", Label(operation),
                       count.throttled);
  }
}

}  // namespace

std::string RenderPrometheus(const AuditRun& run) {
  constexpr double kMillis = 1000.0;
  std::string out;
  AppendKeys(run, out);
  AppendPeriods(run, out);
  AppendRegions(run, out);
  if (run.totals.compliance_percent) {
    constexpr double kPercent = 100.0;
    Head("keyturn_audit_compliance_ratio", "Passing keys of those that were judged.", out);
    out += fmt::format("keyturn_audit_compliance_ratio {:.6f}\n",
                       *run.totals.compliance_percent / kPercent);
  }
  Head("keyturn_audit_incomplete", "1 if something could not be judged.", out);
  out += fmt::format("keyturn_audit_incomplete {}\n", run.incomplete() ? 1 : 0);
  Head("keyturn_audit_finished_timestamp_seconds", "When the run ended.", out);
  out += fmt::format("keyturn_audit_finished_timestamp_seconds {:.3f}\n",
                     static_cast<double>(ToEpochMillis(run.finished)) / kMillis);
  AppendCalls(run, out);
  return out;
}

std::string RenderWatchMetrics(const control::WatchStatus& status) {
  constexpr double kMillis = 1000.0;
  std::string out;
  const auto counter = [&out](std::string_view name, std::string_view help) {
    out += fmt::format("# HELP {0} {1}\n# TYPE {0} counter\n", name, help);
  };
  const auto count = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    counter(name, help);
    out += fmt::format("{} {}\n", name, value);
  };
  const auto time = [&out](std::string_view name, std::string_view help,
                           const std::optional<TimePoint>& at) {
    if (!at) return;
    Head(name, help, out);
    out += fmt::format("{} {:.3f}\n", name, static_cast<double>(ToEpochMillis(*at)) / kMillis);
  };
  counter("keyturn_watch_runs_total", "Audits by what came of them.");
  for (const auto& [result, runs] : status.runs) {
    out += fmt::format("keyturn_watch_runs_total{{result=\"{}\"}} {}\n", result, runs);
  }
  time("keyturn_watch_last_run_timestamp_seconds", "When the last audit ended that has a result.",
       status.last_finished);
  time("keyturn_watch_next_run_timestamp_seconds", "When the next audit begins.", status.next_run);
  if (status.last_duration) {
    Head("keyturn_watch_last_duration_seconds", "How long the last audit took.", out);
    out += fmt::format("keyturn_watch_last_duration_seconds {:.3f}\n",
                       static_cast<double>(status.last_duration->count()) / kMillis);
  }
  counter("keyturn_watch_calls_total", "Calls of all audits, retries too.");
  for (const auto& [operation, calls] : status.calls) {
    out += fmt::format("keyturn_watch_calls_total{{operation=\"{}\"}} {}\n", Label(operation),
                       calls.calls);
  }
  counter("keyturn_watch_calls_throttled_total", "Calls that the endpoint throttled.");
  for (const auto& [operation, calls] : status.calls) {
    out += fmt::format("keyturn_watch_calls_throttled_total{{operation=\"{}\"}} {}\n",
                       Label(operation), calls.throttled);
  }
  count("keyturn_watch_verdict_changes_total", "Verdicts that changed between two audits.",
        status.verdict_changes);
  Head("keyturn_watch_events_pending", "Events that the webhook has not taken yet.", out);
  out += fmt::format("keyturn_watch_events_pending {}\n", status.events_pending);
  count("keyturn_watch_events_delivered_total", "Events that the webhook took.",
        status.events_delivered);
  count("keyturn_watch_event_failures_total", "Attempts that the webhook did not take.",
        status.events_failed);
  count("keyturn_watch_events_dropped_total", "Events dropped because too many waited.",
        status.events_dropped);
  count("keyturn_watch_keys_changed_total", "Keys that were changed.", status.keys_changed);
  count("keyturn_watch_keys_not_changed_total", "Keys whose change was refused or failed.",
        status.keys_not_changed);
  return out;
}

}  // namespace keyturn::report
