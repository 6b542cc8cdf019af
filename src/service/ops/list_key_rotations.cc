#include "api/ops/list_key_rotations.h"

#include <charconv>

#include "keys/spec.h"
#include "service/ops/common.h"

namespace keyturn::service {

namespace {

// StateOf a generation; one above the key's own is imported material that waits for its rotation.
model::KeyMaterialState StateOf(const View& view, const keys::Key& key, std::uint32_t generation) {
  if (generation < key.generation) return model::KeyMaterialState::kNonCurrent;
  if (generation == key.generation) return model::KeyMaterialState::kCurrent;
  for (const KeyPtr& related : view.FindRelated(key.id)) {
    const MaterialPtr copy = related->materials->At(generation);
    if (!copy || !copy->present()) {
      return model::KeyMaterialState::kPendingMultiRegionImportAndRotation;
    }
  }
  return model::KeyMaterialState::kPendingRotation;
}

void ShowImport(const Material& material, api::RotationsListEntry& row) {
  row.import_state =
      material.present() ? model::ImportState::kImported : model::ImportState::kPendingImport;
  if (material.import == nullptr) return;
  if (!material.import->description.empty()) {
    row.key_material_description = material.import->description;
  }
  if (!material.present()) return;
  row.valid_to = material.import->valid_to;
  row.expiration_model = row.valid_to ? model::ExpirationModelType::kKeyMaterialExpires
                                      : model::ExpirationModelType::kKeyMaterialDoesNotExpire;
}

// CountOf the generations that are listed. What an interrupted rotation has prepared is not.
std::uint32_t CountOf(const KeyEntry& entry, bool all) {
  if (!entry.key.has_material()) return 0;
  const bool pending = all && entry.key.origin == model::Origin::kExternal;
  return pending ? entry.materials->size() : entry.key.generation + 1;
}

}  // namespace

template <>
Result<api::ListKeyRotationsResponse> Handle<api::op::ListKeyRotations>(
    Call& call, const api::ListKeyRotationsRequest& request) {
  constexpr std::size_t kLimitDefault = 100;
  const KeyEntry& entry = call.key();
  const keys::Key& key = entry.key;
  KT_TRY(keys::CheckState(key, keys::KeyOperation::kListKeyRotations));
  KT_TRY(keys::CheckHere(key));
  if (request.include_key_material && !keys::SpecOf(key.spec).is_symmetric_encryption()) {
    return Fail(ErrorCode::kValidationException,
                "Input parameter includeKeyMaterial can only be used with symmetric keys.");
  }
  const bool all = request.include_key_material == model::IncludeKeyMaterial::kAllKeyMaterial;
  const std::string scope = "ListKeyRotations " + std::string(key.id.text()) + (all ? " all" : "");
  KT_ASSIGN(const Page page, ReadPage(call, scope, request.marker, request.limit, kLimitDefault));
  std::uint32_t generation = all ? 0 : 1;
  if (!page.after.empty()) {
    std::from_chars(page.after.data(), page.after.data() + page.after.size(), generation);
    ++generation;
  }
  api::ListKeyRotationsResponse response;
  auto& rotations = response.rotations.emplace();
  const std::uint32_t count = CountOf(entry, all);
  for (; generation < count && rotations.size() < page.limit; ++generation) {
    const MaterialPtr material = entry.materials->At(generation);
    if (!material) return Fail(ErrorCode::kKMSInternalException, {}, "a generation is missing");
    api::RotationsListEntry row;
    row.key_id = key.arn();
    row.key_material_id = material->id.hex();
    row.key_material_state = StateOf(call.view, key, generation);
    if (key.origin == model::Origin::kExternal) ShowImport(*material, row);
    const auto rotation = entry.materials->RotationOf(generation);
    if (rotation && generation <= key.generation) {  // else one that failed has noted it
      row.rotation_date = rotation->date;
      row.rotation_type = rotation->type;
    }
    rotations.push_back(std::move(row));
  }
  response.truncated = generation < count;
  if (*response.truncated) {
    response.next_marker = MakeMarker(call, scope, std::to_string(generation - 1));
  }
  return response;
}

}  // namespace keyturn::service
