// The random source: no byte twice, neither in a thread, nor across threads, nor across fork. And
// the hardening of the process.
#include "crypto/random.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

#include "crypto/process.h"

namespace keyturn::crypto {
namespace {

Bytes Draw(std::size_t size) {
  Bytes bytes(size);
  SystemRandom().Fill(bytes);
  return bytes;
}

TEST(SystemRandom, FillsEverySizeAcrossBlocks) {
  std::set<Bytes> seen;
  for (const std::size_t size : {16U, 28U, 1000U, 1024U, 1025U, 4096U, 5000U, 100'000U}) {
    for (int i = 0; i < 20; ++i) {
      const Bytes bytes = Draw(size);
      EXPECT_TRUE(seen.insert(bytes).second);
      // 16 zero bytes at an end would be the mark of a part that was not filled (chance 2^-128).
      const auto zero = [](std::uint8_t b) { return b == 0; };
      EXPECT_FALSE(std::all_of(bytes.begin(), bytes.begin() + 16, zero));
      EXPECT_FALSE(std::all_of(bytes.end() - 16, bytes.end(), zero));
    }
  }
  Draw(0);
}

TEST(SystemRandom, NeverRepeatsAcrossThreads) {
  std::vector<std::vector<Bytes>> drawn(4);
  std::vector<std::thread> threads;
  for (auto& mine : drawn) {
    threads.emplace_back([&mine] {
      for (int i = 0; i < 2000; ++i) {
        mine.push_back(Draw(16));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::set<Bytes> all;
  for (const auto& mine : drawn) {
    all.insert(mine.begin(), mine.end());
  }
  EXPECT_EQ(all.size(), 8000U);
}

// The parent has drawn from its block, so that parent and child hold the same unused bytes.
TEST(SystemRandom, ChildDropsTheParentsBytes) {
  Draw(32);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const Bytes mine = Draw(512);
    const auto written = write(ends[1], mine.data(), mine.size());
    _exit(written == 512 ? 0 : 1);
  }
  const Bytes mine = Draw(512);
  Bytes theirs(512);
  EXPECT_EQ(read(ends[0], theirs.data(), theirs.size()), 512);
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  close(ends[0]);
  close(ends[1]);
  EXPECT_NE(mine, theirs);
}

TEST(HardenProcess, TurnsCoreDumpsOff) {
  const pid_t child = fork();  // it cannot be undone
  ASSERT_GE(child, 0);
  if (child == 0) {
    rlimit core{1, 1};
    const bool hardened = HardenProcess().has_value() && getrlimit(RLIMIT_CORE, &core) == 0 &&
                          core.rlim_cur == 0 && core.rlim_max == 0 &&
                          prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
    _exit(hardened ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace keyturn::crypto
