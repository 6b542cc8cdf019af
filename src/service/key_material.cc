#include "service/key_material.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/log.h"
#include "crypto/ciphertext.h"
#include "keys/rotation.h"
#include "keys/spec.h"
#include "service/events.h"
#include "service/key_pairs.h"
#include "service/multi_region.h"

namespace keyturn::service {
namespace {

// Member: one of the keys that rotate together, and what it rotates to.
struct Member {
  KeyPtr before;
  MaterialPtr material;
};
// Family: a key and its replicas; the key is first.
using Family = std::vector<Member>;

// PreparedOf: what an interrupted rotation has left; null for nothing.
MaterialPtr PreparedOf(const KeyEntry& entry) {
  return entry.materials->At(entry.key.generation + 1);
}

// DropStrays makes replicas forget prepared material that is not their primary's, which a data
// directory of an earlier version can hold: all keys of a family must rotate to the same. Nothing
// was encrypted with it. It is durably gone before it is forgotten here. Imported material is never
// a stray: it is its owner's.
Status DropStrays(Txn& txn, const std::vector<KeyPtr>& keys) {
  std::vector<KeyPtr> strays;
  for (const KeyPtr& entry : keys) {
    if (entry->key.origin != model::Origin::kAwsKms) continue;
    const MaterialPtr prepared = PreparedOf(*entry);
    for (const KeyPtr& replica : ReplicasOf(txn, entry->key)) {
      const MaterialPtr other = PreparedOf(*replica);
      if (!other || (prepared && other->id == prepared->id)) continue;
      txn.DropMaterial(replica->key, other->id);
      strays.push_back(replica);
    }
  }
  if (strays.empty()) return {};
  KT_TRY(txn.Flush());
  for (const KeyPtr& replica : strays) replica->materials->DropLast();
  return {};
}

// AddMember prepares the next generation of entry. A material that an interrupted rotation left
// prepared is finished instead of a new one; a replica gets its primary's.
Status AddMember(Txn& txn, const Environment& environment, const KeyPtr& entry, TimePoint now,
                 Family& family, std::vector<Member>& fresh) {
  MaterialPtr material = PreparedOf(*entry);
  if (!material) {
    if (entry->key.origin != model::Origin::kAwsKms) {
      return Fail(ErrorCode::kKMSInternalException, {}, "no material waits for the rotation");
    }
    if (family.empty()) {
      material = NewMaterial(environment, entry->key, entry->key.generation + 1, now);
    } else {
      KT_ASSIGN(material, CopyMaterial(environment, family.front().before->key,
                                       *family.front().material, entry->key));
    }
    txn.AddMaterial(entry->key, *material);
    fresh.push_back({entry, material});
  }
  family.push_back({entry, std::move(material)});
  return {};
}

Status ProveFamily(const Environment& environment, const Family& family) {
  for (const Member& member : family) {
    // A replica whose imported copy was deleted meanwhile is rotated too, and waits for its import.
    if (!member.material->present() && member.before->key.is_replica()) continue;
    KT_TRY(ProveMaterial(environment, member.before->key, member.material->id));
  }
  return {};
}

// DropPrepared forgets material that is broken where it is stored, durably before it is forgotten
// here. Imported material stays: its owner deletes it and imports it again.
Status DropPrepared(Txn& txn, const Family& family) {
  if (family.front().before->key.origin != model::Origin::kAwsKms) return {};
  for (const Member& member : family) {
    txn.DropMaterial(member.before->key, member.material->id);
  }
  KT_TRY(txn.Flush());
  for (const Member& member : family) member.before->materials->DropLast();
  return {};
}

// FinishFamily is T2.
void FinishFamily(Txn& txn, const Environment& environment, const Family& family,
                  model::RotationType type, TimePoint now) {
  for (const Member& member : family) {
    const keys::Key& known = member.before->key;
    const KeyPtr entry = txn.FindKey(known.region, known.id);
    KT_CHECK(entry);  // only this thread changes keys
    KeyEntry after = *entry;
    // Replicas have neither a schedule nor a count of their own.
    after.key =
        keys::AfterRotation(entry->key, known.is_replica() ? model::RotationType::kAutomatic : type,
                            member.material->id, now);
    after.current = member.material;
    KT_CHECK(after.key.generation == member.material->generation);
    if (known.origin == model::Origin::kExternal) {
      after.key = keys::AfterLoss(after.key, ImportsOf(after));
    }
    const Rotation rotation{type, now};
    after.materials->NoteRotation(member.material->generation, rotation);
    txn.AddRotation(after.key, member.material->generation, rotation);
    AddRotateKeyEvent(txn, environment, entry->key, after.key, type, now);
    txn.PutKey(std::move(after));
  }
  if (family.size() > 1) {
    AddSynchronizeEvent(txn, environment, family.front().before->key, now);
  }
}

// ProveSymmetric: what the material encrypts, it decrypts.
Status ProveSymmetric(const Environment& environment, const keys::Key& key,
                      const model::MaterialId& id, ByteView sealed) {
  KT_ASSIGN(const crypto::Key256 bytes, environment.keyring.OpenMaterial(key, id, sealed));
  const crypto::HmacKey opened(bytes.reveal());
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

Status ProveMaterial(const Environment& environment, const keys::Key& key,
                     const model::MaterialId& id) {
  KT_ASSIGN(const store::MaterialRow row,
            environment.store.ReadMaterial({{key.account, key.region, key.id}, id}));
  KT_ASSIGN(const SecretBytes bytes, environment.keyring.OpenMaterialBytes(key, id, row.sealed));
  const keys::Spec& spec = keys::SpecOf(key.spec);
  if (spec.is_pair()) {
    const auto pair = crypto::AsymmetricKey::FromPkcs8(KeyTypeOf(key.spec), bytes.reveal());
    return pair ? Status() : Fail(ErrorCode::kCorrupt, "a key pair's material is not one");
  }
  if (spec.is_hmac()) return {};  // any bytes are a key, and these were authenticated
  return ProveSymmetric(environment, key, id, row.sealed);
}

std::shared_ptr<Material> SealedMaterial(const Environment& environment, const keys::Key& key,
                                         const model::MaterialId& id, std::uint32_t generation,
                                         ByteView bytes, TimePoint now) {
  auto material = std::make_shared<Material>();
  material->id = id;
  material->generation = generation;
  material->created = now;
  material->sealed = environment.keyring.SealMaterial(key, id, bytes, environment.random);
  return material;
}

Result<std::shared_ptr<Material>> CopyMaterial(const Environment& environment,
                                               const keys::Key& from, const Material& material,
                                               const keys::Key& to) {
  KT_ASSIGN(const SecretBytes bytes,
            environment.keyring.OpenMaterialBytes(from, material.id, material.sealed));
  return SealedMaterial(environment, to, material.id, material.generation, bytes.reveal(),
                        material.created);
}

std::shared_ptr<Material> NewMaterial(const Environment& environment, const keys::Key& key,
                                      std::uint32_t generation, TimePoint now,
                                      const SecretBytes* ready) {
  SecretBytes made;
  if (ready == nullptr) made = MakeMaterialBytes(environment.random, key.spec);
  const ByteView bytes = ready != nullptr ? ready->reveal() : made.reveal();
  std::array<std::uint8_t, 32> id{};
  environment.random.Fill(id);
  return SealedMaterial(environment, key, model::MaterialId(id), generation, bytes, now);
}

Result<std::vector<RotationFailure>> RotateKeys(Txn& txn, const Environment& environment,
                                                const std::vector<KeyPtr>& keys,
                                                model::RotationType type, TimePoint now) {
  std::vector<RotationFailure> failures;
  KT_TRY(DropStrays(txn, keys));
  // T1.
  std::vector<Family> families;
  std::vector<Member> fresh;
  for (const KeyPtr& entry : keys) {
    Family family;
    KT_TRY(AddMember(txn, environment, entry, now, family, fresh));
    for (const KeyPtr& replica : ReplicasOf(txn, entry->key)) {
      KT_TRY(AddMember(txn, environment, replica, now, family, fresh));
    }
    families.push_back(std::move(family));
  }
  KT_TRY(txn.Flush());
  for (const auto& [entry, material] : fresh) entry->materials->Add(material);

  // T2.
  for (const Family& family : families) {
    if (const Status proved = ProveFamily(environment, family); !proved) {
      failures.push_back({family.front().before, proved.error()});
      // One that could only not be read now is proven by the next attempt.
      if (proved.error().code == ErrorCode::kCorrupt) KT_TRY(DropPrepared(txn, family));
      continue;
    }
    FinishFamily(txn, environment, family, type, now);
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
