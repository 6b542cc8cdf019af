#include "control/answers.h"

#include <cmath>
#include <optional>

namespace keyturn::control {
namespace {

using json::Value;

std::string TextOf(const Value& object, std::string_view name) {
  const auto member = object.Find(name);
  return std::string(member ? member->AsString().value_or(std::string_view{}) : std::string_view{});
}

bool BoolOf(const Value& object, std::string_view name) {
  const auto member = object.Find(name);
  return member && member->AsBool().value_or(false);
}

// TimeOf reads seconds since the epoch, or an ISO 8601 text, which some endpoints send.
std::optional<TimePoint> TimeOf(const Value& object, std::string_view name) {
  const auto member = object.Find(name);
  if (!member) return std::nullopt;
  if (const auto text = member->AsString()) return ParseIso8601(*text);
  const auto seconds = member->AsDouble();
  // Beyond the year 9999 it is no date that can be shown.
  if (!seconds || !(*seconds >= 0 && *seconds < 253402300800.0)) return std::nullopt;
  return FromEpochMillis(std::llround(*seconds * 1000));
}

Result<Value> ParseObject(json::Parser& parser, std::string_view body) {
  KT_ASSIGN(const Value value, parser.Parse(body));
  if (value.type() != json::Type::kObject) {
    return Fail(ErrorCode::kMalformed, "the answer is no JSON object");
  }
  return value;
}

template <typename Item, typename Read>
Result<Page<Item>> ParsePage(json::Parser& parser, std::string_view body, std::string_view name,
                             const Read& read) {
  KT_ASSIGN(const Value root, ParseObject(parser, body));
  const auto list = root.Find(name);
  if (!list || list->type() != json::Type::kArray) {
    return Fail(ErrorCode::kMalformed, "the answer has no " + std::string(name));
  }
  Page<Item> page;
  page.items.reserve(list->size());
  bool whole = true;
  list->ForEachElement([&](std::size_t, Value element) {
    Item item;
    whole = read(element, item);
    if (whole) page.items.push_back(std::move(item));
    return whole;
  });
  if (!whole) {
    return Fail(ErrorCode::kMalformed, "an entry of " + std::string(name) + " is incomplete");
  }
  if (BoolOf(root, "Truncated")) {
    page.next_marker = TextOf(root, "NextMarker");
    if (page.next_marker.empty()) {
      return Fail(ErrorCode::kMalformed, "the answer is truncated, but has no NextMarker");
    }
  }
  return page;
}

void ReadMultiRegion(const Value& metadata, KeyFacts& facts) {
  facts.multi_region = BoolOf(metadata, "MultiRegion");
  const auto configuration = metadata.Find("MultiRegionConfiguration");
  if (!configuration) return;
  facts.multi_region_type = TextOf(*configuration, "MultiRegionKeyType");
  if (const auto primary = configuration->Find("PrimaryKey")) {
    facts.primary_arn = TextOf(*primary, "Arn");
    facts.primary_region = TextOf(*primary, "Region");
  }
  facts.replica_arns.clear();
  if (const auto replicas = configuration->Find("ReplicaKeys")) {
    replicas->ForEachElement([&facts](std::size_t, Value replica) {
      facts.replica_arns.push_back(TextOf(replica, "Arn"));
      return true;
    });
  }
}

}  // namespace

Result<Page<ListedKey>> Answers::ListKeys(std::string_view body) {
  return ParsePage<ListedKey>(parser_, body, "Keys", [](const Value& entry, ListedKey& key) {
    key.key_id = TextOf(entry, "KeyId");
    key.arn = TextOf(entry, "KeyArn");
    return !key.key_id.empty() && !key.arn.empty();
  });
}

Result<Page<ListedAlias>> Answers::ListAliases(std::string_view body) {
  return ParsePage<ListedAlias>(parser_, body, "Aliases",
                                [](const Value& entry, ListedAlias& alias) {
                                  alias.name = TextOf(entry, "AliasName");
                                  alias.key_id = TextOf(entry, "TargetKeyId");
                                  return !alias.name.empty();
                                });
}

Result<Page<std::pair<std::string, std::string>>> Answers::ListResourceTags(std::string_view body) {
  using Tag = std::pair<std::string, std::string>;
  return ParsePage<Tag>(parser_, body, "Tags", [](const Value& entry, Tag& tag) {
    tag.first = TextOf(entry, "TagKey");
    tag.second = TextOf(entry, "TagValue");
    return !tag.first.empty();
  });
}

Status Answers::DescribeKey(std::string_view body, KeyFacts& facts) {
  KT_ASSIGN(const Value root, ParseObject(parser_, body));
  const auto metadata = root.Find("KeyMetadata");
  if (!metadata || metadata->type() != json::Type::kObject) {
    return Fail(ErrorCode::kMalformed, "the answer has no KeyMetadata");
  }
  const std::string key_id = TextOf(*metadata, "KeyId");
  if (key_id != facts.key_id) {
    return Fail(ErrorCode::kMalformed, "the answer describes another key");
  }
  facts.key_manager = TextOf(*metadata, "KeyManager");
  facts.key_spec = TextOf(*metadata, "KeySpec");
  // The member's name until 2021.
  if (facts.key_spec.empty()) facts.key_spec = TextOf(*metadata, "CustomerMasterKeySpec");
  facts.key_usage = TextOf(*metadata, "KeyUsage");
  facts.origin = TextOf(*metadata, "Origin");
  facts.key_state = TextOf(*metadata, "KeyState");
  facts.description = TextOf(*metadata, "Description");
  facts.creation_date = TimeOf(*metadata, "CreationDate");
  facts.deletion_date = TimeOf(*metadata, "DeletionDate");
  ReadMultiRegion(*metadata, facts);
  return {};
}

Result<std::string> Answers::ListKeyRotations(std::string_view body, KeyFacts& facts) {
  struct Rotation {
    std::optional<TimePoint> date;
    std::string type;
  };
  KT_ASSIGN(const auto page,
            ParsePage<Rotation>(parser_, body, "Rotations", [](const Value& entry, Rotation& read) {
              read.date = TimeOf(entry, "RotationDate");
              read.type = TextOf(entry, "RotationType");
              return true;
            }));
  for (const Rotation& rotation : page.items) {
    if (!rotation.date) continue;  // the material that the key was made with
    // One on demand is evidence whatever has happened since.
    const bool on_demand = rotation.type == "ON_DEMAND";
    const bool had_on_demand = facts.last_rotation_type == "ON_DEMAND";
    const bool later = !facts.last_rotation_date || *rotation.date > *facts.last_rotation_date;
    if (on_demand == had_on_demand ? later : on_demand) {
      facts.last_rotation_date = rotation.date;
      facts.last_rotation_type = rotation.type;
    }
  }
  return page.next_marker;
}

Result<RotationFacts> Answers::GetKeyRotationStatus(std::string_view body) {
  KT_ASSIGN(const Value root, ParseObject(parser_, body));
  const auto enabled = root.Find("KeyRotationEnabled");
  if (!enabled || !enabled->AsBool()) {
    return Fail(ErrorCode::kMalformed, "the answer has no KeyRotationEnabled");
  }
  RotationFacts rotation;
  rotation.enabled = *enabled->AsBool();
  if (const auto period = root.Find("RotationPeriodInDays"); period && rotation.enabled) {
    const auto days = period->AsInt();
    if (!days || *days < 1 || *days > 1000000) {
      return Fail(ErrorCode::kMalformed, "RotationPeriodInDays is no number of days");
    }
    rotation.period_days = static_cast<int>(*days);
  }
  rotation.next_rotation_date = TimeOf(root, "NextRotationDate");
  rotation.on_demand_start_date = TimeOf(root, "OnDemandRotationStartDate");
  return rotation;
}

std::string KeyIdBody(std::string_view key_id) {
  std::string body = "{\"KeyId\":";
  json::AppendQuoted(key_id, body);
  body += '}';
  return body;
}

std::string PageBody(int limit, std::string_view marker, std::string_view key_id) {
  std::string body;
  json::Writer w(body);
  w.BeginObject();
  if (!key_id.empty()) w.Key("KeyId").String(key_id);
  w.Key("Limit").Int(limit);
  if (!marker.empty()) w.Key("Marker").String(marker);
  w.EndObject();
  return body;
}

CallFailure FailureOf(std::string_view operation, const client::CallError& error) {
  return {std::string(operation), error.code, error.message, error.request_id};
}

CallFailure FailureOf(std::string_view operation, const Error& error) {
  return {std::string(operation), std::string(client::kMalformedAnswer), error.message, {}};
}

}  // namespace keyturn::control
