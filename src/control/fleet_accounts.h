// FleetAccounts: the endpoints and credentials that a command names, and the accounts reached with
// each of them.
//
// Thread-safety: one thread. All but EntryOf block while STS and Organizations are asked.
// Source: STS and Organizations API References.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "client/credentials.h"
#include "control/change.h"
#include "control/target.h"
#include "http/client.h"

namespace keyturn::control {

inline constexpr std::string_view kAllRegions = "all";

// FleetEntry: one endpoint, the credentials that it is called with, and the accounts reached so.
struct FleetEntry {
  std::string place;                  // names it: "profile prod", "fleet.yaml:12"; each once
  client::ConfigFlags flags;          // the credentials, the endpoint
  std::string role_name;              // taken on in every account but the credentials' own
  std::string role_external_id;       // for that role
  bool organization = false;          // every account of the organisation
  std::vector<std::string> accounts;  // else these; none: the credentials' own
  std::vector<std::string> regions;   // kAllRegions alone: all; none: the configured one
};

class FleetAccounts {
 public:
  // Entry: one that was named, with the credentials found for it.
  struct Entry {
    FleetEntry wanted;
    client::Config config;
    std::unique_ptr<client::CredentialKeeper> keeper;
    std::string own_account;  // empty: not asked for, or not known
    bool own_account_asked = false;
    std::string own_arn;

    std::string region() const;
    std::string_view partition() const;
  };

  // All that is passed must outlive it. identify: STS is asked who calls, for the record.
  FleetAccounts(http::Client& http, const client::Environment& environment,
                const client::Outside& outside, bool identify)
      : http_(http), environment_(environment), outside_(outside), identify_(identify) {}

  // Add finds the credentials. kUsage when there are none, or none that work.
  Status Add(FleetEntry wanted);
  // Targets: every account of every entry. Accounts of the organisation that are suspended or
  // closed are among them, and are not called.
  Result<std::vector<Target>> Targets();
  // CheckChanges: kUsage when some change is on an endpoint or in an account that no entry reaches.
  Status CheckChanges(const std::vector<PlannedChange>& changes);
  // EntryOf: who calls a target; null: nobody. It lives as long as this.
  Entry* EntryOf(const Target& target);

 private:
  Result<std::vector<Target>> TargetsOf(Entry& entry);
  Result<std::vector<Target>> OrganizationOf(Entry& entry, const Target& base);
  Result<std::vector<std::string>> RegionsOf(const Entry& entry) const;
  Status FindOwnAccount(Entry& entry);
  void Identify(Entry& entry);

  http::Client& http_;
  const client::Environment& environment_;
  const client::Outside& outside_;
  const bool identify_;
  std::vector<std::unique_ptr<Entry>> entries_;
};

}  // namespace keyturn::control
