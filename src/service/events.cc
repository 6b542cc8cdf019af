#include "service/events.h"

#include <fmt/format.h>

#include "base/uuid.h"
#include "trail/record.h"

namespace keyturn::service {
namespace {

// StartServiceEvent fills what all these records share; record refers to arn and event_id.
trail::Record StartServiceEvent(const keys::Key& key, std::string_view arn,
                                std::string_view event_id, std::string_view name, TimePoint now) {
  trail::Record record;
  record.identity.account_id = key.account.text();
  record.event_time = now;
  record.event_name = name;
  record.region = key.region.name();
  record.source_ip = "AWS Internal";
  record.user_agent = "AWS Internal";
  record.event_id = event_id;
  record.resources = {{key.account.text(), "AWS::KMS::Key", arn}};
  record.event_type = "AwsServiceEvent";
  record.recipient_account_id = key.account.text();
  return record;
}

void AddRecord(Txn& txn, const trail::Record& record, const std::string& event_id) {
  std::string line;
  trail::AppendLine(record, line);
  line.pop_back();  // the line end is the trail's
  txn.AddTrailLine(event_id, std::move(line));
}

// AddNotification queues an event in EventBridge's form, in the commit that it tells of.
// Source: KMS Developer Guide, "Monitoring KMS keys with Amazon EventBridge".
void AddNotification(Txn& txn, const Environment& environment, const keys::Key& key,
                     std::string_view detail_type, TimePoint now) {
  if (!environment.notifies) return;
  const std::string id = NewUuid(environment.random);
  // Every value is an identifier: nothing to escape.
  txn.AddNotification(
      {id, fmt::format(R"({{"version":"0","id":"{}","detail-type":"{}","source":"aws.kms",)"
                       R"("account":"{}","time":"{}","region":"{}","resources":["{}"],)"
                       R"("detail":{{"key-id":"{}"}}}})",
                       id, detail_type, key.account.text(), FormatIso8601(now), key.region.name(),
                       key.arn(), key.id.text())});
}

void AddServiceEvent(Txn& txn, const Environment& environment, const keys::Key& key,
                     std::string_view name, std::string_view details_json, TimePoint now) {
  const std::string event_id = NewUuid(environment.random);
  const std::string arn = key.arn();
  trail::Record record = StartServiceEvent(key, arn, event_id, name, now);
  record.service_event_details_json = details_json;
  AddRecord(txn, record, event_id);
}

}  // namespace

void AddRotateKeyEvent(Txn& txn, const Environment& environment, const keys::Key& before,
                       const keys::Key& after, model::RotationType type, TimePoint now) {
  // Every value is an identifier or an enum name: nothing to escape.
  const std::string details =
      fmt::format(R"({{"rotationType":"{}","keyOrigin":"{}","previousKeyMaterialId":"{}",)"
                  R"("currentKeyMaterialId":"{}","keyId":"{}"}})",
                  model::ToWire(type), model::ToWire(after.origin), before.current_material.hex(),
                  after.current_material.hex(), after.id.text());
  AddServiceEvent(txn, environment, after, "RotateKey", details, now);
  AddNotification(txn, environment, after, "KMS CMK Rotation", now);
}

void AddDeleteKeyEvent(Txn& txn, const Environment& environment, const keys::Key& key,
                       TimePoint now) {
  AddServiceEvent(txn, environment, key, "DeleteKey", {}, now);
  AddNotification(txn, environment, key, "KMS CMK Deletion", now);
}

void AddExpiryEvent(Txn& txn, const Environment& environment, const keys::Key& key, TimePoint now) {
  AddServiceEvent(txn, environment, key, "DeleteExpiredKeyMaterial",
                  fmt::format(R"({{"keyId":"{}"}})", key.id.text()), now);
  AddNotification(txn, environment, key, "KMS Imported Key Material Expiration", now);
}

void AddSynchronizeEvent(Txn& txn, const Environment& environment, const keys::Key& primary,
                         TimePoint now) {
  const std::string event_id = NewUuid(environment.random);
  const std::string request_id = NewUuid(environment.random);
  const std::string arn = primary.arn();
  const std::string response = fmt::format(R"({{"keyId":"{}"}})", arn);
  trail::Record record =
      StartServiceEvent(primary, arn, event_id, "SynchronizeMultiRegionKey", now);
  record.event_type = "AwsApiCall";
  record.request_id = request_id;
  record.response_elements_json = response;
  AddRecord(txn, record, event_id);
}

}  // namespace keyturn::service
