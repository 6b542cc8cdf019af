// Record: one CloudTrail record, as the server fills it in, and its JSON line.
// Source: as trail/trail.h; KMS Developer Guide, "Logging AWS KMS API calls with AWS CloudTrail".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/ids.h"

namespace keyturn::trail {

// UserIdentity of an API call. For service events leave type empty.
struct UserIdentity {
  std::string_view type;  // "IAMUser", "Root"; empty: {accountId, invokedBy "AWS Internal"}
  std::string_view principal_id;
  std::string_view arn;
  std::string_view account_id;
  std::string_view access_key_id;
  std::string_view user_name;                  // IAMUser only
  std::string_view session_context_json = {};  // temporary credentials only: an object
};

struct Resource {
  std::string_view account_id;
  std::string_view type;  // "AWS::KMS::Key" or "AWS::KMS::Alias"
  std::string_view arn;
};

// Record holds views: it lives for one AppendLine call. The *_json members are JSON objects,
// already redacted; empty means null (request_parameters, response_elements) or absent (the
// others).
struct Record {
  UserIdentity identity;
  TimePoint event_time;
  std::string_view event_source = "kms.amazonaws.com";
  std::string_view event_name;
  std::string_view region;
  std::string_view source_ip;
  std::string_view user_agent;
  std::string_view error_code;
  std::string_view error_message;  // its first KiB is written
  std::string_view request_parameters_json;
  std::string_view response_elements_json;
  std::string_view additional_event_data_json;
  std::string_view service_event_details_json;
  std::string_view request_id;  // empty for service events
  std::string_view event_id;
  bool read_only = false;
  std::vector<Resource> resources;
  std::string_view event_type = "AwsApiCall";  // or "AwsServiceEvent"
  std::string_view recipient_account_id;
  std::string_view tls_version;  // empty: no tlsDetails
  std::string_view tls_cipher_suite;
  std::string_view tls_host;
  bool session_credential_from_console = false;
};

// AppendLine appends the record and '\n'.
void AppendLine(const Record& record, std::string& out);

}  // namespace keyturn::trail
