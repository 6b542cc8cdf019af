// Context: what a request says of itself when a condition or a policy variable asks.
//
// A policy names condition keys; the caller of Evaluate answers for the request at hand. Nothing is
// collected beforehand: a request whose policies have no conditions is never asked. The names of
// keys are compared without regard to case, what follows the prefix of the families below too.
//
// Thread-safety: a Context is asked from one thread at a time.
// Source: IAM User Guide, "AWS global condition context keys"; KMS Developer Guide, "Condition
// keys for AWS KMS"; Service Authorization Reference, AWS STS.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace keyturn::policy {

// Key: the condition keys that a server of ours may know. kOther is every other name: such a key
// is absent from all requests, unless the Context looks at ConditionKey::name.
enum class Key : std::uint8_t {
  kOther,
  kAwsCurrentTime,
  kAwsEpochTime,
  kAwsMultiFactorAuthPresent,
  kAwsPrincipalAccount,
  kAwsPrincipalArn,
  kAwsPrincipalIsAwsService,
  kAwsPrincipalTag,  // family: aws:PrincipalTag/<tag>
  kAwsPrincipalType,
  kAwsRequestTag,  // family
  kAwsRequestedRegion,
  kAwsResourceAccount,
  kAwsResourceTag,  // family
  kAwsSecureTransport,
  kAwsSourceIdentity,
  kAwsSourceIp,
  kAwsTagKeys,
  kAwsTokenIssueTime,
  kAwsUserAgent,
  kAwsUserId,
  kAwsUsername,
  kAwsViaAwsService,
  kKmsBypassPolicyLockoutSafetyCheck,
  kKmsCallerAccount,
  kKmsDataKeyPairSpec,
  kKmsEncryptionAlgorithm,
  kKmsEncryptionContext,  // family: kms:EncryptionContext:<key>
  kKmsEncryptionContextKeys,
  kKmsExpirationModel,
  kKmsGrantConstraintType,
  kKmsGrantIsForAwsResource,
  kKmsGrantOperations,
  kKmsGranteePrincipal,
  kKmsKeyAgreementAlgorithm,
  kKmsKeyOrigin,
  kKmsKeySpec,
  kKmsKeyUsage,
  kKmsMacAlgorithm,
  kKmsMessageType,
  kKmsMultiRegion,
  kKmsMultiRegionKeyType,
  kKmsPrimaryRegion,
  kKmsReEncryptOnSameKey,
  kKmsRecipientAttestation,  // family: kms:RecipientAttestation:<register>
  kKmsReplicaRegion,
  kKmsRequestAlias,
  kKmsResourceAliases,
  kKmsRetiringPrincipal,
  kKmsRotationPeriodInDays,
  kKmsScheduleKeyDeletionPendingWindowInDays,
  kKmsSigningAlgorithm,
  kKmsTrailingDaysWithoutKeyUsage,
  kKmsValidTo,
  kKmsViaService,
  kKmsWrappingAlgorithm,
  kKmsWrappingKeySpec,
  kStsDurationSeconds,
  kStsExternalId,
  kStsRoleSessionName,
  kStsTransitiveTagKeys,
};

// ConditionKey: one key as a policy names it.
struct ConditionKey {
  Key key = Key::kOther;
  std::string name;       // lower case, whole
  std::string qualifier;  // of a family: what follows the prefix, lower case

  static ConditionKey Parse(std::string_view text);
};

// Values: nearly all keys have one.
using Values = boost::container::small_vector<std::string, 1>;

class Context {
 public:
  virtual ~Context() = default;
  // Find appends the values that the request has for key; none: the key is absent.
  virtual void Find(const ConditionKey& key, Values& out) const = 0;
};

// EqualsFolded compares without regard to the case of ASCII letters.
bool EqualsFolded(std::string_view a, std::string_view b);
// LessFolded: some order, in which texts that differ in the case of ASCII letters only are equal.
bool LessFolded(std::string_view a, std::string_view b);
std::string ToLowerAscii(std::string_view text);
// LowerAscii writes text.size() characters to out.
void LowerAscii(std::string_view text, char* out);

}  // namespace keyturn::policy
