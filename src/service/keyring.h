// Keyring: the domain key and the keys derived from it. One random key, wrapped by the root key and
// kept in the store, stands between the root and every row: the root key is touched at start only.
//
// Each purpose has its own derived key, so that what seals material cannot open an access key's
// secret or forge the trail. Thread-safe after creation.
// Source: docs/formats/key-hierarchy.md.
#pragma once

#include <memory>
#include <string_view>

#include "base/error.h"
#include "base/random.h"
#include "crypto/kdf.h"
#include "service/entities.h"

namespace keyturn::service {

class Keyring {
 public:
  // Create makes a new domain key.
  static Keyring Create(RandomSource& random);
  // Unwrap opens a wrapped domain key; kCorrupt when the root key is not the one that wrapped it.
  static Result<Keyring> Unwrap(const crypto::Key256& root, ByteView wrapped);
  Bytes Wrap(const crypto::Key256& root, RandomSource& random) const;

  // SealMaterial seals key material for one row; the row's identity is authenticated with it.
  Bytes SealMaterial(const keys::Key& key, const model::MaterialId& id, ByteView material,
                     RandomSource& random) const;
  Result<crypto::Key256> OpenMaterial(const keys::Key& key, const model::MaterialId& id,
                                      ByteView sealed) const;
  // OpenMaterialBytes opens material of any kind of key.
  Result<SecretBytes> OpenMaterialBytes(const keys::Key& key, const model::MaterialId& id,
                                        ByteView sealed) const;
  // RevealPair opens a key pair on first use and keeps it open for the material's life.
  Result<const crypto::AsymmetricKey*> RevealPair(const keys::Key& key,
                                                  const Material& material) const;
  // Reveal opens a material on first use and keeps it open for the material's life, in the form in
  // which it is used.
  Result<const crypto::HmacKey*> Reveal(const keys::Key& key, const Material& material) const;

  Bytes SealAccessKeySecret(std::string_view access_key_id, ByteView secret,
                            RandomSource& random) const;
  Result<SecretBytes> OpenAccessKeySecret(std::string_view access_key_id, ByteView sealed) const;

  // The same for the secret of a custom key store: a token's PIN, a proxy's credential.
  Bytes SealStoreSecret(std::string_view custom_key_store_id, ByteView secret,
                        RandomSource& random) const;
  Result<SecretBytes> OpenStoreSecret(std::string_view custom_key_store_id, ByteView sealed) const;

  // SealToken seals what a client keeps for us; purpose separates the kinds of tokens.
  Bytes SealToken(std::string_view purpose, ByteView content, RandomSource& random) const;
  Result<SecretBytes> OpenToken(std::string_view purpose, ByteView sealed) const;

  // ImportedMaterialId: the id of imported bytes. The same bytes for the same key have the same id,
  // in every region; without the domain key the id says nothing about them.
  model::MaterialId ImportedMaterialId(const keys::Key& key, ByteView material) const;

  // trail_key authenticates the audit chain; marker_key the page markers.
  crypto::Key256 TrailKey() const;
  crypto::Key256 MarkerKey() const;

 private:
  explicit Keyring(crypto::Key256 domain);
  crypto::Key256 domain_;
  crypto::Key256 material_wrap_;
  crypto::Key256 secret_wrap_;
  crypto::Key256 store_wrap_;
  crypto::Key256 token_wrap_;
  crypto::Key256 material_id_;
};

}  // namespace keyturn::service
