// Custom key stores: finding them, their secrets, and talking to the token or proxy of one.
//
// Thread-safety: free functions; those that go outside block.
#pragma once

#include <string>

#include "crypto/ciphertext.h"
#include "service/call.h"

namespace keyturn::service {

// Source: KMS Developer Guide, "Resource quotas".
inline constexpr std::size_t kCustomKeyStoresMax = 10;

// MakeCustomKeyStore opens a row's secret. kCorrupt when it does not open.
Result<CustomKeyStorePtr> MakeCustomKeyStore(const Keyring& keyring, store::CustomKeyStoreRow row);
// CopyOf is a store to change.
CustomKeyStore CopyOf(const CustomKeyStore& store);
// SetSecret sets and seals; row.id is set already. access_key_id is empty for a token.
void SetSecret(const Environment& environment, CustomKeyStore& store, std::string access_key_id,
               ByteView secret);

// OwnCustomKeyStore: CustomKeyStoreNotFoundException for one that is not in the caller's account
// and region.
Result<CustomKeyStorePtr> OwnCustomKeyStore(const Call& call, const std::string& id);
// WrongState: CustomKeyStoreInvalidStateException, telling the state.
Error WrongState(const CustomKeyStore& store);

// ClusterOf: null when the operator does not name the store's cluster (any more).
hsm::Cluster* ClusterOf(const Environment& environment, const CustomKeyStore& store);
ProxyAddress AddressOf(const CustomKeyStore& store);
// OriginOf: what a proxy is told of call; key_arn may be empty.
ProxyOrigin OriginOf(const Call& call, std::string_view key_arn);
// CheckHealth asks the proxy of a store, existing or planned.
model::ProxyAnswer<void> CheckHealth(const Call& call, const CustomKeyStore& store);
// CallToken runs a request in a store's token; kNotNamed when its cluster is not.
hsm::Reply CallToken(const Environment& environment, const CustomKeyStore& store,
                     const hsm::Request& request);

// EncryptOutside and DecryptOutside use a key in custody. Call::MustWait where call may not wait.
Result<Bytes> EncryptOutside(const Call& call, const KeyEntry& entry,
                             const crypto::EncryptionContext& context, ByteView plaintext);
Result<SecretBytes> DecryptOutside(const Call& call, const KeyEntry& entry,
                                   const crypto::EncryptionContext& context, ByteView blob);

// DestroyInToken deletes what a token has of a KMS key. False: it could not.
bool DestroyInToken(const Environment& environment, const CustomKeyStore& store,
                    const model::KeyId& key);

// Reconnect makes the links of all connected stores, after a start; what fails is logged, and tried
// again by the first call that needs it.
void Reconnect(const Environment& environment);

}  // namespace keyturn::service
