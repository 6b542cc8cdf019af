// FakeKms: an in-memory KMS behind an http::Client, for the tests of this room. It pages, is
// eventually consistent on demand, and lets a test answer any call instead of it.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "client/scripted_http.h"
#include "control/target.h"
#include "json/json.h"

namespace keyturn::control {

struct FakeKey {
  std::string id{};
  std::string region = "eu-central-1";
  std::vector<std::string> aliases{};
  std::string manager = "CUSTOMER";
  std::string spec = "SYMMETRIC_DEFAULT";
  std::string origin = "AWS_KMS";
  std::string state = "Enabled";
  bool enabled = false;
  int period = 365;
  std::string primary_region{};  // a multi-Region key; else empty
  std::vector<std::pair<std::string, std::string>> tags{};
  std::vector<std::pair<double, std::string>> rotations{};  // seconds since 1970, and type
  // stale_reads: how many reads of the rotation status still show what was before a write.
  int stale_reads = 0;
  bool was_enabled = false;
  int was_period = 365;
  int stale_left = 0;

  std::string arn() const { return "arn:aws:kms:" + region + ":111122223333:key/" + id; }
};

// FakeCall: a request, taken apart.
struct FakeCall {
  std::string operation;
  std::string region;
  std::string key;  // KeyId as sent
  std::string body;
};

class FakeKms {
 public:
  using Reply = Result<http::ClientResponse>;
  // Intercept answers a call instead of the fake, or lets it pass with nullopt.
  using Intercept = std::function<std::optional<Reply>(const FakeCall&)>;

  explicit FakeKms(ManualClock& clock)
      : http_(clock, [this](const http::ClientRequest& request) { return Answer(request); }) {}

  FakeKey& Add(FakeKey key) {
    if (key.id.empty()) key.id = "key-" + std::to_string(1000 + keys.size());
    keys.push_back(std::move(key));
    return keys.back();
  }
  FakeKey& Find(std::string_view id_or_arn, std::string_view region) {
    for (FakeKey& key : keys) {
      if (key.region == region && (key.id == id_or_arn || key.arn() == id_or_arn)) return key;
    }
    return none_;
  }
  std::size_t Count(std::string_view operation) const {
    std::size_t count = 0;
    for (const FakeCall& call : calls) count += call.operation == operation ? 1 : 0;
    return count;
  }
  std::size_t Count(std::string_view operation, std::string_view id) const {
    std::size_t count = 0;
    for (const FakeCall& call : calls) {
      count += call.operation == operation && call.key.ends_with(id) ? 1 : 0;
    }
    return count;
  }
  http::Client& http() { return http_; }

  static Reply Error(std::string_view name, std::string_view message = "no") {
    return client::JsonReply(400, std::string(R"({"__type":")") + std::string(name) +
                                      R"(","message":")" + std::string(message) + R"("})");
  }
  static Reply Denied(const FakeCall& call) {
    return Error("AccessDeniedException", "not authorized to perform: kms:" + call.operation);
  }

  std::deque<FakeKey> keys;
  std::vector<FakeCall> calls;
  std::size_t page_size = 1000;  // of ListKeys, at most
  Intercept intercept;

 private:
  Reply Answer(const http::ClientRequest& request);
  std::string KeyPage(const FakeCall& call, std::size_t begin) const;
  std::string AliasPage(const FakeCall& call, std::size_t begin) const;
  static std::string Metadata(const FakeKey& key);
  static std::string Status(FakeKey& key);
  static std::string Tags(const FakeKey& key);
  std::string Rotations(const FakeKey& key, std::size_t begin) const;
  Reply Write(const FakeCall& call, FakeKey& key, std::optional<std::int64_t> period);

  FakeKey none_;
  client::ScriptedHttp http_;
};

inline FakeKms::Reply FakeKms::Answer(const http::ClientRequest& request) {
  FakeCall call;
  call.operation = client::HeaderOf(request, "X-Amz-Target").substr(13);
  const std::string authorization = client::HeaderOf(request, "Authorization");
  const auto scope = authorization.find('/', authorization.find('/') + 1) + 1;
  call.region = authorization.substr(scope, authorization.find('/', scope) - scope);
  call.body = request.body;
  json::Parser parser;
  const auto body = parser.Parse(request.body);
  const auto text = [&body](std::string_view name) {
    const auto member = body->Find(name);
    return std::string(member ? member->AsString().value_or("") : std::string_view{});
  };
  call.key = text("KeyId");
  calls.push_back(call);
  if (intercept) {
    if (auto reply = intercept(call)) return *reply;
  }
  const std::string marker = text("Marker");
  const std::size_t begin = marker.empty() ? 0 : std::stoul(marker);
  if (call.operation == "ListKeys") return client::JsonReply(200, KeyPage(call, begin));
  if (call.operation == "ListAliases") return client::JsonReply(200, AliasPage(call, begin));
  FakeKey& key = Find(call.key, call.region);
  if (key.id.empty()) return Error("NotFoundException", "Key does not exist");
  if (call.operation == "DescribeKey") return client::JsonReply(200, Metadata(key));
  if (call.operation == "GetKeyRotationStatus") return client::JsonReply(200, Status(key));
  if (call.operation == "ListResourceTags") return client::JsonReply(200, Tags(key));
  if (call.operation == "ListKeyRotations") return client::JsonReply(200, Rotations(key, begin));
  const auto period = body->Find("RotationPeriodInDays");
  return Write(call, key, period ? period->AsInt() : std::nullopt);
}

inline std::string FakeKms::KeyPage(const FakeCall& call, std::size_t begin) const {
  std::string out;
  json::Writer w(out);
  w.BeginObject().Key("Keys").BeginArray();
  std::size_t at = 0;
  bool truncated = false;
  for (const FakeKey& key : keys) {
    if (key.region != call.region) continue;
    if (at >= begin + page_size) truncated = true;
    if (at >= begin && !truncated) {
      w.BeginObject().Key("KeyId").String(key.id).Key("KeyArn").String(key.arn()).EndObject();
    }
    ++at;
  }
  w.EndArray().Key("Truncated").Bool(truncated);
  if (truncated) w.Key("NextMarker").String(std::to_string(begin + page_size));
  w.EndObject();
  return out;
}

inline std::string FakeKms::AliasPage(const FakeCall& call, std::size_t begin) const {
  std::string out;
  json::Writer w(out);
  w.BeginObject().Key("Aliases").BeginArray();
  std::size_t at = 0;
  bool truncated = false;
  for (const FakeKey& key : keys) {
    for (const std::string& alias : key.aliases) {
      if (key.region != call.region) continue;
      if (at >= begin + 100) truncated = true;
      if (at >= begin && !truncated) {
        w.BeginObject().Key("AliasName").String(alias).Key("TargetKeyId").String(key.id);
        w.EndObject();
      }
      ++at;
    }
  }
  w.BeginObject().Key("AliasName").String("alias/aws/unused").EndObject();
  w.EndArray().Key("Truncated").Bool(truncated);
  if (truncated) w.Key("NextMarker").String(std::to_string(begin + 100));
  w.EndObject();
  return out;
}

inline std::string FakeKms::Metadata(const FakeKey& key) {
  std::string out;
  json::Writer w(out);
  w.BeginObject().Key("KeyMetadata").BeginObject();
  w.Key("KeyId").String(key.id).Key("Arn").String(key.arn());
  w.Key("KeyManager").String(key.manager).Key("KeySpec").String(key.spec);
  w.Key("Origin").String(key.origin).Key("KeyState").String(key.state);
  w.Key("KeyUsage").String("ENCRYPT_DECRYPT").Key("CreationDate").Double(1790000000.25);
  const bool multi = !key.primary_region.empty();
  w.Key("MultiRegion").Bool(multi);
  if (multi) {
    FakeKey primary = key;
    primary.region = key.primary_region;
    w.Key("MultiRegionConfiguration").BeginObject();
    w.Key("MultiRegionKeyType").String(key.region == key.primary_region ? "PRIMARY" : "REPLICA");
    w.Key("PrimaryKey").BeginObject().Key("Arn").String(primary.arn());
    w.Key("Region").String(primary.region).EndObject();
    w.Key("ReplicaKeys").BeginArray().EndArray().EndObject();
  }
  w.EndObject().EndObject();
  return out;
}

inline std::string FakeKms::Status(FakeKey& key) {
  const bool stale = key.stale_left > 0;
  if (stale) --key.stale_left;
  const bool enabled = stale ? key.was_enabled : key.enabled;
  std::string out;
  json::Writer w(out);
  w.BeginObject().Key("KeyId").String(key.arn()).Key("KeyRotationEnabled").Bool(enabled);
  if (enabled) w.Key("RotationPeriodInDays").Int(stale ? key.was_period : key.period);
  w.EndObject();
  return out;
}

inline std::string FakeKms::Tags(const FakeKey& key) {
  std::string out;
  json::Writer w(out);
  w.BeginObject().Key("Tags").BeginArray();
  for (const auto& [name, value] : key.tags) {
    w.BeginObject().Key("TagKey").String(name).Key("TagValue").String(value).EndObject();
  }
  w.EndArray().Key("Truncated").Bool(false).EndObject();
  return out;
}

inline std::string FakeKms::Rotations(const FakeKey& key, std::size_t begin) const {
  const std::size_t end = std::min(begin + page_size, key.rotations.size());
  std::string out;
  json::Writer w(out);
  w.BeginObject().Key("Rotations").BeginArray();
  for (std::size_t i = begin; i < end; ++i) {
    w.BeginObject().Key("KeyId").String(key.arn());
    w.Key("RotationDate").Double(key.rotations[i].first);
    w.Key("RotationType").String(key.rotations[i].second).EndObject();
  }
  w.EndArray().Key("Truncated").Bool(end < key.rotations.size());
  if (end < key.rotations.size()) w.Key("NextMarker").String(std::to_string(end));
  w.EndObject();
  return out;
}

inline FakeKms::Reply FakeKms::Write(const FakeCall& call, FakeKey& key,
                                     std::optional<std::int64_t> period) {
  if (key.state != "Enabled") return Error("DisabledException");
  key.was_enabled = key.enabled;
  key.was_period = key.period;
  key.stale_left = key.stale_reads;
  if (call.operation == "EnableKeyRotation") {
    if (!key.enabled) key.period = 365;
    if (period) key.period = static_cast<int>(*period);
    key.enabled = true;
  } else if (call.operation == "DisableKeyRotation") {
    key.enabled = false;
  } else {
    return Error("UnknownOperationException");
  }
  return client::JsonReply(200, "", "write-" + std::to_string(calls.size()));
}

inline constexpr const char* kUrl = "http://127.0.0.1:4566";

// KmsBench: the fake with a client in front of it.
class KmsBench {
 public:
  KmsBench() { Reconnect(); }

  // Reconnect is a new process on the same KMS.
  void Reconnect() {
    auto options = client::ScriptedHttp::Options(clock);
    options.endpoint_url = kUrl;
    auto made =
        client::KmsClient::Create(kms.http(), credentials_, clock, random, std::move(options));
    KT_CHECK(made.has_value());
    client = std::move(*made);
  }

  ManualClock clock{*ParseIso8601("2026-11-24T00:00:00Z")};
  client::FixedRandom random{0x42};
  FakeKms kms{clock};
  std::unique_ptr<client::KmsClient> client;

 private:
  sigv4::Credentials credentials_{"AKID", SecretBytes::CopyOf(AsBytes("secret")), {}};
};

}  // namespace keyturn::control
