// Recipient: the one who attested, to whom alone an answer's plaintext goes.
//
// VerifyRecipient runs before authorisation, because conditions may ask what was attested
// (kms:RecipientAttestation:*). Thread-safe.
// Errors: UnsupportedOperationException without a root to verify with; ValidationException for a
// document that does not verify (AWS's text for that is not known).
#pragma once

#include <optional>
#include <string>

#include "api/structures.h"
#include "service/call.h"

namespace keyturn::service {

Status VerifyRecipient(Call& call, const std::optional<api::RecipientInfo>& recipient);

// ForRecipient envelops plaintext for the one who attested and drops it; without a recipient it
// stays and there is no envelope.
Result<std::optional<Bytes>> ForRecipient(const Call& call, std::optional<SecretBytes>& plaintext);

// RecipientJson: what the trail says of it, a JSON object.
std::string RecipientJson(const crypto::AttestationDocument& document);

}  // namespace keyturn::service
