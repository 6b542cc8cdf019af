#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "json/json.h"

namespace keyturn::json {

// ValueAccess moves a simdjson element in and out of Value's storage, so that the header needs no
// simdjson.
struct ValueAccess {
  static Value Wrap(simdjson::dom::element element) {
    static_assert(sizeof(element) == sizeof(Value::rep_) &&
                  std::is_trivially_copyable_v<simdjson::dom::element>);
    Value value;
    std::memcpy(value.rep_, &element, sizeof(element));
    return value;
  }
  static simdjson::dom::element Unwrap(const Value& value) {
    simdjson::dom::element element;
    std::memcpy(static_cast<void*>(&element), value.rep_, sizeof(element));
    return element;
  }
};

namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

// HasDuplicates looks at every object of the tree. Objects are small: up to 8 members by comparing
// all pairs, larger ones by sorting the names.
bool HasDuplicates(element root, std::vector<std::string_view>& names) {
  if (root.type() == element_type::ARRAY) {
    const simdjson::dom::array array = root.get_array();
    return std::any_of(array.begin(), array.end(),
                       [&](element child) { return HasDuplicates(child, names); });
  }
  if (root.type() != element_type::OBJECT) {
    return false;
  }
  const simdjson::dom::object object = root.get_object();
  names.clear();
  for (const auto field : object) {
    names.push_back(field.key);
  }
  if (names.size() > 1) {
    if (names.size() <= 8) {
      for (std::size_t i = 1; i < names.size(); ++i) {
        if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]) !=
            names.begin() + static_cast<std::ptrdiff_t>(i)) {
          return true;
        }
      }
    } else {
      std::sort(names.begin(), names.end());
      if (std::adjacent_find(names.begin(), names.end()) != names.end()) {
        return true;
      }
    }
  }
  for (const auto field : object) {
    if (HasDuplicates(field.value, names)) {
      return true;
    }
  }
  return false;
}

void Write(element value, Writer& out) {
  switch (value.type()) {
    case element_type::ARRAY: {
      out.BeginArray();
      const simdjson::dom::array array = value.get_array();
      for (const element child : array) {
        Write(child, out);
      }
      out.EndArray();
      return;
    }
    case element_type::OBJECT: {
      out.BeginObject();
      const simdjson::dom::object object = value.get_object();
      for (const auto field : object) {
        out.Key(field.key);
        Write(field.value, out);
      }
      out.EndObject();
      return;
    }
    case element_type::STRING:
      out.String(std::string_view(value));
      return;
    case element_type::INT64:
      out.Int(std::int64_t(value));
      return;
    case element_type::UINT64:
      out.Raw(std::to_string(std::uint64_t(value)));
      return;
    case element_type::DOUBLE:
      out.Double(double(value));
      return;
    case element_type::BOOL:
      out.Bool(bool(value));
      return;
    case element_type::NULL_VALUE:
      out.Null();
      return;
  }
}

}  // namespace

bool IsUtf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

Type Value::type() const {
  switch (ValueAccess::Unwrap(*this).type()) {
    case element_type::ARRAY:
      return Type::kArray;
    case element_type::OBJECT:
      return Type::kObject;
    case element_type::STRING:
      return Type::kString;
    case element_type::INT64:
      return Type::kInt;
    case element_type::UINT64:
    case element_type::DOUBLE:
      return Type::kDouble;
    case element_type::BOOL:
      return Type::kBool;
    case element_type::NULL_VALUE:
      return Type::kNull;
  }
  return Type::kNull;
}

std::optional<bool> Value::AsBool() const {
  bool out = false;
  if (ValueAccess::Unwrap(*this).get_bool().get(out) != simdjson::SUCCESS) return std::nullopt;
  return out;
}

std::optional<std::int64_t> Value::AsInt() const {
  const element value = ValueAccess::Unwrap(*this);
  if (value.type() != element_type::INT64) return std::nullopt;
  return std::int64_t(value);
}

std::optional<double> Value::AsDouble() const {
  double out = 0;
  if (ValueAccess::Unwrap(*this).get_double().get(out) != simdjson::SUCCESS) return std::nullopt;
  return out;
}

std::optional<std::string_view> Value::AsString() const {
  std::string_view out;
  if (ValueAccess::Unwrap(*this).get_string().get(out) != simdjson::SUCCESS) return std::nullopt;
  return out;
}

std::optional<Value> Value::Find(std::string_view name) const {
  simdjson::dom::object object;
  if (ValueAccess::Unwrap(*this).get_object().get(object) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  element found;
  if (object.at_key(name).get(found) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  return ValueAccess::Wrap(found);
}

std::size_t Value::size() const {
  const element value = ValueAccess::Unwrap(*this);
  std::size_t count = 0;
  if (value.type() == element_type::ARRAY) {
    const simdjson::dom::array array = value.get_array();
    for ([[maybe_unused]] const element child : array) ++count;
  } else if (value.type() == element_type::OBJECT) {
    const simdjson::dom::object object = value.get_object();
    for ([[maybe_unused]] const auto field : object) ++count;
  }
  return count;
}

bool Value::ForEachMember(const MemberVisitor& visit) const {
  simdjson::dom::object object;
  if (ValueAccess::Unwrap(*this).get_object().get(object) != simdjson::SUCCESS) {
    return false;
  }
  for (const auto field : object) {
    if (!visit(field.key, ValueAccess::Wrap(field.value))) break;
  }
  return true;
}

bool Value::ForEachElement(const ElementVisitor& visit) const {
  simdjson::dom::array array;
  if (ValueAccess::Unwrap(*this).get_array().get(array) != simdjson::SUCCESS) {
    return false;
  }
  std::size_t index = 0;
  for (const element child : array) {
    if (!visit(index++, ValueAccess::Wrap(child))) break;
  }
  return true;
}

std::string Value::ToJson() const {
  std::string out;
  Writer writer(out);
  Write(ValueAccess::Unwrap(*this), writer);
  return out;
}

struct Parser::Impl {
  explicit Impl(Limits given) : limits(given), parser(given.bytes_max) {
    // Allocated once for the usual request; grows by itself up to the limit.
    KT_CHECK(parser.allocate(std::min<std::size_t>(given.bytes_max, 16384), given.depth_max) ==
             simdjson::SUCCESS);
    buffer.resize(1024 + simdjson::SIMDJSON_PADDING);
  }
  Limits limits;
  simdjson::dom::parser parser;
  std::vector<char> buffer;
  std::vector<std::string_view> names;
};

Parser::Parser(Limits limits) : impl_(std::make_unique<Impl>(limits)) {}
Parser::~Parser() = default;
Parser::Parser(Parser&&) noexcept = default;
Parser& Parser::operator=(Parser&&) noexcept = default;

Result<Value> Parser::Parse(std::string_view text) {
  Impl& impl = *impl_;
  if (text.size() > impl.limits.bytes_max) {
    return Fail(ErrorCode::kMalformed, "JSON document too large");
  }
  if (impl.buffer.size() < text.size() + simdjson::SIMDJSON_PADDING) {
    impl.buffer.resize(text.size() + simdjson::SIMDJSON_PADDING);
  }
  if (!text.empty()) {
    std::memcpy(impl.buffer.data(), text.data(), text.size());
  }
  if (text.size() > impl.parser.capacity()) {
    const auto grown = impl.parser.allocate(text.size(), impl.limits.depth_max);
    if (grown != simdjson::SUCCESS) {
      return Fail(ErrorCode::kMalformed, "JSON document too large");
    }
  }
  element root;
  const auto error = impl.parser.parse(impl.buffer.data(), text.size(), false).get(root);
  if (error != simdjson::SUCCESS) {
    return Fail(ErrorCode::kMalformed,
                std::string("not valid JSON: ") + simdjson::error_message(error));
  }
  if (HasDuplicates(root, impl.names)) {
    return Fail(ErrorCode::kMalformed, "not valid JSON: a member name appears twice");
  }
  return ValueAccess::Wrap(root);
}

}  // namespace keyturn::json
