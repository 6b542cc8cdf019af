// Shared by the operations: members that every cryptographic request has, and changing one key.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/operations.h"
#include "crypto/ciphertext.h"
#include "keys/key.h"
#include "keys/rotation.h"
#include "model/arn.h"
#include "service/access.h"
#include "service/call.h"
#include "service/grants.h"
#include "service/key_material.h"
#include "service/markers.h"
#include "service/metadata.h"

namespace keyturn::service {

// Source: KMS Developer Guide, "Resource quotas".
inline constexpr std::size_t kAliasesPerKeyMax = 50;
inline constexpr std::size_t kTagsPerKeyMax = 50;

// CheckRecipient: attestation documents are refused, never ignored: the caller would get a
// plaintext that it asked to be encrypted.
template <typename Recipient>
Status CheckRecipient(const std::optional<Recipient>& recipient) {
  if (recipient) {
    return Fail(ErrorCode::kUnsupportedOperationException,
                "Recipient is not supported by this server.");
  }
  return {};
}

// CheckDryRun comes last: everything else has succeeded.
inline Status CheckDryRun(const std::optional<bool>& dry_run) {
  if (dry_run.value_or(false)) {
    return Fail(ErrorCode::kDryRunOperationException,
                "The request would have succeeded, but the DryRun option is set.");
  }
  return {};
}

// CheckAlgorithm: keys here are symmetric; an asymmetric algorithm does not fit them.
Status CheckAlgorithm(const keys::Key& key,
                      const std::optional<model::EncryptionAlgorithmSpec>& algorithm);

// ReplaceKey stages entry with another key record, everything else as it was.
void ReplaceKey(Call& call, const KeyEntry& entry, keys::Key changed);

// EncryptWithCurrent encrypts under the key's current material.
Result<Bytes> EncryptWithCurrent(const Call& call, const KeyEntry& entry,
                                 const std::optional<crypto::EncryptionContext>& context,
                                 ByteView plaintext);

// Opened: a plaintext and the material that decrypted it.
struct Opened {
  SecretBytes plaintext;
  std::string key_material_id;
};
Result<Opened> DecryptWithAny(const Call& call, const KeyEntry& entry,
                              const std::optional<crypto::EncryptionContext>& context,
                              ByteView blob);

// StorablePolicy checks a policy that a caller gives for a key (language, principals, lockout) and
// returns it compiled, its text as GetKeyPolicy will show it.
Result<std::shared_ptr<const KeyPolicy>> StorablePolicy(const Call& call, const std::string& text,
                                                        const keys::Key& key, bool bypass_lockout);

// CheckTags: number, duplicates, reserved prefix: TagException.
Status CheckTags(const std::vector<api::Tag>& tags);

}  // namespace keyturn::service
