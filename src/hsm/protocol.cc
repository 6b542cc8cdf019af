#include "hsm/protocol.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace keyturn::hsm {
namespace {

constexpr std::uint8_t kVersion = 1;

// Maker writes a frame of a size that is known before: nothing is left behind by growing.
class Maker {
 public:
  explicit Maker(std::size_t size) : frame_(size) {}
  void Byte(std::uint8_t value) { frame_.reveal_mutable()[at_++] = value; }
  void Number(std::uint64_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
      Byte(static_cast<std::uint8_t>(value >> shift));
    }
  }
  void Field(ByteView field) {
    Number(field.size(), 4);
    std::copy(field.begin(), field.end(),
              frame_.reveal_mutable().begin() + static_cast<std::ptrdiff_t>(at_));
    at_ += field.size();
  }
  SecretBytes Take() {
    KT_CHECK(at_ == frame_.size() && at_ <= kFrameBytesMax);
    return std::move(frame_);
  }

 private:
  SecretBytes frame_;
  std::size_t at_ = 0;
};

class Reader {
 public:
  explicit Reader(ByteView frame) : rest_(frame) {}
  std::uint64_t Number(std::size_t bytes) {
    if (rest_.size() < bytes) {
      ok_ = false;
      return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | rest_[i];
    rest_ = rest_.subspan(bytes);
    return value;
  }
  std::uint8_t Byte() { return static_cast<std::uint8_t>(Number(1)); }
  ByteView Field() {
    const std::uint64_t size = Number(4);
    if (!ok_ || size > rest_.size()) {
      ok_ = false;
      return {};
    }
    const ByteView field = rest_.first(static_cast<std::size_t>(size));
    rest_ = rest_.subspan(field.size());
    return field;
  }
  bool whole() const { return ok_ && rest_.empty(); }

 private:
  ByteView rest_;
  bool ok_ = true;
};

Bytes Copy(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

tl::unexpected<Error> NoMessage() { return Fail(ErrorCode::kMalformed, "not a message"); }

// Wait returns when the socket is ready for what, or fails.
Status Wait(int socket, short what, Deadline deadline) {
  for (;;) {
    int wait = -1;
    if (deadline) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(
          *deadline - std::chrono::steady_clock::now());
      wait = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1 << 30));
    }
    pollfd entry{socket, what, 0};
    const int ready = poll(&entry, 1, wait);
    if (ready > 0) return {};
    if (ready == 0) return Fail(ErrorCode::kTimeout, "no answer in time");
    if (errno != EINTR) return Fail(ErrorCode::kIo, std::strerror(errno));
  }
}

// Gone: the socket's other end is closed, or broken.
bool Retry(int error) { return error == EINTR || error == EAGAIN || error == EWOULDBLOCK; }

Status SendAll(int socket, ByteView bytes, Deadline deadline) {
  while (!bytes.empty()) {
    KT_TRY(Wait(socket, POLLOUT, deadline));
    const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    } else if (!Retry(errno)) {
      return Fail(ErrorCode::kNetwork, std::strerror(errno));
    }
  }
  return {};
}

Status ReceiveAll(int socket, MutableByteView bytes, Deadline deadline) {
  while (!bytes.empty()) {
    KT_TRY(Wait(socket, POLLIN, deadline));
    const ssize_t received = recv(socket, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (received > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(received));
    } else if (received == 0) {
      return Fail(ErrorCode::kNetwork, "the other side has closed the connection");
    } else if (!Retry(errno)) {
      return Fail(ErrorCode::kNetwork, std::strerror(errno));
    }
  }
  return {};
}

}  // namespace

const char* OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOk:
      return "ok";
    case Outcome::kNoModule:
      return "the module cannot be loaded";
    case Outcome::kNoToken:
      return "no token has the label";
    case Outcome::kNoMechanism:
      return "the token lacks AES key generation or AES-GCM";
    case Outcome::kPinIncorrect:
      return "the PIN is not correct";
    case Outcome::kPinLocked:
      return "the PIN is locked";
    case Outcome::kNoUser:
      return "the token has no user PIN";
    case Outcome::kNotLoggedIn:
      return "not logged in";
    case Outcome::kNoKey:
      return "the token does not have the key";
    case Outcome::kBadCiphertext:
      return "the ciphertext is not one of the key and context";
    case Outcome::kFailed:
      return "the module failed";
    case Outcome::kCrashed:
      return "the worker died";
    case Outcome::kTimedOut:
      return "the module did not return in time";
    case Outcome::kBusy:
      return "the worker is busy, or waits to be started again";
    case Outcome::kNotNamed:
      return "its cluster is not named by --hsm-cluster";
  }
  KT_CHECK(false);
}

SecretBytes Encode(const Request& request) {
  const ByteView fields[] = {request.pin.reveal(), AsBytes(request.key), request.iv, request.aad,
                             request.data.reveal()};
  std::size_t size = 2 + 4;
  for (const ByteView field : fields) size += 4 + field.size();
  Maker maker(size);
  maker.Byte(kVersion);
  maker.Byte(static_cast<std::uint8_t>(request.action));
  for (const ByteView field : fields) maker.Field(field);
  maker.Number(request.count, 4);
  return maker.Take();
}

SecretBytes Encode(const Reply& reply) {
  Maker maker(2 + 4 + reply.iv.size() + 4 + reply.data.size() + 8);
  maker.Byte(kVersion);
  maker.Byte(static_cast<std::uint8_t>(reply.outcome));
  maker.Field(reply.iv);
  maker.Field(reply.data.reveal());
  maker.Number(reply.code, 8);
  return maker.Take();
}

Result<Request> DecodeRequest(ByteView frame) {
  Reader reader(frame);
  const std::uint8_t version = reader.Byte();
  const std::uint8_t action = reader.Byte();
  Request request;
  request.pin = SecretBytes::CopyOf(reader.Field());
  request.key = std::string(AsText(reader.Field()));
  request.iv = Copy(reader.Field());
  request.aad = Copy(reader.Field());
  request.data = SecretBytes::CopyOf(reader.Field());
  request.count = static_cast<std::uint32_t>(reader.Number(4));
  if (!reader.whole() || version != kVersion || action < 1 ||
      action > static_cast<std::uint8_t>(Action::kRandom) || request.count > kFrameBytesMax / 2) {
    return NoMessage();
  }
  request.action = static_cast<Action>(action);
  return request;
}

Result<Reply> DecodeReply(ByteView frame) {
  Reader reader(frame);
  const std::uint8_t version = reader.Byte();
  const std::uint8_t outcome = reader.Byte();
  Reply reply;
  reply.iv = Copy(reader.Field());
  reply.data = SecretBytes::CopyOf(reader.Field());
  reply.code = reader.Number(8);
  if (!reader.whole() || version != kVersion || outcome > static_cast<std::uint8_t>(kLastOnWire)) {
    return NoMessage();
  }
  reply.outcome = static_cast<Outcome>(outcome);
  return reply;
}

Status SendFrame(int socket, ByteView frame, Deadline deadline) {
  KT_CHECK(frame.size() <= kFrameBytesMax);
  std::array<std::uint8_t, 4> length{};
  for (std::size_t i = 0; i < 4; ++i) {
    length[i] = static_cast<std::uint8_t>(frame.size() >> (8 * (3 - i)));
  }
  KT_TRY(SendAll(socket, length, deadline));
  return SendAll(socket, frame, deadline);
}

Result<SecretBytes> ReceiveFrame(int socket, Deadline deadline) {
  std::array<std::uint8_t, 4> length{};
  KT_TRY(ReceiveAll(socket, length, deadline));
  std::size_t size = 0;
  for (const std::uint8_t byte : length) size = size << 8 | byte;
  if (size > kFrameBytesMax) return Fail(ErrorCode::kMalformed, "a frame is too long");
  SecretBytes frame(size);
  KT_TRY(ReceiveAll(socket, frame.reveal_mutable(), deadline));
  return frame;
}

}  // namespace keyturn::hsm
