#include "control/fleet.h"

#include <algorithm>
#include <cstring>
#include <thread>
#include <utility>

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

}  // namespace

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
  fleet->accounts_ = std::make_unique<FleetAccounts>(*fleet->http_, fleet->environment_,
                                                     fleet->outside_, fleet->options_.identify);
  const bool several = entries.size() > 1;
  for (FleetEntry& entry : entries) {
    const std::string place = entry.place;
    entry.flags.session_policy = fleet->options_.session_policy;
    if (const Status added = fleet->accounts_->Add(std::move(entry)); !added) {
      if (!several || place.empty()) return Fail(added.error());
      return Fail(ErrorCode::kUsage, place + ": " + added.error().message);
    }
  }
  return fleet;
}

// --- Opening ------------------------------------------------------------------------------------

void Fleet::Begin(const Target& target, Opened opened) {
  auto member = std::make_unique<Member>();
  member->target = target;
  member->entry = accounts_->EntryOf(target);
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
  bool paced = false;
  const std::size_t count = members_.size();
  for (std::size_t i = 0; i < count; ++i) {
    Member& member = *members_[(first_member_ + i) % count];
    if (member.next_try && (cancelled_ || *member.next_try <= now)) Step(member);
    if (member.next_try) {
      ++unfinished;
      until = std::min(until, *member.next_try);
    }
    if (!member.kms) continue;
    if (const auto next = member.kms->SendDue()) {
      until = std::min(until, *next);
      paced = true;
    }
    unfinished += member.kms->unfinished();
  }
  if (count > 0) first_member_ = (first_member_ + 1) % count;
  if (unfinished + requests_ == 0) return 0;
  auto wait = std::max(milliseconds(0), std::chrono::ceil<milliseconds>(until - now));
  // Answers wait for the round, too: to wake for each would cost more than what is done with it.
  const bool answers = budget_.in_flight + requests_ > 0;
  const bool round = paced && wait <= client::kPaceRound;
  if (wait > milliseconds(0) && (round || !answers)) {
    std::this_thread::sleep_for(std::exchange(wait, milliseconds(0)));
  }
  if (answers) http_->Pump(wait);
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
