#include "control/approval.h"

#include <algorithm>

#include "base/hex.h"
#include "control/files.h"
#include "control/plan.h"
#include "control/text.h"
#include "crypto/ssh_signature.h"

namespace keyturn::control {
namespace {

constexpr std::size_t kSignatureBytesMax = 16 << 10;
constexpr std::size_t kSignersBytesMax = 1 << 20;

Result<Approval> NotApproved(std::string_view place, const std::string& what) {
  return Fail(ErrorCode::kUsage, std::string(place) + ": " + what);
}

}  // namespace

std::string ApprovalText(const Approval& approval) {
  if (approval.how == "confirmed") return "confirmed on a terminal";
  if (approval.how == "auto-approve") return "not asked for (--auto-approve)";
  if (approval.how == "hash") return "by the plan's hash (--approve)";
  if (approval.how == "signature") {
    return "signed by " + approval.principals + " (" + approval.key + ")";
  }
  return approval.how;
}

Status CheckApprovedHash(const Plan& plan, std::string_view hash) {
  std::string wanted(hash);
  std::transform(wanted.begin(), wanted.end(), wanted.begin(), [](char c) {
    return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (wanted.size() != plan.sha256.size() || !HexDecode(wanted)) {
    return Fail(ErrorCode::kUsage,
                "--approve: '" + WellFormed(hash) + "' is no SHA-256; give all 64 hex digits");
  }
  if (wanted == plan.sha256) return {};
  return Fail(ErrorCode::kUsage, "this is another plan than the one approved: its SHA-256 is " +
                                     plan.sha256 + "; nothing was changed");
}

Result<Approval> CheckSignature(std::string_view plan_sha256, std::string_view signature_text,
                                std::string_view signature_place, std::string_view allowed_signers,
                                std::string_view allowed_signers_place, TimePoint now) {
  const auto signature = crypto::SshSignature::Parse(signature_text);
  if (!signature) return NotApproved(signature_place, signature.error().message);
  if (signature->name_space != kPlanNamespace) {
    return NotApproved(signature_place, "is a signature for '" + WellFormed(signature->name_space) +
                                            "', not for 'keyturn-plan': sign with -n keyturn-plan");
  }
  const std::string message(plan_sha256);
  if (!signature->Verify(AsBytes(message + "\n"), kPlanNamespace) &&
      !signature->Verify(AsBytes(message), kPlanNamespace)) {
    return NotApproved(signature_place,
                       "is not a signature of this plan, whose SHA-256 is " + message);
  }
  KT_ASSIGN(const auto signers,
            crypto::ParseAllowedSigners(allowed_signers, allowed_signers_place));
  const auto* signer = crypto::FindSigner(signers, *signature, kPlanNamespace, now);
  const std::string key = "ssh-ed25519 " + signature->Fingerprint();
  if (signer == nullptr) {
    return NotApproved(signature_place, "is by " + key + ", which " +
                                            std::string(allowed_signers_place) +
                                            " does not allow to approve plans now");
  }
  return Approval{"signature", WellFormed(signer->principals), key, std::string(signature_text)};
}

Result<Approval> ApprovalOf(const Plan& plan, const std::string& signature_path,
                            const std::string& allowed_signers_path, TimePoint now) {
  KT_ASSIGN(const std::string signature, ReadWholeFile(signature_path, kSignatureBytesMax));
  KT_ASSIGN(const std::string signers, ReadWholeFile(allowed_signers_path, kSignersBytesMax));
  return CheckSignature(plan.sha256, signature, signature_path, signers, allowed_signers_path, now);
}

}  // namespace keyturn::control
