// Protocol: what the server and a pkcs11-worker say to each other over their socket pair. Layout
// and limits: docs/formats/pkcs11-worker.md.
//
// Each side treats the other's bytes as foreign: everything is checked, nothing is trusted for its
// length. Frames hold PINs and plaintexts, so they live in SecretBytes. Thread-safe.
// Errors: kMalformed for bytes that are no message.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "base/secret.h"

namespace keyturn::hsm {

inline constexpr std::size_t kFrameBytesMax = 64 << 10;

enum class Action : std::uint8_t {
  kProbe = 1,  // load the module, find the token, look for what we need
  kLogin,      // with pin, whoever is logged in already
  kMakeKey,    // key: its label
  kFindKey,
  kDestroyKey,  // one that is not there is destroyed already
  kEncrypt,     // key, iv, aad, data
  kDecrypt,
  kRandom,  // count bytes
};

struct Request {
  Action action = Action::kProbe;
  SecretBytes pin;
  std::string key;
  Bytes iv;
  Bytes aad;
  SecretBytes data;
  std::uint32_t count = 0;
};

enum class Outcome : std::uint8_t {
  kOk = 0,
  kNoModule,       // it cannot be loaded or started
  kNoToken,        // no token has the label
  kNoMechanism,    // the token lacks AES key generation or AES-GCM
  kPinIncorrect,   //
  kPinLocked,      //
  kNoUser,         // the token has no user PIN yet
  kNotLoggedIn,    // the session is gone, or there never was one
  kNoKey,          //
  kBadCiphertext,  //
  kFailed,         // anything else; code says what the module said
  // Of the server's side only, never in a message:
  kCrashed,   // the worker died
  kTimedOut,  // it did not answer in time and was killed
  kBusy,      // too many wait for it, or it is not started again so soon
  kNotNamed,  // the operator does not name the store's cluster (any more)
};
inline constexpr Outcome kLastOnWire = Outcome::kFailed;
const char* OutcomeName(Outcome outcome);

struct Reply {
  Outcome outcome = Outcome::kFailed;
  Bytes iv;  // of kEncrypt: the token may choose its own
  SecretBytes data;
  std::uint64_t code = 0;  // CK_RV, for logs

  bool ok() const { return outcome == Outcome::kOk; }
};

SecretBytes Encode(const Request& request);
SecretBytes Encode(const Reply& reply);
Result<Request> DecodeRequest(ByteView frame);
Result<Reply> DecodeReply(ByteView frame);

// Deadline: none waits for ever.
using Deadline = std::optional<std::chrono::steady_clock::time_point>;

// SendFrame and ReceiveFrame move one frame, its length (32 bits, big-endian) before it. Errors:
// kTimeout; kNetwork when the other side is gone; kMalformed for a length above the limit.
Status SendFrame(int socket, ByteView frame, Deadline deadline);
Result<SecretBytes> ReceiveFrame(int socket, Deadline deadline);

}  // namespace keyturn::hsm
