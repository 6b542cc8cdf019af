// SshSignature: signatures of files in OpenSSH's form, by Ed25519 keys: what `ssh-keygen -Y sign`
// makes and `ssh-keygen -Y verify` checks.
//
// Errors: kUsage, with a message that says what is wrong and what to do. Limits: key files and
// signatures up to 16 KiB, files of allowed signers up to 1 MiB. Thread-safety: values; SshSigner
// may sign in several threads at once.
// Source: OpenSSH PROTOCOL.sshsig and PROTOCOL.key; ssh-keygen(1), ALLOWED SIGNERS; RFC 8709.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"
#include "crypto/asymmetric.h"

namespace keyturn::crypto {

// SshSigner holds an Ed25519 private key.
class SshSigner {
 public:
  // FromPrivateKey reads an OpenSSH private key file. Keys under a passphrase and keys of other
  // types are refused by name.
  static Result<SshSigner> FromPrivateKey(ByteView file);

  // Sign returns the armored signature of message.
  std::string Sign(ByteView message, std::string_view name_space) const;
  // PublicKey: "ssh-ed25519 AAAA...".
  std::string PublicKey() const;

 private:
  SshSigner(AsymmetricKey key, Bytes public_blob)
      : key_(std::move(key)), public_blob_(std::move(public_blob)) {}
  AsymmetricKey key_;
  Bytes public_blob_;
};

// SshSignature: a parsed one, not checked yet.
struct SshSignature {
  Bytes public_blob;  // of the key that it says it is by
  std::string name_space;
  std::string hash;  // "sha256", "sha512"
  Bytes signature;   // 64 bytes

  // Parse takes the armored form.
  static Result<SshSignature> Parse(std::string_view armored);
  // Verify: the signature is by that key, of this message, in this name space.
  bool Verify(ByteView message, std::string_view name_space) const;
  // Fingerprint: "SHA256:..." of the key, as ssh-keygen -l prints it.
  std::string Fingerprint() const;
};

// AllowedSigner: one line of a file of allowed signers. Keys of certificate authorities are kept
// out of it.
struct AllowedSigner {
  std::string principals;  // as written, with commas
  Bytes public_blob;
  std::vector<std::string> namespaces;  // patterns with * and ?; empty: every one
  std::optional<TimePoint> valid_after;
  std::optional<TimePoint> valid_before;
};

// ParseAllowedSigners: place names the file in messages. Times without a Z are taken as UTC.
Result<std::vector<AllowedSigner>> ParseAllowedSigners(std::string_view text,
                                                       std::string_view place);

// FindSigner: the first line that allows the signature's key in the name space at a time; null when
// none does.
const AllowedSigner* FindSigner(const std::vector<AllowedSigner>& signers,
                                const SshSignature& signature, std::string_view name_space,
                                TimePoint now);

}  // namespace keyturn::crypto
