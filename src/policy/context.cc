#include "policy/context.h"

#include <algorithm>
#include <utility>

namespace keyturn::policy {
namespace {

constexpr char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// Sorted by name. A name that ends with / or : is a family's prefix.
constexpr std::pair<std::string_view, Key> kKnown[] = {
    {"aws:currenttime", Key::kAwsCurrentTime},
    {"aws:epochtime", Key::kAwsEpochTime},
    {"aws:multifactorauthpresent", Key::kAwsMultiFactorAuthPresent},
    {"aws:principalaccount", Key::kAwsPrincipalAccount},
    {"aws:principalarn", Key::kAwsPrincipalArn},
    {"aws:principalisawsservice", Key::kAwsPrincipalIsAwsService},
    {"aws:principaltag/", Key::kAwsPrincipalTag},
    {"aws:principaltype", Key::kAwsPrincipalType},
    {"aws:requestedregion", Key::kAwsRequestedRegion},
    {"aws:requesttag/", Key::kAwsRequestTag},
    {"aws:resourceaccount", Key::kAwsResourceAccount},
    {"aws:resourcetag/", Key::kAwsResourceTag},
    {"aws:securetransport", Key::kAwsSecureTransport},
    {"aws:sourceidentity", Key::kAwsSourceIdentity},
    {"aws:sourceip", Key::kAwsSourceIp},
    {"aws:tagkeys", Key::kAwsTagKeys},
    {"aws:tokenissuetime", Key::kAwsTokenIssueTime},
    {"aws:useragent", Key::kAwsUserAgent},
    {"aws:userid", Key::kAwsUserId},
    {"aws:username", Key::kAwsUsername},
    {"aws:viaawsservice", Key::kAwsViaAwsService},
    {"kms:bypasspolicylockoutsafetycheck", Key::kKmsBypassPolicyLockoutSafetyCheck},
    {"kms:calleraccount", Key::kKmsCallerAccount},
    {"kms:customermasterkeyspec", Key::kKmsKeySpec},
    {"kms:customermasterkeyusage", Key::kKmsKeyUsage},
    {"kms:datakeypairspec", Key::kKmsDataKeyPairSpec},
    {"kms:encryptionalgorithm", Key::kKmsEncryptionAlgorithm},
    {"kms:encryptioncontext:", Key::kKmsEncryptionContext},
    {"kms:encryptioncontextkeys", Key::kKmsEncryptionContextKeys},
    {"kms:expirationmodel", Key::kKmsExpirationModel},
    {"kms:grantconstrainttype", Key::kKmsGrantConstraintType},
    {"kms:granteeprincipal", Key::kKmsGranteePrincipal},
    {"kms:grantisforawsresource", Key::kKmsGrantIsForAwsResource},
    {"kms:grantoperations", Key::kKmsGrantOperations},
    {"kms:keyagreementalgorithm", Key::kKmsKeyAgreementAlgorithm},
    {"kms:keyorigin", Key::kKmsKeyOrigin},
    {"kms:keyspec", Key::kKmsKeySpec},
    {"kms:keyusage", Key::kKmsKeyUsage},
    {"kms:macalgorithm", Key::kKmsMacAlgorithm},
    {"kms:messagetype", Key::kKmsMessageType},
    {"kms:multiregion", Key::kKmsMultiRegion},
    {"kms:multiregionkeytype", Key::kKmsMultiRegionKeyType},
    {"kms:primaryregion", Key::kKmsPrimaryRegion},
    {"kms:recipientattestation:", Key::kKmsRecipientAttestation},
    {"kms:reencryptonsamekey", Key::kKmsReEncryptOnSameKey},
    {"kms:replicaregion", Key::kKmsReplicaRegion},
    {"kms:requestalias", Key::kKmsRequestAlias},
    {"kms:resourcealiases", Key::kKmsResourceAliases},
    {"kms:retiringprincipal", Key::kKmsRetiringPrincipal},
    {"kms:rotationperiodindays", Key::kKmsRotationPeriodInDays},
    {"kms:schedulekeydeletionpendingwindowindays", Key::kKmsScheduleKeyDeletionPendingWindowInDays},
    {"kms:signingalgorithm", Key::kKmsSigningAlgorithm},
    {"kms:trailingdayswithoutkeyusage", Key::kKmsTrailingDaysWithoutKeyUsage},
    {"kms:validto", Key::kKmsValidTo},
    {"kms:viaservice", Key::kKmsViaService},
    {"kms:wrappingalgorithm", Key::kKmsWrappingAlgorithm},
    {"kms:wrappingkeyspec", Key::kKmsWrappingKeySpec},
    {"sts:durationseconds", Key::kStsDurationSeconds},
    {"sts:externalid", Key::kStsExternalId},
    {"sts:rolesessionname", Key::kStsRoleSessionName},
    {"sts:transitivetagkeys", Key::kStsTransitiveTagKeys},
};

constexpr bool IsFamily(std::string_view name) { return name.back() == '/' || name.back() == ':'; }

}  // namespace

bool EqualsFolded(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(),
                    [](char one, char other) { return ToLower(one) == ToLower(other); });
}

bool LessFolded(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() < b.size();
  const auto [one, other] = std::mismatch(a.begin(), a.end(), b.begin(), [](char left, char right) {
    return ToLower(left) == ToLower(right);
  });
  return one != a.end() && ToLower(*one) < ToLower(*other);
}

std::string ToLowerAscii(std::string_view text) {
  std::string lower(text.size(), '\0');
  LowerAscii(text, lower.data());
  return lower;
}

void LowerAscii(std::string_view text, char* out) {
  std::transform(text.begin(), text.end(), out, ToLower);
}

ConditionKey ConditionKey::Parse(std::string_view text) {
  ConditionKey parsed;
  parsed.name = ToLowerAscii(text);
  const std::string_view name = parsed.name;
  for (const auto& [known, key] : kKnown) {
    if (IsFamily(known) ? name.size() > known.size() && name.starts_with(known) : name == known) {
      parsed.key = key;
      if (IsFamily(known)) parsed.qualifier = name.substr(known.size());
      break;
    }
  }
  return parsed;
}

}  // namespace keyturn::policy
