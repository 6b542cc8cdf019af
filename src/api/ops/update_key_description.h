// UpdateKeyDescription: replaces the description of a key.
// Source: KMS API model 2014-11-01, UpdateKeyDescription.
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

struct UpdateKeyDescriptionRequest {
  std::string key_id;
  std::string description;
};

template <>
inline constexpr auto kShape<UpdateKeyDescriptionRequest> = std::tuple{
    Member{"KeyId", &UpdateKeyDescriptionRequest::key_id, kRequired, Length{1, 2048}},
    Member{"Description", &UpdateKeyDescriptionRequest::description, kRequired, Length{0, 8192}},
};

struct UpdateKeyDescriptionResponse {};

template <>
inline constexpr auto kShape<UpdateKeyDescriptionResponse> = std::tuple<>{};

namespace op {
struct UpdateKeyDescription {
  using Request = UpdateKeyDescriptionRequest;
  using Response = UpdateKeyDescriptionResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kUpdateKeyDescription,
                                       .name = "UpdateKeyDescription",
                                       .access = Access::kWrite,
                                       .read_only = false,
                                       .mutates = true,
                                       .key_argument = KeyArgument::kKey,
                                       .cross_account = false,
                                       .has_output = false,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
