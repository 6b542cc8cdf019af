// Operation: the 54 operations of the API and what is true of each beyond its members.
//
// Thread-safety: constants.
// Source: KMS API model 2014-11-01; KMS Developer Guide, "AWS KMS permissions" (key identifiers,
// cross-account use) and "Logging with AWS CloudTrail" (readOnly).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace keyturn::api {

enum class Operation : std::uint8_t {
  kCancelKeyDeletion,
  kConnectCustomKeyStore,
  kCreateAlias,
  kCreateCustomKeyStore,
  kCreateGrant,
  kCreateKey,
  kDecrypt,
  kDeleteAlias,
  kDeleteCustomKeyStore,
  kDeleteImportedKeyMaterial,
  kDeriveSharedSecret,
  kDescribeCustomKeyStores,
  kDescribeKey,
  kDisableKey,
  kDisableKeyRotation,
  kDisconnectCustomKeyStore,
  kEnableKey,
  kEnableKeyRotation,
  kEncrypt,
  kGenerateDataKey,
  kGenerateDataKeyPair,
  kGenerateDataKeyPairWithoutPlaintext,
  kGenerateDataKeyWithoutPlaintext,
  kGenerateMac,
  kGenerateRandom,
  kGetKeyLastUsage,
  kGetKeyPolicy,
  kGetKeyRotationStatus,
  kGetParametersForImport,
  kGetPublicKey,
  kImportKeyMaterial,
  kListAliases,
  kListGrants,
  kListKeyPolicies,
  kListKeyRotations,
  kListKeys,
  kListResourceTags,
  kListRetirableGrants,
  kPutKeyPolicy,
  kReEncrypt,
  kReplicateKey,
  kRetireGrant,
  kRevokeGrant,
  kRotateKeyOnDemand,
  kScheduleKeyDeletion,
  kSign,
  kTagResource,
  kUntagResource,
  kUpdateAlias,
  kUpdateCustomKeyStore,
  kUpdateKeyDescription,
  kUpdatePrimaryRegion,
  kVerify,
  kVerifyMac,
};
inline constexpr std::size_t kOperationCount = 54;

enum class Access : std::uint8_t { kRead, kWrite, kCryptographic };

// KeyArgument: which member names the key or alias that is authorised.
enum class KeyArgument : std::uint8_t {
  kNone,            // no key: authorised on "*"
  kKey,             // KeyId: key id or key ARN; an alias is refused
  kKeyOrAlias,      // KeyId: key id, key ARN, alias name or alias ARN
  kCiphertext,      // CiphertextBlob names the key, KeyId may confirm it
  kReEncrypt,       // source from CiphertextBlob, DestinationKeyId
  kAlias,           // AliasName
  kAliasAndTarget,  // AliasName and TargetKeyId
};

struct OperationInfo {
  Operation operation;
  std::string_view name;
  Access access;
  bool read_only;  // CloudTrail's readOnly
  bool mutates;    // changes stored state
  KeyArgument key_argument;
  bool cross_account;
  bool has_output;           // false: HTTP 200 with an empty body
  std::string_view refusal;  // not empty: answered with UnsupportedOperationException, and why
  constexpr bool supported() const { return refusal.empty(); }
};

// kTargetPrefix: X-Amz-Target is this and the operation's name.
inline constexpr std::string_view kTargetPrefix = "TrentService.";

const OperationInfo& Info(Operation operation);
// FindOperation by exact name.
std::optional<Operation> FindOperation(std::string_view name);
// AllOperations in alphabetical order.
std::span<const OperationInfo> AllOperations();

}  // namespace keyturn::api
