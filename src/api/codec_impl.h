// The templates of codec.h. Included by the codec_*.cc files only.
#pragma once

#include <array>
#include <cmath>
#include <type_traits>
#include <utility>

#include "api/codec.h"
#include "api/trail_date.h"
#include "api/violation.h"
#include "base/base64.h"

namespace keyturn::api::codec {

template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <typename T>
struct IsVector : std::false_type {};
template <typename T>
struct IsVector<std::vector<T>> : std::true_type {};

using StringMap = std::map<std::string, std::string>;

// EnumWireNames: the set as error messages print it.
template <typename E>
std::span<const std::string_view> EnumWireNames() {
  static const auto names = [] {
    std::array<std::string_view, std::size(model::EnumTable<E>::kNames)> list;
    for (std::size_t i = 0; i < list.size(); ++i) {
      list[i] = model::EnumTable<E>::kNames[i].wire;
    }
    return list;
  }();
  return names;
}

// Path is built only when something is wrong: a chain of names on the stack.
struct Path {
  const Path* parent = nullptr;
  std::string_view member;  // wire name; empty for a list element
  std::size_t index = 0;

  std::string text() const {
    std::string out = parent != nullptr ? parent->text() : std::string();
    if (member.empty()) {
      return out + "." + std::to_string(index + 1) + ".member";
    }
    return out.empty() ? Decoding::LowerCamel(member) : out + "." + Decoding::LowerCamel(member);
  }
};

template <typename Shape>
Status DecodeStruct(json::Value value, const Path* path, Shape& out, Decoding& decoding);

inline bool TextIsFine(std::string_view text, std::size_t min, std::size_t max,
                       const Pattern* pattern) {
  // Bytes bound code points from above; only when they do not decide is the text counted.
  return (min == 0 || text.size() >= 4 * min || Utf8Length(text) >= min) &&
         (text.size() <= max || Utf8Length(text) <= max) &&
         (pattern == nullptr || pattern->matches(text));
}

// DecodeEnums: whatever is wrong with the items of a list of enums is one violation of the list.
template <typename E>
Status DecodeEnums(json::Value value, const Path& path, std::vector<E>& out, Decoding& decoding) {
  Status status;
  bool all_known = true;
  value.ForEachElement([&](std::size_t /*index*/, json::Value element) {
    const auto text = element.AsString();
    if (!text) {
      status = Fail(WrongType(element, Wanted::kString));
      return false;
    }
    const auto known = model::FromWire<E>(*text);
    all_known = all_known && known;
    if (known) out.push_back(*known);
    return true;
  });
  if (status && !all_known) decoding.NotAllInEnum(path.text(), value, EnumWireNames<E>());
  return status;
}

template <typename T>
Status DecodeValue(json::Value value, const Path& path, const Constraint& constraint, T& out,
                   Decoding& decoding) {
  if constexpr (IsOptional<T>::value) {
    return DecodeValue(value, path, constraint, out.emplace(), decoding);
  } else if constexpr (std::is_same_v<T, std::string>) {
    const auto text = value.AsString();
    if (!text) return Fail(WrongType(value, Wanted::kString));
    out.assign(*text);
    if (!TextIsFine(out, constraint.length_min, constraint.length_max, constraint.pattern)) {
      decoding.CheckText(path.text(), out, constraint.length_min, constraint.length_max,
                         constraint.pattern, !constraint.never_logged);
    }
    return {};
  } else if constexpr (std::is_same_v<T, SecretText>) {
    const auto text = value.AsString();
    if (!text) return Fail(WrongType(value, Wanted::kString));
    out.bytes = SecretBytes::CopyOf(AsBytes(*text));
    decoding.CheckText(path.text(), *text, constraint.length_min, constraint.length_max,
                       constraint.pattern, false);
    return {};
  } else if constexpr (std::is_same_v<T, bool>) {
    const auto flag = value.AsBool();
    if (!flag) return Fail(WrongType(value, Wanted::kBoolean));
    out = *flag;
    return {};
  } else if constexpr (std::is_same_v<T, std::int32_t>) {
    const auto number = value.AsInt();
    if (!number) return Fail(WrongType(value, Wanted::kInteger));
    if (*number < constraint.range_min || *number > constraint.range_max) {
      decoding.CheckRange(path.text(), *number, constraint);
      return {};
    }
    out = static_cast<std::int32_t>(*number);
    return {};
  } else if constexpr (std::is_same_v<T, TimePoint>) {
    const auto seconds = value.AsDouble();
    constexpr double kSecondsMax = 253402300799.0;  // the end of the year 9999
    if (!seconds || !(std::abs(*seconds) <= kSecondsMax)) {
      return Fail(WrongType(value, Wanted::kNumber));
    }
    out = FromEpochMillis(std::llround(*seconds * 1000));
    return {};
  } else if constexpr (std::is_same_v<T, Bytes> || std::is_same_v<T, SecretBytes>) {
    const auto text = value.AsString();
    if (!text) return Fail(WrongType(value, Wanted::kBlob));
    const auto size = Base64DecodedSize(*text);
    if (!size) return Fail(ErrorCode::kSerializationException);
    out = T(*size);
    MutableByteView bytes;
    if constexpr (std::is_same_v<T, SecretBytes>) {
      bytes = out.reveal_mutable();
    } else {
      bytes = out;
    }
    if (!Base64DecodeInto(*text, bytes)) return Fail(ErrorCode::kSerializationException);
    if (*size < constraint.length_min || *size > constraint.length_max) {
      decoding.CheckSize(path.text(), *size, constraint);
    }
    return {};
  } else if constexpr (std::is_enum_v<T>) {
    const auto text = value.AsString();
    if (!text) return Fail(WrongType(value, Wanted::kString));
    if (const auto known = model::FromWire<T>(*text)) {
      out = *known;
    } else {
      decoding.NotInEnum(path.text(), *text, EnumWireNames<T>());
    }
    return {};
  } else if constexpr (std::is_same_v<T, StringMap>) {
    Status status;
    const bool is_object = value.ForEachMember([&](std::string_view name, json::Value item) {
      const auto text = item.AsString();
      if (!text) {
        status = Fail(WrongType(item, Wanted::kString));
        return false;
      }
      out.emplace(name, *text);
      return true;
    });
    return is_object ? status : Status(Fail(WrongType(value, Wanted::kStructure)));
  } else if constexpr (IsVector<T>::value) {
    if (value.type() != json::Type::kArray) return Fail(WrongType(value, Wanted::kList));
    // Before the items: a list that is too long is no reason to look at each of them.
    const std::size_t size = value.size();
    if (size < constraint.length_min || size > constraint.length_max) {
      decoding.CheckSize(path.text(), size, constraint);
      return {};
    }
    if constexpr (std::is_enum_v<typename T::value_type>) {
      return DecodeEnums(value, path, out, decoding);
    } else {
      Constraint of_item;
      of_item.length_min = constraint.item_length_min;
      of_item.length_max = constraint.item_length_max;
      of_item.pattern = constraint.item_pattern;
      of_item.never_logged = constraint.never_logged;
      Status status;
      value.ForEachElement([&](std::size_t index, json::Value element) {
        const Path at{&path, {}, index};
        status = DecodeValue(element, at, of_item, out.emplace_back(), decoding);
        return status.has_value() && !decoding.full();
      });
      return status;
    }
  } else {
    static_assert(kHasShape<T>, "no decoder for this type");
    return DecodeStruct(value, &path, out, decoding);
  }
}

template <typename Shape>
Status DecodeStruct(json::Value value, const Path* path, Shape& out, Decoding& decoding) {
  if (value.type() != json::Type::kObject) {
    return Fail(WrongType(value, Wanted::kStructure));
  }
  Status status;
  const auto one = [&](const auto& member) {
    const Path at{path, member.name, 0};
    const auto found = value.Find(member.name);
    if (!found || found->is_null()) {
      if (member.constraint.required) {
        decoding.Required(at.text());
      }
      return true;
    }
    status = DecodeValue(*found, at, member.constraint, out.*(member.field), decoding);
    return status.has_value();
  };
  std::apply([&](const auto&... members) { (one(members) && ...); }, kShape<Shape>);
  return status;
}

// --- Encoding ------------------------------------------------------------------------------------

template <typename T>
void EncodeValue(const T& value, bool trail, json::Writer& out);

// EncodeObject writes the members that are there; in the trail form only those that may be logged.
// Returns how many were written.
template <typename Shape>
std::size_t EncodeObject(const Shape& value, bool trail, json::Writer& out) {
  std::size_t written = 0;
  const auto one = [&](const auto& member) {
    if (trail && member.constraint.never_logged) {
      return;
    }
    const auto& field = value.*(member.field);
    using Field = std::remove_cvref_t<decltype(field)>;
    if constexpr (IsOptional<Field>::value) {
      if (!field) return;
    }
    if (written++ == 0) {
      out.BeginObject();
    }
    if (trail) {
      out.Key(Decoding::LowerCamel(member.name));
    } else {
      out.Key(member.name);
    }
    if constexpr (IsOptional<Field>::value) {
      EncodeValue(*field, trail, out);
    } else {
      EncodeValue(field, trail, out);
    }
  };
  std::apply([&](const auto&... members) { (one(members), ...); }, kShape<Shape>);
  if (written > 0) {
    out.EndObject();
  }
  return written;
}

template <typename T>
void EncodeValue(const T& value, bool trail, json::Writer& out) {
  if constexpr (std::is_same_v<T, std::string>) {
    out.String(value);
  } else if constexpr (std::is_same_v<T, SecretText>) {
    out.String(AsText(value.bytes.reveal()));
  } else if constexpr (std::is_same_v<T, bool>) {
    out.Bool(value);
  } else if constexpr (std::is_same_v<T, std::int32_t>) {
    out.Int(value);
  } else if constexpr (std::is_same_v<T, TimePoint>) {
    if (trail) {
      out.String(TrailDate(value));
    } else {
      out.EpochSeconds(value);
    }
  } else if constexpr (std::is_same_v<T, Bytes>) {
    out.Base64(value);
  } else if constexpr (std::is_same_v<T, SecretBytes>) {
    out.Base64(value.reveal());
  } else if constexpr (std::is_enum_v<T>) {
    out.String(model::ToWire(value));
  } else if constexpr (std::is_same_v<T, StringMap>) {
    out.BeginObject();
    for (const auto& [key, text] : value) {
      out.Key(key).String(text);
    }
    out.EndObject();
  } else if constexpr (IsVector<T>::value) {
    out.BeginArray();
    for (const auto& item : value) {
      EncodeValue(item, trail, out);
    }
    out.EndArray();
  } else {
    static_assert(kHasShape<T>, "no encoder for this type");
    if (EncodeObject(value, trail, out) == 0) {
      out.BeginObject().EndObject();
    }
  }
}

}  // namespace keyturn::api::codec

namespace keyturn::api {

template <typename Request>
Result<Request> DecodeRequest(json::Value body) {
  Request request;
  Decoding decoding;
  KT_TRY(codec::DecodeStruct(body, nullptr, request, decoding));
  if (!decoding.ok()) {
    return Fail(decoding.TakeError());
  }
  return request;
}

template <typename Shape>
void EncodeMembers(const Shape& value, std::string& out) {
  constexpr std::size_t kUsualBytes = 512;
  out.reserve(out.size() + kUsualBytes);
  json::Writer writer(out);
  codec::EncodeValue(value, false, writer);
}

template <typename Shape>
bool AppendTrailObject(const Shape& value, std::string& out) {
  constexpr std::size_t kUsualBytes = 256;
  out.reserve(out.size() + kUsualBytes);
  json::Writer writer(out);
  return codec::EncodeObject(value, true, writer) > 0;
}

}  // namespace keyturn::api
