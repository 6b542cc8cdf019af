// RandomSource: where unpredictable bytes come from, injected like the clock.
#pragma once

#include "base/bytes.h"

namespace keyturn {

// RandomSource: thread-safe. Fill never fails: an implementation that has no entropy aborts.
// crypto::SystemRandom() is the production one.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual void Fill(MutableByteView out) = 0;
};

}  // namespace keyturn
