#include "server/audit.h"

#include "api/errors.h"
#include "model/arn.h"
#include "trail/record.h"

namespace keyturn::server {

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
  if (request.caller.user != nullptr) {
    const store::UserRow& user = request.caller.user->row;
    record.identity = {"IAMUser",
                       user.user_id,
                       request.caller.user->arn,
                       user.account.text(),
                       request.caller.access_key->row.id,
                       user.name};
    record.recipient_account_id = user.account.text();
  } else {
    record.identity.type = "Unknown";
  }
  record.event_time = request.now;
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
  record.additional_event_data_json = request.audit.additional_event_data;
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
