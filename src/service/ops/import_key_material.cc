#include "api/ops/import_key_material.h"

#include "crypto/wrapping.h"
#include "keys/spec.h"
#include "service/import_token.h"
#include "service/imports.h"
#include "service/key_pairs.h"
#include "service/ops/common.h"

namespace keyturn::service {
namespace {

// CheckMaterial: whether bytes are material for the key; InvalidCiphertextException without text,
// as if they had not come out of their wrapping. An HMAC key is as long as its digest, or longer.
Status CheckMaterial(const keys::Key& key, ByteView bytes) {
  constexpr std::size_t kSymmetricBytes = 32;
  constexpr std::size_t kHmacBytesMax = 128;
  const keys::Spec& spec = keys::SpecOf(key.spec);
  bool fits = false;
  if (spec.is_symmetric_encryption()) {
    fits = bytes.size() == kSymmetricBytes;
  } else if (spec.is_hmac()) {
    fits = bytes.size() >= keys::HmacKeyBytes(key.spec) && bytes.size() <= kHmacBytesMax;
  } else {
    fits = crypto::AsymmetricKey::FromPkcs8(KeyTypeOf(key.spec), bytes).has_value();
  }
  return fits ? Status() : Fail(ErrorCode::kInvalidCiphertextException);
}

}  // namespace

template <>
Result<api::ImportKeyMaterialResponse> Handle<api::op::ImportKeyMaterial>(
    Call& call, const api::ImportKeyMaterialRequest& request) {
  const KeyEntry& entry = call.key();
  const keys::Key& key = entry.key;
  KT_TRY(keys::CheckImportable(key, keys::KeyOperation::kImportKeyMaterial));
  keys::ImportRequest wanted;
  wanted.type = request.import_type;
  wanted.description = request.key_material_description;
  if (request.key_material_id) {
    wanted.expected_id = model::MaterialId::ParseHex(*request.key_material_id);
  }
  const std::vector<keys::ImportedMaterial> imports = ImportsOf(entry);
  KT_TRY(keys::CheckImportParameters(key, imports, wanted));
  KT_ASSIGN(wanted.valid_to, keys::Validity(request.expiration_model, request.valid_to, call.now));
  KT_ASSIGN(const ImportToken token,
            OpenImportToken(call.environment, key, request.import_token, call.now));
  KT_ASSIGN(const SecretBytes bytes, crypto::Unwrap(token.private_key.reveal(), token.algorithm,
                                                    request.encrypted_key_material));
  KT_TRY(CheckMaterial(key, bytes.reveal()));
  wanted.id = call.environment.keyring.ImportedMaterialId(key, bytes.reveal());
  KT_ASSIGN(const keys::ImportDecision decision, keys::Import(key, imports, wanted));
  TakeImport(*call.txn, call.environment, entry, decision, bytes.reveal(), call.now);
  api::ImportKeyMaterialResponse response{.key_id = key.arn(), .key_material_id = std::nullopt};
  if (key.spec == model::KeySpec::kSymmetricDefault) response.key_material_id = wanted.id.hex();
  return response;
}

}  // namespace keyturn::service
