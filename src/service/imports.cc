#include "service/imports.h"

#include <utility>

#include "service/events.h"
#include "service/key_material.h"
#include "service/multi_region.h"

namespace keyturn::service {
namespace {

std::shared_ptr<Material> Stub(const Material& like, ImportFacts facts) {
  auto material = std::make_shared<Material>();
  material->id = like.id;
  material->generation = like.generation;
  material->created = like.created;
  material->import = std::make_unique<const ImportFacts>(std::move(facts));
  return material;
}

std::string DescriptionOf(const Material& material) {
  return material.import ? material.import->description : std::string();
}

// Put stages entry with material added to, or replaced in, its list.
void Put(Txn& txn, KeyEntry entry, std::shared_ptr<Material> material, bool is_new) {
  entry.materials = entry.materials->Copy();
  if (is_new) {
    txn.AddMaterial(entry.key, *material);
    entry.materials->Add(material);
  } else {
    txn.SetImport(entry.key, *material);
    entry.materials->Replace(material);
  }
  if (material->id == entry.key.current_material) entry.current = std::move(material);
  txn.PutKey(std::move(entry));
}

// Describe gives a replica's copy its primary's description.
void Describe(Txn& txn, const KeyPtr& replica, const Material& known,
              const std::string& description) {
  auto copy = Stub(known, {.valid_to = known.import->valid_to, .description = description});
  copy->sealed = known.sealed;
  Put(txn, *replica, std::move(copy), false);
}

// LoseBytes stages the loss of one material's bytes.
void LoseBytes(Txn& txn, KeyEntry entry, keys::Key after, std::uint32_t generation) {
  const MaterialPtr known = entry.materials->At(generation);
  entry.key = std::move(after);
  Put(txn, std::move(entry),
      Stub(*known, {.valid_to = std::nullopt, .description = DescriptionOf(*known)}), false);
}

void Drop(Txn& txn, const KeyPtr& entry, std::uint32_t generation) {
  const MaterialPtr material = entry->materials->At(generation);
  if (!material) return;
  txn.DropMaterial(entry->key, material->id);
  KeyEntry after = *entry;
  after.materials = entry->materials->Copy();
  after.materials->DropLast();
  txn.PutKey(std::move(after));
}

}  // namespace

void TakeImport(Txn& txn, const Environment& environment, const KeyEntry& entry,
                const keys::ImportDecision& decision, ByteView bytes, TimePoint now) {
  const keys::ImportedMaterial& imported = decision.material;
  const ImportFacts facts{.valid_to = imported.valid_to, .description = imported.description};
  const MaterialPtr known = entry.materials->At(decision.generation);
  auto material = SealedMaterial(environment, entry.key, imported.id, decision.generation, bytes,
                                 known ? known->created : now);
  material->import = std::make_unique<const ImportFacts>(facts);
  KeyEntry after = entry;
  after.key = decision.key;
  Put(txn, std::move(after), material, decision.is_new);
  for (const KeyPtr& replica : ReplicasOf(txn, entry.key)) {
    const MaterialPtr copy = replica->materials->At(decision.generation);
    if (!copy) {
      Put(txn, *replica,
          Stub(*material, {.valid_to = std::nullopt, .description = facts.description}), true);
    } else if (DescriptionOf(*copy) != facts.description) {
      Describe(txn, replica, *copy, facts.description);
    }
  }
}

void DeleteImport(Txn& txn, const KeyEntry& entry, const keys::DeleteDecision& decision) {
  if (!decision.generation) return;
  if (!decision.drop) {
    if (entry.materials->At(*decision.generation)->present()) {
      LoseBytes(txn, entry, decision.key, *decision.generation);
    }
    return;
  }
  Drop(txn, txn.FindKey(entry.key.region, entry.key.id), *decision.generation);
  for (const KeyPtr& replica : ReplicasOf(txn, entry.key)) {
    Drop(txn, replica, *decision.generation);
  }
}

std::size_t ExpireImports(Txn& txn, const Environment& environment, const KeyEntry& entry,
                          TimePoint now) {
  std::size_t expired = 0;
  if (entry.key.origin != model::Origin::kExternal) return expired;
  KeyPtr current = txn.FindKey(entry.key.region, entry.key.id);
  for (std::uint32_t generation = 0; generation <= entry.key.generation; ++generation) {
    const MaterialPtr material = entry.materials->At(generation);
    if (!material || !material->present() || !material->import->valid_to ||
        *material->import->valid_to > now) {
      continue;
    }
    auto imports = keys::WithoutBytes(ImportsOf(*current), generation);
    LoseBytes(txn, *current, keys::AfterLoss(current->key, imports), generation);
    current = txn.FindKey(entry.key.region, entry.key.id);
    AddExpiryEvent(txn, environment, entry.key, now);
    ++expired;
  }
  return expired;
}

}  // namespace keyturn::service
