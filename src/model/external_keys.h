// External keys: what an external key store proxy says, in the words of the domain. The room xks
// asks, the service decides.
//
// Thread-safety: values. Source: AWS KMS External Key Store Proxy API Specification, version 1.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "base/bytes.h"

namespace keyturn::model {

// ProxyFailure: why there is no answer to work with. The first twelve are errors that a proxy
// reports, which the specification maps to AWS's exceptions.
enum class ProxyFailure : std::uint8_t {
  kValidation,
  kInvalidState,  // the external key is disabled
  kInvalidCiphertext,
  kInvalidKeyUsage,
  kAuthenticationFailed,
  kAccessDenied,
  kKeyNotFound,
  kInvalidUriPath,
  kUnsupported,
  kDependencyTimeout,
  kThrottled,
  kInternal,  // also: none of the proxy's key managers is available
  // Ours:
  kInvalidResponse,  // not an answer of the API
  kUnreachable,
  kTls,
  kTimeout,
};

template <typename T>
using ProxyAnswer = tl::expected<T, ProxyFailure>;

struct ExternalKeyFacts {
  std::string spec;
  std::vector<std::string> usage;
  bool enabled = false;

  // Suits: what KMS asks of an external key.
  bool Suits() const {
    bool encrypts = false;
    bool decrypts = false;
    for (const std::string& each : usage) {
      encrypts = encrypts || each == "ENCRYPT";
      decrypts = decrypts || each == "DECRYPT";
    }
    return spec == "AES_256" && encrypts && decrypts && enabled;
  }
};

struct ExternalCiphertext {
  Bytes ciphertext;
  Bytes metadata;  // at most 20 bytes
  Bytes iv;        // 12 or 16
  Bytes tag;       // 16
};

}  // namespace keyturn::model
