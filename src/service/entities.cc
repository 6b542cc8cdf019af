#include "service/entities.h"

#include <algorithm>

#include "base/check.h"

namespace keyturn::service {

void MaterialSet::Add(MaterialPtr material) {
  const std::scoped_lock lock(mutex_);
  KT_CHECK(material->generation == by_generation_.size());
  by_generation_.push_back(material);
  if (by_generation_.size() == kIndexFrom) {
    index_ = std::make_unique<std::unordered_map<model::MaterialId, MaterialPtr>>();
    for (const MaterialPtr& each : by_generation_) {
      index_->emplace(each->id, each);
    }
  } else if (index_ != nullptr) {
    index_->emplace(material->id, std::move(material));
  }
}

void MaterialSet::DropLast() {
  const std::scoped_lock lock(mutex_);
  KT_CHECK(by_generation_.size() > 1);
  if (index_ != nullptr) index_->erase(by_generation_.back()->id);
  by_generation_.pop_back();
  rotations_.resize(std::min(rotations_.size(), by_generation_.size() - 1));
  if (by_generation_.size() < kIndexFrom) index_.reset();
}

std::shared_ptr<MaterialSet> MaterialSet::Copy() const {
  auto copy = std::make_shared<MaterialSet>();
  const std::scoped_lock lock(mutex_);
  copy->by_generation_ = by_generation_;
  copy->rotations_ = rotations_;
  if (index_ != nullptr) {
    copy->index_ = std::make_unique<std::unordered_map<model::MaterialId, MaterialPtr>>(*index_);
  }
  copy->usage_.CopyFrom(usage_);
  return copy;
}

void MaterialSet::Replace(MaterialPtr material) {
  const std::scoped_lock lock(mutex_);
  MaterialPtr& place = by_generation_.at(material->generation);
  KT_CHECK(place->id == material->id);
  if (index_ != nullptr) index_->insert_or_assign(material->id, material);
  place = std::move(material);
}

std::vector<MaterialPtr> MaterialSet::All() const {
  const std::scoped_lock lock(mutex_);
  return by_generation_;
}

void MaterialSet::NoteRotation(std::uint32_t generation, Rotation rotation) {
  const std::scoped_lock lock(mutex_);
  KT_CHECK(generation > 0);
  if (rotations_.size() < generation) rotations_.resize(generation);
  rotations_[generation - 1] = rotation;
}

std::optional<Rotation> MaterialSet::RotationOf(std::uint32_t generation) const {
  const std::scoped_lock lock(mutex_);
  if (generation == 0 || generation > rotations_.size()) return std::nullopt;
  return rotations_[generation - 1];
}

MaterialPtr MaterialSet::Find(const model::MaterialId& id) const {
  const std::scoped_lock lock(mutex_);
  if (index_ != nullptr) {
    const auto found = index_->find(id);
    return found == index_->end() ? nullptr : found->second;
  }
  const auto found = std::find_if(by_generation_.begin(), by_generation_.end(),
                                  [&](const MaterialPtr& each) { return each->id == id; });
  return found == by_generation_.end() ? nullptr : *found;
}

MaterialPtr MaterialSet::At(std::uint32_t generation) const {
  const std::scoped_lock lock(mutex_);
  return generation < by_generation_.size() ? by_generation_[generation] : nullptr;
}

std::uint32_t MaterialSet::size() const {
  const std::scoped_lock lock(mutex_);
  return static_cast<std::uint32_t>(by_generation_.size());
}

std::vector<keys::ImportedMaterial> ImportsOf(const KeyEntry& entry) {
  std::vector<keys::ImportedMaterial> imports;
  for (const MaterialPtr& material : entry.materials->All()) {
    keys::ImportedMaterial& each = imports.emplace_back();
    each.id = material->id;
    each.present = material->present();
    if (material->import != nullptr) {
      each.valid_to = material->import->valid_to;
      each.description = material->import->description;
    }
  }
  return imports;
}

}  // namespace keyturn::service
