#include "api/ops/untag_resource.h"

#include <algorithm>

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::UntagResourceResponse> Handle<api::op::UntagResource>(
    Call& call, const api::UntagResourceRequest& request) {
  const KeyEntry& entry = call.key();
  KT_TRY(keys::CheckState(entry.key, keys::KeyOperation::kUntagResource));
  KeyEntry next = entry;
  std::erase_if(next.tags, [&](const store::Tag& tag) {
    return std::find(request.tag_keys.begin(), request.tag_keys.end(), tag.key) !=
           request.tag_keys.end();
  });
  call.txn->PutKey(std::move(next));
  return api::UntagResourceResponse{};
}

}  // namespace keyturn::service
