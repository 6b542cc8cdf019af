#include "service/policy_pool.h"

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
  KT_ASSIGN(policy::PolicyPtr compiled, policy::Compile(text, policy::Kind::kKeyPolicy));
  auto policy = std::make_shared<const KeyPolicy>(
      KeyPolicy{std::make_shared<const std::string>(text), std::move(compiled)});
  const std::scoped_lock lock(mutex_);
  known_[text] = policy;
  return policy;
}

}  // namespace keyturn::service
