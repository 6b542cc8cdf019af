// Using keys of custom key stores: in a token, or by a proxy around our own encryption.
#include <fmt/format.h>

#include <array>

#include "crypto/outside_blob.h"
#include "service/custom_key_stores.h"
#include "service/outside_errors.h"

namespace keyturn::service {
namespace {

Result<CustomKeyStorePtr> StoreInUse(const Call& call, const KeyEntry& entry) {
  if (!call.may_wait) return call.MustWait();
  CustomKeyStorePtr store = call.view.FindCustomKeyStore(entry.key.custody->store);
  if (!store || !store->connected() || call.environment.outside == nullptr) {
    return Fail(ErrorCode::kKMSInvalidStateException,
                fmt::format("{} is unavailable.", entry.key.arn()));
  }
  return store;
}

hsm::Request TokenRequest(hsm::Action action, const KeyEntry& entry,
                          const crypto::EncryptionContext& context, ByteView data) {
  hsm::Request request;
  request.action = action;
  request.key = entry.key.id.text();
  request.aad = crypto::TokenAad(AsBytes(entry.key.id.text()), context);
  request.data = SecretBytes::CopyOf(data);
  return request;
}

Result<Bytes> EncryptInToken(const Call& call, const CustomKeyStore& store, const KeyEntry& entry,
                             const crypto::EncryptionContext& context, ByteView plaintext) {
  hsm::Request request = TokenRequest(hsm::Action::kEncrypt, entry, context, plaintext);
  request.iv.resize(crypto::kTokenIvBytes);
  call.environment.random.Fill(request.iv);
  const hsm::Reply reply = CallToken(call.environment, store, request);
  if (!reply.ok()) return Fail(UseError(reply.outcome));
  if (reply.iv.size() != request.iv.size()) return Fail(UseError(hsm::Outcome::kFailed));
  return crypto::MakeTokenBlob(AsBytes(entry.key.id.text()), {reply.iv, reply.data.reveal()});
}

Result<SecretBytes> DecryptInToken(const Call& call, const CustomKeyStore& store,
                                   const KeyEntry& entry, const crypto::EncryptionContext& context,
                                   ByteView blob) {
  KT_ASSIGN(const crypto::TokenParts parts, crypto::ParseTokenBlob(blob));
  hsm::Request request = TokenRequest(hsm::Action::kDecrypt, entry, context, parts.sealed);
  request.iv.assign(parts.iv.begin(), parts.iv.end());
  hsm::Reply reply = CallToken(call.environment, store, request);
  if (!reply.ok()) return Fail(UseError(reply.outcome));
  return std::move(reply.data);
}

// Both layers: a ciphertext of ours under our material, then the proxy's.
Result<Bytes> EncryptByProxy(const Call& call, const CustomKeyStore& store, const KeyEntry& entry,
                             const crypto::EncryptionContext& context, ByteView plaintext) {
  KT_ASSIGN(const crypto::HmacKey* material,
            call.environment.keyring.Reveal(entry.key, *entry.current));
  const Bytes inner =
      crypto::EncryptBlob(*material, {AsBytes(entry.key.id.text()), entry.current->id.bytes()},
                          context, plaintext, call.environment.random);
  const std::string arn = entry.key.arn();
  const auto sealed = call.environment.outside->external_keys->Encrypt(
      AddressOf(store), OriginOf(call, arn), entry.key.custody->external_key,
      crypto::ForProxy(inner), crypto::ExternalAad(inner, context));
  if (!sealed) return Fail(UseError(sealed.error()));
  return crypto::MakeExternalBlob(inner,
                                  {sealed->iv, sealed->metadata, sealed->tag, sealed->ciphertext});
}

Result<SecretBytes> DecryptByProxy(const Call& call, const CustomKeyStore& store,
                                   const KeyEntry& entry, const crypto::EncryptionContext& context,
                                   ByteView blob) {
  KT_ASSIGN(const crypto::ExternalParts parts, crypto::ParseExternalBlob(blob));
  const auto copy = [](ByteView bytes) { return Bytes(bytes.begin(), bytes.end()); };
  const std::string arn = entry.key.arn();
  const auto opened = call.environment.outside->external_keys->Decrypt(
      AddressOf(store), OriginOf(call, arn), entry.key.custody->external_key,
      {copy(parts.ciphertext), copy(parts.metadata), copy(parts.iv), copy(parts.tag)},
      crypto::ExternalAad(blob, context));
  if (!opened) return Fail(UseError(opened.error()));
  const Bytes inner = crypto::InnerBlob(blob, *opened);
  KT_ASSIGN(const crypto::BlobHeader header, crypto::ParseBlobHeader(inner));
  const MaterialPtr material = entry.materials->Find(model::MaterialId(header.material_id));
  if (!material) return Fail(ErrorCode::kInvalidCiphertextException);
  KT_ASSIGN(const crypto::HmacKey* key, call.environment.keyring.Reveal(entry.key, *material));
  auto plaintext = crypto::DecryptBlob(*key, inner, context);
  if (!plaintext) {
    // The proxy has decrypted something else than what we gave it.
    return Fail(ErrorCode::kKMSInvalidStateException,
                "The ciphertext that the external key store proxy submitted for decryption, or the "
                "encryption context, is corrupted, missing, or otherwise invalid.");
  }
  return plaintext;
}

}  // namespace

Result<Bytes> EncryptOutside(const Call& call, const KeyEntry& entry,
                             const crypto::EncryptionContext& context, ByteView plaintext) {
  KT_ASSIGN(const CustomKeyStorePtr store, StoreInUse(call, entry));
  return store->is_token() ? EncryptInToken(call, *store, entry, context, plaintext)
                           : EncryptByProxy(call, *store, entry, context, plaintext);
}

Result<SecretBytes> DecryptOutside(const Call& call, const KeyEntry& entry,
                                   const crypto::EncryptionContext& context, ByteView blob) {
  KT_ASSIGN(const CustomKeyStorePtr store, StoreInUse(call, entry));
  return store->is_token() ? DecryptInToken(call, *store, entry, context, blob)
                           : DecryptByProxy(call, *store, entry, context, blob);
}

}  // namespace keyturn::service
