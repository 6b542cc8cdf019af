// Fleet: an Access to all the accounts of a command (FleetAccounts): roles taken on, regions asked
// for, one client for each account, all on one loop.
//
// Thread-safety: one thread. Create and Targets block; what follows runs inside Pump, except that
// credentials of a role that run out in a long run are renewed in place.
// Source: STS and EC2 API References.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "client/credentials.h"
#include "control/fleet_accounts.h"

namespace keyturn::control {

struct FleetOptions {
  double quota_share = 0.3;
  std::string user_agent = "keyturn";
  // session_policy: of every role that is taken on; its session may do no more than this.
  std::string session_policy;
  std::size_t open_max = 24;
  int attempts_max = 8;  // of a call without an answer
  // identify: STS is asked who calls, for the record; a fleet without an answer works all the same.
  bool identify = false;
};

class Fleet final : public Access {
 public:
  // Create finds the credentials of every entry. kUsage names the entry that has none, or none
  // that work.
  static Result<std::unique_ptr<Fleet>> Create(std::vector<FleetEntry> entries,
                                               FleetOptions options,
                                               client::Environment environment,
                                               client::Outside outside, RandomSource& random);
  ~Fleet() override;

  // Of FleetAccounts.
  Result<std::vector<Target>> Targets() { return accounts_->Targets(); }
  Status CheckChanges(const std::vector<PlannedChange>& changes) {
    return accounts_->CheckChanges(changes);
  }

  void Begin(const Target& target, Opened opened) override;
  void Close(client::KmsClient* client) override;
  std::size_t Pump(std::chrono::milliseconds max_wait) override;
  void CancelAll() override;
  std::map<std::string, client::OperationCount, std::less<>> counts() const override;
  double quota_used() const override;
  std::size_t open_max() const override { return options_.open_max; }

 private:
  using Entry = FleetAccounts::Entry;
  struct Member;

  Fleet(FleetOptions options, client::Environment environment, client::Outside outside,
        RandomSource& random);

  void Step(Member& member);
  void AskRole(Member& member);
  void AskRegions(Member& member);
  void Opens(Member& member, Open open);
  void Fails(Member& member, RegionStatus status, std::string detail);
  bool Again(Member& member, ErrorCode code);
  void RenewRole(Member& member);
  client::RoleRequest RoleOf(const Member& member) const;
  void Submit(Member& member, Result<http::ClientRequest> request,
              std::function<void(const Result<http::ClientResponse>&)> done);
  void DropClosed();

  const FleetOptions options_;
  const client::Environment environment_;
  const client::Outside outside_;
  RandomSource& random_;
  std::unique_ptr<http::Client> http_;
  client::CallBudget budget_;
  std::unique_ptr<FleetAccounts> accounts_;
  std::deque<std::unique_ptr<Member>> members_;
  std::size_t first_member_ = 0;  // who sends first, in turns
  std::size_t requests_ = 0;      // of ours, under way
  std::map<std::string, client::OperationCount, std::less<>> closed_counts_;
  bool cancelled_ = false;
};

}  // namespace keyturn::control
