// Change in JSON: what plan and journal files have in common. Private to this room.
//
// Thread-safety: pure functions.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "control/change.h"
#include "json/json.h"

namespace keyturn::control {

// Fields reads the members of one object and remembers the first that is missing or of the wrong
// type, so that a reader checks once at its end.
class Fields {
 public:
  explicit Fields(json::Value object) : object_(object) {}

  std::string Text(std::string_view name);
  std::string OptionalText(std::string_view name);
  std::int64_t Int(std::string_view name, std::int64_t low, std::int64_t high);
  std::optional<std::int64_t> OptionalInt(std::string_view name, std::int64_t low,
                                          std::int64_t high);
  std::optional<double> OptionalDouble(std::string_view name);
  bool Bool(std::string_view name);
  TimePoint Time(std::string_view name);
  std::optional<TimePoint> OptionalTime(std::string_view name);
  std::vector<std::string> Texts(std::string_view name);
  // Object is null when it is missing.
  json::Value Object(std::string_view name);
  // Each visits the elements of a list that must be there; visit returns false to stop with
  // failure.
  void Each(std::string_view name, const std::function<bool(json::Value)>& visit);

  void Wrong(std::string_view name);
  bool ok() const { return wrong_.empty(); }
  // wrong: "member 'x' is missing or wrong".
  std::string wrong() const { return "member '" + wrong_ + "' is missing or wrong"; }

 private:
  json::Value object_;
  std::string wrong_;
};

void WriteText(json::Writer& w, std::string_view name, std::string_view text);
void WriteTime(json::Writer& w, std::string_view name, TimePoint time);
void WriteSetting(json::Writer& w, std::string_view name, const RotationSetting& setting);
void WriteCondition(json::Writer& w, std::string_view name, const KeyCondition& condition);
// WriteChange writes the members of a change into an object that is open.
void WriteChange(json::Writer& w, const PlannedChange& change);

RotationSetting ReadSetting(Fields& fields, std::string_view name);
KeyCondition ReadCondition(Fields& fields, std::string_view name);
// ReadChange takes off, and on with a period that can be asked for.
PlannedChange ReadChange(Fields& fields);

}  // namespace keyturn::control
