#include "api/ops/cancel_key_deletion.h"

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::CancelKeyDeletionResponse> Handle<api::op::CancelKeyDeletion>(
    Call& call, const api::CancelKeyDeletionRequest& /*request*/) {
  const KeyEntry& entry = call.key();
  KT_ASSIGN(keys::Key changed,
            keys::CancelKeyDeletion(entry.key, keys::LacksMaterial(entry.key, ImportsOf(entry))));
  ReplaceKey(call, entry, std::move(changed));
  return api::CancelKeyDeletionResponse{.key_id = entry.key.arn()};
}

}  // namespace keyturn::service
