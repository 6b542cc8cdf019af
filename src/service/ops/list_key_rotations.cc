#include <charconv>

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::ListKeyRotationsResponse> Handle<api::op::ListKeyRotations>(
    Call& call, const api::ListKeyRotationsRequest& request) {
  constexpr std::size_t kLimitDefault = 100;
  const KeyEntry& entry = call.key();
  const keys::Key& key = entry.key;
  KT_TRY(keys::CheckState(key, keys::KeyOperation::kListKeyRotations));
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
  for (; generation <= key.generation && rotations.size() < page.limit; ++generation) {
    const MaterialPtr material = entry.materials->At(generation);
    if (!material) return Fail(ErrorCode::kKMSInternalException, {}, "a generation is missing");
    api::RotationsListEntry row;
    row.key_id = key.arn();
    row.key_material_id = material->id.hex();
    if (all) {
      row.key_material_state = generation == key.generation ? model::KeyMaterialState::kCurrent
                                                            : model::KeyMaterialState::kNonCurrent;
    }
    if (const auto rotation = entry.materials->RotationOf(generation)) {
      row.rotation_date = rotation->date;
      row.rotation_type = rotation->type;
    }
    rotations.push_back(std::move(row));
  }
  response.truncated = generation <= key.generation;
  if (*response.truncated) {
    response.next_marker = MakeMarker(call, scope, std::to_string(generation - 1));
  }
  return response;
}

}  // namespace keyturn::service
