// Key pairs and HMAC keys: their bytes, made and opened. Thread-safe.
#pragma once

#include "base/error.h"
#include "base/random.h"
#include "base/secret.h"
#include "crypto/asymmetric.h"
#include "model/enums.h"
#include "model/ids.h"

namespace keyturn::service {

// KeyTypeOf: specs of key pairs only (KT_CHECK); UnsupportedOperationException for a data key pair
// that the region does not offer.
crypto::KeyType KeyTypeOf(model::KeySpec spec);
Result<crypto::KeyType> KeyTypeOf(model::DataKeyPairSpec spec, model::Region region);

// MakeMaterialBytes makes what a key of spec is: 32 random bytes, an HMAC key, or a private key in
// PKCS#8.
SecretBytes MakeMaterialBytes(RandomSource& random, model::KeySpec spec);

// TakesLong: making or using such a key would hold up an event loop or the writer (RSA).
bool TakesLong(model::KeySpec spec);
bool TakesLong(model::DataKeyPairSpec spec);
bool TakesLong(model::SigningAlgorithmSpec algorithm);
bool TakesLong(model::EncryptionAlgorithmSpec algorithm);

// HashOf, SchemeOf: how an algorithm signs a message (SM2DSA) or its digest (the others but
// Ed25519). HashOf SM2DSA has the length of its digest.
crypto::Hash HashOf(model::SigningAlgorithmSpec algorithm);
crypto::SignatureScheme SchemeOf(model::SigningAlgorithmSpec algorithm);
crypto::Hash HashOf(model::MacAlgorithmSpec algorithm);
// HashOf an OAEP algorithm (KT_CHECK).
crypto::Hash HashOf(model::EncryptionAlgorithmSpec algorithm);

}  // namespace keyturn::service
