#include "api/ops/describe_key.h"

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::DescribeKeyResponse> Handle<api::op::DescribeKey>(
    Call& call, const api::DescribeKeyRequest& request) {
  KT_TRY(CheckGrantTokens(call, request.grant_tokens));
  return api::DescribeKeyResponse{.key_metadata = ToKeyMetadata(call.view, call.key())};
}

}  // namespace keyturn::service
