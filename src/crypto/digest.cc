#include "crypto/digest.h"

// SHA-256 here is a fifth of a call's time, and what is hashed is short: with EVP most of that
// would be the way through the provider, not the compression function. So this file alone uses the
// older interface of libcrypto, whose code is the same (docs/performance.md has the figures).
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstring>

#include "crypto/openssl_check.h"

namespace keyturn::crypto {
namespace {

constexpr std::size_t kBlockBytes = SHA256_CBLOCK;

struct Sha256State {
  Sha256State() { KT_OPENSSL(SHA256_Init(&context)); }
  void Update(ByteView data) { KT_OPENSSL(SHA256_Update(&context, data.data(), data.size())); }
  Sha256Digest Finish() {
    Sha256Digest digest;
    KT_OPENSSL(SHA256_Final(digest.data(), &context));
    return digest;
  }
  SHA256_CTX context;
};

// KeyedState continues behind the block of a key. It is as good as the key, so it is wiped.
class KeyedState : public Sha256State {
 public:
  explicit KeyedState(const SecretArray<32>& chaining) {
    static_assert(sizeof(context.h) == std::tuple_size_v<Sha256Digest>);
    std::memcpy(context.h, chaining.reveal().data(), sizeof(context.h));
    context.Nl = 8 * kBlockBytes;  // bits hashed so far
  }
  ~KeyedState() { WipeMemory(&context, sizeof(context)); }
  KeyedState(const KeyedState&) = delete;
  KeyedState& operator=(const KeyedState&) = delete;
};

// HashBlock sets chaining to SHA-256's state behind one block.
void HashBlock(ByteView block, SecretArray<32>& chaining) {
  Sha256State state;
  state.Update(block);
  std::memcpy(chaining.reveal_mutable().data(), state.context.h, sizeof(state.context.h));
  WipeMemory(&state.context, sizeof(state.context));
}

}  // namespace

Sha256Digest Sha256Parts(std::span<const ByteView> parts) {
  Sha256State state;
  for (const ByteView part : parts) state.Update(part);
  return state.Finish();
}

Sha256Digest Sha256(ByteView data) { return Sha256Parts({&data, 1}); }

HmacKey::HmacKey(ByteView key) {
  SecretArray<kBlockBytes> block;
  const MutableByteView bytes = block.reveal_mutable();
  if (key.size() > kBlockBytes) {
    Sha256Digest digest = Sha256(key);
    std::copy(digest.begin(), digest.end(), bytes.begin());
    WipeMemory(digest.data(), digest.size());
  } else {
    std::copy(key.begin(), key.end(), bytes.begin());
  }
  constexpr std::uint8_t kInnerPad = 0x36;
  constexpr std::uint8_t kOuterPad = 0x5C;
  for (std::uint8_t& byte : bytes) byte ^= kInnerPad;
  HashBlock(bytes, inner_);
  for (std::uint8_t& byte : bytes) byte ^= kInnerPad ^ kOuterPad;
  HashBlock(bytes, outer_);
}

Sha256Digest HmacKey::Mac(std::span<const ByteView> parts) const {
  KeyedState inner(inner_);
  for (const ByteView part : parts) inner.Update(part);
  Sha256Digest digest = inner.Finish();
  KeyedState outer(outer_);
  outer.Update(digest);
  WipeMemory(digest.data(), digest.size());
  return outer.Finish();
}

Sha256Digest HmacSha256Parts(ByteView key, std::span<const ByteView> parts) {
  return HmacKey(key).Mac(parts);
}

struct Sha256Stream::State : Sha256State {};

Sha256Stream::Sha256Stream() : state_(std::make_unique<State>()) {}

Sha256Stream::~Sha256Stream() = default;

void Sha256Stream::Update(ByteView data) { state_->Update(data); }

Sha256Digest Sha256Stream::Finish() {
  const Sha256Digest digest = state_->Finish();
  *state_ = State();
  return digest;
}

Sha256Digest HmacSha256(ByteView key, ByteView data) { return HmacSha256Parts(key, {&data, 1}); }

bool ConstantTimeEquals(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace keyturn::crypto
