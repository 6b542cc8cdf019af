#include "crypto/random.h"

#include <openssl/rand.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/secret.h"
#include "crypto/openssl_check.h"

namespace keyturn::crypto {
namespace {

// Counts forks, so that a child never hands out bytes that its parent may hand out too.
std::atomic<unsigned> g_forks{0};

struct Block {
  ~Block() { WipeMemory(bytes.data(), bytes.size()); }
  std::array<std::uint8_t, 4096> bytes{};
  std::size_t used = 4096;
  unsigned forks = 0;
};

class BlockRandom final : public RandomSource {
 public:
  BlockRandom() {
    KT_CHECK(pthread_atfork(nullptr, nullptr, [] { ++g_forks; }) == 0);
  }

  void Fill(MutableByteView out) override {
    if (out.empty()) {
      return;
    }
    thread_local Block block;
    if (out.size() > block.bytes.size() / 4) {
      KT_OPENSSL(RAND_priv_bytes(out.data(), static_cast<int>(out.size())));
      return;
    }
    const unsigned forks = g_forks.load(std::memory_order_relaxed);
    if (block.used + out.size() > block.bytes.size() || block.forks != forks) {
      KT_OPENSSL(RAND_priv_bytes(block.bytes.data(), static_cast<int>(block.bytes.size())));
      block.used = 0;
      block.forks = forks;
    }
    std::uint8_t* from = block.bytes.data() + block.used;
    std::memcpy(out.data(), from, out.size());
    WipeMemory(from, out.size());
    block.used += out.size();
  }
};

}  // namespace

RandomSource& SystemRandom() {
  static BlockRandom random;
  return random;
}

}  // namespace keyturn::crypto
