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

void Caller::VisitGranteeNames(
    const std::function<bool(std::string_view name, policy::Effect effect)>& visit) const {
  if (!visit(arn(), policy::Effect::kAllowDirect)) return;
  if (role && !visit(role->arn, policy::Effect::kAllowRole)) return;
  visit(model::RootArn("aws", account()), policy::Effect::kAllowAccount);
}

}  // namespace keyturn::service
