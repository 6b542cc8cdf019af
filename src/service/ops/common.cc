#include "service/ops/common.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "keys/spec.h"
#include "model/arn.h"
#include "service/custom_key_stores.h"
#include "service/key_pairs.h"

namespace keyturn::service {
namespace {

constexpr auto kSymmetric = model::EncryptionAlgorithmSpec::kSymmetricDefault;

const crypto::EncryptionContext& OrEmpty(const std::optional<crypto::EncryptionContext>& context) {
  static const crypto::EncryptionContext kNone;
  return context ? *context : kNone;
}

// IsPrincipal: one name of a key policy, which the compiler has found well-formed.
bool IsPrincipal(const Call& call, const std::string& name) {
  const auto arn = model::Arn::Parse(name);
  const auto account = arn ? model::AccountId::Parse(arn->account) : std::nullopt;
  return account && PrincipalExists(call.view, *account, *arn);
}

bool HasReservedPrefix(std::string_view key) {
  constexpr std::string_view kReserved = "aws:";
  return key.size() >= kReserved.size() &&
         std::equal(kReserved.begin(), kReserved.end(), key.begin(), [](char wanted, char c) {
           return wanted == (c >= 'A' && c <= 'Z' ? c + 32 : c);
         });
}

}  // namespace

Result<model::EncryptionAlgorithmSpec> CheckEncryption(
    const keys::Key& key, keys::KeyOperation operation, std::string_view operation_name,
    const std::optional<model::EncryptionAlgorithmSpec>& algorithm,
    const std::optional<crypto::EncryptionContext>& context) {
  const auto used = algorithm.value_or(kSymmetric);
  KT_TRY(keys::CheckUse(key, operation, operation_name, model::KeyUsage::kEncryptDecrypt));
  KT_TRY(keys::CheckAlgorithm(key, keys::SpecOf(key.spec).encryption, used));
  if (used != kSymmetric && context && !context->empty()) {
    return Fail(ErrorCode::kValidationException,
                "EncryptionContext is not supported when encrypting/decrypting with asymmetric "
                "CMKs.");
  }
  return used;
}

Result<Bytes> EncryptAs(const Call& call, const KeyEntry& entry,
                        model::EncryptionAlgorithmSpec algorithm,
                        const std::optional<crypto::EncryptionContext>& context,
                        ByteView plaintext) {
  if (algorithm == kSymmetric) return EncryptWithCurrent(call, entry, context, plaintext);
  KT_ASSIGN(const crypto::AsymmetricKey* pair,
            call.environment.keyring.RevealPair(entry.key, *entry.current));
  const bool sm2 = algorithm == model::EncryptionAlgorithmSpec::kSm2pke;
  constexpr std::size_t kSm2BytesMax = 1024;
  const std::size_t bytes_max = sm2 ? kSm2BytesMax : pair->OaepBytesMax(HashOf(algorithm));
  if (plaintext.size() > bytes_max) {
    return Fail(
        ErrorCode::kValidationException,
        fmt::format("Algorithm {} and key spec {} cannot encrypt data larger than {} bytes.",
                    model::ToWire(algorithm), model::ToWire(entry.key.spec), bytes_max));
  }
  return sm2 ? pair->EncryptSm2(plaintext) : pair->EncryptOaep(HashOf(algorithm), plaintext);
}

Result<Opened> DecryptAs(const Call& call, const KeyEntry& entry,
                         model::EncryptionAlgorithmSpec algorithm,
                         const std::optional<crypto::EncryptionContext>& context, ByteView blob) {
  if (algorithm == kSymmetric) return DecryptWithAny(call, entry, context, blob);
  KT_ASSIGN(const crypto::AsymmetricKey* pair,
            call.environment.keyring.RevealPair(entry.key, *entry.current));
  KT_ASSIGN(SecretBytes plaintext, algorithm == model::EncryptionAlgorithmSpec::kSm2pke
                                       ? pair->DecryptSm2(blob)
                                       : pair->DecryptOaep(HashOf(algorithm), blob));
  return Opened{std::move(plaintext), {}};
}

void ReplaceKey(Call& call, const KeyEntry& entry, keys::Key changed) {
  KeyEntry next = entry;
  next.key = std::move(changed);
  call.txn->PutKey(std::move(next));
}

Result<Bytes> EncryptWithCurrent(const Call& call, const KeyEntry& entry,
                                 const std::optional<crypto::EncryptionContext>& context,
                                 ByteView plaintext) {
  if (entry.key.custody) return EncryptOutside(call, entry, OrEmpty(context), plaintext);
  KT_ASSIGN(const crypto::HmacKey* material,
            call.environment.keyring.Reveal(entry.key, *entry.current));
  return crypto::EncryptBlob(*material, {AsBytes(entry.key.id.text()), entry.current->id.bytes()},
                             OrEmpty(context), plaintext, call.environment.random);
}

Result<Opened> DecryptWithAny(const Call& call, const KeyEntry& entry,
                              const std::optional<crypto::EncryptionContext>& context,
                              ByteView blob) {
  if (entry.key.custody) {
    KT_ASSIGN(SecretBytes plaintext, DecryptOutside(call, entry, OrEmpty(context), blob));
    return Opened{std::move(plaintext), {}};
  }
  KT_ASSIGN(const crypto::BlobHeader header, crypto::ParseBlobHeader(blob));
  const MaterialPtr material = entry.materials->Find(model::MaterialId(header.material_id));
  if (!material) return Fail(ErrorCode::kInvalidCiphertextException);
  KT_ASSIGN(const crypto::HmacKey* opened, call.environment.keyring.Reveal(entry.key, *material));
  KT_ASSIGN(SecretBytes plaintext, crypto::DecryptBlob(*opened, blob, OrEmpty(context)));
  return Opened{std::move(plaintext), material->id.hex()};
}

Result<std::shared_ptr<const KeyPolicy>> StorablePolicy(const Call& call, const std::string& text,
                                                        const KeyEntry& entry,
                                                        bool bypass_lockout) {
  if (text.size() > call.environment.quotas.policy_bytes) {
    return Fail(
        ErrorCode::kLimitExceededException,
        fmt::format("A key policy may have {} bytes.", call.environment.quotas.policy_bytes));
  }
  KT_ASSIGN(const policy::PolicyPtr given, policy::Compile(text, policy::Kind::kKeyPolicy));
  const auto& principals = policy::NamedPrincipals(*given);
  if (!std::all_of(principals.begin(), principals.end(),
                   [&](const std::string& name) { return IsPrincipal(call, name); })) {
    return Fail(ErrorCode::kMalformedPolicyDocumentException,
                "Policy contains a statement with one or more invalid principals.");
  }
  if (!bypass_lockout) {
    constexpr std::string_view kAction = "kms:PutKeyPolicy";
    const policy::Principal principal = call.caller.principal();
    const std::string arn = entry.key.arn();
    const CallConditions conditions(call, kAction, entry, {});
    const policy::Request put{kAction, arn, &principal, &conditions};
    if (!policy::AllowsPutKeyPolicy(*given, put, entry.key.account, call.caller.policies())) {
      return Fail(ErrorCode::kMalformedPolicyDocumentException,
                  std::string(policy::kLockoutMessage));
    }
  }
  KT_ASSIGN(const std::string shown, policy::Reserialize(text));
  return call.environment.policies.Get(shown);
}

Status CheckKeyQuota(const Call& call, model::Region region) {
  const auto& quota = call.environment.quotas.keys;
  if (!quota || call.txn->CountCustomerKeys(call.account(), region) < *quota) return {};
  return Fail(ErrorCode::kLimitExceededException,
              fmt::format("The account has {} KMS keys in Region {}, which is the limit.", *quota,
                          region.name()));
}

Status CheckTags(const std::vector<api::Tag>& tags) {
  std::set<std::string_view> names;
  for (const api::Tag& tag : tags) {
    if (HasReservedPrefix(tag.tag_key)) {
      return Fail(ErrorCode::kTagException, "Tags beginning with aws: are reserved");
    }
    if (!names.insert(tag.tag_key).second) {
      return Fail(ErrorCode::kTagException, "Duplicate tag keys");
    }
  }
  if (tags.size() > kTagsPerKeyMax) return Fail(ErrorCode::kTagException, "Too many tags");
  return {};
}

}  // namespace keyturn::service
