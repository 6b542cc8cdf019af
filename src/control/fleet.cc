#include "control/fleet.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <thread>
#include <utility>

#include "model/ids.h"

namespace keyturn::control {
namespace {

using client::SteadyTime;
using std::chrono::milliseconds;

constexpr std::size_t kConnectionsPerHostMax = 128;
constexpr std::size_t kInFlightMax = 256;
constexpr milliseconds kPauseFirst{200};
constexpr milliseconds kPauseMax{10000};
// Credentials of a role are renewed so long before they run out, and that is tried so often.
constexpr std::chrono::minutes kRenewAhead{10};
constexpr std::chrono::minutes kRenewPause{1};

SteadyTime Now() { return std::chrono::steady_clock::now(); }

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

struct Fleet::Entry {
  FleetEntry wanted;
  client::Config config;
  std::unique_ptr<client::CredentialKeeper> keeper;
  std::string own_account;  // empty: not asked for, or not known
  bool own_account_asked = false;
  std::string own_arn;

  std::string region() const {
    if (!wanted.regions.empty() && wanted.regions.front() != kAllRegions) {
      return wanted.regions.front();
    }
    return config.region.empty() ? std::string(client::GlobalRegion("aws")) : config.region;
  }
  std::string_view partition() const { return model::PartitionOf(region()); }
};

// Member: a target from Begin to Close.
struct Fleet::Member {
  Target target;
  Entry* entry = nullptr;
  Opened opened;
  enum class Step { kRole, kRegions, kOpen, kClosed } step = Step::kRole;
  bool takes_role = false;
  sigv4::Credentials credentials;  // of the role
  std::string arn;                 // of the role's session
  std::optional<TimePoint> expires;
  TimePoint renew_next{};
  std::unique_ptr<client::KmsClient> kms;
  int attempts = 0;
  std::optional<SteadyTime> next_try;  // of a step that failed and may pass

  const sigv4::Credentials& caller() const {
    return takes_role ? credentials : entry->config.credentials;
  }
};

Fleet::Fleet(FleetOptions options, client::Environment environment, client::Outside outside,
             RandomSource& random)
    : options_(std::move(options)),
      environment_(std::move(environment)),
      outside_(std::move(outside)),
      random_(random) {
  budget_.in_flight_max = kInFlightMax;
}

Fleet::~Fleet() = default;

Result<std::unique_ptr<Fleet>> Fleet::Create(std::vector<FleetEntry> entries, FleetOptions options,
                                             client::Environment environment,
                                             client::Outside outside, RandomSource& random) {
  std::unique_ptr<Fleet> fleet(
      new Fleet(std::move(options), std::move(environment), std::move(outside), random));
  http::ClientOptions http;
  http.connections_per_host_max = kConnectionsPerHostMax;
  KT_ASSIGN(fleet->http_, http::Client::Create(http));
  const bool several = entries.size() > 1;
  for (FleetEntry& entry : entries) {
    const std::string place = entry.place;
    if (const Status added = fleet->AddEntry(std::move(entry)); !added) {
      if (!several || place.empty()) return Fail(added.error());
      return Fail(ErrorCode::kUsage, place + ": " + added.error().message);
    }
  }
  return fleet;
}

Status Fleet::AddEntry(FleetEntry wanted) {
  auto entry = std::make_unique<Entry>();
  entry->wanted = std::move(wanted);
  entry->wanted.flags.session_policy = options_.session_policy;
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

// --- Which accounts there are -------------------------------------------------------------------

Result<std::vector<Target>> Fleet::Targets() {
  std::vector<Target> targets;
  for (const auto& entry : entries_) {
    KT_ASSIGN(auto mine, TargetsOf(*entry));
    std::move(mine.begin(), mine.end(), std::back_inserter(targets));
  }
  return targets;
}

Result<std::vector<std::string>> Fleet::RegionsOf(const Entry& entry) const {
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

Status Fleet::FindOwnAccount(Entry& entry) {
  if (entry.own_account_asked) return {};
  entry.own_account_asked = true;
  KT_ASSIGN(const auto identity,
            client::AskCaller(*http_, entry.config.Site("sts", entry.region(), environment_),
                              entry.config.credentials, outside_.clock->Now()));
  entry.own_account = identity.account;
  entry.own_arn = identity.arn;
  return {};
}

// Identify asks who calls. A server of one's own that names no STS is asked itself: AWS's must not
// see its credentials.
void Fleet::Identify(Entry& entry) {
  if (!options_.identify || !entry.own_arn.empty()) return;
  auto site = entry.config.Site("sts", entry.region(), environment_);
  if (site.endpoint_url.empty() && !client::IsAwsEndpoint(entry.config.endpoint_url)) {
    site.endpoint_url = entry.config.endpoint_url;
  }
  const auto identity =
      client::AskCaller(*http_, site, entry.config.credentials, outside_.clock->Now());
  if (identity) entry.own_arn = identity->arn;
}

Result<std::vector<Target>> Fleet::TargetsOf(Entry& entry) {
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

Result<std::vector<Target>> Fleet::OrganizationOf(Entry& entry, const Target& base) {
  const auto site =
      entry.config.Site("organizations", client::GlobalRegion(entry.partition()), environment_);
  KT_ASSIGN(const auto accounts,
            client::ListAccounts(*http_, site, entry.config.credentials, *outside_.clock));
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

Fleet::Entry* Fleet::EntryOf(const Target& target) {
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

Status Fleet::CheckChanges(const std::vector<PlannedChange>& changes) {
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

// --- Opening ------------------------------------------------------------------------------------

void Fleet::Begin(const Target& target, Opened opened) {
  auto member = std::make_unique<Member>();
  member->target = target;
  member->entry = EntryOf(target);
  member->opened = std::move(opened);
  Member& kept = *members_.emplace_back(std::move(member));
  if (kept.entry == nullptr) {
    Fails(kept, RegionStatus::kError, "no credentials for " + TargetName(target));
    return;
  }
  kept.takes_role = !kept.entry->wanted.role_name.empty() && !target.account.empty() &&
                    target.account != kept.entry->own_account;
  kept.step = kept.takes_role ? Member::Step::kRole : Member::Step::kRegions;
  Step(kept);
}

void Fleet::Step(Member& member) {
  member.next_try.reset();
  if (cancelled_) {
    Fails(member, RegionStatus::kError, "the run was stopped before this account");
  } else if (member.step == Member::Step::kRole) {
    AskRole(member);
  } else if (member.target.all_regions) {
    AskRegions(member);
  } else {
    Opens(member, {nullptr, member.target.regions, {}, {}});
  }
}

void Fleet::Submit(Member& member, Result<http::ClientRequest> request,
                   std::function<void(const Result<http::ClientResponse>&)> done) {
  if (!request) {
    Fails(member, RegionStatus::kError, request.error().message);
    return;
  }
  ++requests_;
  http_->Submit(*std::move(request),
                [this, done = std::move(done)](const Result<http::ClientResponse>& response) {
                  --requests_;
                  done(response);
                });
}

// Again: a step that failed is tried again later, if that may help.
bool Fleet::Again(Member& member, ErrorCode code) {
  const bool may_pass = code == ErrorCode::kNetwork || code == ErrorCode::kTimeout;
  if (cancelled_ || !may_pass || ++member.attempts >= options_.attempts_max) return false;
  std::array<std::uint8_t, 2> bytes{};
  random_.Fill(bytes);
  std::uint16_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof(number));
  const milliseconds longest = std::min(kPauseMax, kPauseFirst * (1 << member.attempts));
  member.next_try = Now() + longest * (32768 + number / 2) / 65536;
  return true;
}

client::RoleRequest Fleet::RoleOf(const Member& member) const {
  client::RoleRequest role;
  role.role_arn = "arn:" + std::string(member.entry->partition()) +
                  ":iam::" + member.target.account + ":role/" + member.entry->wanted.role_name;
  role.external_id = member.entry->wanted.role_external_id;
  role.session_name = "keyturn-" + std::to_string(ToEpochMillis(outside_.clock->Now()) / 1000);
  role.session_policy = options_.session_policy;
  return role;
}

void Fleet::AskRole(Member& member) {
  Entry& entry = *member.entry;
  entry.keeper->Renew();
  const client::RoleRequest role = RoleOf(member);
  Submit(member,
         client::AssumeRoleRequest(entry.config.Site("sts", entry.region(), environment_),
                                   entry.config.credentials, role, outside_.clock->Now()),
         [this, &member, role](const Result<http::ClientResponse>& response) {
           auto found = client::ParseAssumeRole(role, response);
           if (found) {
             member.credentials = std::move(found->credentials);
             member.expires = found->expires;
             member.arn = std::move(found->arn);
             member.attempts = 0;
             member.step = Member::Step::kRegions;
             Step(member);
           } else if (!Again(member, found.error().code)) {
             const bool denied = found.error().code == ErrorCode::kAccessDeniedException;
             Fails(member, denied ? RegionStatus::kDenied : RegionStatus::kError,
                   found.error().message);
           }
         });
}

// AskRegions: an account that does not say has the partition's regions; those that it has not opted
// in to are found by calling.
void Fleet::AskRegions(Member& member) {
  const Entry& entry = *member.entry;
  const auto site = entry.config.Site(
      "ec2", entry.config.region.empty() ? client::GlobalRegion(entry.partition()) : "",
      environment_);
  Submit(member, client::DescribeRegionsRequest(site, member.caller(), outside_.clock->Now()),
         [this, &member](const Result<http::ClientResponse>& response) {
           const auto states = client::ParseDescribeRegions(response);
           Open open;
           if (states) {
             for (const client::RegionState& state : *states) {
               (state.enabled ? open.regions : open.not_enabled).push_back(state.name);
             }
           } else if (Again(member, states.error().code)) {
             return;
           } else {
             open.regions = member.target.regions;
             open.note =
                 "regions are taken from the built-in list where an account does not tell "
                 "them (" +
                 states.error().message + "; ec2:DescribeRegions is needed)";
           }
           Opens(member, std::move(open));
         });
}

void Fleet::Opens(Member& member, Open open) {
  Entry& entry = *member.entry;
  client::KmsClientOptions options;
  options.endpoint_url = entry.config.endpoint_url;
  options.variant = entry.config.variant;
  options.ca_bundle_file = entry.config.ca_bundle_file;
  options.quota_share = options_.quota_share;
  options.user_agent = options_.user_agent;
  options.in_flight_max = kInFlightMax;
  options.attempts_max = options_.attempts_max;
  options.budget = &budget_;
  if (member.takes_role) {
    options.before_signing = [this, &member] { RenewRole(member); };
  } else {
    options.before_signing = [&entry] { entry.keeper->Renew(); };
  }
  auto kms = client::KmsClient::Create(*http_, member.caller(), *outside_.clock, random_,
                                       std::move(options));
  if (!kms) {
    Fails(member, RegionStatus::kError, kms.error().message);
    return;
  }
  member.kms = std::move(*kms);
  if (cancelled_) member.kms->CancelAll();
  member.step = Member::Step::kOpen;
  open.client = member.kms.get();
  open.caller_arn = member.takes_role ? member.arn : entry.own_arn;
  std::exchange(member.opened, nullptr)(std::move(open));
}

void Fleet::Fails(Member& member, RegionStatus status, std::string detail) {
  member.step = Member::Step::kClosed;
  member.next_try.reset();
  std::exchange(member.opened, nullptr)(tl::unexpected(Closed{status, std::move(detail)}));
}

// RenewRole waits for STS; in a run of hours that is once an hour for each account that is open.
void Fleet::RenewRole(Member& member) {
  if (!member.expires) return;
  const TimePoint now = outside_.clock->Now();
  if (now < *member.expires - kRenewAhead || now < member.renew_next) return;
  member.renew_next = now + kRenewPause;
  Entry& entry = *member.entry;
  entry.keeper->Renew();
  const auto http = outside_.open_http(entry.config.ca_bundle_file, false);
  if (!http) return;
  auto found = client::AssumeRole(**http, entry.config.Site("sts", entry.region(), environment_),
                                  entry.config.credentials, RoleOf(member), now);
  if (!found) return;  // the old ones are used as long as they are taken
  member.credentials = std::move(found->credentials);
  member.expires = found->expires;
}

// --- Working ------------------------------------------------------------------------------------

void Fleet::Close(client::KmsClient* client) {
  for (const auto& member : members_) {
    if (member->kms.get() == client) member->step = Member::Step::kClosed;
  }
}

// DropClosed ends what is closed, outside of its own callbacks.
void Fleet::DropClosed() {
  for (std::size_t i = 0; i < members_.size();) {
    if (members_[i]->step != Member::Step::kClosed) {
      ++i;
      continue;
    }
    if (members_[i]->kms) {
      for (const auto& [operation, count] : members_[i]->kms->counts()) {
        auto& sum = closed_counts_[operation];
        sum.calls += count.calls;
        sum.throttled += count.throttled;
        sum.failed += count.failed;
      }
    }
    members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

std::size_t Fleet::Pump(milliseconds max_wait) {
  DropClosed();
  const SteadyTime now = Now();
  SteadyTime until = now + max_wait;
  std::size_t unfinished = 0;
  const std::size_t count = members_.size();
  for (std::size_t i = 0; i < count; ++i) {
    Member& member = *members_[(first_member_ + i) % count];
    if (member.next_try && (cancelled_ || *member.next_try <= now)) Step(member);
    if (member.next_try) {
      ++unfinished;
      until = std::min(until, *member.next_try);
    }
    if (!member.kms) continue;
    if (const auto next = member.kms->SendDue()) until = std::min(until, *next);
    unfinished += member.kms->unfinished();
  }
  if (count > 0) first_member_ = (first_member_ + 1) % count;
  if (unfinished + requests_ == 0) return 0;
  const auto wait = std::max(milliseconds(0), std::chrono::ceil<milliseconds>(until - now));
  if (budget_.in_flight + requests_ > 0) {
    http_->Pump(wait);
  } else if (wait > milliseconds(0)) {
    std::this_thread::sleep_for(wait);
  }
  return unfinished + requests_;
}

void Fleet::CancelAll() {
  cancelled_ = true;
  http_->CancelAll();
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i]->kms) members_[i]->kms->CancelAll();
  }
}

std::map<std::string, client::OperationCount, std::less<>> Fleet::counts() const {
  auto counts = closed_counts_;
  for (const auto& member : members_) {
    if (!member->kms) continue;
    for (const auto& [operation, count] : member->kms->counts()) {
      auto& sum = counts[operation];
      sum.calls += count.calls;
      sum.throttled += count.throttled;
      sum.failed += count.failed;
    }
  }
  return counts;
}

double Fleet::quota_used() const {
  double most = 0;
  for (const auto& member : members_) {
    if (member->kms) most = std::max(most, member->kms->quota_used());
  }
  return most;
}

}  // namespace keyturn::control
