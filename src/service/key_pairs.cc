#include "service/key_pairs.h"

#include <fmt/format.h>

#include "base/check.h"
#include "crypto/kdf.h"
#include "keys/spec.h"

namespace keyturn::service {

using model::DataKeyPairSpec;
using model::EncryptionAlgorithmSpec;
using model::KeySpec;
using model::MacAlgorithmSpec;
using model::SigningAlgorithmSpec;

crypto::KeyType KeyTypeOf(KeySpec spec) {
  switch (spec) {
    case KeySpec::kRsa2048:
      return crypto::KeyType::kRsa2048;
    case KeySpec::kRsa3072:
      return crypto::KeyType::kRsa3072;
    case KeySpec::kRsa4096:
      return crypto::KeyType::kRsa4096;
    case KeySpec::kEccNistP256:
      return crypto::KeyType::kP256;
    case KeySpec::kEccNistP384:
      return crypto::KeyType::kP384;
    case KeySpec::kEccNistP521:
      return crypto::KeyType::kP521;
    case KeySpec::kEccSecgP256k1:
      return crypto::KeyType::kSecp256k1;
    case KeySpec::kEccNistEdwards25519:
      return crypto::KeyType::kEd25519;
    case KeySpec::kSm2:
      return crypto::KeyType::kSm2;
    case KeySpec::kSymmetricDefault:
    case KeySpec::kHmac224:
    case KeySpec::kHmac256:
    case KeySpec::kHmac384:
    case KeySpec::kHmac512:
    case KeySpec::kMlDsa44:
    case KeySpec::kMlDsa65:
    case KeySpec::kMlDsa87:
      break;
  }
  KT_CHECK(false);
}

Result<crypto::KeyType> KeyTypeOf(DataKeyPairSpec spec, model::Region region) {
  if (spec == DataKeyPairSpec::kSm2 && !keys::OffersSm2(region)) {
    return Fail(ErrorCode::kUnsupportedOperationException,
                "KeyPairSpec SM2 is available in China Regions only.");
  }
  const auto same = model::FromWire<KeySpec>(model::ToWire(spec));
  KT_CHECK(same);  // every data key pair spec is a key spec too
  return KeyTypeOf(*same);
}

SecretBytes MakeMaterialBytes(RandomSource& random, KeySpec spec) {
  const keys::Spec& info = keys::SpecOf(spec);
  if (info.is_pair()) return crypto::AsymmetricKey::Generate(KeyTypeOf(spec)).Pkcs8();
  SecretBytes bytes(info.is_hmac() ? keys::HmacKeyBytes(spec) : crypto::Key256().size());
  random.Fill(bytes.reveal_mutable());
  return bytes;
}

bool TakesLong(KeySpec spec) { return keys::SpecOf(spec).is_rsa(); }

bool TakesLong(DataKeyPairSpec spec) {
  return spec == DataKeyPairSpec::kRsa2048 || spec == DataKeyPairSpec::kRsa3072 ||
         spec == DataKeyPairSpec::kRsa4096;
}

bool TakesLong(SigningAlgorithmSpec algorithm) {
  const auto scheme = SchemeOf(algorithm);
  return scheme == crypto::SignatureScheme::kRsaPkcs1 || scheme == crypto::SignatureScheme::kRsaPss;
}

bool TakesLong(EncryptionAlgorithmSpec algorithm) {
  return algorithm != EncryptionAlgorithmSpec::kSymmetricDefault;
}

crypto::Hash HashOf(SigningAlgorithmSpec algorithm) {
  switch (algorithm) {
    case SigningAlgorithmSpec::kRsassaPssSha256:
    case SigningAlgorithmSpec::kRsassaPkcs1V15Sha256:
    case SigningAlgorithmSpec::kEcdsaSha256:
    case SigningAlgorithmSpec::kSm2dsa:
    case SigningAlgorithmSpec::kMlDsaShake256:
      return crypto::Hash::kSha256;
    case SigningAlgorithmSpec::kRsassaPssSha384:
    case SigningAlgorithmSpec::kRsassaPkcs1V15Sha384:
    case SigningAlgorithmSpec::kEcdsaSha384:
      return crypto::Hash::kSha384;
    case SigningAlgorithmSpec::kRsassaPssSha512:
    case SigningAlgorithmSpec::kRsassaPkcs1V15Sha512:
    case SigningAlgorithmSpec::kEcdsaSha512:
    case SigningAlgorithmSpec::kEd25519Sha512:
    case SigningAlgorithmSpec::kEd25519PhSha512:
      return crypto::Hash::kSha512;
  }
  KT_CHECK(false);
}

crypto::SignatureScheme SchemeOf(SigningAlgorithmSpec algorithm) {
  switch (algorithm) {
    case SigningAlgorithmSpec::kRsassaPssSha256:
    case SigningAlgorithmSpec::kRsassaPssSha384:
    case SigningAlgorithmSpec::kRsassaPssSha512:
      return crypto::SignatureScheme::kRsaPss;
    case SigningAlgorithmSpec::kRsassaPkcs1V15Sha256:
    case SigningAlgorithmSpec::kRsassaPkcs1V15Sha384:
    case SigningAlgorithmSpec::kRsassaPkcs1V15Sha512:
      return crypto::SignatureScheme::kRsaPkcs1;
    case SigningAlgorithmSpec::kEcdsaSha256:
    case SigningAlgorithmSpec::kEcdsaSha384:
    case SigningAlgorithmSpec::kEcdsaSha512:
      return crypto::SignatureScheme::kEcdsa;
    case SigningAlgorithmSpec::kEd25519Sha512:
    case SigningAlgorithmSpec::kEd25519PhSha512:
    case SigningAlgorithmSpec::kMlDsaShake256:
      return crypto::SignatureScheme::kEd25519;
    case SigningAlgorithmSpec::kSm2dsa:
      return crypto::SignatureScheme::kSm2;
  }
  KT_CHECK(false);
}

crypto::Hash HashOf(MacAlgorithmSpec algorithm) {
  switch (algorithm) {
    case MacAlgorithmSpec::kHmacSha224:
      return crypto::Hash::kSha224;
    case MacAlgorithmSpec::kHmacSha256:
      return crypto::Hash::kSha256;
    case MacAlgorithmSpec::kHmacSha384:
      return crypto::Hash::kSha384;
    case MacAlgorithmSpec::kHmacSha512:
      return crypto::Hash::kSha512;
  }
  KT_CHECK(false);
}

crypto::Hash HashOf(EncryptionAlgorithmSpec algorithm) {
  KT_CHECK(algorithm == EncryptionAlgorithmSpec::kRsaesOaepSha1 ||
           algorithm == EncryptionAlgorithmSpec::kRsaesOaepSha256);
  return algorithm == EncryptionAlgorithmSpec::kRsaesOaepSha1 ? crypto::Hash::kSha1
                                                              : crypto::Hash::kSha256;
}

}  // namespace keyturn::service
