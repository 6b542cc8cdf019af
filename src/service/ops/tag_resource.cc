#include "api/ops/tag_resource.h"

#include <algorithm>

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::TagResourceResponse> Handle<api::op::TagResource>(
    Call& call, const api::TagResourceRequest& request) {
  const KeyEntry& entry = call.key();
  KT_TRY(keys::CheckState(entry.key, keys::KeyOperation::kTagResource));
  KT_TRY(CheckTags(request.tags));
  KeyEntry next = entry;
  for (const api::Tag& tag : request.tags) {
    const auto known =
        std::find_if(next.tags.begin(), next.tags.end(),
                     [&](const store::Tag& each) { return each.key == tag.tag_key; });
    if (known != next.tags.end()) {
      known->value = tag.tag_value;
    } else {
      next.tags.push_back({tag.tag_key, tag.tag_value});
    }
  }
  if (next.tags.size() > kTagsPerKeyMax) return Fail(ErrorCode::kTagException, "Too many tags");
  call.txn->PutKey(std::move(next));
  return api::TagResourceResponse{};
}

}  // namespace keyturn::service
