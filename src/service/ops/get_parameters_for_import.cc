#include "api/ops/get_parameters_for_import.h"

#include <fmt/format.h>

#include "crypto/wrapping.h"
#include "keys/imports.h"
#include "service/import_token.h"
#include "service/ops/common.h"

namespace keyturn::service {
namespace {

using model::AlgorithmSpec;
using model::KeySpec;
using model::WrappingKeySpec;

bool IsRsaKey(KeySpec spec) {
  return spec == KeySpec::kRsa2048 || spec == KeySpec::kRsa3072 || spec == KeySpec::kRsa4096;
}

bool IsSecretKey(KeySpec spec) {
  return spec == KeySpec::kSymmetricDefault || spec == KeySpec::kHmac224 ||
         spec == KeySpec::kHmac256 || spec == KeySpec::kHmac384 || spec == KeySpec::kHmac512;
}

// OaepHolds: the PKCS #8 form of the key fits into one RSA block. These two do not (KMS Developer
// Guide, "Select a wrapping key spec"; the second as recorded).
bool OaepHolds(KeySpec spec, WrappingKeySpec wrapping) {
  if (IsRsaKey(spec)) return false;
  const bool large = spec == KeySpec::kEccNistP521 || spec == KeySpec::kEccNistEdwards25519;
  return !(large && wrapping == WrappingKeySpec::kRsa2048);
}

std::optional<crypto::WrappingKeyKind> KindOf(WrappingKeySpec spec) {
  switch (spec) {
    case WrappingKeySpec::kRsa2048:
      return crypto::WrappingKeyKind::kRsa2048;
    case WrappingKeySpec::kRsa3072:
      return crypto::WrappingKeyKind::kRsa3072;
    case WrappingKeySpec::kRsa4096:
      return crypto::WrappingKeyKind::kRsa4096;
    case WrappingKeySpec::kSm2:
      return crypto::WrappingKeyKind::kSm2;
  }
  return std::nullopt;
}

// AlgorithmFor: nullopt when the three do not go together. RSAES_PKCS1_V1_5 went out of service in
// October 2023; SM2PKE exists in the China regions only.
std::optional<crypto::WrappingAlgorithm> AlgorithmFor(const keys::Key& key, AlgorithmSpec algorithm,
                                                      WrappingKeySpec wrapping) {
  using crypto::WrappingAlgorithm;
  const bool sm2 = wrapping == WrappingKeySpec::kSm2;
  if (sm2 != (algorithm == AlgorithmSpec::kSm2pke)) return std::nullopt;
  switch (algorithm) {
    case AlgorithmSpec::kRsaesPkcs1V15:
      return std::nullopt;
    case AlgorithmSpec::kRsaesOaepSha1:
      if (OaepHolds(key.spec, wrapping)) return WrappingAlgorithm::kRsaOaepSha1;
      return std::nullopt;
    case AlgorithmSpec::kRsaesOaepSha256:
      if (OaepHolds(key.spec, wrapping)) return WrappingAlgorithm::kRsaOaepSha256;
      return std::nullopt;
    case AlgorithmSpec::kRsaAesKeyWrapSha1:
      if (!IsSecretKey(key.spec)) return WrappingAlgorithm::kRsaAesKeyWrapSha1;
      return std::nullopt;
    case AlgorithmSpec::kRsaAesKeyWrapSha256:
      if (!IsSecretKey(key.spec)) return WrappingAlgorithm::kRsaAesKeyWrapSha256;
      return std::nullopt;
    case AlgorithmSpec::kSm2pke:
      if (key.region.partition() == "aws-cn") return WrappingAlgorithm::kSm2;
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

template <>
Result<api::GetParametersForImportResponse> Handle<api::op::GetParametersForImport>(
    Call& call, const api::GetParametersForImportRequest& request) {
  const keys::Key& key = call.key().key;
  KT_TRY(keys::CheckImportable(key, keys::KeyOperation::kGetParametersForImport));
  const auto kind = KindOf(request.wrapping_key_spec);
  const auto algorithm = AlgorithmFor(key, request.wrapping_algorithm, request.wrapping_key_spec);
  if (!kind || !algorithm) {
    return Fail(ErrorCode::kValidationException,
                fmt::format("Wrapping algorithm {} and wrapping key spec {} cannot be used to "
                            "import a {} key.",
                            model::ToWire(request.wrapping_algorithm),
                            model::ToWire(request.wrapping_key_spec), model::ToWire(key.spec)));
  }
  crypto::WrappingKeyPair pair = crypto::NewWrappingKeyPair(*kind);
  const ImportToken token{*algorithm, call.now + keys::kImportTokenLife,
                          std::move(pair.private_key)};
  return api::GetParametersForImportResponse{
      .key_id = key.arn(),
      .import_token = SealImportToken(call.environment, key, token),
      .public_key = SecretBytes::CopyOf(pair.public_key),
      .parameters_valid_to = token.expires};
}

}  // namespace keyturn::service
