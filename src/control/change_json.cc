#include "control/change_json.h"

#include "control/evaluate.h"
#include "control/text.h"

namespace keyturn::control {
namespace {

// Periods that a file may name: what an endpoint can have said, not only what AWS takes today.
constexpr std::int64_t kPeriodMax = 1000000;

}  // namespace

void Fields::Wrong(std::string_view name) {
  if (wrong_.empty()) wrong_ = name;
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
  Each(name, [&texts](json::Value element) {
    const auto text = element.AsString();
    if (text) texts.emplace_back(*text);
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

void Fields::Each(std::string_view name, const std::function<bool(json::Value)>& visit) {
  const auto member = object_.Find(name);
  if (!member || member->type() != json::Type::kArray) {
    Wrong(name);
    return;
  }
  bool good = true;
  member->ForEachElement([&](std::size_t, json::Value element) { return good = visit(element); });
  if (!good) Wrong(name);
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
}

RotationSetting ReadSetting(Fields& fields, std::string_view name) {
  Fields inner(fields.Object(name));
  RotationSetting setting;
  setting.enabled = inner.Bool("enabled");
  if (const auto days = inner.OptionalInt("period_days", 1, kPeriodMax)) {
    setting.period_days = static_cast<int>(*days);
  }
  if (!inner.ok()) fields.Wrong(name);
  return setting;
}

KeyCondition ReadCondition(Fields& fields, std::string_view name) {
  Fields inner(fields.Object(name));
  KeyCondition condition;
  condition.key_state = inner.Text("key_state");
  condition.rotation = ReadSetting(inner, "rotation");
  condition.next_rotation_date = inner.OptionalTime("next_rotation_date");
  condition.primary_region = inner.OptionalText("primary_region");
  if (!inner.ok()) fields.Wrong(name);
  return condition;
}

PlannedChange ReadChange(Fields& fields) {
  PlannedChange change;
  change.endpoint_url = fields.OptionalText("endpoint_url");
  change.arn = fields.Text("arn");
  change.account = fields.OptionalText("account");
  change.region = fields.Text("region");
  change.aliases = fields.Texts("aliases");
  change.reason = fields.OptionalText("reason");
  change.before = ReadCondition(fields, "before");
  change.wanted = ReadSetting(fields, "wanted");
  change.send_period = fields.Bool("send_period");
  const auto period = change.wanted.period_days;
  const bool in_range = period && *period >= kPeriodDaysMin && *period <= kPeriodDaysMax;
  if (change.wanted.enabled ? !in_range : period.has_value()) fields.Wrong("wanted");
  return change;
}

}  // namespace keyturn::control
