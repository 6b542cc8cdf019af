// What a caller may do to a key, so that the console shows the rest disabled, with the reason.
#include <array>

#include "api/ops/describe_key.h"
#include "console/views.h"
#include "json/json.h"
#include "server/form.h"
#include "service/access.h"

namespace keyturn::console {
namespace {

using service::Call;

constexpr std::string_view kOnKey[] = {"CancelKeyDeletion",
                                       "CreateAlias",
                                       "CreateGrant",
                                       "DeleteAlias",
                                       "DeleteImportedKeyMaterial",
                                       "DescribeKey",
                                       "DisableKey",
                                       "DisableKeyRotation",
                                       "EnableKey",
                                       "EnableKeyRotation",
                                       "GetKeyPolicy",
                                       "GetKeyRotationStatus",
                                       "GetParametersForImport",
                                       "GetPublicKey",
                                       "ImportKeyMaterial",
                                       "ListGrants",
                                       "ListKeyRotations",
                                       "ListResourceTags",
                                       "PutKeyPolicy",
                                       "ReplicateKey",
                                       "RevokeGrant",
                                       "RotateKeyOnDemand",
                                       "ScheduleKeyDeletion",
                                       "TagResource",
                                       "UntagResource",
                                       "UpdateAlias",
                                       "UpdateKeyDescription",
                                       "UpdatePrimaryRegion"};
constexpr std::string_view kOnNoKey[] = {"CreateKey", "ListAliases", "ListKeys"};

void WriteDecision(std::string_view operation, const Status& allowed, json::Writer& out) {
  out.Key(operation).BeginObject().Key("Allowed").Bool(allowed.has_value());
  if (!allowed) out.Key("Reason").String(allowed.error().message);
  out.EndObject();
}

}  // namespace

Status ViewPermissions(service::Service& service, server::RequestState& request) {
  const auto query = server::Form::Parse(request.exchange->request().query);
  if (!query) return Fail(ErrorCode::kValidationException, "The query is malformed.");
  const service::Environment& environment = service.environment();
  Call call{environment, request.caller, request.region, request.now, environment.tables};
  json::Writer out(request.body);
  const std::string key_id = query->Get("key-id");
  if (key_id.empty()) {
    out.BeginObject();
    for (const std::string_view operation : kOnNoKey) {
      WriteDecision(operation,
                    service::AuthorizeResource(call, "kms:" + std::string(operation), "*"), out);
    }
    WriteDecision("LookupEvents", service::AuthorizeResource(call, "keyturn:LookupEvents", "*"),
                  out);
    out.EndObject();
    return {};
  }
  // Who may not describe a key learns nothing about it here either.
  KT_TRY(service::Prepare<api::op::DescribeKey>(call, {key_id, std::nullopt}));
  call.asked = {};  // the decisions are about requests that nobody has made yet
  const service::Target target = call.targets.front();
  out.BeginObject();
  for (const std::string_view operation : kOnKey) {
    WriteDecision(operation, service::AuthorizeKey(call, "kms:" + std::string(operation), target),
                  out);
  }
  out.EndObject();
  return {};
}

}  // namespace keyturn::console
