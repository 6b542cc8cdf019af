#include "api/ops/list_aliases.h"

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::ListAliasesResponse> Handle<api::op::ListAliases>(
    Call& call, const api::ListAliasesRequest& request) {
  constexpr std::size_t kLimitDefault = 50;
  std::string scope = "ListAliases";
  std::vector<store::AliasRow> rows;
  std::optional<model::KeyId> only;
  if (request.key_id) {
    KT_ASSIGN(const Target target,
              ResolveKey(call, *request.key_id, false, "kms:ListAliases", false));
    only = target.key->key.id;
    scope.append(" ").append(only->text());
  }
  KT_ASSIGN(const Page page, ReadPage(call, scope, request.marker, request.limit, kLimitDefault));
  if (only) {
    for (auto& row : call.view.AliasesOf(call.account(), call.region, *only)) {
      if (row.name > page.after && rows.size() <= page.limit) rows.push_back(std::move(row));
    }
  } else {
    rows = call.environment.tables.ListAliases(call.account(), call.region, page.after,
                                               page.limit + 1);
  }
  api::ListAliasesResponse response;
  response.truncated = rows.size() > page.limit;
  if (*response.truncated) {
    rows.resize(page.limit);
    response.next_marker = MakeMarker(call, scope, rows.back().name);
  }
  auto& aliases = response.aliases.emplace();
  for (const store::AliasRow& row : rows) {
    aliases.push_back({.alias_name = row.name,
                       .alias_arn = model::AliasArn(call.region, call.account(), row.name),
                       .target_key_id = std::string(row.target.text()),
                       .creation_date = row.creation_date,
                       .last_updated_date = row.last_updated_date});
  }
  return response;
}

}  // namespace keyturn::service
