#include "api/ops/replicate_key.h"

#include "keys/multi_region.h"
#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::ReplicateKeyResponse> Handle<api::op::ReplicateKey>(
    Call& call, const api::ReplicateKeyRequest& request) {
  const KeyEntry& primary = call.key();
  const auto region = model::Region::Find(request.replica_region);
  const bool exists = region && call.view.FindKey(*region, primary.key.id) != nullptr;
  KT_TRY(keys::CheckReplicate(primary.key, request.replica_region, exists));
  if (!region) return Fail(ErrorCode::kKMSInternalException, {}, "a known region is not there");
  // The replica is made in its own Region, which a policy may forbid.
  KT_TRY(AuthorizeResource(call, "kms:CreateKey", "*", *region));
  KT_TRY(CheckKeyQuota(call, *region));
  KeyEntry replica;
  if (request.tags && !request.tags->empty()) {
    KT_TRY(AuthorizeResource(call, "kms:TagResource", "*", *region));
    KT_TRY(CheckTags(*request.tags));
    for (const api::Tag& tag : *request.tags) replica.tags.push_back({tag.tag_key, tag.tag_value});
  }
  replica.key = keys::MakeReplica(primary.key, *region, request.description.value_or(""), call.now,
                                  call.now + call.environment.settle_delay);
  if (request.policy) {
    const bool bypass = request.bypass_policy_lockout_safety_check.value_or(false);
    KT_ASSIGN(replica.policy, StorablePolicy(call, *request.policy, replica, bypass));
  } else {
    KT_ASSIGN(replica.policy, call.environment.policies.Get(
                                  policy::DefaultKeyPolicy(region->partition(), call.account())));
  }
  api::ReplicateKeyResponse response;
  response.replica_policy = *replica.policy->text;
  if (!replica.tags.empty()) response.replica_tags = request.tags;
  KT_TRY(AddReplica(*call.txn, call.environment, primary, std::move(replica)));
  const KeyPtr added = call.txn->FindKey(*region, primary.key.id);
  response.replica_key_metadata = ToKeyMetadata(call.view, *added);
  return response;
}

}  // namespace keyturn::service
