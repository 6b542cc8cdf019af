// GetParametersForImport: returns a wrapping key and an import token.
// Source: KMS API model 2014-11-01, GetParametersForImport.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "api/operation.h"
#include "api/patterns.h"
#include "api/shape.h"
#include "api/structures.h"
#include "base/bytes.h"
#include "base/secret.h"
#include "base/time.h"
#include "model/enums.h"

namespace keyturn::api {

struct GetParametersForImportRequest {
  std::string key_id;
  model::AlgorithmSpec wrapping_algorithm{};
  model::WrappingKeySpec wrapping_key_spec{};
};

template <>
inline constexpr auto kShape<GetParametersForImportRequest> = std::tuple{
    Member{"KeyId", &GetParametersForImportRequest::key_id, kRequired, Length{1, 2048}},
    Member{"WrappingAlgorithm", &GetParametersForImportRequest::wrapping_algorithm, kRequired},
    Member{"WrappingKeySpec", &GetParametersForImportRequest::wrapping_key_spec, kRequired},
};

struct GetParametersForImportResponse {
  std::optional<std::string> key_id;
  std::optional<Bytes> import_token;
  std::optional<SecretBytes> public_key;
  std::optional<TimePoint> parameters_valid_to;
};

template <>
inline constexpr auto kShape<GetParametersForImportResponse> = std::tuple{
    Member{"KeyId", &GetParametersForImportResponse::key_id, Length{1, 2048}},
    Member{"ImportToken", &GetParametersForImportResponse::import_token, kNeverLogged,
           Length{1, 6144}},
    Member{"PublicKey", &GetParametersForImportResponse::public_key, kNeverLogged, Length{1, 4096}},
    Member{"ParametersValidTo", &GetParametersForImportResponse::parameters_valid_to},
};

namespace op {
struct GetParametersForImport {
  using Request = GetParametersForImportRequest;
  using Response = GetParametersForImportResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kGetParametersForImport,
                                       .name = "GetParametersForImport",
                                       .access = Access::kRead,
                                       .read_only = true,
                                       .mutates = false,
                                       .key_argument = KeyArgument::kKey,
                                       .cross_account = false,
                                       .has_output = true,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
