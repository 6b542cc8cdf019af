#include "keys/spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/check.h"

namespace keyturn::keys {
namespace {

using model::EncryptionAlgorithmSpec;
using model::KeyAgreementAlgorithmSpec;
using model::KeySpec;
using model::KeyUsage;
using model::MacAlgorithmSpec;
using model::SigningAlgorithmSpec;

constexpr KeyUsage kEncrypt[] = {KeyUsage::kEncryptDecrypt};
constexpr KeyUsage kSign[] = {KeyUsage::kSignVerify};
constexpr KeyUsage kSignOrEncrypt[] = {KeyUsage::kSignVerify, KeyUsage::kEncryptDecrypt};
constexpr KeyUsage kSignOrAgree[] = {KeyUsage::kSignVerify, KeyUsage::kKeyAgreement};
constexpr KeyUsage kMac[] = {KeyUsage::kGenerateVerifyMac};

constexpr EncryptionAlgorithmSpec kSymmetric[] = {EncryptionAlgorithmSpec::kSymmetricDefault};
constexpr EncryptionAlgorithmSpec kOaep[] = {EncryptionAlgorithmSpec::kRsaesOaepSha1,
                                             EncryptionAlgorithmSpec::kRsaesOaepSha256};
constexpr SigningAlgorithmSpec kRsa[] = {
    SigningAlgorithmSpec::kRsassaPkcs1V15Sha256, SigningAlgorithmSpec::kRsassaPkcs1V15Sha384,
    SigningAlgorithmSpec::kRsassaPkcs1V15Sha512, SigningAlgorithmSpec::kRsassaPssSha256,
    SigningAlgorithmSpec::kRsassaPssSha384,      SigningAlgorithmSpec::kRsassaPssSha512};
constexpr SigningAlgorithmSpec kEcdsa256[] = {SigningAlgorithmSpec::kEcdsaSha256};
constexpr SigningAlgorithmSpec kEcdsa384[] = {SigningAlgorithmSpec::kEcdsaSha384};
constexpr SigningAlgorithmSpec kEcdsa512[] = {SigningAlgorithmSpec::kEcdsaSha512};
constexpr SigningAlgorithmSpec kEd25519[] = {SigningAlgorithmSpec::kEd25519Sha512};
constexpr EncryptionAlgorithmSpec kSm2Pke[] = {EncryptionAlgorithmSpec::kSm2pke};
constexpr SigningAlgorithmSpec kSm2Dsa[] = {SigningAlgorithmSpec::kSm2dsa};
constexpr MacAlgorithmSpec kHmac224[] = {MacAlgorithmSpec::kHmacSha224};
constexpr MacAlgorithmSpec kHmac256[] = {MacAlgorithmSpec::kHmacSha256};
constexpr MacAlgorithmSpec kHmac384[] = {MacAlgorithmSpec::kHmacSha384};
constexpr MacAlgorithmSpec kHmac512[] = {MacAlgorithmSpec::kHmacSha512};
constexpr KeyAgreementAlgorithmSpec kEcdh[] = {KeyAgreementAlgorithmSpec::kEcdh};

// In the order of KeySpec.
constexpr Spec kSpecs[] = {
    {KeySpec::kRsa2048, kSignOrEncrypt, kOaep, kRsa, {}, {}},
    {KeySpec::kRsa3072, kSignOrEncrypt, kOaep, kRsa, {}, {}},
    {KeySpec::kRsa4096, kSignOrEncrypt, kOaep, kRsa, {}, {}},
    {KeySpec::kEccNistP256, kSignOrAgree, {}, kEcdsa256, {}, kEcdh},
    {KeySpec::kEccNistP384, kSignOrAgree, {}, kEcdsa384, {}, kEcdh},
    {KeySpec::kEccNistP521, kSignOrAgree, {}, kEcdsa512, {}, kEcdh},
    {KeySpec::kEccSecgP256k1, kSign, {}, kEcdsa256, {}, {}},
    {KeySpec::kSymmetricDefault, kEncrypt, kSymmetric, {}, {}, {}},
    {KeySpec::kHmac224, kMac, {}, {}, kHmac224, {}},
    {KeySpec::kHmac256, kMac, {}, {}, kHmac256, {}},
    {KeySpec::kHmac384, kMac, {}, {}, kHmac384, {}},
    {KeySpec::kHmac512, kMac, {}, {}, kHmac512, {}},
    {KeySpec::kSm2, kSignOrEncrypt, kSm2Pke, kSm2Dsa, {}, {}},
    {KeySpec::kMlDsa44, {}, {}, {}, {}, {}},
    {KeySpec::kMlDsa65, {}, {}, {}, {}, {}},
    {KeySpec::kMlDsa87, {}, {}, {}, {}, {}},
    {KeySpec::kEccNistEdwards25519, kSign, {}, kEd25519, {}, {}},
};
static_assert(std::size(kSpecs) == std::size(model::EnumTable<KeySpec>::kNames));

constexpr bool SpecsAreInOrder() {
  std::size_t number = 0;
  for (const Spec& spec : kSpecs) {
    if (static_cast<std::size_t>(spec.spec) != number++) return false;
  }
  return true;
}
static_assert(SpecsAreInOrder());

}  // namespace

bool Spec::is_rsa() const {
  return spec == KeySpec::kRsa2048 || spec == KeySpec::kRsa3072 || spec == KeySpec::kRsa4096;
}

const Spec& SpecOf(KeySpec spec) { return kSpecs[static_cast<std::size_t>(spec)]; }

bool IsSameType(KeySpec a, KeySpec b) {
  const Spec& one = SpecOf(a);
  const Spec& other = SpecOf(b);
  return one.is_symmetric_encryption() == other.is_symmetric_encryption() &&
         one.is_hmac() == other.is_hmac();
}

std::size_t HmacKeyBytes(KeySpec spec) {
  const Spec& info = SpecOf(spec);
  KT_CHECK(info.is_hmac());
  switch (info.mac.front()) {
    case MacAlgorithmSpec::kHmacSha224:
      return 28;
    case MacAlgorithmSpec::kHmacSha256:
      return 32;
    case MacAlgorithmSpec::kHmacSha384:
      return 48;
    case MacAlgorithmSpec::kHmacSha512:
      return 64;
  }
  KT_CHECK(false);
}

bool OffersSm2(model::Region region) { return region.partition() == "aws-cn"; }

Status CheckUsage(KeySpec spec, KeyUsage usage, model::Region region) {
  const auto usages = SpecOf(spec).usages;
  if (usages.empty()) {
    return Fail(ErrorCode::kUnsupportedOperationException,
                fmt::format("KeySpec {} is not supported by this server.", model::ToWire(spec)));
  }
  if (spec == KeySpec::kSm2 && !OffersSm2(region)) {
    return Fail(ErrorCode::kUnsupportedOperationException,
                "KeySpec SM2 is available in China Regions only.");
  }
  if (spec == KeySpec::kSm2 && usage == KeyUsage::kKeyAgreement) {
    return Fail(ErrorCode::kUnsupportedOperationException,
                "KeyUsage KEY_AGREEMENT with KeySpec SM2 is not supported by this server.");
  }
  if (std::find(usages.begin(), usages.end(), usage) == usages.end()) {
    return Fail(ErrorCode::kValidationException,
                fmt::format("KeyUsage {} is not compatible with KeySpec {}", model::ToWire(usage),
                            model::ToWire(spec)));
  }
  return {};
}

Status CheckUse(const Key& key, KeyOperation operation, std::string_view operation_name,
                KeyUsage usage) {
  KT_TRY(CheckState(key, operation));
  if (key.usage != usage) {
    return Fail(ErrorCode::kInvalidKeyUsageException,
                fmt::format("{} key usage is {} which is not valid for {}.", key.arn(),
                            model::ToWire(key.usage), operation_name));
  }
  return {};
}

Error WrongAlgorithm(const Key& key, std::string_view algorithm) {
  return {ErrorCode::kInvalidKeyUsageException,
          fmt::format("Algorithm {} is incompatible with key spec {}.", algorithm,
                      model::ToWire(key.spec)),
          {}};
}

}  // namespace keyturn::keys
