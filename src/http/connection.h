// Connection: one client's socket, and what is under way on it: reading, handling, replying,
// lingering. Its loop tells it what is ready and what time it is.
//
// Runs on its loop's thread only, but for the release of the last pointer to a request.
//
// Speed, as measured against nginx on one core: no timer belongs to a connection (one sweep a
// loop), a connection keeps its buffers, a socket is not read before it is known to have something,
// and the loop receives and sends for many connections at a time (http/transfer_batch.h).
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "http/poller.h"
#include "http/server.h"
#include "http/session.h"
#include "http/socket.h"
#include "http/tls.h"

namespace keyturn::http {

// LoopTime is of the clock that timeouts are measured by.
using LoopTime = std::chrono::steady_clock::time_point;

class Connection;
class TransferBatch;

// SharedState: what the loops of a server have in common; read-only but for the atomics.
struct SharedState {
  ServerOptions options;
  Handler* handler = nullptr;
  std::shared_ptr<const TlsContext> tls;
  std::atomic<std::size_t> connections{0};
  std::atomic<bool> refusal_told{false};  // that io_uring cannot be used
};

// ConnectionLoop: what a connection needs of its loop.
class ConnectionLoop : public Loop {
 public:
  virtual SharedState& shared() = 0;
  virtual bool RunsHere() const = 0;
  // Stamp is not before the present, so that no timeout comes early.
  virtual LoopTime Stamp() const = 0;
  // draining: each connection ends after its reply.
  virtual bool draining() const = 0;
  // Remove forgets the connection, which has closed its socket.
  virtual void Remove(Connection& connection) = 0;
  // ReceiveSoon and SendSoon: with others; the loop asks the connection for its transfer then, and
  // tells it the result. ReceiveSoon does so after it has returned, SendSoon perhaps before.
  virtual void ReceiveSoon(Connection& connection) = 0;
  virtual void SendSoon(Connection& connection) = 0;
};

class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<ConnectionLoop> loop, Socket socket, std::string remote_address);

  // Start: the socket is in the loop's poller already.
  void Start();
  void Close();
  void OnReady(const Readiness& readiness);
  // AddReceive and AddSend are false when nothing is to be received or sent any more; otherwise
  // OnReceived or OnSent follows with the result.
  bool AddReceive(TransferBatch& batch);
  void OnReceived(const Transfer& got);
  bool AddSend(TransferBatch& batch);
  void OnSent(const Transfer& given);
  void SweepAt(LoopTime now);
  void CloseIfIdle();

  const RequestView& request() const { return session_.request(); }
  ConnectionLoop& loop() { return *loop_; }
  void Reply(std::string_view head, std::string_view body);
  void OnDropped();

  std::size_t place = 0;  // among the loop's connections

 private:
  enum class State { kReading, kHandling, kReplying, kLingering, kClosed };

  void Read();
  void ReceiveWhenReady();
  void OnRead(std::size_t count);
  void Advance();
  void Handle();
  void Resume();
  void SendReply();
  void Flush();
  bool SendNow();
  void FinishReply();
  void CloseGently();

  const std::shared_ptr<ConnectionLoop> loop_;
  Socket socket_;
  Session session_;
  State state_ = State::kReading;
  bool wants_read_ = false;
  bool receive_due_ = false;     // AddReceive will be called
  bool waits_for_room_ = false;  // the kernel took nothing: until the poller tells of room
  bool readable_ = false;        // told by the poller and not yet read to the end
  bool hung_up_ = false;
  bool request_begun_ = false;
  bool keep_ = true;
  bool linger_ = false;
  LoopTime since_;  // of the state, or of the last progress in it
};

}  // namespace keyturn::http
