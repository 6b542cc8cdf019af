// Change in JSON: what plan and journal files have in common. Private to this room.
//
// Thread-safety: pure functions.
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "control/change.h"
#include "json/json.h"

namespace keyturn::control {

// Fields reads the members of one object and remembers the first that is missing, of the wrong type
// or not known, so that a reader checks once at its end.
class Fields {
 public:
  explicit Fields(json::Value object) : object_(object) {}

  // Only refuses members that are not among the names.
  void Only(std::initializer_list<std::string_view> names);

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
  bool Has(std::string_view name) const { return object_.Find(name).has_value(); }
  // Object is null when it is missing.
  json::Value Object(std::string_view name);
  // Each visits the objects of a list that must be there, up to the first that is wrong.
  void Each(std::string_view name, const std::function<void(Fields&)>& visit);

  void Wrong(std::string_view name);
  // Inner takes over what is wrong in the object of a member.
  void Inner(std::string_view name, const Fields& inner);
  bool ok() const { return wrong_.empty(); }
  // wrong: "member 'changes[3].before.rotation' is missing or wrong".
  std::string wrong() const { return "member '" + wrong_ + "' " + std::string(what_); }

 private:
  json::Value object_;
  std::string wrong_;
  std::string_view what_ = "is missing or wrong";
};

void WriteText(json::Writer& w, std::string_view name, std::string_view text);
void WriteTime(json::Writer& w, std::string_view name, TimePoint time);
void WriteSetting(json::Writer& w, std::string_view name, const RotationSetting& setting);
void WriteCondition(json::Writer& w, std::string_view name, const KeyCondition& condition);
// WriteChange writes the members of a change into an object that is open.
void WriteChange(json::Writer& w, const PlannedChange& change);

void WriteOwner(json::Writer& w, const CodeOwner& owner);

// ReadOwner: of the member 'managed_by', absent where it is.
std::optional<CodeOwner> ReadOwner(Fields& fields);
RotationSetting ReadSetting(Fields& fields, std::string_view name);
KeyCondition ReadCondition(Fields& fields, std::string_view name);
// ReadChange takes off, and on with a period that can be asked for. also: the name of a member that
// its reader has read.
PlannedChange ReadChange(Fields& fields, std::string_view also = {});

}  // namespace keyturn::control
