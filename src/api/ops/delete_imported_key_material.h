// DeleteImportedKeyMaterial: deletes imported material.
// Source: KMS API model 2014-11-01, DeleteImportedKeyMaterial.
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

struct DeleteImportedKeyMaterialRequest {
  std::string key_id;
  std::optional<std::string> key_material_id;
};

template <>
inline constexpr auto kShape<DeleteImportedKeyMaterialRequest> = std::tuple{
    Member{"KeyId", &DeleteImportedKeyMaterialRequest::key_id, kRequired, Length{1, 2048}},
    Member{"KeyMaterialId", &DeleteImportedKeyMaterialRequest::key_material_id, Length{64, 64},
           &pattern::kBackingKeyId},
};

struct DeleteImportedKeyMaterialResponse {
  std::optional<std::string> key_id;
  std::optional<std::string> key_material_id;
};

template <>
inline constexpr auto kShape<DeleteImportedKeyMaterialResponse> = std::tuple{
    Member{"KeyId", &DeleteImportedKeyMaterialResponse::key_id, Length{1, 2048}},
    Member{"KeyMaterialId", &DeleteImportedKeyMaterialResponse::key_material_id, Length{0, 64},
           &pattern::kBackingKeyIdResponse},
};

namespace op {
struct DeleteImportedKeyMaterial {
  using Request = DeleteImportedKeyMaterialRequest;
  using Response = DeleteImportedKeyMaterialResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kDeleteImportedKeyMaterial,
                                       .name = "DeleteImportedKeyMaterial",
                                       .access = Access::kWrite,
                                       .read_only = false,
                                       .mutates = true,
                                       .key_argument = KeyArgument::kKey,
                                       .cross_account = false,
                                       .has_output = true,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
