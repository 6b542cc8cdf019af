#include "client/sources.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "json/json.h"

namespace keyturn::client {
namespace {

constexpr std::size_t kFileBytesMax = 64 << 10;
constexpr std::string_view kWhiteSpace = " \t\r\n";

}  // namespace

Result<http::ClientResponse> Fetch(http::Client& http, http::ClientRequest request) {
  std::optional<Result<http::ClientResponse>> answer;
  http.Submit(std::move(request),
              [&answer](Result<http::ClientResponse> result) { answer = std::move(result); });
  constexpr std::chrono::milliseconds kTurn{100};
  while (!answer) http.Pump(kTurn);
  return std::move(*answer);
}

Result<FoundCredentials> ParseCredentials(std::string_view json, std::string_view token_member,
                                          std::string_view place) {
  const auto wrong = [place](std::string_view what) {
    return Fail(ErrorCode::kUsage, std::string(place) + ": " + std::string(what));
  };
  json::Parser parser;
  const auto value = parser.Parse(json);
  if (!value) return wrong("the answer is no JSON");
  const auto text = [&](std::string_view name) {
    const auto member = value->Find(name);
    return member ? member->AsString().value_or(std::string_view()) : std::string_view();
  };
  const auto id = text("AccessKeyId");
  const auto secret = text("SecretAccessKey");
  if (id.empty() || secret.empty()) {
    return wrong("the answer has no AccessKeyId and SecretAccessKey");
  }
  FoundCredentials found;
  found.credentials = {std::string(id), SecretBytes::CopyOf(AsBytes(secret)),
                       std::string(text(token_member))};
  found.source = place;
  const auto expiration = text("Expiration");
  if (!expiration.empty()) {
    found.expires = ParseIso8601(expiration);
    if (!found.expires) return wrong("Expiration is no time in ISO 8601");
  }
  return found;
}

std::string PercentEncode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<std::uint8_t>(c);
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

Result<std::string> ReadSmallFile(const std::string& path, std::string_view what) {
  const auto wrong = [&](const std::string& why) {
    return Fail(ErrorCode::kUsage, std::string(what) + ": cannot read " + path + ": " + why);
  };
  std::ifstream file(path, std::ios::binary);
  if (!file) return wrong(std::strerror(errno));
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (file.bad()) return wrong("reading failed");
  if (text.size() > kFileBytesMax) return wrong("it is larger than 64 KiB");
  return text;
}

Result<std::string> ReadToken(const std::string& path, std::string_view what) {
  KT_ASSIGN(const std::string text, ReadSmallFile(path, what));
  const auto begin = text.find_first_not_of(kWhiteSpace);
  if (begin == std::string::npos) {
    return Fail(ErrorCode::kUsage, std::string(what) + ": " + path + " is empty");
  }
  std::string token = text.substr(begin, text.find_last_not_of(kWhiteSpace) - begin + 1);
  if (token.find_first_of("\r\n") != std::string::npos) {
    return Fail(ErrorCode::kUsage, std::string(what) + ": " + path + " has several lines");
  }
  return token;
}

}  // namespace keyturn::client
