// RequestState: one request between its arrival and its reply.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/operation.h"
#include "base/secret.h"
#include "base/time.h"
#include "base/uuid.h"
#include "http/server.h"
#include "service/call.h"

namespace keyturn::server {

// AuditFacts: what the trail says of the request beyond who and when. JSON members are objects or
// empty.
struct AuditFacts {
  std::string event_name;
  bool read_only = true;
  std::string request_parameters;
  std::string response_elements;
  std::string additional_event_data;  // what was known before the operation, an object or empty
  std::string operation_event_data;   // what the operation adds to it, likewise
  struct Resource {
    std::string account;
    const char* type;
    std::string arn;
  };
  std::vector<Resource> resources;
  std::string_view event_source;  // a literal; empty: kms.amazonaws.com
  std::string_view event_type;    // a literal; empty: AwsApiCall
  bool from_console = false;      // made with a console session, not with a signature
};

struct RequestState {
  std::shared_ptr<http::Exchange> exchange;
  TimePoint now;
  UuidText request_id{};
  UuidText event_id{};  // of its trail record, where that is known before the answer; else zeros
  std::optional<api::Operation> operation;  // of KMS, once its name is known
  bool sts = false;                         // Query protocol: answers are XML
  service::Caller caller;                   // known once the request is authenticated
  model::Region region;
  AuditFacts audit;
  std::optional<SecretBytes> ready_material;  // CreateKey: made ahead, see service::Call
  bool counted = false;                       // against the request quotas
  std::shared_ptr<const service::OutsideWork> outside_work;  // see service/outside_work.h
  std::string extra_head;  // header lines of the reply, each with its CRLF
  std::string body;        // of the reply, once the operation has succeeded
};
using RequestPtr = std::shared_ptr<RequestState>;

}  // namespace keyturn::server
