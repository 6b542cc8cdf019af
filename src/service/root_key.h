// Root key: the secret that wraps the domain key. A file of the data directory, 0600, made by
// `keyturn init` only: a server that finds none never makes one.
//
// File format (one line): "keyturn-root-key v1 plain <64 hex>" or
// "keyturn-root-key v1 scrypt <n> <r> <p> <salt hex> <sealed key hex>".
#pragma once

#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/random.h"
#include "crypto/kdf.h"

namespace keyturn::service {

inline constexpr const char* kRootKeyFile = "root.key";

// CreateRootKey writes directory/root.key, synced; with a passphrase the key is sealed under it.
// kConflict when the file exists.
Result<crypto::Key256> CreateRootKey(const std::filesystem::path& directory,
                                     const std::optional<SecretBytes>& passphrase,
                                     RandomSource& random);

// LoadRootKey: kNotFound when absent; kUsage when the passphrase is missing, wrong or superfluous,
// or the file can be read by others; kCorrupt when it is no root key file.
Result<crypto::Key256> LoadRootKey(const std::filesystem::path& directory,
                                   const std::optional<SecretBytes>& passphrase);

}  // namespace keyturn::service
