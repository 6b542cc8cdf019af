#include "api/violation.h"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn::api {

std::string Decoding::LowerCamel(std::string_view wire_name) {
  std::string out(wire_name);
  if (!out.empty() && out[0] >= 'A' && out[0] <= 'Z') {
    out[0] = static_cast<char>(out[0] - 'A' + 'a');
  }
  return out;
}

void Decoding::Add(std::string_view path, const std::string* value, std::string_view constraint) {
  if (full()) return;
  violations_.push_back(
      value != nullptr
          ? fmt::format("Value '{}' at '{}' failed to satisfy constraint: {}", *value, path,
                        constraint)
          : fmt::format("Value at '{}' failed to satisfy constraint: {}", path, constraint));
}

void Decoding::Required(std::string_view path) {
  if (full()) return;
  violations_.push_back(fmt::format(
      "Value null at '{}' failed to satisfy constraint: Member must not be null", path));
}

void Decoding::NotInEnum(std::string_view path, std::string_view value,
                         std::span<const std::string_view> allowed) {
  const std::string text(value);
  Add(path, &text,
      fmt::format("Member must satisfy enum value set: [{}]", fmt::join(allowed, ", ")));
}

void Decoding::NotAllInEnum(std::string_view path, json::Value list,
                            std::span<const std::string_view> allowed) {
  std::string text = "[";
  list.ForEachElement([&](std::size_t index, json::Value item) {
    text.append(index > 0 ? ", " : "").append(item.AsString().value_or(""));
    return true;
  });
  text += ']';
  Add(path, &text,
      fmt::format("Member must satisfy constraint: [Member must satisfy enum value set: [{}]]",
                  fmt::join(allowed, ", ")));
}

void Decoding::CheckRange(std::string_view path, std::int64_t value, const Constraint& constraint) {
  const std::string text = std::to_string(value);
  if (value < constraint.range_min) {
    Add(path, &text,
        fmt::format("Member must have value greater than or equal to {}", constraint.range_min));
  }
  if (value > constraint.range_max) {
    Add(path, &text,
        fmt::format("Member must have value less than or equal to {}", constraint.range_max));
  }
}

void Decoding::CheckText(std::string_view path, std::string_view value, std::size_t min,
                         std::size_t max, const Pattern* pattern, bool echo) {
  const bool bounded = min > 0 || max != Constraint::kNoLength;
  const std::size_t length = bounded ? Utf8Length(value) : 0;
  const bool matches = pattern == nullptr || pattern->matches(value);
  if (length >= min && length <= max && matches) {
    return;
  }
  const std::string text(value);
  const std::string* shown = echo ? &text : nullptr;
  if (!matches) {
    Add(path, shown,
        fmt::format("Member must satisfy regular expression pattern: {}", pattern->text));
  }
  if (length < min) {
    Add(path, shown, fmt::format("Member must have length greater than or equal to {}", min));
  }
  if (length > max) {
    Add(path, shown, fmt::format("Member must have length less than or equal to {}", max));
  }
}

void Decoding::CheckSize(std::string_view path, std::size_t size, const Constraint& constraint) {
  if (size < constraint.length_min) {
    Add(path, nullptr,
        fmt::format("Member must have length greater than or equal to {}", constraint.length_min));
  }
  if (size > constraint.length_max) {
    Add(path, nullptr,
        fmt::format("Member must have length less than or equal to {}", constraint.length_max));
  }
}

Error Decoding::TakeError() const {
  return Error{ErrorCode::kValidationException,
               fmt::format("{} validation error{} detected: {}", violations_.size(),
                           violations_.size() == 1 ? "" : "s", fmt::join(violations_, "; ")),
               {}};
}

Error WrongType(json::Value value, Wanted wanted) {
  std::string_view found;
  switch (value.type()) {
    case json::Type::kObject:
      return {ErrorCode::kSerializationException,
              "Start of structure or map found where not expected.",
              {}};
    case json::Type::kArray:
      return {ErrorCode::kSerializationException, "Start of list found where not expected.", {}};
    case json::Type::kString:
      found = "STRING_VALUE";
      break;
    case json::Type::kInt:
    case json::Type::kDouble:
      found = "NUMBER_VALUE";
      break;
    case json::Type::kBool:
      found = value.AsBool().value_or(false) ? "TRUE_VALUE" : "FALSE_VALUE";
      break;
    case json::Type::kNull:
      found = "NULL_VALUE";
      break;
  }
  switch (wanted) {
    case Wanted::kInteger:
      return {ErrorCode::kSerializationException,
              fmt::format("{} can not be converted to an Integer", found),
              {}};
    case Wanted::kString:
      return {ErrorCode::kSerializationException,
              fmt::format("{} can not be converted to a String", found),
              {}};
    case Wanted::kBoolean:
      return {ErrorCode::kSerializationException,
              fmt::format("{} can not be converted to a Boolean", found),
              {}};
    case Wanted::kBlob:
      return {ErrorCode::kSerializationException,
              fmt::format("{} can not be converted to a Blob", found),
              {}};
    case Wanted::kNumber:
      return {ErrorCode::kSerializationException,
              fmt::format("{} can not be converted to a Timestamp", found),
              {}};
    case Wanted::kList:
    case Wanted::kStructure:
      break;
  }
  return {ErrorCode::kSerializationException, "Unexpected field type", {}};
}

std::size_t Utf8Length(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace keyturn::api
