// Dry runs: what comes last in operations that have DryRun, and DryRunModifiers.
// Source: KMS API reference, Decrypt (DryRun, DryRunModifiers).
#pragma once

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "model/enums.h"

namespace keyturn::service {

// CheckDryRun comes last: everything else has succeeded.
inline Status CheckDryRun(const std::optional<bool>& dry_run) {
  if (dry_run.value_or(false)) {
    return Fail(ErrorCode::kDryRunOperationException,
                "The request would have succeeded, but the DryRun option is set.");
  }
  return {};
}

// IgnoresCiphertext: a dry run that asks about access only; the request names its key.
template <typename Request>
bool IgnoresCiphertext(const Request& request) {
  return request.dry_run.value_or(false) && request.dry_run_modifiers &&
         std::find(request.dry_run_modifiers->begin(), request.dry_run_modifiers->end(),
                   model::DryRunModifierType::kIgnoreCiphertext) !=
             request.dry_run_modifiers->end();
}

}  // namespace keyturn::service
