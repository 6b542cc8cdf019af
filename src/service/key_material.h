// Key material: making it, rotating it, and using it.
//
// Rotation is the protocol of docs/rotation.md: T1 stores the new material, reads it back from
// stable storage, opens it and proves that it encrypts and decrypts; T2 makes it current, with the
// next date, the history entry and the audit record in one commit. Nothing is encrypted with a
// material before T2.
#pragma once

#include <string>
#include <vector>

#include "service/call.h"

namespace keyturn::service {

// SealedMaterial is bytes, sealed for key, as generation and with id.
std::shared_ptr<Material> SealedMaterial(const Environment& environment, const keys::Key& key,
                                         const model::MaterialId& id, std::uint32_t generation,
                                         ByteView bytes, TimePoint now);

// CopyMaterial is material of one key for another that shares it (a replica): the same bytes and
// id, sealed for that one's row. kCorrupt when it does not open.
Result<std::shared_ptr<Material>> CopyMaterial(const Environment& environment,
                                               const keys::Key& from, const Material& material,
                                               const keys::Key& to);

// NewMaterial makes random, sealed material of generation for key; its id is random. ready is
// MakeMaterialBytes of the key's spec, made earlier by a thread that has time; null: made here.
std::shared_ptr<Material> NewMaterial(const Environment& environment, const keys::Key& key,
                                      std::uint32_t generation, TimePoint now,
                                      const SecretBytes* ready = nullptr);

// ProveMaterial reads a material back from stable storage and opens it; a symmetric key encrypts
// and decrypts a known value, a key pair's parts have to fit. kCorrupt when what is stored is
// broken.
Status ProveMaterial(const Environment& environment, const keys::Key& key,
                     const model::MaterialId& id);

// RotateKeys rotates keys on the writer's thread, in txn: T1 for all of them in one commit, T2
// staged for the commit that ends txn. Replicas rotate with their primary: the same material, in
// the same commits. Keys of origin EXTERNAL rotate to their material that waits for it. Keys whose
// new material does not prove itself are left as they were and returned.
struct RotationFailure {
  KeyPtr key;
  Error error;
};
Result<std::vector<RotationFailure>> RotateKeys(Txn& txn, const Environment& environment,
                                                const std::vector<KeyPtr>& keys,
                                                model::RotationType type, TimePoint now);

// CheckSymmetricUse: state, then that the key is for symmetric encryption.
Status CheckSymmetricUse(const keys::Key& key, keys::KeyOperation operation,
                         std::string_view operation_name);

}  // namespace keyturn::service
