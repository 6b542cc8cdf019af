// ToGrantEntry: a grant as ListGrants and ListRetirableGrants show it.
// Source: KMS API model 2014-11-01, GrantListEntry; recorded answers.
#pragma once

#include <map>

#include "service/ops/common.h"

namespace keyturn::service {

inline constexpr std::size_t kGrantsPageDefault = 50;

inline std::optional<std::map<std::string, std::string>> ToPairs(
    const std::optional<std::vector<store::Tag>>& tags) {
  if (!tags) return std::nullopt;
  std::map<std::string, std::string> pairs;
  for (const store::Tag& tag : *tags) pairs.emplace(tag.key, tag.value);
  return pairs;
}

inline api::GrantListEntry ToGrantEntry(const store::GrantRow& grant) {
  api::GrantListEntry entry;
  entry.key_id = model::KeyArn(grant.region, grant.account, grant.key);
  entry.grant_id = grant.id;
  if (!grant.name.empty()) entry.name = grant.name;
  entry.creation_date = std::chrono::floor<std::chrono::seconds>(grant.created);
  entry.grantee_principal = grant.grantee;
  if (!grant.retiring_principal.empty()) entry.retiring_principal = grant.retiring_principal;
  entry.issuing_account = model::RootArn(grant.region.partition(), grant.issuing_account);
  entry.operations = grant.operations;
  if (grant.context_equals || grant.context_subset) {
    entry.constraints =
        api::GrantConstraints{.encryption_context_subset = ToPairs(grant.context_subset),
                              .encryption_context_equals = ToPairs(grant.context_equals)};
  }
  return entry;
}

}  // namespace keyturn::service
