#include "cli/recording.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "base/hex.h"
#include "cli/app.h"
#include "crypto/digest.h"
#include "report/report.h"

namespace keyturn::cli {
namespace {

using control::EvidenceRecorder;

Result<std::string> ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return Fail(ErrorCode::kIo, "cannot read " + path + " for the evidence");
  return std::move(text).str();
}

std::string Joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ",") + part;
  return text;
}

}  // namespace

Result<Recording> Recording::Start(const RecordFlags& flags, const std::string& run_id,
                                   const std::string& command, Arguments arguments,
                                   const Clock& clock) {
  Recording recording;
  KT_ASSIGN(recording.sign_, MakeSigner(flags, clock));
  // That a key is read does not mean that it can sign.
  if (recording.sign_) KT_TRY(recording.sign_("trial"));
  KT_ASSIGN(recording.recorder_,
            EvidenceRecorder::Create({.directory = flags.directory,
                                      .run_id = run_id,
                                      .command = command,
                                      .tool_version = std::string(ToolVersion()),
                                      .arguments = std::move(arguments)},
                                     clock));
  return recording;
}

Status Recording::FinishAudit(const control::AuditRun& run,
                              const control::ExceptionList& exceptions,
                              const std::optional<control::PolicyFile>& policy) {
  if (recorder_->failed()) return recorder_->status();
  EvidenceRecorder::Conclusion conclusion;
  conclusion.cancelled = run.cancelled;
  conclusion.policy = EvidenceRecorder::Policy{run.max_period_days, run.strict_disabled};
  conclusion.files.push_back(
      {.name = std::string(control::kAuditFile),
       .text = {},
       .source = [&run](const TextSink& sink) { return report::WriteJson(run, sink); }});
  const auto add = [&conclusion](std::string_view name, const std::string& place,
                                 const std::string& sha256) -> Status {
    KT_ASSIGN(std::string text, ReadWhole(place));
    if (HexEncode(crypto::Sha256(AsBytes(text))) != sha256) {
      return Fail(ErrorCode::kConflict, place + ": was changed while the audit ran; audit again");
    }
    conclusion.files.push_back({std::string(name), std::move(text)});
    return {};
  };
  if (!exceptions.sha256.empty()) {
    KT_TRY(add(control::kExceptionsFile, exceptions.place, exceptions.sha256));
  }
  if (policy) KT_TRY(add(control::kPolicyFile, policy->place, policy->sha256));
  return recorder_->Finish(conclusion, sign_);
}

Status Recording::FinishChange(const std::string& journal_path, bool cancelled) {
  if (recorder_->failed()) return recorder_->status();
  EvidenceRecorder::Conclusion conclusion;
  conclusion.cancelled = cancelled;
  KT_ASSIGN(std::string text, ReadWhole(journal_path));
  conclusion.files.push_back({std::string(control::kJournalFile), std::move(text)});
  return recorder_->Finish(conclusion, sign_);
}

Recording::Arguments ArgumentsOf(const ConnectionFlags& connection, const PolicyFlags& policy) {
  Recording::Arguments arguments;
  const auto add = [&arguments](const char* name, std::string value) {
    if (!value.empty()) arguments.emplace_back(name, std::move(value));
  };
  const CallerFlags& caller = connection.caller;
  add("endpoint_url", connection.endpoint_url);
  add("regions", Joined(connection.regions));
  add("accounts", Joined(connection.accounts));
  add("organization", connection.organization ? "true" : "");
  add("profiles", Joined(caller.profiles));
  add("role_arn", caller.role_arn);
  add("role_name", caller.role_name);
  add("targets", caller.targets_path);
  add("quota_share", fmt::format("{}", connection.run.quota_share));
  add("deadline", connection.run.deadline);
  add("policy", policy.policy_path);
  if (policy.policy_path.empty()) add("max_period", std::to_string(policy.max_period_days));
  add("strict_disabled", policy.strict_disabled ? "true" : "");
  add("exceptions", policy.exceptions_path);
  return arguments;
}

}  // namespace keyturn::cli
