#include "trail/record.h"

#include <cstdint>
#include <limits>

#include "json/json.h"

namespace keyturn::trail {
namespace {

// Utf8Length returns the length of the well-formed character at the front, 0 if there is none
// (Unicode 15, table 3-7).
std::size_t Utf8Length(std::string_view text) {
  const auto at = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto tail = [&](std::size_t i) { return (at(i) & 0xC0) == 0x80; };
  const unsigned lead = at(0);
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xC2 && lead <= 0xDF) {
    return tail(1) ? 2 : 0;
  }
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool second =
        tail(1) && (lead != 0xE0 || at(1) >= 0xA0) && (lead != 0xED || at(1) < 0xA0);
    return second && tail(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool second =
        tail(1) && (lead != 0xF0 || at(1) >= 0x90) && (lead != 0xF4 || at(1) < 0x90);
    return second && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

// AppendText appends any bytes as a JSON string; what is not UTF-8 becomes U+FFFD, so that a
// client's header can never make the line invalid.
void AppendText(std::string_view text, std::string& out) {
  if (json::IsPlainAscii(text)) {
    json::AppendPlain(text, out);
    return;
  }
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    if (length == 0) {
      clean += "\xEF\xBF\xBD";
      text.remove_prefix(1);
    } else {
      clean += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  json::AppendQuoted(clean, out);
}

// FirstKilobyte: AWS cuts errorMessage there, and so no message makes a record that is much longer
// than its request. Whole characters only.
std::string_view FirstKilobyte(std::string_view text) {
  constexpr std::size_t kKilobyte = 1024;
  if (text.size() <= kKilobyte) return text;
  const auto is_tail = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  std::size_t end = kKilobyte;
  while (end > kKilobyte - 3 && is_tail(text[end])) --end;
  return text.substr(0, end);
}

// Field appends name (with its comma, quotes and colon) and a string.
void Field(std::string_view name, std::string_view text, std::string& out) {
  out += name;
  AppendText(text, out);
}

void OptionalField(std::string_view name, std::string_view text, std::string& out) {
  if (!text.empty()) {
    Field(name, text, out);
  }
}

void JsonOrNull(std::string_view name, std::string_view json, std::string& out) {
  out += name;
  out += json.empty() ? std::string_view("null") : json;
}

void OptionalJson(std::string_view name, std::string_view json, std::string& out) {
  if (!json.empty()) {
    JsonOrNull(name, json, out);
  }
}

// AppendTime appends the second; records of one second share the formatting.
void AppendTime(TimePoint time, std::string& out) {
  thread_local std::int64_t cached_second = std::numeric_limits<std::int64_t>::min();
  thread_local std::string cached_text;
  const std::int64_t second =
      std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  if (second != cached_second) {
    cached_text = FormatIso8601(time);
    cached_second = second;
  }
  out += cached_text;
}

void AppendIdentity(const UserIdentity& identity, std::string& out) {
  if (identity.type.empty()) {
    Field(R"("userIdentity":{"accountId":)", identity.account_id, out);
    out += R"(,"invokedBy":"AWS Internal"})";
    return;
  }
  Field(R"("userIdentity":{"type":)", identity.type, out);
  OptionalField(R"(,"principalId":)", identity.principal_id, out);
  OptionalField(R"(,"arn":)", identity.arn, out);
  OptionalField(R"(,"accountId":)", identity.account_id, out);
  OptionalField(R"(,"accessKeyId":)", identity.access_key_id, out);
  OptionalField(R"(,"userName":)", identity.user_name, out);
  OptionalJson(R"(,"sessionContext":)", identity.session_context_json, out);
  out += '}';
}

void AppendResources(const std::vector<Resource>& resources, std::string& out) {
  if (resources.empty()) {
    return;
  }
  out += R"(,"resources":)";
  char separator = '[';
  for (const Resource& resource : resources) {
    out += separator;
    separator = ',';
    Field(R"({"accountId":)", resource.account_id, out);
    Field(R"(,"type":)", resource.type, out);
    Field(R"(,"ARN":)", resource.arn, out);
    out += '}';
  }
  out += ']';
}

void AppendTls(const Record& record, std::string& out) {
  if (record.tls_version.empty()) {
    return;
  }
  Field(R"(,"tlsDetails":{"tlsVersion":)", record.tls_version, out);
  Field(R"(,"cipherSuite":)", record.tls_cipher_suite, out);
  Field(R"(,"clientProvidedHostHeader":)", record.tls_host, out);
  out += '}';
}

}  // namespace

void AppendLine(const Record& record, std::string& out) {
  out += R"({"eventVersion":"1.11",)";
  AppendIdentity(record.identity, out);
  out += R"(,"eventTime":")";
  AppendTime(record.event_time, out);
  Field(R"(","eventSource":)", record.event_source, out);
  Field(R"(,"eventName":)", record.event_name, out);
  Field(R"(,"awsRegion":)", record.region, out);
  Field(R"(,"sourceIPAddress":)", record.source_ip, out);
  Field(R"(,"userAgent":)", record.user_agent, out);
  OptionalField(R"(,"errorCode":)", record.error_code, out);
  OptionalField(R"(,"errorMessage":)", FirstKilobyte(record.error_message), out);
  JsonOrNull(R"(,"requestParameters":)", record.request_parameters_json, out);
  JsonOrNull(R"(,"responseElements":)", record.response_elements_json, out);
  OptionalJson(R"(,"additionalEventData":)", record.additional_event_data_json, out);
  OptionalField(R"(,"requestID":)", record.request_id, out);
  Field(R"(,"eventID":)", record.event_id, out);
  out += record.read_only ? R"(,"readOnly":true)" : R"(,"readOnly":false)";
  AppendResources(record.resources, out);
  Field(R"(,"eventType":)", record.event_type, out);
  Field(R"(,"managementEvent":true,"recipientAccountId":)", record.recipient_account_id, out);
  OptionalJson(R"(,"serviceEventDetails":)", record.service_event_details_json, out);
  out += R"(,"eventCategory":"Management")";
  AppendTls(record, out);
  if (record.session_credential_from_console) out += R"(,"sessionCredentialFromConsole":"true")";
  out += "}\n";
}

}  // namespace keyturn::trail
