// Prepare: how each kind of operation finds its keys, and what is asked of their policies.
#include <fmt/format.h>

#include <algorithm>

#include "api/operations.h"
#include "crypto/outside_blob.h"
#include "model/arn.h"
#include "service/access.h"
#include "service/call.h"
#include "service/dry_run.h"
#include "service/recipient.h"
#include "service/request_conditions.h"

namespace keyturn::service {
namespace {

std::string ActionOf(std::string_view operation) { return fmt::format("kms:{}", operation); }

// KeyOfBlob finds the key that a ciphertext names. A key that is not there, or is another account's
// without access, is one answer.
Result<KeyPtr> KeyOfBlob(const Call& call, ByteView blob, std::string_view action) {
  KT_ASSIGN(const crypto::AnyBlobHeader header, crypto::ParseAnyBlobHeader(blob));
  const auto id = model::KeyId::Parse({header.key_id.data(), header.key_id.size()});
  KeyPtr key = id ? call.view.FindKey(call.region, *id) : nullptr;
  if (!key) return Fail(HiddenKey(call, action));
  return key;
}

// IsKeyOfBlob: false too when the blob is none.
bool IsKeyOfBlob(const std::optional<Bytes>& blob, const model::KeyId& id) {
  if (!blob) return false;
  const auto header = crypto::ParseAnyBlobHeader(*blob);
  return header && std::string_view(header->key_id.data(), header->key_id.size()) == id.text();
}

bool IsAsymmetric(const std::optional<model::EncryptionAlgorithmSpec>& algorithm) {
  return algorithm && *algorithm != model::EncryptionAlgorithmSpec::kSymmetricDefault;
}

// IsOnSameKey: whether the source of a ReEncrypt is the key id. The ciphertext says which it is,
// unless it names none (RSA, SM2) or is ignored: then the request does.
bool IsOnSameKey(const Call& call, const api::ReEncryptRequest& request, const model::KeyId& id) {
  if (!IsAsymmetric(request.source_encryption_algorithm) && !IgnoresCiphertext(request)) {
    return IsKeyOfBlob(request.ciphertext_blob, id);
  }
  if (!request.source_key_id) return false;
  const auto source = ResolveKey(call, *request.source_key_id, true, "kms:ReEncryptFrom", true);
  return source && source->key->key.id == id;
}

tl::unexpected<Error> NotTheKeyOfBlob() {
  return Fail(ErrorCode::kIncorrectKeyException,
              "The key ID in the request does not identify a CMK that can perform this operation.");
}

// CheckNotRelated: IncorrectKeyException if text is the ARN that the multi-Region key of the blob
// has in another region. Whoever names it knows of the key, but not as the one to ask here.
Status CheckNotRelated(const Call& call, ByteView blob, std::string_view text,
                       std::string_view action) {
  const auto key = KeyOfBlob(call, blob, action);
  if (!key || !(*key)->key.multi_region) return {};
  const std::vector<KeyPtr> related = call.view.FindRelated((*key)->key.id);
  const bool named = std::any_of(related.begin(), related.end(), [&](const KeyPtr& each) {
    return each->key.region != call.region && each->key.arn() == text;
  });
  if (!named) return {};
  KT_TRY(AuthorizeKey(call, action, **key));
  return NotTheKeyOfBlob();
}

// PrepareCiphertext: the key comes from the blob; a KeyId must name that very key.
// RSA ciphertexts name no key, so that KeyId must.
Status PrepareCiphertext(Call& call, const std::optional<Bytes>& blob,
                         const std::optional<std::string>& key_id,
                         const std::optional<model::EncryptionAlgorithmSpec>& algorithm,
                         std::string_view action) {
  if (!blob) {
    return Fail(ErrorCode::kValidationException,
                "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy "
                "constraint: Member must not be null");
  }
  const bool asymmetric = IsAsymmetric(algorithm);
  if (asymmetric && !key_id) {
    return Fail(ErrorCode::kValidationException, "KeyId must not be null");
  }
  std::optional<Target> named;
  if (key_id) {
    auto resolved = ResolveKey(call, *key_id, true, action, true);
    if (!resolved) {
      if (!asymmetric) KT_TRY(CheckNotRelated(call, *blob, *key_id, action));
      return Fail(std::move(resolved).error());
    }
    named = std::move(*resolved);
  }
  if (asymmetric) {
    KT_TRY(AuthorizeKey(call, action, *named));
    call.targets.push_back(std::move(*named));
    return {};
  }
  KT_ASSIGN(KeyPtr key, KeyOfBlob(call, *blob, action));
  if (named && named->key->key.id != key->key.id) {
    KT_TRY(AuthorizeKey(call, action, *named->key));
    return NotTheKeyOfBlob();
  }
  Target target{std::move(key), named ? named->alias : std::nullopt};
  KT_TRY(AuthorizeKey(call, action, target));
  call.targets.push_back(std::move(target));
  return {};
}

// PrepareNamed is PrepareCiphertext for a dry run that ignores the ciphertext.
Status PrepareNamed(Call& call, const std::optional<std::string>& key_id, std::string_view member,
                    std::string_view action) {
  if (!key_id) {
    return Fail(ErrorCode::kValidationException, fmt::format("{} must not be null", member));
  }
  KT_ASSIGN(Target named, ResolveKey(call, *key_id, true, action, true));
  KT_TRY(AuthorizeKey(call, action, named));
  call.targets.push_back(std::move(named));
  return {};
}

// PrepareAlias: the alias is authorised by identity policies, each key by its key policy too.
Status PrepareAlias(Call& call, std::string_view name, std::string_view action) {
  KT_TRY(CheckAliasName(name));
  return AuthorizeResource(call, action, model::AliasArn(call.region, call.account(), name));
}

Result<Target> ExistingAlias(const Call& call, std::string_view name) {
  const auto row = call.view.FindAlias(call.account(), call.region, name);
  KeyPtr key = row ? call.view.FindKey(call.region, row->target) : nullptr;
  if (!key) {
    return Fail(
        ErrorCode::kNotFoundException,
        fmt::format("Alias {} is not found.", model::AliasArn(call.region, call.account(), name)));
  }
  return Target{std::move(key), *row};
}

}  // namespace

template <typename Operation>
Status Prepare(Call& call, const typename Operation::Request& request) {
  using api::KeyArgument;
  constexpr const api::OperationInfo& info = Operation::kInfo;
  static const std::string action = ActionOf(info.name);
  call.asked = AskedBy(request);
  if constexpr (requires { request.dry_run_modifiers; }) {
    if (request.dry_run_modifiers && !request.dry_run_modifiers->empty() &&
        !request.dry_run.value_or(false)) {
      return Fail(ErrorCode::kValidationException,
                  "DryRunModifiers can only be used when DryRun is true.");
    }
  }
  if constexpr (requires { request.recipient; }) KT_TRY(VerifyRecipient(call, request.recipient));
  if constexpr (info.operation == api::Operation::kRetireGrant) {
    return {};  // the grant decides
  } else if constexpr (info.operation == api::Operation::kListRetirableGrants) {
    return AuthorizeResource(call, action, request.retiring_principal);
  } else if constexpr (info.key_argument == KeyArgument::kNone) {
    return AuthorizeResource(call, action, "*");
  } else if constexpr (info.key_argument == KeyArgument::kKey ||
                       info.key_argument == KeyArgument::kKeyOrAlias) {
    constexpr bool aliases = info.key_argument == KeyArgument::kKeyOrAlias;
    KT_ASSIGN(Target target, ResolveKey(call, request.key_id, aliases, action, info.cross_account));
    KT_TRY(AuthorizeKey(call, action, target));
    call.targets.push_back(std::move(target));
    return {};
  } else if constexpr (info.key_argument == KeyArgument::kCiphertext) {
    if (IgnoresCiphertext(request)) return PrepareNamed(call, request.key_id, "KeyId", action);
    return PrepareCiphertext(call, request.ciphertext_blob, request.key_id,
                             request.encryption_algorithm, action);
  } else if constexpr (info.key_argument == KeyArgument::kReEncrypt) {
    // The destination is looked up first, and its errors told last: a condition on the source may
    // ask whether both are one key.
    auto target = ResolveKey(call, request.destination_key_id, true, "kms:ReEncryptTo", true);
    if (target) {
      call.reencrypt_on_same_key = IsOnSameKey(call, request, target->key->key.id);
    }
    if (IgnoresCiphertext(request)) {
      KT_TRY(PrepareNamed(call, request.source_key_id, "SourceKeyId", "kms:ReEncryptFrom"));
    } else {
      KT_TRY(PrepareCiphertext(call, request.ciphertext_blob, request.source_key_id,
                               request.source_encryption_algorithm, "kms:ReEncryptFrom"));
    }
    if (!target) return Fail(std::move(target).error());
    KT_TRY(AuthorizeKey(call, "kms:ReEncryptTo", *target));
    call.targets.push_back(std::move(*target));
    return {};
  } else if constexpr (info.key_argument == KeyArgument::kAlias) {
    KT_TRY(CheckAliasName(request.alias_name));
    KT_ASSIGN(Target target, ExistingAlias(call, request.alias_name));
    KT_TRY(PrepareAlias(call, request.alias_name, action));
    KT_TRY(AuthorizeKey(call, action, *target.key));
    call.targets.push_back(std::move(target));
    return {};
  } else {
    static_assert(info.key_argument == KeyArgument::kAliasAndTarget);
    KT_TRY(CheckAliasName(request.alias_name));
    const std::string_view given = request.target_key_id;
    if (given.starts_with("alias/") ||
        (given.starts_with("arn:") && given.find(":alias/") != std::string_view::npos)) {
      return Fail(ErrorCode::kValidationException, "Aliases must refer to keys. Not aliases");
    }
    if constexpr (info.operation == api::Operation::kUpdateAlias) {
      KT_ASSIGN(Target old, ExistingAlias(call, request.alias_name));
      KT_TRY(AuthorizeKey(call, action, *old.key));
      call.targets.push_back(std::move(old));
    }
    KT_ASSIGN(Target target, ResolveKey(call, request.target_key_id, false, action, false));
    KT_TRY(PrepareAlias(call, request.alias_name, action));
    KT_TRY(AuthorizeKey(call, action, *target.key));
    call.targets.push_back(std::move(target));
    return {};
  }
}

#define KEYTURN_PREPARE(name) \
  template Status Prepare<api::op::name>(Call&, const api::name##Request&);
// clang-format off
KEYTURN_PREPARE(CancelKeyDeletion)
KEYTURN_PREPARE(ConnectCustomKeyStore)
KEYTURN_PREPARE(CreateAlias)
KEYTURN_PREPARE(CreateCustomKeyStore)
KEYTURN_PREPARE(CreateGrant)
KEYTURN_PREPARE(CreateKey)
KEYTURN_PREPARE(Decrypt)
KEYTURN_PREPARE(DeleteAlias)
KEYTURN_PREPARE(DeleteCustomKeyStore)
KEYTURN_PREPARE(DeleteImportedKeyMaterial)
KEYTURN_PREPARE(DeriveSharedSecret)
KEYTURN_PREPARE(DescribeCustomKeyStores)
KEYTURN_PREPARE(DescribeKey)
KEYTURN_PREPARE(DisableKey)
KEYTURN_PREPARE(DisableKeyRotation)
KEYTURN_PREPARE(DisconnectCustomKeyStore)
KEYTURN_PREPARE(EnableKey)
KEYTURN_PREPARE(EnableKeyRotation)
KEYTURN_PREPARE(Encrypt)
KEYTURN_PREPARE(GenerateDataKey)
KEYTURN_PREPARE(GenerateDataKeyPair)
KEYTURN_PREPARE(GenerateDataKeyPairWithoutPlaintext)
KEYTURN_PREPARE(GenerateDataKeyWithoutPlaintext)
KEYTURN_PREPARE(GenerateMac)
KEYTURN_PREPARE(GenerateRandom)
KEYTURN_PREPARE(GetKeyLastUsage)
KEYTURN_PREPARE(GetKeyPolicy)
KEYTURN_PREPARE(GetKeyRotationStatus)
KEYTURN_PREPARE(GetParametersForImport)
KEYTURN_PREPARE(GetPublicKey)
KEYTURN_PREPARE(ImportKeyMaterial)
KEYTURN_PREPARE(ListAliases)
KEYTURN_PREPARE(ListGrants)
KEYTURN_PREPARE(ListKeyPolicies)
KEYTURN_PREPARE(ListKeyRotations)
KEYTURN_PREPARE(ListKeys)
KEYTURN_PREPARE(ListResourceTags)
KEYTURN_PREPARE(ListRetirableGrants)
KEYTURN_PREPARE(PutKeyPolicy)
KEYTURN_PREPARE(ReEncrypt)
KEYTURN_PREPARE(ReplicateKey)
KEYTURN_PREPARE(RetireGrant)
KEYTURN_PREPARE(RevokeGrant)
KEYTURN_PREPARE(RotateKeyOnDemand)
KEYTURN_PREPARE(ScheduleKeyDeletion)
KEYTURN_PREPARE(Sign)
KEYTURN_PREPARE(TagResource)
KEYTURN_PREPARE(UntagResource)
KEYTURN_PREPARE(UpdateAlias)
KEYTURN_PREPARE(UpdateCustomKeyStore)
KEYTURN_PREPARE(UpdateKeyDescription)
KEYTURN_PREPARE(UpdatePrimaryRegion)
KEYTURN_PREPARE(Verify)
KEYTURN_PREPARE(VerifyMac)
// clang-format on
#undef KEYTURN_PREPARE

}  // namespace keyturn::service
