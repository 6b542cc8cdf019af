// Imports: what ImportKeyMaterial and DeleteImportedKeyMaterial do to a key of origin EXTERNAL, and
// what its materials' expiry does. Pure.
//
// A key's imported materials are listed by generation. Those up to the key's own generation belong
// to it for good, whether their bytes are here or not; one above it waits for a rotation. If the
// bytes of any that belongs to it are missing, the key is PendingImport and does nothing.
// Source: KMS Developer Guide, "Importing key material" and "Rotate AWS KMS keys"; recorded
// answers for texts and for what the guide leaves open.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "keys/key.h"
#include "model/enums.h"
#include "model/ids.h"

namespace keyturn::keys {

struct ImportedMaterial {
  model::MaterialId id;
  bool present = false;               // the bytes are here: IMPORTED, else PENDING_IMPORT
  std::optional<TimePoint> valid_to;  // expires then; only while present
  std::string description;
  bool operator==(const ImportedMaterial&) const = default;
};
// ImportsView: of one key, by generation.
using ImportsView = std::span<const ImportedMaterial>;

// A token and its public key serve this long.
inline constexpr Millis kImportTokenLife = Days{1};
// ValidTo must be nearer than this.
inline constexpr Days kValidToMax{365};

// CheckImportable: state, then origin (UnsupportedOperationException with AWS's text).
Status CheckImportable(const Key& key, KeyOperation operation);

// Validity resolves ExpirationModel and ValidTo: nullopt is "does not expire". ValidTo is kept in
// whole seconds. kValidationException with AWS's texts.
Result<std::optional<TimePoint>> Validity(const std::optional<model::ExpirationModelType>& model,
                                          const std::optional<TimePoint>& valid_to, TimePoint now);

// LacksMaterial: the bytes of a material that belongs to the key are missing.
bool LacksMaterial(const Key& key, ImportsView imports);
// PendingOf: the generation of the material that waits for a rotation.
std::optional<std::uint32_t> PendingOf(const Key& key, ImportsView imports);
// EarliestExpiry over the present materials that belong to the key: when it stops working. A
// material that waits for a rotation does not expire before it is rotated in.
std::optional<TimePoint> EarliestExpiry(const Key& key, ImportsView imports);

struct ImportRequest {
  model::MaterialId id;  // of the bytes that were sent
  std::optional<model::MaterialId> expected_id = {};
  std::optional<model::ImportType> type = {};
  std::optional<std::string> description = {};
  std::optional<TimePoint> valid_to = {};
};
// ImportDecision: the key afterwards, and the material's place in its list. A new one is appended.
struct ImportDecision {
  Key key;
  std::uint32_t generation = 0;
  bool is_new = false;
  ImportedMaterial material;
};
Result<ImportDecision> Import(const Key& key, ImportsView imports, const ImportRequest& request);

// CheckImportParameters: members that do not fit the key or each other: kValidationException. Comes
// before the token is looked at.
Status CheckImportParameters(const Key& key, ImportsView imports, const ImportRequest& request);

// DeleteDecision: what is deleted. drop: the material waited for a rotation and leaves the list
// (a replica's copy of it only loses its bytes). generation is nullopt when there is nothing.
struct DeleteDecision {
  Key key;
  std::optional<std::uint32_t> generation;
  bool drop = false;
};
// DeleteImported: without id the current material. Deleting what is not there succeeds.
Result<DeleteDecision> DeleteImported(const Key& key, ImportsView imports,
                                      const std::optional<model::MaterialId>& id);

// WithoutBytes: imports with the bytes of one generation gone.
std::vector<ImportedMaterial> WithoutBytes(ImportsView imports, std::uint32_t generation);

// AfterLoss: the key once bytes of a material were deleted or expired: Enabled and Disabled become
// PendingImport if one is missing now; other states stay.
Key AfterLoss(Key key, ImportsView imports);

}  // namespace keyturn::keys
