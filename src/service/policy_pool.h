// PolicyPool: one compiled KeyPolicy for each different text, however many keys have it.
// Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/error.h"
#include "service/entities.h"

namespace keyturn::service {

class PolicyPool {
 public:
  // Get compiles text, a key policy as it is stored and shown, or returns the one it has. Errors:
  // policy::CompileStored's.
  Result<std::shared_ptr<const KeyPolicy>> Get(const std::string& text);
  // size: of how many texts there is something in memory.
  std::size_t size() const;

 private:
  static constexpr std::size_t kSweepMin = 64;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<const KeyPolicy>> known_;
  // Texts that no key has any more leave when there are twice as many as after the last time.
  std::size_t sweep_at_ = kSweepMin;
};

}  // namespace keyturn::service
