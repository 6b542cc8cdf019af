// What Sign and Verify share: the checks, and the bytes that are signed.
#pragma once

#include <fmt/format.h>

#include "keys/spec.h"
#include "service/key_pairs.h"
#include "service/ops/common.h"

namespace keyturn::service {

// Signed: what a key signs and how.
struct Signed {
  crypto::SignatureScheme scheme;
  Bytes input;
};

// SignedInput: the digest of a RAW message, a DIGEST as it is, and for Ed25519 and a RAW message of
// SM2 the message itself. ValidationException with AWS's texts when the message type or the
// digest's length does not fit.
template <typename Request>
Result<Signed> SignedInput(const keys::Key& key, const Request& request) {
  const auto type = request.message_type.value_or(model::MessageType::kRaw);
  const ByteView message = request.message.reveal();
  const crypto::SignatureScheme scheme = SchemeOf(request.signing_algorithm);
  const bool whole = scheme == crypto::SignatureScheme::kEd25519;
  const bool sm2 = scheme == crypto::SignatureScheme::kSm2;
  if (type == model::MessageType::kExternalMu || (whole && type != model::MessageType::kRaw)) {
    return Fail(ErrorCode::kValidationException,
                fmt::format("Message type {} is incompatible with key spec {}.",
                            model::ToWire(type), model::ToWire(key.spec)));
  }
  const auto as_it_is = [&] { return Bytes(message.begin(), message.end()); };
  if (whole || (sm2 && type == model::MessageType::kRaw)) return Signed{scheme, as_it_is()};
  const crypto::Hash hash = HashOf(request.signing_algorithm);
  if (type == model::MessageType::kRaw) return Signed{scheme, crypto::Digest(hash, message)};
  if (message.size() != crypto::HashBytes(hash)) {
    return Fail(ErrorCode::kValidationException,
                fmt::format("Digest is invalid length for algorithm {}.",
                            model::ToWire(request.signing_algorithm)));
  }
  return Signed{sm2 ? crypto::SignatureScheme::kSm2Digest : scheme, as_it_is()};
}

}  // namespace keyturn::service
