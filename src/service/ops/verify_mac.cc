#include "api/ops/verify_mac.h"

#include "crypto/digest.h"
#include "service/ops/mac.h"

namespace keyturn::service {

template <>
Result<api::VerifyMacResponse> Handle<api::op::VerifyMac>(Call& call,
                                                          const api::VerifyMacRequest& request) {
  KT_TRY(CheckMacUse(call, keys::KeyOperation::kVerifyMac, "VerifyMac", request));
  KT_ASSIGN(const Bytes mac, MacOf(call, request));
  if (!crypto::ConstantTimeEquals(mac, request.mac)) {
    return Fail(ErrorCode::kKMSInvalidMacException);
  }
  KT_TRY(CheckDryRun(request.dry_run));
  return api::VerifyMacResponse{
      .key_id = call.key().key.arn(), .mac_valid = true, .mac_algorithm = request.mac_algorithm};
}

}  // namespace keyturn::service
