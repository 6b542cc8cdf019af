#include "server/audit.h"

#include "api/errors.h"
#include "json/json.h"
#include "model/arn.h"
#include "trail/record.h"

namespace keyturn::server {

namespace {

// AppendSessionContext: who issued temporary credentials, and when.
void AppendSessionContext(const service::Caller& caller, std::string& out) {
  json::Writer writer(out);
  writer.BeginObject();
  if (caller.role) {
    writer.Key("sessionIssuer").BeginObject();
    writer.Key("type").String("Role").Key("principalId").String(caller.role->row.role_id);
    writer.Key("arn").String(caller.role->arn);
    writer.Key("accountId").String(caller.account().text());
    writer.Key("userName").String(caller.role->row.name).EndObject();
  }
  writer.Key("attributes").BeginObject();
  writer.Key("creationDate").String(FormatIso8601(caller.session->issued));
  writer.Key("mfaAuthenticated").String("false").EndObject();
  if (!caller.session->source_identity.empty()) {
    writer.Key("sourceIdentity").String(caller.session->source_identity);
  }
  writer.EndObject();
}

// JoinObjects: one object with the members of two, neither of which is empty.
std::string JoinObjects(std::string_view one, std::string_view other) {
  std::string both(one);
  both.back() = ',';
  return both.append(other.substr(1));
}

}  // namespace

void NoteTargets(const service::Call& call, AuditFacts& facts) {
  facts.resources.clear();
  for (const service::Target& target : call.targets) {
    const keys::Key& key = target.key->key;
    facts.resources.push_back({std::string(key.account.text()), "AWS::KMS::Key", key.arn()});
    if (target.alias) {
      facts.resources.push_back({std::string(key.account.text()), "AWS::KMS::Alias",
                                 model::AliasArn(key.region, key.account, target.alias->name)});
    }
  }
}

void AppendAuditLine(const RequestState& request, std::string_view event_id, const Error* error,
                     std::string& out) {
  const http::RequestView& view = request.exchange->request();
  trail::Record record;
  const service::Caller& caller = request.caller;
  std::string unique_id;
  std::string session_context;
  if (caller.known()) {
    unique_id = caller.unique_id();
    if (caller.session) AppendSessionContext(caller, session_context);
    record.identity = {caller.role ? "AssumedRole" : "IAMUser",
                       unique_id,
                       caller.arn(),
                       caller.account().text(),
                       caller.access_key_id(),
                       caller.role ? std::string_view() : std::string_view(caller.user->row.name),
                       session_context};
    record.recipient_account_id = caller.account().text();
  } else {
    record.identity.type = "Unknown";
  }
  record.event_time = request.now;
  if (request.sts) record.event_source = "sts.amazonaws.com";
  if (!request.audit.event_source.empty()) record.event_source = request.audit.event_source;
  if (!request.audit.event_type.empty()) record.event_type = request.audit.event_type;
  record.session_credential_from_console = request.audit.from_console;
  record.event_name = request.audit.event_name;
  record.region = request.region.name();
  record.source_ip = view.remote_address;
  record.user_agent = view.Header("user-agent");
  if (error != nullptr) {
    record.error_code = error->code == ErrorCode::kAccessDeniedException
                            ? std::string_view("AccessDenied")
                            : api::Wire(error->code).name;
    if (api::IsWireError(error->code)) record.error_message = error->message;
  } else {
    record.response_elements_json = request.audit.response_elements;
  }
  record.request_parameters_json = request.audit.request_parameters;
  const std::string& before = request.audit.additional_event_data;
  const std::string& added = request.audit.operation_event_data;
  std::string joined;
  if (!before.empty() && !added.empty()) joined = JoinObjects(before, added);
  record.additional_event_data_json = !joined.empty() ? joined : before.empty() ? added : before;
  record.request_id = {request.request_id.data(), request.request_id.size()};
  record.event_id = event_id;
  record.read_only = request.audit.read_only;
  for (const AuditFacts::Resource& resource : request.audit.resources) {
    record.resources.push_back({resource.account, resource.type, resource.arn});
  }
  if (view.tls) {
    record.tls_version = view.tls->version;
    record.tls_cipher_suite = view.tls->cipher_suite;
    record.tls_host = view.Header("host");
  }
  trail::AppendLine(record, out);
}

}  // namespace keyturn::server
