#include "service/limits.h"

#include <algorithm>
#include <utility>

namespace keyturn::service {
namespace {

using api::Operation;
using model::DataKeyPairSpec;

constexpr std::pair<std::string_view, RequestGroup> kKindGroups[] = {
    {"symmetric", RequestGroup::Symmetric()},
    {"rsa", RequestGroup::Rsa()},
    {"ecc", RequestGroup::Ecc()},
    {"ml-dsa", RequestGroup::MlDsa()},
    {"custom-key-store", RequestGroup::CustomKeyStore()},
};

struct OperationRate {
  Operation operation;
  double per_second;
};
// Source: KMS Developer Guide, "Request quotas", 2026.
constexpr OperationRate kOperationRates[] = {
    {Operation::kCancelKeyDeletion, 5},
    {Operation::kConnectCustomKeyStore, 5},
    {Operation::kCreateAlias, 5},
    {Operation::kCreateCustomKeyStore, 5},
    {Operation::kCreateGrant, 50},
    {Operation::kCreateKey, 5},
    {Operation::kDeleteAlias, 15},
    {Operation::kDeleteCustomKeyStore, 5},
    {Operation::kDeleteImportedKeyMaterial, 15},
    {Operation::kDescribeCustomKeyStores, 5},
    {Operation::kDescribeKey, 2000},
    {Operation::kDisableKey, 5},
    {Operation::kDisableKeyRotation, 5},
    {Operation::kDisconnectCustomKeyStore, 5},
    {Operation::kEnableKey, 5},
    {Operation::kEnableKeyRotation, 15},
    {Operation::kGetKeyLastUsage, 5},
    {Operation::kGetKeyPolicy, 1000},
    {Operation::kGetKeyRotationStatus, 1000},
    {Operation::kGetParametersForImport, 1},
    {Operation::kGetPublicKey, 2000},
    {Operation::kImportKeyMaterial, 15},
    {Operation::kListAliases, 500},
    {Operation::kListGrants, 100},
    {Operation::kListKeyPolicies, 100},
    {Operation::kListKeyRotations, 100},
    {Operation::kListKeys, 500},
    {Operation::kListResourceTags, 2000},
    {Operation::kListRetirableGrants, 100},
    {Operation::kPutKeyPolicy, 15},
    {Operation::kReplicateKey, 5},
    {Operation::kRetireGrant, 50},
    {Operation::kRevokeGrant, 50},
    {Operation::kRotateKeyOnDemand, 5},
    {Operation::kScheduleKeyDeletion, 15},
    {Operation::kTagResource, 10},
    {Operation::kUntagResource, 5},
    {Operation::kUpdateAlias, 5},
    {Operation::kUpdateCustomKeyStore, 5},
    {Operation::kUpdateKeyDescription, 5},
    {Operation::kUpdatePrimaryRegion, 5},
};

constexpr double kCustomKeyStoreRate = 1800;  // AWS does not raise it

bool IsOneOf(std::string_view region, std::initializer_list<std::string_view> regions) {
  return std::find(regions.begin(), regions.end(), region) != regions.end();
}

double SymmetricRate(std::string_view region) {
  if (IsOneOf(region, {"us-east-1", "us-west-2", "eu-west-1"})) return 100'000;
  if (IsOneOf(region, {"us-east-2", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1",
                       "eu-central-1", "eu-west-2"})) {
    return 20'000;
  }
  return 10'000;
}

double PairRate(DataKeyPairSpec spec, bool china) {
  switch (spec) {
    case DataKeyPairSpec::kRsa2048:
      return china ? 1 : 20;
    case DataKeyPairSpec::kRsa3072:
      return china ? 0.5 : 4;
    case DataKeyPairSpec::kRsa4096:
      return china ? 0.1 : 1;
    case DataKeyPairSpec::kSm2:
      return 25;
    case DataKeyPairSpec::kEccNistP256:
    case DataKeyPairSpec::kEccNistP384:
    case DataKeyPairSpec::kEccNistP521:
    case DataKeyPairSpec::kEccSecgP256k1:
    case DataKeyPairSpec::kEccNistEdwards25519:
      return 100;
  }
  return 100;
}

std::optional<double> AwsRate(RequestGroup group, std::string_view region) {
  if (group == RequestGroup::Symmetric()) return SymmetricRate(region);
  if (group == RequestGroup::CustomKeyStore()) return kCustomKeyStoreRate;
  if (group > RequestGroup::CustomKeyStore()) {
    for (const auto& [spec, wire] : model::EnumTable<DataKeyPairSpec>::kNames) {
      if (group == RequestGroup::Pair(spec)) return PairRate(spec, region.starts_with("cn-"));
    }
  }
  if (group > RequestGroup::Symmetric()) return 1000;
  for (const OperationRate& rate : kOperationRates) {
    if (group == RequestGroup::Of(rate.operation)) return rate.per_second;
  }
  return std::nullopt;
}

}  // namespace

RequestGroup RequestGroup::OfKey(model::KeySpec spec) {
  using model::KeySpec;
  switch (spec) {
    case KeySpec::kSymmetricDefault:
    case KeySpec::kHmac224:
    case KeySpec::kHmac256:
    case KeySpec::kHmac384:
    case KeySpec::kHmac512:
      return Symmetric();
    case KeySpec::kRsa2048:
    case KeySpec::kRsa3072:
    case KeySpec::kRsa4096:
      return Rsa();
    case KeySpec::kMlDsa44:
    case KeySpec::kMlDsa65:
    case KeySpec::kMlDsa87:
      return MlDsa();
    case KeySpec::kEccNistP256:
    case KeySpec::kEccNistP384:
    case KeySpec::kEccNistP521:
    case KeySpec::kEccSecgP256k1:
    case KeySpec::kEccNistEdwards25519:
    case KeySpec::kSm2:
      return Ecc();
  }
  return Symmetric();
}

std::optional<RequestGroup> RequestGroup::Parse(std::string_view name) {
  for (const auto& [kind, group] : kKindGroups) {
    if (kind == name) return group;
  }
  constexpr std::string_view kPair = "GenerateDataKeyPair:";
  if (name.starts_with(kPair)) {
    for (const auto& [spec, wire] : model::EnumTable<DataKeyPairSpec>::kNames) {
      if (wire == name.substr(kPair.size())) return Pair(spec);
    }
    return std::nullopt;
  }
  const auto operation = api::FindOperation(name);
  // Only operations with a quota of their own: a number that has no effect would mislead.
  if (!operation || !AwsRate(Of(*operation), {})) return std::nullopt;
  return Of(*operation);
}

Quotas Quotas::Aws() {
  Quotas quotas;
  quotas.keys = 100'000;
  quotas.aws_requests = true;
  return quotas;
}

std::optional<double> Quotas::RateOf(RequestGroup group, std::string_view region) const {
  if (const auto own = requests.find(group); own != requests.end()) return own->second;
  return aws_requests ? AwsRate(group, region) : std::nullopt;
}

// Source: KMS Developer Guide, "Throttling AWS KMS requests".
Error Throttled() {
  return {ErrorCode::kThrottlingException,
          "You have exceeded the rate at which you may call KMS. Reduce the frequency of your "
          "calls.",
          {}};
}

Status RequestLimiter::Take(const model::AccountId& account, std::string_view region,
                            RequestGroup group, double cost, TimePoint now, std::string_view part) {
  const auto rate = quotas_.RateOf(group, region);
  if (!rate) return {};
  // A bucket holds a second's worth, and never less than the request itself.
  const double room = std::max(*rate, cost);
  const std::scoped_lock lock(mutex_);
  const auto [at, made] = buckets_.try_emplace(
      {account, std::string(region), group, std::string(part)}, Bucket{room, now});
  Bucket& bucket = at->second;
  if (now > bucket.at) {
    const double seconds = std::chrono::duration<double>(now - bucket.at).count();
    bucket.tokens = std::min(room, bucket.tokens + seconds * *rate);
  }
  bucket.at = now;  // also when the clock went back
  // Parts of a second add up with errors far below one request.
  constexpr double kSlack = 1e-6;
  if (bucket.tokens + kSlack < cost) return Fail(Throttled());
  bucket.tokens -= cost;
  return {};
}

}  // namespace keyturn::service
