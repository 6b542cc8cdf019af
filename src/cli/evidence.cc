// keyturn evidence verify
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.h"
#include "control/evidence_bundle.h"
#include "report/summary.h"
#include "report/text.h"
#include "service/files.h"

namespace keyturn::cli {
namespace {

struct VerifyEvidenceFlags {
  std::string directory;
  std::string allowed_signers;
  std::string ca;
};

Result<std::string> ReadText(const std::string& path) {
  KT_ASSIGN(const SecretBytes text, service::ReadSmallFile(path));
  return std::string(AsText(text.reveal()));
}

Result<control::EvidenceTrust> TrustOf(const VerifyEvidenceFlags& flags) {
  control::EvidenceTrust trust;
  if (!flags.allowed_signers.empty()) {
    KT_ASSIGN(trust.allowed_signers, ReadText(flags.allowed_signers));
    trust.allowed_signers_place = flags.allowed_signers;
  }
  if (!flags.ca.empty()) {
    KT_ASSIGN(trust.ca_pem, ReadText(flags.ca));
  }
  return trust;
}

std::string SummaryText(const control::EvidenceSummary& summary) {
  const auto& manifest = summary.manifest;
  std::string text = fmt::format(
      "intact: {} of {} to {}\n  run {}, keyturn {}\n  {}, {} of them answers; {}\n",
      manifest.command, report::MinuteText(manifest.started), report::MinuteText(manifest.finished),
      report::Harmless(manifest.run_id), report::Harmless(manifest.tool_version),
      report::Counted(manifest.records, "record"), report::Thousands(manifest.calls),
      report::Counted(manifest.files.size(), "file"));
  for (const std::string& caller : summary.callers) {
    text += "  called as " + report::Harmless(caller) + '\n';
  }
  if (summary.run) {
    text += fmt::format("verdicts: those of all {} follow from the recorded answers\n  {}: {}\n",
                        report::Counted(summary.run->totals.listed, "key"),
                        report::AnswerTitle(*summary.run), report::AnswerSentence(*summary.run));
  } else {
    text += fmt::format("changes: {} with their answers\n", report::Thousands(summary.changes));
  }
  if (summary.cancelled) {
    text += "stopped: the run did not finish; this is evidence of what it reached\n";
  }
  for (const std::string& signature : summary.signatures) {
    text += "signed: " + report::Harmless(signature) + '\n';
  }
  if (!summary.is_signed) {
    text += "not signed: whoever could write these files could have made them up\n";
  }
  return text;
}

int RunVerifyEvidence(const VerifyEvidenceFlags& flags) {
  const auto trust = TrustOf(flags);
  if (!trust) return ReportError("evidence verify", trust.error());
  const auto summary = control::VerifyEvidence(flags.directory, *trust, SystemClock().Now());
  if (!summary) {
    const int code = ReportError("evidence verify", summary.error());
    return summary.error().code == ErrorCode::kNotFound ? control::kExitIncomplete : code;
  }
  if (!WriteOut(SummaryText(*summary))) return control::kExitUsage;
  return summary->cancelled ? control::kExitIncomplete : control::kExitCompliant;
}

}  // namespace

void AddEvidenceCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* evidence = app.add_subcommand("evidence", "What --record has left");
  evidence->require_subcommand(1);
  evidence->footer(
      "Example:\n"
      "  keyturn evidence verify evidence-2026-11 --allowed-signers auditors");
  CLI::App* command = evidence->add_subcommand(
      "verify",
      "Check a bundle offline: files, chain, signature, and that the verdicts follow from\n"
      "the recorded answers");
  auto flags = std::make_shared<VerifyEvidenceFlags>();
  command->add_option("DIR", flags->directory, "Directory that --record has made")
      ->required()
      ->type_name("");
  command
      ->add_option("--allowed-signers", flags->allowed_signers,
                   "Who may have signed, as ssh-keygen -Y verify takes it")
      ->type_name("FILE");
  command->add_option("--ca", flags->ca, "Certificates that vouch for a CMS signature (PEM)")
      ->type_name("FILE");
  command->footer(
      "Examples:\n"
      "  keyturn evidence verify evidence-2026-11\n"
      "  keyturn evidence verify evidence-2026-11 --allowed-signers auditors\n"
      "  keyturn evidence verify evidence-2026-11 --ca company-root.pem\n"
      "\nExit codes: 0 intact, 1 not, or no bundle, 4 the recorded run did not finish.");
  command->callback([&invocation, flags] {
    invocation.run = [flags](const Terminal&) { return RunVerifyEvidence(*flags); };
  });
}

}  // namespace keyturn::cli
