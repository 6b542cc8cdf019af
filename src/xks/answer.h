// Answer: what an external key store proxy may answer, and what it then means. Pure: these read
// bytes from outside, with limits; the client that gets them is proxy.h.
//
// Thread-safety: free functions. Source: AWS KMS External Key Store Proxy API Specification,
// version 1 (aws/aws-kms-xksproxy-api-spec), November 2022.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "model/external_keys.h"

namespace keyturn::xks {

// Of a body; the longest that makes sense is a ciphertext of 4,300 bytes in Base64.
inline constexpr std::size_t kAnswerBytesMax = 32 << 10;

using Failure = model::ProxyFailure;
using KeyFacts = model::ExternalKeyFacts;
using Encrypted = model::ExternalCiphertext;
template <typename T>
using Answer = model::ProxyAnswer<T>;

// FailureName is for logs: "InvalidStateException", "no connection".
const char* FailureName(Failure failure);

struct Reported {
  Failure failure = Failure::kInvalidResponse;
  std::string message;  // the proxy's, printable ASCII, for logs
};
// ReadError: an answer whose status is not 200.
Reported ReadError(std::string_view body);

// ReadHealth succeeds when at least one key manager is not UNAVAILABLE.
Answer<void> ReadHealth(std::string_view body);

Answer<KeyFacts> ReadMetadata(std::string_view body);

// ReadEncrypted checks sizes, and the integrity value over what was sent and what came back.
Answer<Encrypted> ReadEncrypted(std::string_view body, std::size_t plaintext_size, ByteView aad);
Answer<Bytes> ReadDecrypted(std::string_view body, std::size_t ciphertext_size);

}  // namespace keyturn::xks
