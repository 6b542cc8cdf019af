// What Sign and Verify share: the checks, and the bytes that are signed.
#pragma once

#include <fmt/format.h>

#include "keys/spec.h"
#include "service/key_pairs.h"
#include "service/ops/common.h"

namespace keyturn::service {

// SignedBytes is what the key signs: the digest of a RAW message, a DIGEST as it is, and for
// Ed25519 the message itself. ValidationException with AWS's texts when the message type or the
// digest's length does not fit.
template <typename Request>
Result<Bytes> SignedBytes(const keys::Key& key, const Request& request) {
  const auto type = request.message_type.value_or(model::MessageType::kRaw);
  const ByteView message = request.message.reveal();
  const bool whole = SchemeOf(request.signing_algorithm) == crypto::SignatureScheme::kEd25519;
  if (type == model::MessageType::kExternalMu || (whole && type != model::MessageType::kRaw)) {
    return Fail(ErrorCode::kValidationException,
                fmt::format("Message type {} is incompatible with key spec {}.",
                            model::ToWire(type), model::ToWire(key.spec)));
  }
  if (whole) return Bytes(message.begin(), message.end());
  const crypto::Hash hash = HashOf(request.signing_algorithm);
  if (type == model::MessageType::kRaw) return crypto::Digest(hash, message);
  if (message.size() != crypto::HashBytes(hash)) {
    return Fail(ErrorCode::kValidationException,
                fmt::format("Digest is invalid length for algorithm {}.",
                            model::ToWire(request.signing_algorithm)));
  }
  return Bytes(message.begin(), message.end());
}

}  // namespace keyturn::service
