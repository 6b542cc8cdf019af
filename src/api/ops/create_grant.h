// CreateGrant: lets a principal use a key.
// Source: KMS API model 2014-11-01, CreateGrant.
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

struct CreateGrantRequest {
  std::string key_id;
  std::string grantee_principal;
  std::optional<std::string> retiring_principal;
  std::vector<model::GrantOperation> operations;
  std::optional<GrantConstraints> constraints;
  std::optional<std::vector<std::string>> grant_tokens;
  std::optional<std::string> name;
  std::optional<bool> dry_run;
};

template <>
inline constexpr auto kShape<CreateGrantRequest> = std::tuple{
    Member{"KeyId", &CreateGrantRequest::key_id, kRequired, Length{1, 2048}},
    Member{"GranteePrincipal", &CreateGrantRequest::grantee_principal, kRequired, Length{1, 256},
           &pattern::kPrincipalId},
    Member{"RetiringPrincipal", &CreateGrantRequest::retiring_principal, Length{1, 256},
           &pattern::kPrincipalId},
    Member{"Operations", &CreateGrantRequest::operations, kRequired},
    Member{"Constraints", &CreateGrantRequest::constraints},
    Member{"GrantTokens", &CreateGrantRequest::grant_tokens, kNeverLogged, Length{0, 10},
           Each{Length{1, 8192}}},
    Member{"Name", &CreateGrantRequest::name, Length{1, 256}, &pattern::kAliasName},
    Member{"DryRun", &CreateGrantRequest::dry_run},
};

struct CreateGrantResponse {
  std::optional<std::string> grant_token;
  std::optional<std::string> grant_id;
};

template <>
inline constexpr auto kShape<CreateGrantResponse> = std::tuple{
    Member{"GrantToken", &CreateGrantResponse::grant_token, kNeverLogged, Length{1, 8192}},
    Member{"GrantId", &CreateGrantResponse::grant_id, Length{1, 128}},
};

namespace op {
struct CreateGrant {
  using Request = CreateGrantRequest;
  using Response = CreateGrantResponse;
  static constexpr OperationInfo kInfo{.operation = Operation::kCreateGrant,
                                       .name = "CreateGrant",
                                       .access = Access::kWrite,
                                       .read_only = false,
                                       .mutates = true,
                                       .key_argument = KeyArgument::kKey,
                                       .cross_account = true,
                                       .has_output = true,
                                       .refusal = ""};
};
}  // namespace op

}  // namespace keyturn::api
