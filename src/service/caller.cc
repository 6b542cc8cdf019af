#include "model/arn.h"
#include "service/call.h"

namespace keyturn::service {

std::string Caller::unique_id() const {
  return role ? role->row.role_id + ":" + session->name : user->row.user_id;
}

policy::Principal Caller::principal() const { return {account(), arn(), false}; }

policy::CallerPolicies Caller::policies() const {
  const auto& own = role ? role->policies : identity.empty() ? user->policies : identity;
  return {own, role ? role->boundary.get() : user->boundary.get(),
          session ? session->policy.get() : nullptr};
}

std::vector<std::pair<std::string, policy::Effect>> Caller::GranteeNames() const {
  std::vector<std::pair<std::string, policy::Effect>> names;
  names.reserve(3);
  names.emplace_back(arn(), policy::Effect::kAllowDirect);
  if (role) names.emplace_back(role->arn, policy::Effect::kAllowRole);
  names.emplace_back(model::RootArn("aws", account()), policy::Effect::kAllowAccount);
  return names;
}

}  // namespace keyturn::service
