#include "api/ops/list_retirable_grants.h"

#include "service/ops/common.h"
#include "service/ops/grant_entry.h"

namespace keyturn::service {
namespace {

// IsUniqueId: AIDA... of a user, AROA... of a role. AWS shows them for principals that are gone;
// here nothing is kept under them.
bool IsUniqueId(std::string_view text) {
  return (text.starts_with("AIDA") || text.starts_with("AROA")) && text.size() >= 16 &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == std::string_view::npos;
}

}  // namespace

template <>
Result<api::ListRetirableGrantsResponse> Handle<api::op::ListRetirableGrants>(
    Call& call, const api::ListRetirableGrantsRequest& request) {
  const std::string& principal = request.retiring_principal;
  if (IsUniqueId(principal)) {
    return Fail(ErrorCode::kNotFoundException,
                "Retiring principal " + principal + " could not be found");
  }
  KT_TRY(CheckGrantPrincipal(call, principal));
  // The principals of another account are that account's to ask for.
  const auto arn = model::Arn::Parse(principal);
  if (arn->account != call.account().text()) {
    return Fail(ErrorCode::kInvalidArnException,
                "ARN does not refer to a valid principal: " + principal);
  }
  const std::string scope = "ListRetirableGrants " + principal;
  KT_ASSIGN(const Page page,
            ReadPage(call, scope, request.marker, request.limit, kGrantsPageDefault));
  auto grants = call.environment.tables.ListRetirableGrants(principal, call.region, page.after,
                                                            page.limit + 1);
  api::ListRetirableGrantsResponse response;
  response.truncated = grants.size() > page.limit;
  if (*response.truncated) {
    grants.resize(page.limit);
    const store::GrantRow& last = *grants.back();
    response.next_marker = MakeMarker(call, scope, std::string(last.key.text()) + " " + last.id);
  }
  auto& entries = response.grants.emplace();
  for (const GrantPtr& grant : grants) entries.push_back(ToGrantEntry(*grant));
  return response;
}

}  // namespace keyturn::service
