#include "control/change_json.h"

#include <algorithm>

#include "client/endpoint.h"
#include "control/evaluate.h"
#include "control/text.h"
#include "model/arn.h"

namespace keyturn::control {
namespace {

// Periods that a file may name: what an endpoint can have said, not only what AWS takes today.
constexpr std::int64_t kPeriodMax = 1000000;
// So much of a name that is not known is shown.
constexpr std::size_t kNameShown = 64;

}  // namespace

void Fields::Wrong(std::string_view name) {
  if (wrong_.empty()) wrong_ = name;
}

void Fields::Inner(std::string_view name, const Fields& inner) {
  if (inner.ok() || !ok()) return;
  wrong_ = std::string(name) + "." + inner.wrong_;
  what_ = inner.what_;
}

void Fields::Only(std::initializer_list<std::string_view> names) {
  object_.ForEachMember([&](std::string_view name, json::Value) {
    if (std::find(names.begin(), names.end(), name) != names.end()) return true;
    if (ok()) {
      wrong_ = WellFormed(name.substr(0, kNameShown));
      what_ = "is not known";
    }
    return false;
  });
}

std::string Fields::Text(std::string_view name) {
  const auto member = object_.Find(name);
  const auto text = member ? member->AsString() : std::nullopt;
  if (!text || text->empty()) Wrong(name);
  return std::string(text.value_or(std::string_view{}));
}

std::string Fields::OptionalText(std::string_view name) {
  const auto member = object_.Find(name);
  if (!member) return {};
  const auto text = member->AsString();
  if (!text) Wrong(name);
  return std::string(text.value_or(std::string_view{}));
}

std::optional<std::int64_t> Fields::OptionalInt(std::string_view name, std::int64_t low,
                                                std::int64_t high) {
  const auto member = object_.Find(name);
  if (!member) return std::nullopt;
  const auto number = member->AsInt();
  if (!number || *number < low || *number > high) {
    Wrong(name);
    return std::nullopt;
  }
  return number;
}

std::int64_t Fields::Int(std::string_view name, std::int64_t low, std::int64_t high) {
  const auto number = OptionalInt(name, low, high);
  if (!number) Wrong(name);
  return number.value_or(low);
}

std::optional<double> Fields::OptionalDouble(std::string_view name) {
  const auto member = object_.Find(name);
  if (!member) return std::nullopt;
  const auto number = member->AsDouble();
  if (!number) Wrong(name);
  return number;
}

bool Fields::Bool(std::string_view name) {
  const auto member = object_.Find(name);
  const auto value = member ? member->AsBool() : std::nullopt;
  if (!value) Wrong(name);
  return value.value_or(false);
}

TimePoint Fields::Time(std::string_view name) {
  const auto time = OptionalTime(name);
  if (!time) Wrong(name);
  return time.value_or(TimePoint{});
}

std::optional<TimePoint> Fields::OptionalTime(std::string_view name) {
  const auto member = object_.Find(name);
  if (!member) return std::nullopt;
  const auto text = member->AsString();
  const auto time = text ? ParseIso8601(*text) : std::nullopt;
  if (!time) Wrong(name);
  return time;
}

std::vector<std::string> Fields::Texts(std::string_view name) {
  std::vector<std::string> texts;
  const auto member = object_.Find(name);
  if (!member || member->type() != json::Type::kArray) {
    Wrong(name);
    return texts;
  }
  member->ForEachElement([&](std::size_t, json::Value element) {
    const auto text = element.AsString();
    if (!text) Wrong(name);
    texts.emplace_back(text.value_or(std::string_view{}));
    return text.has_value();
  });
  return texts;
}

json::Value Fields::Object(std::string_view name) {
  const auto member = object_.Find(name);
  if (member && member->type() == json::Type::kObject) return *member;
  Wrong(name);
  return object_;  // its members are read in vain: the reader has failed already
}

void Fields::Each(std::string_view name, const std::function<void(Fields&)>& visit) {
  const auto member = object_.Find(name);
  if (!member || member->type() != json::Type::kArray) {
    Wrong(name);
    return;
  }
  member->ForEachElement([&](std::size_t index, json::Value element) {
    const std::string place = std::string(name) + "[" + std::to_string(index) + "]";
    if (element.type() != json::Type::kObject) {
      Wrong(place);
      return false;
    }
    Fields fields(element);
    visit(fields);
    Inner(place, fields);
    return fields.ok();
  });
}

void WriteText(json::Writer& w, std::string_view name, std::string_view text) {
  w.Key(name).String(WellFormed(text));
}

void WriteTime(json::Writer& w, std::string_view name, TimePoint time) {
  w.Key(name).String(FormatIso8601Millis(time));
}

void WriteSetting(json::Writer& w, std::string_view name, const RotationSetting& setting) {
  w.Key(name).BeginObject().Key("enabled").Bool(setting.enabled);
  if (setting.period_days) w.Key("period_days").Int(*setting.period_days);
  w.EndObject();
}

void WriteCondition(json::Writer& w, std::string_view name, const KeyCondition& condition) {
  w.Key(name).BeginObject();
  WriteText(w, "key_state", condition.key_state);
  WriteSetting(w, "rotation", condition.rotation);
  if (condition.next_rotation_date) {
    WriteTime(w, "next_rotation_date", *condition.next_rotation_date);
  }
  if (!condition.primary_region.empty()) {
    WriteText(w, "primary_region", condition.primary_region);
  }
  w.EndObject();
}

void WriteChange(json::Writer& w, const PlannedChange& change) {
  WriteText(w, "endpoint_url", change.endpoint_url);
  WriteText(w, "arn", change.arn);
  WriteText(w, "account", change.account);
  WriteText(w, "region", change.region);
  w.Key("aliases").BeginArray();
  for (const std::string& alias : change.aliases) w.String(WellFormed(alias));
  w.EndArray();
  WriteText(w, "reason", change.reason);
  WriteCondition(w, "before", change.before);
  WriteSetting(w, "wanted", change.wanted);
  w.Key("send_period").Bool(change.send_period);
  if (change.owner) WriteOwner(w, *change.owner);
  if (!change.owner_unknown.empty()) WriteText(w, "owner_unknown", change.owner_unknown);
}

void WriteOwner(json::Writer& w, const CodeOwner& owner) {
  w.Key("managed_by").BeginObject();
  WriteText(w, "tool", owner.tool);
  WriteText(w, "name", owner.name);
  WriteText(w, "resource", owner.resource);
  WriteText(w, "tag", owner.tag);
  WriteText(w, "snippet", owner.snippet);
  w.EndObject();
}

std::optional<CodeOwner> ReadOwner(Fields& fields) {
  if (!fields.Has("managed_by")) return std::nullopt;
  Fields inner(fields.Object("managed_by"));
  inner.Only({"tool", "name", "resource", "tag", "snippet"});
  CodeOwner owner{inner.Text("tool"), inner.OptionalText("name"), inner.OptionalText("resource"),
                  inner.OptionalText("tag"), inner.OptionalText("snippet")};
  fields.Inner("managed_by", inner);
  return owner;
}

RotationSetting ReadSetting(Fields& fields, std::string_view name) {
  Fields inner(fields.Object(name));
  RotationSetting setting;
  inner.Only({"enabled", "period_days"});
  setting.enabled = inner.Bool("enabled");
  if (const auto days = inner.OptionalInt("period_days", 1, kPeriodMax)) {
    setting.period_days = static_cast<int>(*days);
  }
  fields.Inner(name, inner);
  return setting;
}

KeyCondition ReadCondition(Fields& fields, std::string_view name) {
  Fields inner(fields.Object(name));
  KeyCondition condition;
  inner.Only({"key_state", "rotation", "next_rotation_date", "primary_region"});
  condition.key_state = inner.Text("key_state");
  condition.rotation = ReadSetting(inner, "rotation");
  condition.next_rotation_date = inner.OptionalTime("next_rotation_date");
  condition.primary_region = inner.OptionalText("primary_region");
  fields.Inner(name, inner);
  return condition;
}

PlannedChange ReadChange(Fields& fields, std::string_view also) {
  PlannedChange change;
  fields.Only({"endpoint_url", "arn", "account", "region", "aliases", "reason", "before", "wanted",
               "send_period", "managed_by", "owner_unknown", also});
  change.endpoint_url = fields.OptionalText("endpoint_url");
  change.arn = fields.Text("arn");
  change.account = fields.OptionalText("account");
  change.region = fields.Text("region");
  change.aliases = fields.Texts("aliases");
  change.reason = fields.OptionalText("reason");
  change.before = ReadCondition(fields, "before");
  change.wanted = ReadSetting(fields, "wanted");
  change.send_period = fields.Bool("send_period");
  change.owner = ReadOwner(fields);
  change.owner_unknown = fields.OptionalText("owner_unknown");
  // The call goes to the region named beside the key, as the account that is named: on AWS they are
  // the key's own.
  const auto arn = model::Arn::Parse(change.arn);
  const bool is_key = arn && arn->service == "kms" && arn->resource.starts_with("key/");
  const bool agrees =
      !is_key || !client::IsAwsEndpoint(change.endpoint_url) ||
      (arn->region == change.region && (change.account.empty() || arn->account == change.account));
  if (!is_key || !agrees) fields.Wrong("arn");
  const auto period = change.wanted.period_days;
  const bool in_range = period && *period >= kPeriodDaysMin && *period <= kPeriodDaysMax;
  if (change.wanted.enabled ? !in_range : period.has_value()) fields.Wrong("wanted");
  return change;
}

}  // namespace keyturn::control
