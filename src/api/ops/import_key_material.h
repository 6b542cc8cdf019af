// ImportKeyMaterial: imports key material.
// Source: KMS API model 2014-11-01, ImportKeyMaterial.
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

struct ImportKeyMaterialRequest {
  std::string key_id;
  Bytes import_token;
  Bytes encrypted_key_material;
  std::optional<TimePoint> valid_to;
  std::optional<model::ExpirationModelType> expiration_model;
  std::optional<model::ImportType> import_type;
  std::optional<std::string> key_material_description;
  std::optional<std::string> key_material_id;
};

template <>
inline constexpr auto kShape<ImportKeyMaterialRequest> = std::tuple{
    Member{"KeyId", &ImportKeyMaterialRequest::key_id, kRequired, Length{1, 2048}},
    Member{"ImportToken", &ImportKeyMaterialRequest::import_token, kRequired, kNeverLogged,
           Length{1, 6144}},
    Member{"EncryptedKeyMaterial", &ImportKeyMaterialRequest::encrypted_key_material, kRequired,
           kNeverLogged, Length{1, 6144}},
    Member{"ValidTo", &ImportKeyMaterialRequest::valid_to},
    Member{"ExpirationModel", &ImportKeyMaterialRequest::expiration_model},
    Member{"ImportType", &ImportKeyMaterialRequest::import_type},
    Member{"KeyMaterialDescription", &ImportKeyMaterialRequest::key_material_description,
           Length{0, 256}, &pattern::kKeyMaterialDescription},
    Member{"KeyMaterialId", &ImportKeyMaterialRequest::key_material_id, Length{64, 64},
           &pattern::kBackingKeyId},
};

struct ImportKeyMaterialResponse {
  std::optional<std::string> key_id;
  std::optional<std::string> key_material_id;
};

template <>
inline constexpr auto kShape<ImportKeyMaterialResponse> = std::tuple{
    Member{"KeyId", &ImportKeyMaterialResponse::key_id, Length{1, 2048}},
    Member{"KeyMaterialId", &ImportKeyMaterialResponse::key_material_id, Length{64, 64},
           &pattern::kBackingKeyId},
};

namespace op {
struct ImportKeyMaterial {
  using Request = ImportKeyMaterialRequest;
  using Response = ImportKeyMaterialResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kImportKeyMaterial,
                                       .name = "ImportKeyMaterial",
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
