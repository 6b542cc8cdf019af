#include "http/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509err.h>

#include <algorithm>
#include <array>
#include <climits>

#include "base/check.h"
#include "http/openssl_reason.h"

namespace keyturn::http {
namespace {

// For TLS 1.2: forward secrecy and authenticated encryption only. TLS 1.3 has nothing else.
constexpr const char* kTls12Ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

// OpenSSL compares the key with the certificate that is loaded already.
bool LastErrorIsKeyMismatch() {
  const unsigned long code = ERR_peek_last_error();
  return ERR_GET_LIB(code) == ERR_LIB_X509 && (ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH ||
                                               ERR_GET_REASON(code) == X509_R_KEY_TYPE_MISMATCH);
}

// An encrypted key is refused instead of asking on the terminal.
int NoPassword(char*, int, int, void*) { return -1; }

// SelectHttp11 answers a client that offers protocols (RFC 7301) with the one we speak; a client
// that offers others only gets none.
int SelectHttp11(SSL*, const unsigned char** out, unsigned char* out_size,
                 const unsigned char* offered, unsigned int offered_size, void*) {
  static constexpr std::array<unsigned char, 9> kHttp11 = {8,   'h', 't', 't', 'p',
                                                           '/', '1', '.', '1'};
  unsigned char* selected = nullptr;
  if (SSL_select_next_proto(&selected, out_size, kHttp11.data(), kHttp11.size(), offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::Load(const std::string& certificate_file,
                                                           const std::string& key_file) {
  ERR_clear_error();
  SSL_CTX* ctx = SSL_CTX_new(TLS_server_method());
  if (ctx == nullptr) {
    return Fail(ErrorCode::kInternal, "cannot set up TLS: " + OpenSslReason());
  }
  std::shared_ptr<const TlsContext> context(new TlsContext(ctx));
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_default_passwd_cb(ctx, NoPassword);
  SSL_CTX_set_alpn_select_cb(ctx, SelectHttp11, nullptr);
  if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(ctx, kTls12Ciphers) != 1) {
    return Fail(ErrorCode::kInternal, "cannot set up TLS: " + OpenSslReason());
  }
  if (SSL_CTX_use_certificate_chain_file(ctx, certificate_file.c_str()) != 1) {
    return Fail(ErrorCode::kUsage,
                "cannot use the TLS certificate " + certificate_file + ": " + OpenSslReason());
  }
  if (SSL_CTX_use_PrivateKey_file(ctx, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    if (LastErrorIsKeyMismatch()) {
      return Fail(ErrorCode::kUsage, "the TLS key " + key_file +
                                         " does not belong to the certificate " + certificate_file);
    }
    return Fail(ErrorCode::kUsage, "cannot use the TLS key " + key_file + ": " + OpenSslReason());
  }
  return context;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

std::unique_ptr<TlsSession> TlsSession::Create(const TlsContext& context) {
  SSL* ssl = SSL_new(context.context_);
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  if (ssl == nullptr || in == nullptr || out == nullptr) {
    BIO_free(in);
    BIO_free(out);
    SSL_free(ssl);
    return nullptr;
  }
  BIO_set_mem_eof_return(in, -1);  // an empty input means "later", not "closed"
  SSL_set_bio(ssl, in, out);
  SSL_set_accept_state(ssl);
  return std::unique_ptr<TlsSession>(new TlsSession(ssl));
}

TlsSession::~TlsSession() { SSL_free(ssl_); }

void TlsSession::Feed(std::string_view wire) {
  KT_CHECK(wire.size() <= INT_MAX);
  BIO_write(SSL_get_rbio(ssl_), wire.data(), static_cast<int>(wire.size()));
}

TlsRead TlsSession::Read(std::span<char> out, std::size_t& count) {
  ERR_clear_error();
  if (SSL_read_ex(ssl_, out.data(), out.size(), &count) == 1) {
    return TlsRead::kData;
  }
  switch (SSL_get_error(ssl_, 0)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return TlsRead::kWantMore;
    case SSL_ERROR_ZERO_RETURN:
      return TlsRead::kClosed;
    default:
      ERR_clear_error();
      return TlsRead::kFailed;
  }
}

bool TlsSession::Write(std::string_view text) {
  ERR_clear_error();
  std::size_t written = 0;
  // A memory BIO takes everything, so that one call writes it all.
  return text.empty() ||
         (SSL_write_ex(ssl_, text.data(), text.size(), &written) == 1 && written == text.size());
}

void TlsSession::Shutdown() {
  if (handshake_done()) {
    ERR_clear_error();
    SSL_shutdown(ssl_);
    ERR_clear_error();
  }
}

void TlsSession::TakeOutput(std::string& out) {
  BIO* wire = SSL_get_wbio(ssl_);
  char* data = nullptr;
  const long pending = BIO_get_mem_data(wire, &data);
  if (pending > 0) {
    out.append(data, static_cast<std::size_t>(pending));
    static_cast<void>(BIO_reset(wire));
  }
}

bool TlsSession::handshake_done() const { return SSL_is_init_finished(ssl_) == 1; }

TlsDetails TlsSession::details() const {
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl_);
  const char* name = cipher != nullptr ? SSL_CIPHER_standard_name(cipher) : nullptr;
  return {SSL_get_version(ssl_), name != nullptr ? name : ""};
}

}  // namespace keyturn::http
