#include "api/ops/delete_imported_key_material.h"

#include "service/imports.h"
#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::DeleteImportedKeyMaterialResponse> Handle<api::op::DeleteImportedKeyMaterial>(
    Call& call, const api::DeleteImportedKeyMaterialRequest& request) {
  const KeyEntry& entry = call.key();
  std::optional<model::MaterialId> id;
  if (request.key_material_id) id = model::MaterialId::ParseHex(*request.key_material_id);
  KT_ASSIGN(const keys::DeleteDecision decision,
            keys::DeleteImported(entry.key, ImportsOf(entry), id));
  api::DeleteImportedKeyMaterialResponse response{.key_id = entry.key.arn(),
                                                  .key_material_id = std::nullopt};
  if (decision.generation && entry.key.spec == model::KeySpec::kSymmetricDefault) {
    response.key_material_id = entry.materials->At(*decision.generation)->id.hex();
  }
  DeleteImport(*call.txn, entry, decision);
  return response;
}

}  // namespace keyturn::service
