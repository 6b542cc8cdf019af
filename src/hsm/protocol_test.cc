#include "hsm/protocol.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

namespace keyturn::hsm {
namespace {

Request FullRequest() {
  Request request;
  request.action = Action::kEncrypt;
  request.pin = SecretBytes::CopyOf(AsBytes("12345678"));
  request.key = "1234abcd-12ab-34cd-56ef-1234567890ab";
  request.iv = Bytes(12, 7);
  request.aad = Bytes(300, 8);
  request.data = SecretBytes::CopyOf(AsBytes("plain"));
  request.count = 5;
  return request;
}

TEST(Protocol, ARequestComesBackWithEveryField) {
  const SecretBytes frame = Encode(FullRequest());
  const auto back = DecodeRequest(frame.reveal());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->action, Action::kEncrypt);
  EXPECT_EQ(AsText(back->pin.reveal()), "12345678");
  EXPECT_EQ(back->key, FullRequest().key);
  EXPECT_EQ(back->iv, Bytes(12, 7));
  EXPECT_EQ(back->aad, Bytes(300, 8));
  EXPECT_EQ(AsText(back->data.reveal()), "plain");
  EXPECT_EQ(back->count, 5U);
}

TEST(Protocol, AReplyComesBackWithEveryField) {
  Reply reply;
  reply.outcome = Outcome::kBadCiphertext;
  reply.iv = Bytes(12, 3);
  reply.data = SecretBytes::CopyOf(AsBytes("sealed"));
  reply.code = 0x8000'0001;
  const auto back = DecodeReply(Encode(reply).reveal());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->outcome, Outcome::kBadCiphertext);
  EXPECT_EQ(back->iv, Bytes(12, 3));
  EXPECT_EQ(AsText(back->data.reveal()), "sealed");
  EXPECT_EQ(back->code, 0x8000'0001U);
}

TEST(Protocol, NoPartAndNothingMoreOfAMessageIsOne) {
  const SecretBytes frame = Encode(FullRequest());
  for (std::size_t size = 0; size < frame.size(); ++size) {
    EXPECT_FALSE(DecodeRequest(frame.reveal().first(size))) << size;
  }
  Bytes longer(frame.reveal().begin(), frame.reveal().end());
  longer.push_back(0);
  EXPECT_FALSE(DecodeRequest(longer));
  longer.pop_back();
  for (const int action : {0, 9, 255}) {
    longer[1] = static_cast<std::uint8_t>(action);
    EXPECT_FALSE(DecodeRequest(longer)) << action;
  }
  longer[1] = 1;
  longer[0] = 2;
  EXPECT_FALSE(DecodeRequest(longer)) << "another version";
}

TEST(Protocol, WhatOnlyTheServerMayConcludeIsRefusedFromAWorker) {
  Reply reply;
  reply.outcome = Outcome::kOk;
  const SecretBytes frame = Encode(reply);
  Bytes bytes(frame.reveal().begin(), frame.reveal().end());
  for (const Outcome outcome :
       {Outcome::kCrashed, Outcome::kTimedOut, Outcome::kBusy, Outcome::kNotNamed}) {
    bytes[1] = static_cast<std::uint8_t>(outcome);
    EXPECT_FALSE(DecodeReply(bytes));
  }
}

class Sockets : public testing::Test {
 protected:
  Sockets() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()), 0); }
  ~Sockets() override {
    for (const int end : ends_) {
      if (end >= 0) close(end);
    }
  }
  std::array<int, 2> ends_{-1, -1};
};

TEST_F(Sockets, FramesOfEverySizeArriveWhole) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kFrameBytesMax}) {
    const Bytes sent(size, 0x5a);
    std::thread sender([&] { EXPECT_TRUE(SendFrame(ends_[0], sent, {})); });
    const auto received = ReceiveFrame(ends_[1], {});
    sender.join();
    ASSERT_TRUE(received);
    EXPECT_EQ(Bytes(received->reveal().begin(), received->reveal().end()), sent);
  }
}

TEST_F(Sockets, ALengthAboveTheLimitIsRefusedBeforeAnythingIsReserved) {
  const Bytes length = {0x7f, 0xff, 0xff, 0xff};
  ASSERT_EQ(send(ends_[0], length.data(), length.size(), 0), 4);
  const auto received = ReceiveFrame(ends_[1], {});
  ASSERT_FALSE(received);
  EXPECT_EQ(received.error().code, ErrorCode::kMalformed);
}

TEST_F(Sockets, SilenceIsATimeoutAndAClosedEndIsNoPeer) {
  const auto late =
      ReceiveFrame(ends_[1], std::chrono::steady_clock::now() + std::chrono::milliseconds(20));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kTimeout);
  close(ends_[0]);
  ends_[0] = -1;
  const auto gone = ReceiveFrame(ends_[1], {});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::kNetwork);
}

}  // namespace
}  // namespace keyturn::hsm
