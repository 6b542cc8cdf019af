#include "service/multi_region.h"

#include "service/key_material.h"

namespace keyturn::service {

KeyPtr PrimaryOf(const View& view, const keys::Key& key) {
  return key.multi_region ? view.FindKey(key.primary_region, key.id) : nullptr;
}

std::vector<KeyPtr> ReplicasOf(const View& view, const keys::Key& key) {
  if (!key.is_primary()) return {};
  std::vector<KeyPtr> related = view.FindRelated(key.id);
  std::erase_if(related, [&](const KeyPtr& each) { return !each->key.is_replica(); });
  return related;
}

Status AddReplica(Txn& txn, const Environment& environment, const KeyEntry& primary,
                  KeyEntry replica) {
  const bool imported = primary.key.origin == model::Origin::kExternal;
  replica.materials = std::make_shared<MaterialSet>();
  // What an interrupted rotation has prepared, too: whichever of the keys is the primary when it is
  // finished, all have the same.
  for (const MaterialPtr& material : primary.materials->All()) {
    std::shared_ptr<Material> copy;
    if (imported) {
      copy = std::make_shared<Material>();
      copy->id = material->id;
      copy->generation = material->generation;
      copy->created = material->created;
      copy->import = std::make_unique<const ImportFacts>(ImportFacts{
          .valid_to = std::nullopt,
          .description = material->import ? material->import->description : std::string()});
    } else {
      KT_ASSIGN(copy, CopyMaterial(environment, primary.key, *material, replica.key));
    }
    txn.AddMaterial(replica.key, *copy);
    replica.materials->Add(copy);
    if (copy->generation == replica.key.generation) replica.current = copy;
    if (copy->generation > primary.key.generation) continue;  // it has not rotated to it
    if (const auto rotation = primary.materials->RotationOf(copy->generation)) {
      txn.AddRotation(replica.key, copy->generation, *rotation);
      replica.materials->NoteRotation(copy->generation, *rotation);
    }
  }
  txn.PutKey(std::move(replica));
  return {};
}

Status ProveMaterials(const Environment& environment, const KeyEntry& entry) {
  for (const MaterialPtr& material : entry.materials->All()) {
    if (!material->present()) continue;
    KT_TRY(ProveMaterial(environment, entry.key, material->id));
  }
  return {};
}

}  // namespace keyturn::service
