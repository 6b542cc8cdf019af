#include "http/client_tls.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include "http/curl_client.h"
#include "http/openssl_reason.h"
#include "http/tls_cause.h"

namespace keyturn::http {
namespace {

bool IsAddress(const std::string& host) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

}  // namespace

// SocketBio is OpenSSL's way to the socket. Its own would raise SIGPIPE, which is the program's to
// deal with and not this library's.
struct SocketBio {
  static int Write(BIO* bio, const char* data, int size) {
    auto& session = *static_cast<ClientTlsSession*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const Transfer sent = session.socket_.Send({data, static_cast<std::size_t>(size)});
    if (sent.state == TransferState::kWouldBlock) BIO_set_retry_write(bio);
    return session.CountOf(sent);
  }
  static int Read(BIO* bio, char* data, int size) {
    auto& session = *static_cast<ClientTlsSession*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const Transfer received = session.socket_.Receive({data, static_cast<std::size_t>(size)});
    if (received.state == TransferState::kWouldBlock) BIO_set_retry_read(bio);
    return session.CountOf(received);
  }
  static long Control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }
  static int Make(BIO* bio) {
    BIO_set_init(bio, 1);
    return 1;
  }
  static BIO* Of(ClientTlsSession& session) {
    static BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "keyturn socket");
      if (made != nullptr) {
        BIO_meth_set_write(made, Write);
        BIO_meth_set_read(made, Read);
        BIO_meth_set_ctrl(made, Control);
        BIO_meth_set_create(made, Make);
      }
      return made;
    }();
    BIO* bio = method == nullptr ? nullptr : BIO_new(method);
    if (bio != nullptr) BIO_set_data(bio, &session);
    return bio;
  }
};

TlsTicket::~TlsTicket() { SSL_SESSION_free(session_); }

// OnTicket keeps the newest; with 1 the reference is ours.
int ClientTlsContext::OnTicket(ssl_st* ssl, ssl_session_st* session) {
  auto* ticket = static_cast<TlsTicket*>(SSL_get_app_data(ssl));
  SSL_SESSION_free(ticket->session_);
  ticket->session_ = session;
  return 1;
}

Result<std::unique_ptr<ClientTlsContext>> ClientTlsContext::Load(
    const std::string& ca_bundle_file) {
  ERR_clear_error();
  SSL_CTX* ctx = SSL_CTX_new(TLS_client_method());
  if (ctx == nullptr) {
    return Fail(ErrorCode::kInternal, "cannot set up TLS: " + OpenSslReason());
  }
  std::unique_ptr<ClientTlsContext> context(new ClientTlsContext(ctx));
  static constexpr std::array<unsigned char, 9> kHttp11 = {8,   'h', 't', 't', 'p',
                                                           '/', '1', '.', '1'};
  SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(ctx, 1);  // a record in one read, not its head and its body in two
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(ctx, OnTicket);
  if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_alpn_protos(ctx, kHttp11.data(), kHttp11.size()) != 0) {
    return Fail(ErrorCode::kInternal, "cannot set up TLS: " + OpenSslReason());
  }
  const std::string bundle = ca_bundle_file.empty() ? SystemCaBundle() : ca_bundle_file;
  const bool loaded = bundle.empty() ? SSL_CTX_set_default_verify_paths(ctx) == 1
                                     : SSL_CTX_load_verify_file(ctx, bundle.c_str()) == 1;
  if (!loaded) {
    return Fail(Error{ErrorCode::kNetwork,
                      "cannot use the CA bundle " + bundle + ": " + OpenSslReason(),
                      std::string(kTlsCause)});
  }
  return context;
}

ClientTlsContext::~ClientTlsContext() { SSL_CTX_free(context_); }

std::unique_ptr<ClientTlsSession> ClientTlsSession::Create(const ClientTlsContext& context,
                                                           Socket& socket, const std::string& host,
                                                           TlsTicket& ticket) {
  SSL* ssl = SSL_new(context.context_);
  if (ssl == nullptr) return nullptr;
  std::unique_ptr<ClientTlsSession> session(new ClientTlsSession(ssl, socket));
  BIO* bio = SocketBio::Of(*session);
  if (bio == nullptr) return nullptr;
  SSL_set_bio(ssl, bio, bio);
  SSL_set_app_data(ssl, &ticket);
  SSL_set_connect_state(ssl);
  X509_VERIFY_PARAM* verify = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool named = IsAddress(host) ? X509_VERIFY_PARAM_set1_ip_asc(verify, host.c_str()) == 1
                                     : X509_VERIFY_PARAM_set1_host(verify, host.c_str(), 0) == 1 &&
                                           SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
  if (!named) return nullptr;
  if (ticket.session_ != nullptr && SSL_SESSION_is_resumable(ticket.session_) == 1) {
    SSL_set_session(ssl, ticket.session_);
  }
  return session;
}

// CountOf a transfer as OpenSSL wants it: 0 at the end, -1 for nothing.
int ClientTlsSession::CountOf(const Transfer& transfer) {
  if (transfer.state == TransferState::kFailed) system_error_ = errno;
  const bool moved = transfer.state == TransferState::kDone;
  return moved || transfer.state == TransferState::kEnded ? static_cast<int>(transfer.count) : -1;
}

ClientTlsSession::~ClientTlsSession() { SSL_free(ssl_); }

TlsStep ClientTlsSession::StepOf(int result) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return TlsStep::kWantRead;
    case SSL_ERROR_WANT_WRITE:
      return TlsStep::kWantWrite;
    case SSL_ERROR_ZERO_RETURN:
      return TlsStep::kClosed;
    default:
      Explain();
      return TlsStep::kFailed;
  }
}

void ClientTlsSession::Explain() {
  const long verified = SSL_get_verify_result(ssl_);
  if (system_error_ != 0) {
    error_ = {ErrorCode::kNetwork, std::strerror(system_error_), {}};
  } else if (SSL_is_init_finished(ssl_) == 0 && verified != X509_V_OK) {
    error_ = {ErrorCode::kNetwork,
              std::string("the server's certificate is not accepted: ") +
                  X509_verify_cert_error_string(verified),
              std::string(kTlsCause)};
  } else if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING ||
             ERR_peek_last_error() == 0) {
    error_ = {ErrorCode::kNetwork, "the connection was closed", {}};
  } else {
    error_ = {ErrorCode::kNetwork, "TLS: " + OpenSslReason(), std::string(kTlsCause)};
  }
  ERR_clear_error();
}

TlsStep ClientTlsSession::Handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  return result == 1 ? TlsStep::kDone : StepOf(result);
}

TlsStep ClientTlsSession::Read(std::span<char> out, std::size_t& count) {
  ERR_clear_error();
  return SSL_read_ex(ssl_, out.data(), out.size(), &count) == 1 ? TlsStep::kDone : StepOf(0);
}

TlsStep ClientTlsSession::Write(std::string_view text, std::size_t& count) {
  ERR_clear_error();
  return SSL_write_ex(ssl_, text.data(), text.size(), &count) == 1 ? TlsStep::kDone : StepOf(0);
}

void ClientTlsSession::Shutdown() {
  if (SSL_is_init_finished(ssl_) == 0) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

}  // namespace keyturn::http
