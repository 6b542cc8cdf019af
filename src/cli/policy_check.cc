// keyturn policy check
#include "control/policy_check.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>

#include "cli/commands.h"
#include "cli/policy_commands.h"
#include "control/run_json.h"
#include "json/json.h"
#include "report/text.h"

namespace keyturn::cli {
namespace {

using control::PolicyFinding;

struct CheckFlags {
  std::string policy;
  std::string exceptions;
  std::string from;
  std::string format = "table";
};

struct Checked {
  std::optional<control::PolicyFile> policy;
  control::ExceptionList exceptions;
  control::PolicyCheck check;
};

Result<Checked> CheckFiles(const CheckFlags& flags) {
  Checked checked;
  std::string exceptions = flags.exceptions;
  if (!flags.policy.empty()) {
    KT_ASSIGN(checked.policy, control::ReadPolicyFile(flags.policy));
    if (exceptions.empty()) exceptions = checked.policy->exceptions_path;
  }
  if (!exceptions.empty()) {
    KT_ASSIGN(checked.exceptions, control::ReadExceptions(exceptions));
  }
  std::optional<control::AuditRun> run;
  if (!flags.from.empty()) {
    KT_ASSIGN(run, control::ReadRun(flags.from));
  }
  checked.check = control::CheckPolicy(checked.policy, checked.exceptions, run ? &*run : nullptr,
                                       SystemClock().Now());
  return checked;
}

std::string PeriodsOf(const control::PolicyFile& policy) {
  std::string text = std::to_string(policy.evaluation.max_period_days);
  for (const int days : policy.also_judge) text += ", " + std::to_string(days);
  return text;
}

std::string WatchText(const control::WatchBounds& watch) {
  if (!watch.apply) return "changes nothing";
  std::string text = fmt::format(
      "may change {} keys a run and {} a day that fail {} runs in a row, none when over {} fail",
      watch.keys_per_run_max, watch.keys_per_day_max, watch.failing_runs_min,
      watch.failing_keys_max);
  if (watch.from_hour != 0 || watch.to_hour != 24) {
    text += fmt::format(", from {:02}:00 to {:02}:00 UTC", watch.from_hour, watch.to_hour);
  }
  return text;
}

std::string RenderCheck(const Checked& checked) {
  const auto clean = [](std::string_view text) { return report::Harmless(text); };
  std::string out;
  if (const auto& policy = checked.policy) {
    out += fmt::format("{}: {}\n", clean(policy->place),
                       policy->name.empty() ? "policy" : clean(policy->name));
    out += fmt::format("  SHA-256         {}\n", policy->sha256);
    out += fmt::format("  maximum period  {} days{}\n", PeriodsOf(*policy),
                       policy->also_judge.empty() ? "" : "; the first decides");
    for (const std::string& rule : policy->Rules())
      out += "  rule            " + clean(rule) + "\n";
    out += "  watch           " + WatchText(policy->watch) + "\n";
  }
  if (!checked.exceptions.sha256.empty()) {
    out += fmt::format("{}: {}\n", clean(checked.exceptions.place),
                       report::Counted(checked.exceptions.entries.size(), "exception"));
  }
  out += '\n';
  for (const PolicyFinding& finding : checked.check.findings) {
    out += fmt::format("{}:{}: {}{}{}\n", clean(finding.place), finding.line, clean(finding.id),
                       finding.id.empty() ? "" : " ", clean(finding.text));
  }
  if (checked.check.findings.empty()) out += "Nothing to put right.\n";
  for (const std::string& note : checked.check.notes) out += "Note: " + clean(note) + "\n";
  return out;
}

std::string CheckJson(const Checked& checked) {
  std::string out;
  json::Writer w(out, json::Writer::Style::kPretty);
  const auto text = [&w](std::string_view name, std::string_view value) {
    w.Key(name).String(report::WellFormed(value));
  };
  w.BeginObject();
  text("format", "keyturn.policy-check.v1");
  w.Key("policy");
  if (const auto& policy = checked.policy) {
    w.BeginObject();
    text("name", policy->name);
    text("sha256", policy->sha256);
    w.Key("max_period_days").Int(policy->evaluation.max_period_days);
    w.Key("also_judge").BeginArray();
    for (const int days : policy->also_judge) w.Int(days);
    w.EndArray().Key("rules").BeginArray();
    for (const std::string& rule : policy->Rules()) w.String(report::WellFormed(rule));
    w.EndArray().EndObject();
  } else {
    w.Null();
  }
  w.Key("exceptions").Int(static_cast<std::int64_t>(checked.exceptions.entries.size()));
  w.Key("findings").BeginArray();
  for (const PolicyFinding& finding : checked.check.findings) {
    w.BeginObject();
    text("kind", control::PolicyFindingName(finding.kind));
    text("file", finding.place);
    w.Key("line").Int(finding.line);
    text("id", finding.id);
    text("text", finding.text);
    w.EndObject();
  }
  w.EndArray().Key("notes").BeginArray();
  for (const std::string& note : checked.check.notes) w.String(report::WellFormed(note));
  w.EndArray().EndObject();
  return out + "\n";
}

int RunCheck(const CheckFlags& flags) {
  const auto checked = CheckFiles(flags);
  if (!checked) return ReportError("policy check", checked.error());
  if (!WriteOut(flags.format == "json" ? CheckJson(*checked) : RenderCheck(*checked))) {
    PrintError("policy check", "standard output cannot be written");
    return control::kExitUsage;
  }
  // What has expired was right once: the file has to be put right before it is used.
  const auto& findings = checked->check.findings;
  const bool expired = std::ranges::any_of(findings, [](const PolicyFinding& finding) {
    return finding.kind == PolicyFinding::Kind::kExpired;
  });
  if (expired) return control::kExitUsage;
  return findings.empty() ? control::kExitCompliant : control::kExitFindings;
}

}  // namespace

void AddPolicyCheckCommand(CLI::App* policy, Invocation& invocation) {
  CLI::App* command = policy->add_subcommand(
      "check", "Validate a policy file and its exceptions; say what is expired or unused");
  auto flags = std::make_shared<CheckFlags>();
  command->add_option("--policy", flags->policy, "Policy file of audit, plan and watch")
      ->type_name("FILE");
  command
      ->add_option("--exceptions", flags->exceptions,
                   "Exceptions file; else that of the policy file")
      ->type_name("FILE");
  command
      ->add_option("--from", flags->from,
                   "Recorded run whose keys they are about: a directory of --record, or JSON")
      ->type_name("RUN");
  command->add_option("--format", flags->format, "Format of the result: table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str()
      ->type_name("FORMAT");
  command->footer(
      "Examples:\n"
      "  keyturn policy check --policy policy.yaml\n"
      "  keyturn policy check --exceptions exceptions.yaml --from evidence-2026-11\n"
      "\nExit codes: 0 nothing to put right, 1 a file is wrong or an exception has expired, 3 an "
      "exception\nis unused or overlaps with another.");
  command->callback([&invocation, flags] {
    if (flags->policy.empty() && flags->exceptions.empty()) {
      throw CLI::ValidationError("--policy FILE is required, or --exceptions FILE");
    }
    invocation.run = [flags](const Terminal&) { return RunCheck(*flags); };
  });
}

}  // namespace keyturn::cli
