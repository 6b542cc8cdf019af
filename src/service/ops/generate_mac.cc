#include "api/ops/generate_mac.h"

#include "service/ops/mac.h"

namespace keyturn::service {

template <>
Result<api::GenerateMacResponse> Handle<api::op::GenerateMac>(
    Call& call, const api::GenerateMacRequest& request) {
  KT_TRY(CheckMacUse(call, keys::KeyOperation::kGenerateMac, "GenerateMac", request));
  KT_TRY(CheckDryRun(request.dry_run));
  KT_ASSIGN(Bytes mac, MacOf(call, request));
  return api::GenerateMacResponse{.mac = std::move(mac),
                                  .mac_algorithm = request.mac_algorithm,
                                  .key_id = call.key().key.arn()};
}

}  // namespace keyturn::service
