// Shared by the operations: members that every cryptographic request has, and changing one key.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/structures.h"
#include "crypto/ciphertext.h"
#include "keys/key.h"
#include "keys/rotation.h"
#include "model/arn.h"
#include "service/access.h"
#include "service/call.h"
#include "service/dry_run.h"
#include "service/grants.h"
#include "service/key_material.h"
#include "service/markers.h"
#include "service/metadata.h"
#include "service/multi_region.h"
#include "service/recipient.h"

namespace keyturn::service {

// Source: KMS Developer Guide, "Resource quotas".
inline constexpr std::size_t kTagsPerKeyMax = 50;

// CheckEncryption is what Encrypt, Decrypt and ReEncrypt ask of each key: state and usage, that the
// algorithm (SYMMETRIC_DEFAULT where none is named) fits it, and no context with RSA. It returns
// the algorithm.
Result<model::EncryptionAlgorithmSpec> CheckEncryption(
    const keys::Key& key, keys::KeyOperation operation, std::string_view operation_name,
    const std::optional<model::EncryptionAlgorithmSpec>& algorithm,
    const std::optional<crypto::EncryptionContext>& context);

// ReplaceKey stages entry with another key record, everything else as it was.
void ReplaceKey(Call& call, const KeyEntry& entry, keys::Key changed);

// EncryptAs encrypts with an algorithm that CheckEncryption has returned: ValidationException when
// the plaintext is too long for RSA.
Result<Bytes> EncryptAs(const Call& call, const KeyEntry& entry,
                        model::EncryptionAlgorithmSpec algorithm,
                        const std::optional<crypto::EncryptionContext>& context,
                        ByteView plaintext);

// EncryptWithCurrent encrypts under the current material of a symmetric key, or where its custom
// key store has it (see Call::MustWait).
Result<Bytes> EncryptWithCurrent(const Call& call, const KeyEntry& entry,
                                 const std::optional<crypto::EncryptionContext>& context,
                                 ByteView plaintext);

// Opened: a plaintext and the material that decrypted it.
struct Opened {
  SecretBytes plaintext;
  std::string key_material_id;  // empty where MaterialIdOf is, and for RSA
};
// MaterialIdOf: the current material's id; empty for a key of a custom key store, as AWS shows
// none.
inline std::string MaterialIdOf(const KeyEntry& entry) {
  return entry.key.custody ? std::string() : entry.current->id.hex();
}
// IdOrNone: the member of an answer, which RSA and keys of custom key stores
// do not have.
inline std::optional<std::string> IdOrNone(const std::string& id) {
  return id.empty() ? std::nullopt : std::optional<std::string>(id);
}
// DecryptAs decrypts with an algorithm that CheckEncryption has returned.
Result<Opened> DecryptAs(const Call& call, const KeyEntry& entry,
                         model::EncryptionAlgorithmSpec algorithm,
                         const std::optional<crypto::EncryptionContext>& context, ByteView blob);
Result<Opened> DecryptWithAny(const Call& call, const KeyEntry& entry,
                              const std::optional<crypto::EncryptionContext>& context,
                              ByteView blob);

// StorablePolicy checks a policy that a caller gives for a key (language, principals, lockout) and
// returns it compiled, its text as GetKeyPolicy will show it. entry is the key, or the key to be,
// with its tags: a condition of the policy may ask for both.
Result<std::shared_ptr<const KeyPolicy>> StorablePolicy(const Call& call, const std::string& text,
                                                        const KeyEntry& entry, bool bypass_lockout);

// CheckKeyQuota: LimitExceededException when an account has its number of customer managed keys in
// the region.
Status CheckKeyQuota(const Call& call, model::Region region);

// CheckTags: number, duplicates, reserved prefix: TagException.
Status CheckTags(const std::vector<api::Tag>& tags);

}  // namespace keyturn::service
