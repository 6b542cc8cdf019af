#include "api/ops/list_aliases.h"

#include <algorithm>

#include "service/aws_managed.h"
#include "service/ops/common.h"

namespace keyturn::service {

namespace {

// WithPredefined: the aliases and, in their places, the predefined ones that have no key yet.
std::vector<store::AliasRow> WithPredefined(const Call& call, const Page& page) {
  auto rows =
      call.environment.tables.ListAliases(call.account(), call.region, page.after, page.limit + 1);
  for (const std::string_view name : PredefinedAliases()) {
    if (name <= page.after || call.view.FindAlias(call.account(), call.region, name)) continue;
    store::AliasRow row;
    row.name = name;
    rows.push_back(std::move(row));
  }
  std::sort(rows.begin(), rows.end(),
            [](const auto& one, const auto& other) { return one.name < other.name; });
  if (rows.size() > page.limit + 1) rows.resize(page.limit + 1);
  return rows;
}

}  // namespace

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
  } else if (call.environment.aws_managed_keys_on_first_use) {
    rows = WithPredefined(call, page);
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
    auto& entry = aliases.emplace_back();
    entry.alias_name = row.name;
    entry.alias_arn = model::AliasArn(call.region, call.account(), row.name);
    if (row.target == model::KeyId()) continue;  // predefined, without a key
    entry.target_key_id = std::string(row.target.text());
    entry.creation_date = row.creation_date;
    entry.last_updated_date = row.last_updated_date;
  }
  return response;
}

}  // namespace keyturn::service
