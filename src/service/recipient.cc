#include "service/recipient.h"

#include <fmt/format.h>

#include "base/hex.h"
#include "crypto/attestation.h"

namespace keyturn::service {
namespace {

// Safe keeps a name that goes into the trail as it is to characters that need no escape.
std::string Safe(std::string_view text) {
  constexpr std::size_t kCharactersMax = 128;
  std::string safe;
  for (const char c : text.substr(0, kCharactersMax)) {
    const bool plain = c >= ' ' && c <= '~' && c != '"' && c != '\\';
    safe += plain ? c : '_';
  }
  return safe;
}

}  // namespace

Status VerifyRecipient(Call& call, const std::optional<api::RecipientInfo>& recipient) {
  if (!recipient) return {};
  if (call.environment.attestation_roots == nullptr) {
    return Fail(ErrorCode::kUnsupportedOperationException,
                "Recipient is not supported by this server: it has no root certificate to verify "
                "attestation documents with.");
  }
  if (!recipient->key_encryption_algorithm || !recipient->attestation_document) {
    return Fail(ErrorCode::kValidationException,
                "Recipient must have KeyEncryptionAlgorithm and AttestationDocument.");
  }
  auto verified =
      call.environment.attestation_roots->Verify(*recipient->attestation_document, call.now);
  if (!verified) {
    return Fail(ErrorCode::kValidationException,
                "The attestation document is not valid: " + verified.error().message + ".");
  }
  call.attested.emplace(std::move(*verified));
  return {};
}

Result<std::optional<Bytes>> ForRecipient(const Call& call, std::optional<SecretBytes>& plaintext) {
  if (!call.attested) return std::optional<Bytes>();
  auto envelope = crypto::EnvelopFor(call.attested->public_key, plaintext->reveal());
  plaintext.reset();
  if (!envelope) {
    return Fail(ErrorCode::kValidationException,
                "The attestation document is not valid: " + envelope.error().message + ".");
  }
  return std::optional<Bytes>(std::move(*envelope));
}

std::string RecipientJson(const crypto::AttestationDocument& document) {
  std::string json =
      fmt::format(R"({{"attestationDocumentModuleId":"{}")", Safe(document.module_id));
  if (const auto image = document.pcrs.find(0); image != document.pcrs.end()) {
    json +=
        fmt::format(R"(,"attestationDocumentEnclaveImageDigest":"{}")", HexEncode(image->second));
  }
  for (const auto& [number, value] : document.pcrs) {
    if (number > 0) {
      json += fmt::format(R"(,"attestationDocumentEnclavePCR{}":"{}")", number, HexEncode(value));
    }
  }
  for (const auto& [number, value] : document.nitro_tpm_pcrs) {
    json += fmt::format(R"(,"attestationDocumentNitroTPMPCR{}":"{}")", number, HexEncode(value));
  }
  return json + "}";
}

}  // namespace keyturn::service
