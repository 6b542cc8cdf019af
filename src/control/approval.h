// Approval: that a plan may be applied, and who says so. It is bound to the plan's hash, so that no
// other plan is applied in its place.
//
// A second person signs the hash with `ssh-keygen -Y sign -n keyturn-plan`: the message is the hash
// as 64 hex digits, with or without a line break after it.
// Thread-safety: values and pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"

namespace keyturn::control {

struct Plan;

inline constexpr std::string_view kPlanNamespace = "keyturn-plan";

// Approval is what the journal keeps.
struct Approval {
  std::string how;         // "confirmed", "auto-approve", "hash", "signature"; empty: not recorded
  std::string principals;  // of a signature: as the file of allowed signers names them
  std::string key;         // "ssh-ed25519 SHA256:..."
  std::string signature;   // armored
  bool operator==(const Approval&) const = default;
};

// ApprovalText: "signed by alice@example.org (ssh-ed25519 SHA256:...)"; empty for none.
std::string ApprovalText(const Approval& approval);

// CheckApprovedHash: kUsage when hash is no SHA-256 in hex, or not that of the plan.
Status CheckApprovedHash(const Plan& plan, std::string_view hash);

// ApprovalOf checks a signature over the plan's hash: kUsage naming the file that is wrong when it
// cannot be read, is of something else, or is by a key that is not allowed to approve plans now.
Result<Approval> ApprovalOf(const Plan& plan, const std::string& signature_path,
                            const std::string& allowed_signers_path, TimePoint now);
// CheckSignature is the same on texts; the places name them in messages.
Result<Approval> CheckSignature(std::string_view plan_sha256, std::string_view signature,
                                std::string_view signature_place, std::string_view allowed_signers,
                                std::string_view allowed_signers_place, TimePoint now);

}  // namespace keyturn::control
