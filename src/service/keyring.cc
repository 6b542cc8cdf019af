#include "service/keyring.h"

#include <fmt/format.h>

#include "crypto/digest.h"
#include "crypto/seal.h"
#include "model/enums.h"
#include "service/key_pairs.h"

namespace keyturn::service {
namespace {

constexpr std::string_view kDomainKeyRow = "keyturn/v1/domain-key";

// MaterialRowName is the associated data of a material row: everything that must not change behind
// the seal.
std::string MaterialRowName(const keys::Key& key, const model::MaterialId& id) {
  return fmt::format("keyturn/v1/material|{}|{}|{}|{}|{}|{}", key.account.text(), key.region.name(),
                     key.id.text(), id.hex(), model::ToWire(key.spec), model::ToWire(key.origin));
}

std::string SecretRowName(std::string_view access_key_id) {
  return fmt::format("keyturn/v1/access-key|{}", access_key_id);
}

std::string StoreSecretName(std::string_view custom_key_store_id) {
  return fmt::format("keyturn/v1/custom-key-store|{}", custom_key_store_id);
}

std::string TokenName(std::string_view purpose) {
  return fmt::format("keyturn/v1/token|{}", purpose);
}

Result<crypto::Key256> ToKey(Result<SecretBytes> opened) {
  if (!opened) return Fail(std::move(opened).error());
  crypto::Key256 key;
  if (opened->size() != key.size()) {
    return Fail(ErrorCode::kCorrupt, "sealed key has the wrong size");
  }
  std::copy(opened->reveal().begin(), opened->reveal().end(), key.reveal_mutable().begin());
  return key;
}

}  // namespace

Keyring::Keyring(crypto::Key256 domain)
    : domain_(std::move(domain)),
      material_wrap_(crypto::DeriveKey(domain_.reveal(), "keyturn/v1/material-wrap", {})),
      secret_wrap_(crypto::DeriveKey(domain_.reveal(), "keyturn/v1/access-key-wrap", {})),
      store_wrap_(crypto::DeriveKey(domain_.reveal(), "keyturn/v1/custom-key-store-wrap", {})),
      token_wrap_(crypto::DeriveKey(domain_.reveal(), "keyturn/v1/token-wrap", {})),
      material_id_(crypto::DeriveKey(domain_.reveal(), "keyturn/v1/material-id", {})) {}

Keyring Keyring::Create(RandomSource& random) {
  crypto::Key256 domain;
  random.Fill(domain.reveal_mutable());
  return Keyring(std::move(domain));
}

Result<Keyring> Keyring::Unwrap(const crypto::Key256& root, ByteView wrapped) {
  auto domain = ToKey(crypto::Open(root, AsBytes(kDomainKeyRow), wrapped));
  if (!domain) {
    return Fail(ErrorCode::kCorrupt,
                "the root key does not open this data directory: it is another directory's key, or "
                "a file was changed");
  }
  return Keyring(std::move(*domain));
}

Bytes Keyring::Wrap(const crypto::Key256& root, RandomSource& random) const {
  return crypto::Seal(root, AsBytes(kDomainKeyRow), domain_.reveal(), random);
}

Bytes Keyring::SealMaterial(const keys::Key& key, const model::MaterialId& id, ByteView material,
                            RandomSource& random) const {
  return crypto::Seal(material_wrap_, AsBytes(MaterialRowName(key, id)), material, random);
}

Result<SecretBytes> Keyring::OpenMaterialBytes(const keys::Key& key, const model::MaterialId& id,
                                               ByteView sealed) const {
  return crypto::Open(material_wrap_, AsBytes(MaterialRowName(key, id)), sealed);
}

Result<crypto::Key256> Keyring::OpenMaterial(const keys::Key& key, const model::MaterialId& id,
                                             ByteView sealed) const {
  return ToKey(OpenMaterialBytes(key, id, sealed));
}

Result<const crypto::HmacKey*> Keyring::Reveal(const keys::Key& key,
                                               const Material& material) const {
  if (const crypto::HmacKey* open = material.key.load(std::memory_order_acquire)) {
    return open;
  }
  const auto opened = OpenMaterial(key, material.id, material.sealed);
  if (!opened) {
    return Fail(ErrorCode::kCorrupt, {}, "key material " + material.id.hex() + " does not open");
  }
  auto fresh = std::make_unique<const crypto::HmacKey>(opened->reveal());
  const crypto::HmacKey* expected = nullptr;
  if (material.key.compare_exchange_strong(expected, fresh.get(), std::memory_order_acq_rel)) {
    return fresh.release();
  }
  return expected;  // another thread was faster
}

Result<const crypto::AsymmetricKey*> Keyring::RevealPair(const keys::Key& key,
                                                         const Material& material) const {
  if (const crypto::AsymmetricKey* open = material.pair.load(std::memory_order_acquire)) {
    return open;
  }
  const auto bytes = OpenMaterialBytes(key, material.id, material.sealed);
  auto opened = bytes.and_then([&](const SecretBytes& der) {
    return crypto::AsymmetricKey::FromPkcs8(KeyTypeOf(key.spec), der.reveal());
  });
  if (!opened) {
    return Fail(ErrorCode::kCorrupt, {}, "key material " + material.id.hex() + " does not open");
  }
  auto fresh = std::make_unique<const crypto::AsymmetricKey>(std::move(*opened));
  const crypto::AsymmetricKey* expected = nullptr;
  if (material.pair.compare_exchange_strong(expected, fresh.get(), std::memory_order_acq_rel)) {
    return fresh.release();
  }
  return expected;  // another thread was faster
}

Bytes Keyring::SealAccessKeySecret(std::string_view access_key_id, ByteView secret,
                                   RandomSource& random) const {
  return crypto::Seal(secret_wrap_, AsBytes(SecretRowName(access_key_id)), secret, random);
}

Result<SecretBytes> Keyring::OpenAccessKeySecret(std::string_view access_key_id,
                                                 ByteView sealed) const {
  return crypto::Open(secret_wrap_, AsBytes(SecretRowName(access_key_id)), sealed);
}

Bytes Keyring::SealStoreSecret(std::string_view custom_key_store_id, ByteView secret,
                               RandomSource& random) const {
  return crypto::Seal(store_wrap_, AsBytes(StoreSecretName(custom_key_store_id)), secret, random);
}

Result<SecretBytes> Keyring::OpenStoreSecret(std::string_view custom_key_store_id,
                                             ByteView sealed) const {
  return crypto::Open(store_wrap_, AsBytes(StoreSecretName(custom_key_store_id)), sealed);
}

Bytes Keyring::SealToken(std::string_view purpose, ByteView content, RandomSource& random) const {
  return crypto::Seal(token_wrap_, AsBytes(TokenName(purpose)), content, random);
}

Result<SecretBytes> Keyring::OpenToken(std::string_view purpose, ByteView sealed) const {
  return crypto::Open(token_wrap_, AsBytes(TokenName(purpose)), sealed);
}

model::MaterialId Keyring::ImportedMaterialId(const keys::Key& key, ByteView material) const {
  // Account and key id have fixed sizes: the parts cannot run into each other.
  const ByteView parts[] = {AsBytes(key.account.text()), AsBytes(key.id.text()), material};
  return model::MaterialId(crypto::HmacSha256Parts(material_id_.reveal(), parts));
}

crypto::Key256 Keyring::TrailKey() const {
  return crypto::DeriveKey(domain_.reveal(), "keyturn/v1/trail-chain", {});
}

crypto::Key256 Keyring::MarkerKey() const {
  return crypto::DeriveKey(domain_.reveal(), "keyturn/v1/page-marker", {});
}

}  // namespace keyturn::service
