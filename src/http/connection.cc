#include "http/connection.h"

#include <exception>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "http/transfer_batch.h"

namespace keyturn::http {
namespace {

// How long a client may take to read a reply after which the server closes.
constexpr std::chrono::seconds kLingerTime{2};

// OneExchange: a request's handle; its end tells the connection when nobody has replied.
class OneExchange final : public Exchange {
 public:
  explicit OneExchange(std::shared_ptr<Connection> connection)
      : connection_(std::move(connection)) {}
  ~OneExchange() override {
    if (!replied_) {
      connection_->OnDropped();
    }
  }
  OneExchange(const OneExchange&) = delete;
  OneExchange& operator=(const OneExchange&) = delete;

  const RequestView& request() const override { return connection_->request(); }
  Loop& loop() override { return connection_->loop(); }
  void Reply(std::string_view head, std::string_view body) override {
    KT_CHECK(!replied_);
    replied_ = true;
    connection_->Reply(head, body);
  }

 private:
  const std::shared_ptr<Connection> connection_;
  bool replied_ = false;
};

}  // namespace

Connection::Connection(std::shared_ptr<ConnectionLoop> loop, Socket socket,
                       std::string remote_address)
    : loop_(std::move(loop)),
      socket_(std::move(socket)),
      session_(loop_->shared().options.body_bytes_max, loop_->shared().tls.get(),
               std::move(remote_address)),
      since_(loop_->Stamp()) {}

void Connection::Start() {
  socket_.SetNoDelay();
  if (!session_.valid()) {
    Close();
    return;
  }
  request_begun_ = session_.handshaking();  // which has as long as a request
  Read();
}

void Connection::Close() {
  if (state_ != State::kClosed) {
    state_ = State::kClosed;
    socket_.Close();
    loop_->Remove(*this);
  }
}

void Connection::SweepAt(LoopTime now) {
  const ServerOptions& options = loop_->shared().options;
  const auto waited = now - since_;
  switch (state_) {
    case State::kReading:
      if (request_begun_ && waited >= std::chrono::seconds(options.request_timeout_seconds)) {
        if (session_.handshaking()) {
          Close();
        } else {
          session_.Refuse(408, "the request did not arrive in time");
          keep_ = false;
          linger_ = true;
          SendReply();
        }
      } else if (!request_begun_ && waited >= std::chrono::seconds(options.idle_timeout_seconds)) {
        Close();
      }
      break;
    case State::kReplying:
      if (waited >= std::chrono::seconds(options.idle_timeout_seconds)) {
        Close();
      }
      break;
    case State::kLingering:
      if (waited >= kLingerTime) {
        Close();
      }
      break;
    case State::kHandling:
    case State::kClosed:
      break;
  }
}

void Connection::CloseIfIdle() {
  if (state_ == State::kReading && !request_begun_ && !socket_.has_unread()) {
    Close();
  }
}

void Connection::OnReady(const Readiness& readiness) {
  if (state_ == State::kClosed) {
    return;
  }
  hung_up_ = hung_up_ || readiness.hung_up;
  readable_ = readable_ || readiness.readable || readiness.hung_up;
  if ((readiness.writable || readiness.hung_up) && waits_for_room_) {
    waits_for_room_ = false;
    loop_->SendSoon(*this);
  }
  ReceiveWhenReady();
}

// Read goes on when something is there; never at once, so that the others have their turn.
void Connection::Read() {
  wants_read_ = true;
  ReceiveWhenReady();
}

void Connection::ReceiveWhenReady() {
  if (wants_read_ && readable_ && !receive_due_) {
    receive_due_ = true;
    loop_->ReceiveSoon(*this);
  }
}

bool Connection::AddReceive(TransferBatch& batch) {
  receive_due_ = false;
  if (state_ == State::kClosed || !wants_read_) {
    return false;
  }
  const auto space = session_.receive_space();
  if (space.empty()) {  // the parser sees to it that it is not
    Close();
    return false;
  }
  batch.Receive(socket_, space);
  return true;
}

void Connection::OnReceived(const Transfer& got) {
  if (state_ == State::kClosed) {
    return;
  }
  if (got.state == TransferState::kWouldBlock) {
    readable_ = false;
    return;
  }
  wants_read_ = false;
  if (got.state != TransferState::kDone) {
    Close();
    return;
  }
  // Less than there is room for was all there is; but nothing tells of an end a second time.
  readable_ = got.count == session_.receive_space().size() || hung_up_;
  OnRead(got.count);
}

void Connection::OnRead(std::size_t count) {
  if (state_ == State::kLingering) {
    Read();  // what comes is dropped; the sweep ends it
    return;
  }
  if (!request_begun_) {
    request_begun_ = true;
    since_ = loop_->Stamp();
  }
  session_.Received(count);
  Advance();
}

// Advance serves the next request that is there; its reply leads here again.
void Connection::Advance() {
  if (state_ != State::kReading) {
    return;  // closed since this was posted
  }
  const bool was_handshaking = session_.handshaking();
  const Session::Step step = session_.Next();
  if (was_handshaking && !session_.handshaking()) {
    request_begun_ = session_.has_unread();
    since_ = loop_->Stamp();
  }
  switch (step) {
    case Session::Step::kRequest:
      Handle();
      break;
    case Session::Step::kNeedMore:
      Flush();  // of a handshake, or a 100 Continue
      if (state_ == State::kReading) {
        Read();
      }
      break;
    case Session::Step::kRefused:
      keep_ = false;
      linger_ = true;
      SendReply();
      break;
    case Session::Step::kEnded:
      SendNow();  // the alert, if it gets through
      Close();
      break;
  }
}

void Connection::Handle() {
  state_ = State::kHandling;
  try {
    loop_->shared().handler->OnRequest(std::make_shared<OneExchange>(shared_from_this()));
  } catch (const std::exception& e) {
    Close();
    LogError("a request ended by an exception: {}", e.what());
  }
}

// Resume goes on after a reply, but never inside the handler's call of Reply.
void Connection::Resume() {
  if (session_.has_unread()) {
    loop_->Post([self = shared_from_this()] { self->Advance(); });
  } else {
    Read();
  }
}

void Connection::Reply(std::string_view head, std::string_view body) {
  KT_CHECK(loop_->RunsHere());
  if (state_ == State::kClosed) {
    return;
  }
  KT_CHECK(state_ == State::kHandling);
  keep_ = session_.Reply(head, body, !loop_->draining());
  SendReply();
}

void Connection::OnDropped() {
  if (!loop_->RunsHere()) {
    loop_->Post([self = shared_from_this()] { self->OnDropped(); });
  } else if (state_ == State::kHandling) {
    Close();
  }
}

void Connection::SendReply() {
  state_ = State::kReplying;
  since_ = loop_->Stamp();
  if (session_.cannot_send()) {
    Close();
  } else {
    Flush();
  }
}

// Flush gives what is pending to the loop. FinishReply follows when all of it has been sent.
void Connection::Flush() {
  OutputBuffer& output = session_.output();
  if (state_ != State::kClosed && !output.sending() && !output.pending().empty()) {
    output.BeginSending();  // until OnSent has seen the end of it
    loop_->SendSoon(*this);
  }
}

bool Connection::AddSend(TransferBatch& batch) {
  const std::string_view text = session_.output().pending();
  if (state_ == State::kClosed || text.empty()) {
    return false;
  }
  batch.Send(socket_, text);
  return true;
}

void Connection::OnSent(const Transfer& given) {
  if (state_ == State::kClosed) {
    return;
  }
  if (given.state == TransferState::kWouldBlock) {
    waits_for_room_ = true;
    return;
  }
  if (given.state != TransferState::kDone) {
    Close();
    return;
  }
  if (state_ == State::kReplying) {
    since_ = loop_->Stamp();
  }
  OutputBuffer& output = session_.output();
  output.Sent(given.count);
  if (!output.pending().empty()) {
    loop_->SendSoon(*this);  // only a call that finds no room makes the poller tell of room
    return;
  }
  output.EndSending();
  if (!output.pending().empty()) {
    Flush();
  } else if (state_ == State::kReplying) {
    FinishReply();
  }
}

// SendNow is for the last words: true when the kernel has taken all that is pending.
bool Connection::SendNow() {
  OutputBuffer& output = session_.output();
  output.EndSending();
  while (!output.pending().empty()) {
    const Transfer given = socket_.Send(output.pending());
    if (given.state != TransferState::kDone) {
      return false;
    }
    output.Sent(given.count);
  }
  return true;
}

void Connection::FinishReply() {
  if (!keep_ || loop_->draining()) {
    CloseGently();
    return;
  }
  session_.Finish();
  state_ = State::kReading;
  request_begun_ = session_.has_unread();
  since_ = loop_->Stamp();
  Resume();
}

// CloseGently lets the client read the reply first: closing a socket that has unread bytes resets
// the connection, which can take the reply with it.
void Connection::CloseGently() {
  session_.EndOutput();
  if (!SendNow()) {
    Close();
    return;
  }
  socket_.SendNoMore();
  if (!linger_ && !socket_.has_unread()) {
    Close();
    return;
  }
  state_ = State::kLingering;
  since_ = loop_->Stamp();
  session_.DropInput();
  Read();
}

}  // namespace keyturn::http
