#include "control/fleet_accounts.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "model/ids.h"

namespace keyturn::control {
namespace {

bool IsActive(std::string_view state) { return state == "ACTIVE"; }

// StateText: "SUSPENDED" -> "the account (Sandbox) is suspended".
std::string StateText(std::string_view name, std::string_view state) {
  std::string text = "the account";
  if (!name.empty()) text.append(" (").append(name).append(")");
  if (state == "PENDING_CLOSURE") return text + " is being closed";
  if (state == "PENDING_ACTIVATION") return text + " is not activated yet";
  text += " is ";
  for (const char c : state) {
    text += c == '_' ? ' ' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return text;
}

// StateStatus: nobody can call an account in one of these states, nor use its keys. A state that is
// newer than this program is a gap.
RegionStatus StateStatus(std::string_view state) {
  const bool closed = state == "SUSPENDED" || state == "PENDING_CLOSURE" || state == "CLOSED" ||
                      state == "PENDING_ACTIVATION";
  return closed ? RegionStatus::kClosed : RegionStatus::kError;
}

}  // namespace

std::string FleetAccounts::Entry::region() const {
  if (!wanted.regions.empty() && wanted.regions.front() != kAllRegions) {
    return wanted.regions.front();
  }
  return config.region.empty() ? std::string(client::GlobalRegion("aws")) : config.region;
}

std::string_view FleetAccounts::Entry::partition() const { return model::PartitionOf(region()); }

Status FleetAccounts::Add(FleetEntry wanted) {
  auto entry = std::make_unique<Entry>();
  entry->wanted = std::move(wanted);
  KT_ASSIGN(entry->config, client::LoadConfig(entry->wanted.flags, environment_, outside_));
  if (!entry->config.ca_bundle_file.empty()) {
    // A bundle that cannot be read is told before anything is asked.
    KT_ASSIGN(const auto trial, outside_.open_http(entry->config.ca_bundle_file, false));
  }
  entry->keeper = std::make_unique<client::CredentialKeeper>(entry->wanted.flags, environment_,
                                                             outside_, entry->config);
  entries_.push_back(std::move(entry));
  return {};
}

Result<std::vector<Target>> FleetAccounts::Targets() {
  std::vector<Target> targets;
  for (const auto& entry : entries_) {
    KT_ASSIGN(auto mine, TargetsOf(*entry));
    std::move(mine.begin(), mine.end(), std::back_inserter(targets));
  }
  return targets;
}

Result<std::vector<std::string>> FleetAccounts::RegionsOf(const Entry& entry) const {
  if (entry.wanted.regions == std::vector<std::string>{std::string(kAllRegions)}) {
    const bool can_tell = !entry.config.Site("ec2", {}, environment_).endpoint_url.empty();
    if (!client::IsAwsEndpoint(entry.config.endpoint_url) && !can_tell) {
      return Fail(ErrorCode::kUsage, "only AWS tells which regions there are; name those of " +
                                         entry.config.endpoint_url);
    }
    return client::RegionsOf(entry.partition());
  }
  std::vector<std::string> regions = entry.wanted.regions;
  if (regions.empty() && !entry.config.region.empty()) regions = {entry.config.region};
  if (regions.empty()) {
    return Fail(ErrorCode::kUsage, "no region: give --region, or set AWS_REGION");
  }
  return regions;
}

Status FleetAccounts::FindOwnAccount(Entry& entry) {
  if (entry.own_account_asked) return {};
  entry.own_account_asked = true;
  KT_ASSIGN(const auto identity,
            client::AskCaller(http_, entry.config.Site("sts", entry.region(), environment_),
                              entry.config.credentials, outside_.clock->Now()));
  entry.own_account = identity.account;
  entry.own_arn = identity.arn;
  return {};
}

// Identify asks who calls. A server of one's own that names no STS is asked itself: AWS's must not
// see its credentials.
void FleetAccounts::Identify(Entry& entry) {
  if (!identify_ || !entry.own_arn.empty()) return;
  auto site = entry.config.Site("sts", entry.region(), environment_);
  if (site.endpoint_url.empty() && !client::IsAwsEndpoint(entry.config.endpoint_url)) {
    site.endpoint_url = entry.config.endpoint_url;
  }
  const auto identity =
      client::AskCaller(http_, site, entry.config.credentials, outside_.clock->Now());
  if (identity) entry.own_arn = identity->arn;
}

Result<std::vector<Target>> FleetAccounts::TargetsOf(Entry& entry) {
  Target base;
  base.endpoint_url = entry.config.endpoint_url;
  base.caller = entry.wanted.place;
  KT_ASSIGN(base.regions, RegionsOf(entry));
  base.all_regions = !entry.wanted.regions.empty() && entry.wanted.regions.front() == kAllRegions;
  // Whose the credentials are matters where roles are taken on in the other accounts, and for a
  // coverage that names accounts in which nothing answers.
  const bool has_roles = !entry.wanted.role_name.empty();
  if (has_roles || entries_.size() > 1) {
    const Status found = FindOwnAccount(entry);
    if (!found && has_roles) return Fail(found.error());
  }
  Identify(entry);
  if (entry.wanted.organization) return OrganizationOf(entry, base);
  std::vector<Target> targets;
  if (entry.wanted.accounts.empty()) {
    base.account = entry.own_account;
    targets.push_back(std::move(base));
    return targets;
  }
  for (const std::string& account : entry.wanted.accounts) {
    targets.push_back(base);
    targets.back().account = account;
  }
  return targets;
}

Result<std::vector<Target>> FleetAccounts::OrganizationOf(Entry& entry, const Target& base) {
  const auto site =
      entry.config.Site("organizations", client::GlobalRegion(entry.partition()), environment_);
  KT_ASSIGN(const auto accounts,
            client::ListAccounts(http_, site, entry.config.credentials, *outside_.clock));
  std::vector<Target> targets;
  for (const client::OrganizationAccount& account : accounts) {
    Target target = base;
    target.account = account.id;
    if (!IsActive(account.state)) {
      target.closed = {StateStatus(account.state), StateText(account.name, account.state)};
    }
    targets.push_back(std::move(target));
  }
  return targets;
}

FleetAccounts::Entry* FleetAccounts::EntryOf(const Target& target) {
  Entry* by_role = nullptr;
  Entry* only = nullptr;
  std::size_t here = 0;
  for (const auto& entry : entries_) {
    if (!target.caller.empty()) {
      if (entry->wanted.place == target.caller) return entry.get();
      continue;
    }
    if (entry->config.endpoint_url != target.endpoint_url) continue;
    ++here;
    only = entry.get();
    const auto& named = entry->wanted.accounts;
    const bool is_named = std::find(named.begin(), named.end(), target.account) != named.end();
    if (is_named || (!entry->own_account.empty() && entry->own_account == target.account)) {
      return entry.get();
    }
    if (!entry->wanted.role_name.empty() && named.empty()) by_role = entry.get();
  }
  if (by_role != nullptr) return by_role;
  // One set of credentials without roles is what it is: the calls will tell.
  const bool plain = here == 1 && only->wanted.role_name.empty() && only->wanted.accounts.empty();
  return plain && only->own_account.empty() ? only : nullptr;
}

Status FleetAccounts::CheckChanges(const std::vector<PlannedChange>& changes) {
  std::set<std::pair<std::string, std::string>> places;
  for (const PlannedChange& change : changes) places.insert({change.endpoint_url, change.account});
  std::set<std::string> accounts;
  for (const auto& [endpoint_url, account] : places) accounts.insert(account);
  for (const auto& entry : entries_) {
    Identify(*entry);
    const bool has_roles = !entry->wanted.role_name.empty();
    if (!has_roles && entries_.size() == 1 && accounts.size() <= 1) continue;
    const Status found = FindOwnAccount(*entry);
    if (!found && has_roles) return Fail(found.error());
  }
  for (const auto& [endpoint_url, account] : places) {
    Target target;
    target.endpoint_url = endpoint_url;
    target.account = account;
    if (EntryOf(target) == nullptr) {
      return Fail(ErrorCode::kUsage,
                  "there are changes in " + TargetName(target) +
                      ", which these credentials do not reach; give --role-name, --profile or "
                      "--targets as for the plan");
    }
  }
  return {};
}

}  // namespace keyturn::control
