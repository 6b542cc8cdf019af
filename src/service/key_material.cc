#include "service/key_material.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/log.h"
#include "crypto/ciphertext.h"
#include "keys/rotation.h"
#include "keys/spec.h"
#include "service/events.h"
#include "service/key_pairs.h"

namespace keyturn::service {
namespace {

// ProveMaterial is the end of T1: what stable storage holds opens, and encrypts and decrypts.
Status ProveMaterial(const Environment& environment, const keys::Key& key,
                     const model::MaterialId& id) {
  KT_ASSIGN(const store::MaterialRow row,
            environment.store.ReadMaterial({{key.account, key.region, key.id}, id}));
  KT_ASSIGN(const crypto::Key256 opened, environment.keyring.OpenMaterial(key, id, row.sealed));
  constexpr std::string_view kKnownValue = "keyturn rotation check";
  const Bytes blob = crypto::EncryptBlob(opened, {AsBytes(key.id.text()), id.bytes()}, {},
                                         AsBytes(kKnownValue), environment.random);
  KT_ASSIGN(const SecretBytes back, crypto::DecryptBlob(opened, blob, {}));
  if (AsText(back.reveal()) != kKnownValue) {
    return Fail(ErrorCode::kCorrupt, "new key material does not decrypt what it encrypted");
  }
  return {};
}

}  // namespace

std::shared_ptr<Material> NewMaterial(const Environment& environment, const keys::Key& key,
                                      std::uint32_t generation, TimePoint now,
                                      const SecretBytes* ready) {
  SecretBytes made;
  if (ready == nullptr) made = MakeMaterialBytes(environment.random, key.spec);
  const ByteView bytes = ready != nullptr ? ready->reveal() : made.reveal();
  std::array<std::uint8_t, 32> id{};
  environment.random.Fill(id);
  auto material = std::make_shared<Material>();
  material->id = model::MaterialId(id);
  material->generation = generation;
  material->created = now;
  material->sealed = environment.keyring.SealMaterial(key, material->id, bytes, environment.random);
  return material;
}

Result<std::vector<RotationFailure>> RotateKeys(Txn& txn, const Environment& environment,
                                                const std::vector<KeyPtr>& keys,
                                                model::RotationType type, TimePoint now) {
  // T1. A material that an interrupted rotation left prepared is finished instead of a new one.
  std::vector<std::pair<KeyPtr, MaterialPtr>> prepared;
  std::vector<std::pair<KeyPtr, MaterialPtr>> fresh;
  for (const KeyPtr& entry : keys) {
    const std::uint32_t next = entry->key.generation + 1;
    MaterialPtr material = entry->materials->At(next);
    if (!material) {
      material = NewMaterial(environment, entry->key, next, now);
      txn.AddMaterial(entry->key, *material);
      fresh.emplace_back(entry, material);
    }
    prepared.emplace_back(entry, material);
  }
  KT_TRY(txn.Flush());
  for (const auto& [entry, material] : fresh) entry->materials->Add(material);

  // T2.
  std::vector<RotationFailure> failures;
  for (const auto& [before, material] : prepared) {
    if (const Status proved = ProveMaterial(environment, before->key, material->id); !proved) {
      failures.push_back({before, proved.error()});
      // Material that is broken where it is stored goes, durably, before it is forgotten here; one
      // that could only not be read now is proven by the next attempt.
      if (proved.error().code == ErrorCode::kCorrupt) {
        txn.DropMaterial(before->key, material->id);
        KT_TRY(txn.Flush());
        before->materials->DropLast();
      }
      continue;
    }
    const KeyPtr entry = txn.FindKey(before->key.region, before->key.id);
    KT_CHECK(entry);  // only this thread changes keys
    KeyEntry after = *entry;
    after.key = keys::AfterRotation(entry->key, type, material->id, now);
    after.current = material;
    KT_CHECK(after.key.generation == material->generation);
    const Rotation rotation{type, now};
    after.materials->NoteRotation(material->generation, rotation);
    txn.AddRotation(after.key, material->generation, rotation);
    AddRotateKeyEvent(txn, environment, entry->key, after.key, type, now);
    txn.PutKey(std::move(after));
  }
  return failures;
}

Status CheckSymmetricUse(const keys::Key& key, keys::KeyOperation operation,
                         std::string_view operation_name) {
  KT_TRY(keys::CheckUse(key, operation, operation_name, model::KeyUsage::kEncryptDecrypt));
  constexpr auto kSymmetric = model::EncryptionAlgorithmSpec::kSymmetricDefault;
  return keys::CheckAlgorithm(key, keys::SpecOf(key.spec).encryption, kSymmetric);
}

}  // namespace keyturn::service
