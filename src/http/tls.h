// TlsContext and TlsSession: the server's side of TLS 1.2 and 1.3, on memory only. OpenSSL stays in
// the .cc file; sockets are the caller's.
//
// TlsContext is immutable and shared by threads; a TlsSession belongs to one connection.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/server.h"

struct ssl_ctx_st;
struct ssl_st;

namespace keyturn::http {

class TlsContext {
 public:
  // Load reads a PEM certificate chain and its private key; kUsage naming the file at fault.
  static Result<std::shared_ptr<const TlsContext>> Load(const std::string& certificate_file,
                                                        const std::string& key_file);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

 private:
  friend class TlsSession;
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* context_;
};

enum class TlsRead { kData, kWantMore, kClosed, kFailed };

class TlsSession {
 public:
  // Create returns null when there is no memory for it.
  static std::unique_ptr<TlsSession> Create(const TlsContext& context);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // Feed adds bytes from the socket.
  void Feed(std::string_view wire);
  // Read fills out with plain bytes and sets count when kData. Handshake messages are dealt with on
  // the way, so TakeOutput may have something after any Read.
  TlsRead Read(std::span<char> out, std::size_t& count);
  // Write encrypts text; false when the session cannot send any more.
  bool Write(std::string_view text);
  // Shutdown says that nothing follows (close_notify).
  void Shutdown();
  // TakeOutput appends what has to be sent to out.
  void TakeOutput(std::string& out);

  bool handshake_done() const;
  TlsDetails details() const;  // after the handshake; the texts live as long as the program

 private:
  explicit TlsSession(ssl_st* ssl) : ssl_(ssl) {}
  ssl_st* ssl_;
};

}  // namespace keyturn::http
