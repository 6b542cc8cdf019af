#include "http/transfer_batch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <deque>
#include <filesystem>
#include <string>
#include <vector>

#include "base/check.h"

namespace keyturn::http {
namespace {

// Link: two ends of a connection of this process with itself.
struct Link {
  Link() {
    int ends[2];
    KT_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    ours = Socket(ends[0]);
    peer = Socket(ends[1]);
  }
  Socket ours, peer;
};

// The descriptors of this process that are rings.
std::vector<int> Rings() {
  std::vector<int> found;
  for (const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(each.path(), gone) == "anon_inode:[io_uring]") {
      found.push_back(std::stoi(each.path().filename()));
    }
  }
  return found;
}

bool KernelGivesRings() {
  io_uring_params params{};
  const long ring = ::syscall(__NR_io_uring_setup, 1, &params);
  if (ring >= 0) {
    ::close(static_cast<int>(ring));
  }
  return ring >= 0;
}

// Each test holds with the kernel's ring and without.
class TransferBatchTest : public ::testing::TestWithParam<bool> {
 protected:
  TransferBatchTest() : batch_(GetParam()) {}
  // A kernel that gives rings has given us one.
  void SetUp() override { ASSERT_EQ(batch_.shares_calls(), GetParam() && KernelGivesRings()); }

  std::deque<Link> links_;
  TransferBatch batch_;
};

TEST_P(TransferBatchTest, ResultsComeInTheOrderOfAdding) {
  constexpr std::size_t kCount = TransferBatch::kTransfersMax;
  links_.resize(kCount);
  for (int round = 0; round < 3; ++round) {
    std::deque<std::string> texts;
    for (std::size_t i = 0; i < kCount; ++i) {
      texts.emplace_back(i + 1,
                         static_cast<char>('a' + (i + static_cast<std::size_t>(round)) % 26));
      ASSERT_FALSE(batch_.full());
      batch_.Send(links_[i].ours, texts.back());
    }
    ASSERT_TRUE(batch_.full());
    const auto sent = batch_.Run();
    ASSERT_EQ(sent.size(), kCount);
    for (std::size_t i = 0; i < kCount; ++i) {
      ASSERT_EQ(sent[i].state, TransferState::kDone);
      ASSERT_EQ(sent[i].count, i + 1);
    }
    std::vector<std::string> spaces(kCount, std::string(kCount, '\0'));
    for (std::size_t i = kCount; i-- > 0;) {  // in another order
      batch_.Receive(links_[i].peer, spaces[i]);
    }
    const auto got = batch_.Run();
    ASSERT_EQ(got.size(), kCount);
    for (std::size_t i = 0; i < kCount; ++i) {
      ASSERT_EQ(got[kCount - 1 - i].state, TransferState::kDone);
      ASSERT_EQ(spaces[i].substr(0, got[kCount - 1 - i].count), texts[i]);
    }
  }
  EXPECT_TRUE(batch_.Run().empty());
}

TEST_P(TransferBatchTest, EachEndOfATransferIsTold) {
  links_.resize(4);
  std::string space(10, '\0');
  std::string other(10, '\0');
  ASSERT_EQ(links_[0].peer.Send("twelve bytes").count, 12U);
  links_[1].peer.Close();                 // ended
  links_[3].peer.Close();                 // a send is refused, without a signal
  batch_.Receive(links_[0].ours, space);  // more is there than room
  batch_.Receive(links_[1].ours, other);
  batch_.Receive(links_[2].ours, other);  // nothing there
  batch_.Send(links_[3].ours, "x");
  const auto results = batch_.Run();
  ASSERT_EQ(results.size(), 4U);
  EXPECT_EQ(results[0].state, TransferState::kDone);
  EXPECT_EQ(results[0].count, 10U);
  EXPECT_EQ(space, "twelve byt");
  EXPECT_EQ(results[1].state, TransferState::kEnded);
  EXPECT_EQ(results[2].state, TransferState::kWouldBlock);
  EXPECT_EQ(results[3].state, TransferState::kFailed);
}

TEST_P(TransferBatchTest, SendsWhatTheKernelTakesAndNeverWaits) {
  links_.resize(2);
  const std::string large(8 << 20, 'x');
  for (int i = 0; i < 2; ++i) batch_.Send(links_[static_cast<std::size_t>(i)].ours, large);
  const auto first = batch_.Run();
  for (const Transfer& each : first) {
    EXPECT_EQ(each.state, TransferState::kDone);
    EXPECT_GT(each.count, 0U);
    EXPECT_LT(each.count, large.size());
  }
  for (int i = 0; i < 2; ++i) batch_.Send(links_[static_cast<std::size_t>(i)].ours, large);
  for (const Transfer& each : batch_.Run()) {
    EXPECT_EQ(each.state, TransferState::kWouldBlock);
  }
}

TEST_P(TransferBatchTest, AClosedSocketFailsAlone) {
  links_.resize(2);
  links_[0].ours.Close();
  batch_.Send(links_[0].ours, "a");
  batch_.Send(links_[1].ours, "b");
  const auto results = batch_.Run();
  EXPECT_EQ(results[0].state, TransferState::kFailed);
  EXPECT_EQ(results[1].state, TransferState::kDone);
}

// Nothing but receiving and sending: nothing more can be registered, either.
TEST_P(TransferBatchTest, TheRingIsRestricted) {
  const std::vector<int> rings = Rings();
  ASSERT_EQ(rings.size(), batch_.shares_calls() ? 1U : 0U);
  for (const int ring : rings) {
    std::array<int, 1> files = {0};
    EXPECT_EQ(::syscall(__NR_io_uring_register, ring, IORING_REGISTER_FILES, files.data(), 1), -1);
    EXPECT_EQ(errno, EACCES);
  }
}

// A ring that fails while the server runs: every transfer is made, once.
TEST_P(TransferBatchTest, GoesOnWithoutARingThatFails) {
  const std::vector<int> rings = Rings();
  ASSERT_EQ(rings.size(), batch_.shares_calls() ? 1U : 0U);
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int ring : rings) {
    ASSERT_EQ(::dup2(nothing, ring), ring);
  }
  ::close(nothing);
  links_.resize(2);
  for (int round = 0; round < 2; ++round) {
    batch_.Send(links_[0].ours, "a");
    batch_.Send(links_[1].ours, "b");
    for (const Transfer& each : batch_.Run()) {
      EXPECT_EQ(each.state, TransferState::kDone);
      EXPECT_EQ(each.count, 1U);
    }
    EXPECT_FALSE(batch_.shares_calls());
    for (Link& link : links_) {
      std::string space(10, '\0');
      EXPECT_EQ(link.peer.Receive(space).count, 1U);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Calls, TransferBatchTest, ::testing::Bool(), [](const auto& instance) {
  return instance.param ? "Shared" : "OneEach";
});

}  // namespace
}  // namespace keyturn::http
