#include "api/ops/update_primary_region.h"

#include "keys/multi_region.h"
#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::UpdatePrimaryRegionResponse> Handle<api::op::UpdatePrimaryRegion>(
    Call& call, const api::UpdatePrimaryRegionRequest& request) {
  const KeyEntry& primary = call.key();
  const auto region = model::Region::Find(request.primary_region);
  const KeyPtr replica = region ? call.view.FindKey(*region, primary.key.id) : nullptr;
  KT_TRY(keys::CheckUpdatePrimary(primary.key, request.primary_region,
                                  replica ? &replica->key : nullptr));
  if (!replica || replica->key.region == primary.key.region) {
    return api::UpdatePrimaryRegionResponse{};  // it is the primary already
  }
  KT_TRY(AuthorizeKey(call, "kms:UpdatePrimaryRegion", *replica));
  auto [old_primary, new_primary] =
      keys::SwapPrimary(primary.key, replica->key, call.now + call.environment.settle_delay);
  const KeyPtr before = call.targets.front().key;  // primary refers to it
  for (const KeyPtr& other : ReplicasOf(call.view, primary.key)) {
    if (other->key.region == replica->key.region) continue;
    keys::Key follower = other->key;
    follower.primary_region = *region;
    ReplaceKey(call, *other, std::move(follower));
  }
  ReplaceKey(call, *before, std::move(old_primary));
  ReplaceKey(call, *replica, std::move(new_primary));
  call.targets.push_back({replica, std::nullopt});
  return api::UpdatePrimaryRegionResponse{};
}

}  // namespace keyturn::service
