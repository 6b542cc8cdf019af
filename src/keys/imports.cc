#include "keys/imports.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "keys/wrong_origin.h"

namespace keyturn::keys {
namespace {

using model::KeyState;

tl::unexpected<Error> Invalid(std::string message) {
  return Fail(ErrorCode::kValidationException, std::move(message));
}

tl::unexpected<Error> WrongMaterial(std::string message) {
  return Fail(ErrorCode::kIncorrectKeyMaterialException, std::move(message));
}

// Place: where a material id is in the list.
std::optional<std::uint32_t> Place(ImportsView imports, const model::MaterialId& id) {
  const auto found = std::find_if(imports.begin(), imports.end(),
                                  [&](const ImportedMaterial& each) { return each.id == id; });
  if (found == imports.end()) {
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(found - imports.begin());
}

// Belonging: how many of the list belong to the key for good.
std::size_t Belonging(const Key& key, ImportsView imports) {
  return key.has_material() ? std::min<std::size_t>(key.generation + 1, imports.size()) : 0;
}

model::ImportType TypeOf(ImportsView imports, const ImportRequest& request) {
  return request.type.value_or(imports.empty() ? model::ImportType::kNewKeyMaterial
                                               : model::ImportType::kExistingKeyMaterial);
}

// CheckNew: whether bytes that the key does not know may become its next material.
Status CheckNew(const Key& key, ImportsView imports, const model::MaterialId& id) {
  if (Place(imports, id)) {
    return WrongMaterial(
        fmt::format("Key material (id: {}) being imported as NEW_KEY_MATERIAL is already "
                    "associated with KMS key {}.",
                    id.hex(), key.arn()));
  }
  if (const auto pending = PendingOf(key, imports)) {
    return Fail(ErrorCode::kKMSInvalidStateException,
                fmt::format("New key material (id: {}) cannot be imported into KMS key {}, because "
                            "another key material (id: {}) is pending rotation.",
                            id.hex(), key.arn(), imports[*pending].id.hex()));
  }
  return {};
}

}  // namespace

Status CheckImportable(const Key& key, KeyOperation operation) {
  KT_TRY(CheckState(key, operation));
  if (key.origin != model::Origin::kExternal) {
    return WrongOrigin(key);
  }
  return {};
}

Result<std::optional<TimePoint>> Validity(const std::optional<model::ExpirationModelType>& model,
                                          const std::optional<TimePoint>& valid_to, TimePoint now) {
  using model::ExpirationModelType;
  if (model.value_or(ExpirationModelType::kKeyMaterialExpires) ==
      ExpirationModelType::kKeyMaterialDoesNotExpire) {
    if (valid_to) {
      return Invalid(
          "A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE");
    }
    return std::optional<TimePoint>();
  }
  if (!valid_to) {
    return Invalid("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES");
  }
  const TimePoint whole = std::chrono::floor<std::chrono::seconds>(*valid_to);
  if (whole <= now) {
    return Invalid("ValidTo must be in the future");
  }
  if (whole >= now + kValidToMax) {
    return Invalid("ValidTo must be less than 365 days in the future");
  }
  return std::optional<TimePoint>(whole);
}

bool LacksMaterial(const Key& key, ImportsView imports) {
  if (key.origin != model::Origin::kExternal) {
    return false;
  }
  const ImportsView belonging = imports.first(Belonging(key, imports));
  return belonging.empty() ||
         std::any_of(belonging.begin(), belonging.end(),
                     [](const ImportedMaterial& each) { return !each.present; });
}

std::optional<std::uint32_t> PendingOf(const Key& key, ImportsView imports) {
  const std::size_t belonging = Belonging(key, imports);
  if (belonging == 0 || imports.size() == belonging) {
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(belonging);
}

std::optional<TimePoint> EarliestExpiry(const Key& key, ImportsView imports) {
  std::optional<TimePoint> earliest;
  for (const ImportedMaterial& each : imports.first(Belonging(key, imports))) {
    if (each.present && each.valid_to && (!earliest || *each.valid_to < *earliest)) {
      earliest = each.valid_to;
    }
  }
  return earliest;
}

Status CheckImportParameters(const Key& key, ImportsView imports, const ImportRequest& request) {
  const bool as_new = TypeOf(imports, request) == model::ImportType::kNewKeyMaterial;
  if (key.spec != model::KeySpec::kSymmetricDefault) {
    const char* const given = request.type          ? "importType"
                              : request.expected_id ? "keyMaterialId"
                              : request.description ? "keyMaterialDescription"
                                                    : nullptr;
    if (given != nullptr) {
      return Invalid(fmt::format("Input parameter {} cannot be used with {} imported keys.", given,
                                 model::ToWire(key.spec)));
    }
  }
  if (as_new && request.expected_id) {
    return Invalid(
        "Input parameter keyMaterialId cannot be used with NEW_KEY_MATERIAL importType.");
  }
  if (as_new && key.is_replica()) {
    return Invalid(
        "Input parameter ImportType NEW_KEY_MATERIAL cannot be used on replica Multi-Region keys");
  }
  if (request.description && key.is_replica()) {
    return Invalid("Key material description can only be specified on primary Multi-Region keys");
  }
  return {};
}

Result<ImportDecision> Import(const Key& key, ImportsView imports, const ImportRequest& request) {
  KT_TRY(CheckImportable(key, KeyOperation::kImportKeyMaterial));
  KT_TRY(CheckImportParameters(key, imports, request));
  ImportDecision decision;
  decision.key = key;
  if (TypeOf(imports, request) == model::ImportType::kNewKeyMaterial) {
    KT_TRY(CheckNew(key, imports, request.id));
    decision.is_new = true;
    decision.generation = static_cast<std::uint32_t>(imports.size());
  } else {
    const auto known = Place(imports, request.id);
    const auto expected = request.expected_id.value_or(key.current_material);
    if (!known || (request.expected_id && *request.expected_id != request.id)) {
      return WrongMaterial(fmt::format(
          "Imported key material does not have the expected identifier ({}).", expected.hex()));
    }
    decision.generation = *known;
    decision.material.description = imports[*known].description;
  }
  decision.material.id = request.id;
  decision.material.present = true;
  decision.material.valid_to = request.valid_to;
  if (request.description) {
    decision.material.description = *request.description;
  }
  std::vector<ImportedMaterial> after(imports.begin(), imports.end());
  if (decision.is_new) {
    after.push_back(decision.material);
    if (!key.has_material()) {  // the first: current at once
      decision.key.current_material = request.id;
      decision.key.generation = 0;
    }
  } else {
    after[decision.generation] = decision.material;
  }
  const bool waiting = key.state == KeyState::kPendingImport || key.state == KeyState::kDisabled;
  if (waiting && !LacksMaterial(decision.key, after)) {
    decision.key.state = KeyState::kEnabled;
  }
  return decision;
}

Result<DeleteDecision> DeleteImported(const Key& key, ImportsView imports,
                                      const std::optional<model::MaterialId>& id) {
  KT_TRY(CheckImportable(key, KeyOperation::kDeleteImportedKeyMaterial));
  DeleteDecision decision;
  decision.key = key;
  const auto place = id ? Place(imports, *id) : Place(imports, key.current_material);
  if (!place) {
    if (id) {
      return Invalid(fmt::format("Key material (id: {}) has never been imported into KMS key {}.",
                                 id->hex(), key.arn()));
    }
    return decision;
  }
  decision.generation = place;
  decision.drop = *place >= Belonging(key, imports) && !key.is_replica();
  if (!decision.drop) {
    decision.key = AfterLoss(decision.key, WithoutBytes(imports, *place));
  }
  return decision;
}

std::vector<ImportedMaterial> WithoutBytes(ImportsView imports, std::uint32_t generation) {
  std::vector<ImportedMaterial> after(imports.begin(), imports.end());
  after[generation].present = false;
  after[generation].valid_to.reset();
  return after;
}

Key AfterLoss(Key key, ImportsView imports) {
  if ((key.state == KeyState::kEnabled || key.state == KeyState::kDisabled) &&
      LacksMaterial(key, imports)) {
    key.state = KeyState::kPendingImport;
  }
  return key;
}

}  // namespace keyturn::keys
