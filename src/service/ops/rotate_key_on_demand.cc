#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::RotateKeyOnDemandResponse> Handle<api::op::RotateKeyOnDemand>(
    Call& call, const api::RotateKeyOnDemandRequest& /*request*/) {
  const KeyEntry& entry = call.key();
  KT_TRY(keys::CheckRotateOnDemand(entry.key, call.now));
  KT_ASSIGN(const auto failures, RotateKeys(*call.txn, call.environment, {call.targets.front().key},
                                            model::RotationType::kOnDemand, call.now));
  if (!failures.empty()) {
    return Fail(ErrorCode::kKMSInternalException, {}, failures.front().error.message);
  }
  return api::RotateKeyOnDemandResponse{.key_id = entry.key.arn()};
}

}  // namespace keyturn::service
