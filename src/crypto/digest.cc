#include "crypto/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>

#include "crypto/openssl_check.h"

namespace keyturn::crypto {
namespace {

EVP_MD* FetchedSha256() {
  static EVP_MD* const md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  KT_CHECK(md != nullptr);
  return md;
}

struct DigestContext {
  DigestContext() : context(EVP_MD_CTX_new()) {
    KT_CHECK(context != nullptr);
    KT_OPENSSL(EVP_DigestInit_ex2(context, FetchedSha256(), nullptr));
  }
  ~DigestContext() { EVP_MD_CTX_free(context); }
  DigestContext(const DigestContext&) = delete;
  DigestContext& operator=(const DigestContext&) = delete;
  EVP_MD_CTX* context;
};

// HmacContext: fetched, told its digest once, and re-keyed only when the key is another than the
// last one: that is 0.2 of 0.4 us, and most calls come in pairs under one key. OpenSSL's context
// holds what is as good as the last key anyway.
struct HmacContext {
  HmacContext() {
    static EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    KT_CHECK(mac != nullptr);
    context = EVP_MAC_CTX_new(mac);
    KT_CHECK(context != nullptr);
    char digest_name[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0),
        OSSL_PARAM_construct_end()};
    KT_OPENSSL(EVP_MAC_CTX_set_params(context, parameters));
  }
  ~HmacContext() { EVP_MAC_CTX_free(context); }
  HmacContext(const HmacContext&) = delete;
  HmacContext& operator=(const HmacContext&) = delete;

  void Start(ByteView key) {
    if (key_size == key.size() && ConstantTimeEquals(key, last_key.reveal().first(key_size))) {
      KT_OPENSSL(EVP_MAC_init(context, nullptr, 0, nullptr));
      return;
    }
    // An empty key must not read as "keep the last key": OpenSSL takes a null pointer as that.
    static constexpr std::uint8_t kNoKey = 0;
    KT_OPENSSL(EVP_MAC_init(context, key.empty() ? &kNoKey : key.data(), key.size(), nullptr));
    key_size = kNoSize;
    if (key.size() <= last_key.size()) {
      std::copy(key.begin(), key.end(), last_key.reveal_mutable().begin());
      key_size = key.size();
    }
  }

  static constexpr std::size_t kNoSize = ~std::size_t{0};
  EVP_MAC_CTX* context = nullptr;
  SecretArray<64> last_key;
  std::size_t key_size = kNoSize;  // of last_key
};

}  // namespace

Sha256Digest Sha256Parts(std::span<const ByteView> parts) {
  thread_local DigestContext thread;
  // Re-initialising with a null digest keeps the fetched implementation.
  KT_OPENSSL(EVP_DigestInit_ex2(thread.context, nullptr, nullptr));
  for (const ByteView part : parts) {
    KT_OPENSSL(EVP_DigestUpdate(thread.context, part.data(), part.size()));
  }
  Sha256Digest digest{};
  unsigned size = 0;
  KT_OPENSSL(EVP_DigestFinal_ex(thread.context, digest.data(), &size));
  KT_CHECK(size == digest.size());
  return digest;
}

Sha256Digest Sha256(ByteView data) { return Sha256Parts({&data, 1}); }

Sha256Digest HmacSha256Parts(ByteView key, std::span<const ByteView> parts) {
  thread_local HmacContext thread;
  thread.Start(key);
  for (const ByteView part : parts) {
    KT_OPENSSL(EVP_MAC_update(thread.context, part.data(), part.size()));
  }
  Sha256Digest mac{};
  std::size_t size = 0;
  KT_OPENSSL(EVP_MAC_final(thread.context, mac.data(), &size, mac.size()));
  KT_CHECK(size == mac.size());
  return mac;
}

Sha256Stream::Sha256Stream() : context_(EVP_MD_CTX_new()) {
  KT_CHECK(context_ != nullptr);
  KT_OPENSSL(EVP_DigestInit_ex2(context_, FetchedSha256(), nullptr));
}

Sha256Stream::~Sha256Stream() { EVP_MD_CTX_free(context_); }

void Sha256Stream::Update(ByteView data) {
  KT_OPENSSL(EVP_DigestUpdate(context_, data.data(), data.size()));
}

Sha256Digest Sha256Stream::Finish() {
  Sha256Digest digest{};
  unsigned size = 0;
  KT_OPENSSL(EVP_DigestFinal_ex(context_, digest.data(), &size));
  KT_OPENSSL(EVP_DigestInit_ex2(context_, FetchedSha256(), nullptr));
  return digest;
}

Sha256Digest HmacSha256(ByteView key, ByteView data) { return HmacSha256Parts(key, {&data, 1}); }

bool ConstantTimeEquals(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace keyturn::crypto
