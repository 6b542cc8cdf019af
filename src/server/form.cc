#include "server/form.h"

#include "json/json.h"

namespace keyturn::server {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> Decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = high >= 0 ? HexDigit(text[i + 2]) : -1;
      if (low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

}  // namespace

Result<Form> Form::Parse(std::string_view text) {
  Form form;
  if (text.size() > kBytesMax) return Fail(ErrorCode::kMalformed, "the form is too large");
  while (!text.empty()) {
    const std::size_t end = text.find('&');
    const std::string_view field = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (field.empty()) continue;
    const std::size_t equals = field.find('=');
    auto name = Decode(field.substr(0, equals));
    auto value =
        Decode(equals == std::string_view::npos ? std::string_view() : field.substr(equals + 1));
    if (!name || !value) return Fail(ErrorCode::kMalformed, "a % sequence is broken");
    if (!json::IsUtf8(*name) || !json::IsUtf8(*value)) {
      return Fail(ErrorCode::kMalformed, "a field is not UTF-8");
    }
    if (!form.fields_.emplace(std::move(*name), std::move(*value)).second) {
      return Fail(ErrorCode::kMalformed, "a field comes twice");
    }
    if (form.fields_.size() > kFieldsMax) {
      return Fail(ErrorCode::kMalformed, "the form has too many fields");
    }
  }
  return form;
}

std::optional<std::string> Form::Find(const std::string& name) const {
  const auto found = fields_.find(name);
  if (found == fields_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::string> Form::List(const std::string& name) const {
  std::vector<std::string> values;
  for (std::size_t i = 1;; ++i) {
    auto value = Find(name + ".member." + std::to_string(i));
    if (!value) return values;
    values.push_back(std::move(*value));
  }
}

std::vector<std::pair<std::string, std::string>> Form::Pairs(const std::string& name) const {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (std::size_t i = 1;; ++i) {
    const std::string prefix = name + ".member." + std::to_string(i);
    auto key = Find(prefix + ".Key");
    if (!key) return pairs;
    pairs.emplace_back(std::move(*key), Get(prefix + ".Value"));
  }
}

bool Form::HasUnder(std::string_view prefix) const {
  const auto at = fields_.lower_bound(std::string(prefix));
  return at != fields_.end() && at->first.starts_with(prefix);
}

}  // namespace keyturn::server
