// A peer's public key, as DeriveSharedSecret gets it: any bytes are a key of the type or refused.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "crypto/asymmetric.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using keyturn::crypto::AsymmetricKey;
  using keyturn::crypto::KeyType;
  for (const KeyType type :
       {KeyType::kRsa2048, KeyType::kP256, KeyType::kP521, KeyType::kEd25519}) {
    const auto key = AsymmetricKey::FromSpki(type, {data, size});
    KT_CHECK(!key || !key->Spki().empty());
  }
  return 0;
}
