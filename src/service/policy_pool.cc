#include "service/policy_pool.h"

#include <algorithm>

namespace keyturn::service {

Result<std::shared_ptr<const KeyPolicy>> PolicyPool::Get(const std::string& text) {
  {
    const std::scoped_lock lock(mutex_);
    const auto found = known_.find(text);
    if (found != known_.end()) {
      if (auto policy = found->second.lock()) return policy;
      known_.erase(found);
    }
  }
  KT_ASSIGN(policy::PolicyPtr compiled, policy::CompileStored(text));
  auto policy = std::make_shared<const KeyPolicy>(
      KeyPolicy{std::make_shared<const std::string>(text), std::move(compiled)});
  const std::scoped_lock lock(mutex_);
  known_[text] = policy;
  if (known_.size() >= sweep_at_) {
    std::erase_if(known_, [](const auto& each) { return each.second.expired(); });
    sweep_at_ = std::max(kSweepMin, 2 * known_.size());
  }
  return policy;
}

std::size_t PolicyPool::size() const {
  const std::scoped_lock lock(mutex_);
  return known_.size();
}

}  // namespace keyturn::service
