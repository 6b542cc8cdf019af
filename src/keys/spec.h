// Spec: what each KeySpec is for, and with which algorithms. Pure tables.
//
// A spec that this server cannot make has no usages: ML-DSA, which needs OpenSSL 3.5. SM2 is
// offered where AWS offers it, in China; key agreement with it is not (OpenSSL has none).
// Thread-safety: constants.
// Source: KMS Developer Guide, "Key spec reference" and "Cryptographic algorithms"; the order of
// the algorithms is that of AWS's answers.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.h"
#include "keys/key.h"
#include "model/enums.h"

namespace keyturn::keys {

struct Spec {
  model::KeySpec spec;
  std::span<const model::KeyUsage> usages;
  std::span<const model::EncryptionAlgorithmSpec> encryption;
  std::span<const model::SigningAlgorithmSpec> signing;
  std::span<const model::MacAlgorithmSpec> mac;
  std::span<const model::KeyAgreementAlgorithmSpec> agreement;

  bool is_symmetric_encryption() const { return spec == model::KeySpec::kSymmetricDefault; }
  // is_hmac: secret bytes, mac_bytes of them.
  bool is_hmac() const { return !mac.empty(); }
  // is_pair: a private key with a public half.
  bool is_pair() const { return !usages.empty() && !is_symmetric_encryption() && !is_hmac(); }
  bool is_rsa() const;
};

const Spec& SpecOf(model::KeySpec spec);

// IsSameType: both for symmetric encryption, both HMAC, or both key pairs.
bool IsSameType(model::KeySpec a, model::KeySpec b);

// HmacKeyBytes: as long as the digest. HMAC specs only (KT_CHECK).
std::size_t HmacKeyBytes(model::KeySpec spec);

// OffersSm2: the region is one of China's.
bool OffersSm2(model::Region region);

// CheckUsage of CreateKey: kValidationException with AWS's text when the spec is not for usage;
// UnsupportedOperationException when this server cannot make such keys, or not in the region.
Status CheckUsage(model::KeySpec spec, model::KeyUsage usage, model::Region region);

// CheckUse is what every cryptographic operation asks first: the state allows it, and the key is
// for this usage (InvalidKeyUsageException).
Status CheckUse(const Key& key, KeyOperation operation, std::string_view operation_name,
                model::KeyUsage usage);

// WrongAlgorithm: "Algorithm X is incompatible with key spec Y."
Error WrongAlgorithm(const Key& key, std::string_view algorithm);

// CheckAlgorithm: InvalidKeyUsageException unless the list has the algorithm.
template <typename Algorithm>
Status CheckAlgorithm(const Key& key, std::span<const Algorithm> allowed, Algorithm algorithm) {
  for (const Algorithm each : allowed) {
    if (each == algorithm) return {};
  }
  return Fail(WrongAlgorithm(key, model::ToWire(algorithm)));
}

}  // namespace keyturn::keys
