// ClientTls: the client's side of TLS 1.2 and 1.3 on a socket. OpenSSL stays in the .cc file.
//
// Issuer and host name are always verified. ClientTlsContext is shared by the sessions of one set
// of authorities, on one thread. Errors: kNetwork, with kTlsCause where TLS does not vouch for the
// connection.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/socket.h"

struct ssl_ctx_st;
struct ssl_st;
struct ssl_session_st;

namespace keyturn::http {

// TlsTicket: the last session with one host, which the next connection may go on with. It belongs
// to that host and that context alone: what was verified once is not verified again.
class TlsTicket {
 public:
  TlsTicket() = default;
  ~TlsTicket();
  TlsTicket(const TlsTicket&) = delete;
  TlsTicket& operator=(const TlsTicket&) = delete;

 private:
  friend class ClientTlsContext;
  friend class ClientTlsSession;
  ssl_session_st* session_ = nullptr;
};

class ClientTlsContext {
 public:
  // Load trusts the authorities of a PEM bundle, or the system's when it has no name, and nobody
  // else.
  static Result<std::unique_ptr<ClientTlsContext>> Load(const std::string& ca_bundle_file);
  ~ClientTlsContext();
  ClientTlsContext(const ClientTlsContext&) = delete;
  ClientTlsContext& operator=(const ClientTlsContext&) = delete;

 private:
  friend class ClientTlsSession;
  explicit ClientTlsContext(ssl_ctx_st* context) : context_(context) {}
  static int OnTicket(ssl_st* ssl, ssl_session_st* session);
  ssl_ctx_st* const context_;
};

enum class TlsStep { kDone, kWantRead, kWantWrite, kClosed, kFailed };

class ClientTlsSession {
 public:
  // Create: null when there is no memory for it. host is a name or an address without brackets.
  // socket and ticket must outlive the session.
  static std::unique_ptr<ClientTlsSession> Create(const ClientTlsContext& context, Socket& socket,
                                                  const std::string& host, TlsTicket& ticket);
  ~ClientTlsSession();
  ClientTlsSession(const ClientTlsSession&) = delete;
  ClientTlsSession& operator=(const ClientTlsSession&) = delete;

  // Each does what the socket allows. Read and Write set count when kDone.
  TlsStep Handshake();
  TlsStep Read(std::span<char> out, std::size_t& count);
  TlsStep Write(std::string_view text, std::size_t& count);
  // Shutdown says that nothing follows (close_notify), if the socket takes it at once.
  void Shutdown();
  // error: why the last step was kFailed.
  const Error& error() const { return error_; }

 private:
  ClientTlsSession(ssl_st* ssl, Socket& socket) : ssl_(ssl), socket_(socket) {}
  TlsStep StepOf(int result);
  int CountOf(const Transfer& transfer);
  void Explain();

  ssl_st* const ssl_;
  Socket& socket_;
  int system_error_ = 0;  // of the last send or receive
  Error error_;

  friend struct SocketBio;
};

}  // namespace keyturn::http
