#include "xks/answer.h"

#include <algorithm>
#include <optional>

#include "base/base64.h"
#include "base/check.h"
#include "crypto/digest.h"
#include "json/json.h"

namespace keyturn::xks {
namespace {

constexpr std::size_t kDepthMax = 4;
constexpr std::size_t kMetadataBytesMax = 20;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kUsagesMax = 10;
constexpr std::size_t kManagersMax = 10;
constexpr std::size_t kMessageBytesMax = 512;

struct Name {
  Failure failure;
  const char* name;
};
constexpr Name kNames[] = {
    {Failure::kValidation, "ValidationException"},
    {Failure::kInvalidState, "InvalidStateException"},
    {Failure::kInvalidCiphertext, "InvalidCiphertextException"},
    {Failure::kInvalidKeyUsage, "InvalidKeyUsageException"},
    {Failure::kAuthenticationFailed, "AuthenticationFailedException"},
    {Failure::kAccessDenied, "AccessDeniedException"},
    {Failure::kKeyNotFound, "KeyNotFoundException"},
    {Failure::kInvalidUriPath, "InvalidUriPathException"},
    {Failure::kUnsupported, "UnsupportedOperationException"},
    {Failure::kDependencyTimeout, "DependencyTimeoutException"},
    {Failure::kThrottled, "ThrottlingException"},
    {Failure::kInternal, "InternalException"},
    // Ours, which no proxy reports.
    {Failure::kInvalidResponse, "not an answer of the API"},
    {Failure::kUnreachable, "no connection"},
    {Failure::kTls, "no trusted TLS connection"},
    {Failure::kTimeout, "no answer in time"},
};

tl::unexpected<Failure> NoAnswer() { return tl::unexpected(Failure::kInvalidResponse); }

std::optional<std::string_view> Text(const json::Value& object, std::string_view name) {
  const auto member = object.Find(name);
  return member ? member->AsString() : std::nullopt;
}

// Binary: a member in Base64; an absent one is nullopt.
std::optional<Bytes> Binary(const json::Value& object, std::string_view name) {
  const auto text = Text(object, name);
  return text ? Base64Decode(*text) : std::nullopt;
}

// WithObject parses body and gives its object to read.
template <typename T, typename Read>
Answer<T> WithObject(std::string_view body, Read read) {
  json::Parser parser({.bytes_max = kAnswerBytesMax, .depth_max = kDepthMax});
  const auto value = parser.Parse(body);
  if (!value || value->type() != json::Type::kObject) return NoAnswer();
  return read(*value);
}

// Manager: whether an entry of ekmFleetDetails is one, and whether it can serve.
bool ReadManager(const json::Value& entry, bool& available) {
  const auto health = Text(entry, "healthStatus");
  if (!Text(entry, "id") || !Text(entry, "model") || !health) return false;
  if (*health == "ACTIVE" || *health == "DEGRADED") {
    available = true;
    return true;
  }
  return *health == "UNAVAILABLE";
}

bool IsIntegrityValue(const json::Value& object, ByteView aad, const Encrypted& encrypted) {
  const auto value = Binary(object, "ciphertextDataIntegrityValue");
  const ByteView parts[] = {aad, encrypted.metadata, encrypted.iv, encrypted.ciphertext,
                            encrypted.tag};
  const auto expected = crypto::Sha256Parts(parts);
  return value && std::equal(value->begin(), value->end(), expected.begin(), expected.end());
}

}  // namespace

const char* FailureName(Failure failure) {
  for (const Name& each : kNames) {
    if (each.failure == failure) return each.name;
  }
  KT_CHECK(false);
}

Reported ReadError(std::string_view body) {
  Reported reported;
  (void)WithObject<void>(body, [&](const json::Value& object) -> Answer<void> {
    const auto name = Text(object, "errorName");
    if (!name) return {};
    for (const Name& each : kNames) {
      if (*name == each.name && each.failure <= Failure::kInternal) {
        reported.failure = each.failure;
      }
    }
    reported.message = Text(object, "errorMessage").value_or("").substr(0, kMessageBytesMax);
    std::replace_if(
        reported.message.begin(), reported.message.end(), [](char c) { return c < ' ' || c > '~'; },
        '?');
    return {};
  });
  return reported;
}

Answer<void> ReadHealth(std::string_view body) {
  return WithObject<void>(body, [](const json::Value& object) -> Answer<void> {
    const auto size = object.Find("xksProxyFleetSize");
    const auto number = size ? size->AsInt() : std::nullopt;
    if (!number || *number < 1) return NoAnswer();
    for (const char* name : {"xksProxyVendor", "xksProxyModel", "ekmVendor"}) {
      if (!Text(object, name)) return NoAnswer();
    }
    const auto managers = object.Find("ekmFleetDetails");
    if (!managers || managers->size() < 1 || managers->size() > kManagersMax) return NoAnswer();
    bool valid = true;
    bool available = false;
    const bool is_array = managers->ForEachElement([&](std::size_t, json::Value entry) {
      valid = ReadManager(entry, available);
      return valid;
    });
    if (!is_array || !valid) return NoAnswer();
    if (!available) return tl::unexpected(Failure::kInternal);
    return {};
  });
}

Answer<KeyFacts> ReadMetadata(std::string_view body) {
  return WithObject<KeyFacts>(body, [](const json::Value& object) -> Answer<KeyFacts> {
    const auto spec = Text(object, "keySpec");
    const auto status = Text(object, "keyStatus");
    const auto usage = object.Find("keyUsage");
    if (!spec || !status || !usage || usage->size() > kUsagesMax ||
        (*status != "ENABLED" && *status != "DISABLED")) {
      return NoAnswer();
    }
    KeyFacts facts{std::string(*spec), {}, *status == "ENABLED"};
    bool valid = true;
    const bool is_array = usage->ForEachElement([&](std::size_t, json::Value entry) {
      const auto name = entry.AsString();
      valid = name.has_value();
      if (valid) facts.usage.emplace_back(*name);
      return valid;
    });
    if (!is_array || !valid) return NoAnswer();
    return facts;
  });
}

Answer<Encrypted> ReadEncrypted(std::string_view body, std::size_t plaintext_size, ByteView aad) {
  return WithObject<Encrypted>(body, [&](const json::Value& object) -> Answer<Encrypted> {
    auto ciphertext = Binary(object, "ciphertext");
    auto iv = Binary(object, "initializationVector");
    auto tag = Binary(object, "authenticationTag");
    std::optional<Bytes> metadata = Bytes();
    if (object.Find("ciphertextMetadata")) metadata = Binary(object, "ciphertextMetadata");
    if (!ciphertext || ciphertext->size() != plaintext_size || !iv ||
        (iv->size() != 12 && iv->size() != 16) || !tag || tag->size() != kTagBytes || !metadata ||
        metadata->size() > kMetadataBytesMax) {
      return NoAnswer();
    }
    Encrypted encrypted{std::move(*ciphertext), std::move(*metadata), std::move(*iv),
                        std::move(*tag)};
    if (!IsIntegrityValue(object, aad, encrypted)) return NoAnswer();
    return encrypted;
  });
}

Answer<Bytes> ReadDecrypted(std::string_view body, std::size_t ciphertext_size) {
  return WithObject<Bytes>(body, [&](const json::Value& object) -> Answer<Bytes> {
    auto plaintext = Binary(object, "plaintext");
    if (!plaintext || plaintext->size() != ciphertext_size) return NoAnswer();
    return std::move(*plaintext);
  });
}

}  // namespace keyturn::xks
