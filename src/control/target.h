// Target: one account on one endpoint, with the regions of it that a run is about; Access: how
// targets are called.
//
// Thread-safety: Target is a value; an Access belongs to the thread that pumps it.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "client/kms_client.h"
#include "control/run.h"

namespace keyturn::control {

struct Target {
  std::string endpoint_url;  // empty: AWS's own, by region
  std::string account;       // empty: not known before a call tells it
  std::vector<std::string> regions;
  // all_regions: the account is asked which regions it has; regions are those that are taken where
  // it does not say.
  bool all_regions = false;
  // caller names the credentials for messages and for the Access that made the target: "profile
  // prod", a role's ARN. Empty: by endpoint and account alone.
  std::string caller;
  // closed: why it is not called at all, a suspended account for example. Such a target is in the
  // coverage like any other, with this status.
  struct Closed {
    RegionStatus status = RegionStatus::kError;
    std::string detail;
  };
  std::optional<Closed> closed;
};

// TargetName: "account 111122223333", "account 111122223333 at https://kms.internal", for messages.
std::string TargetName(const Target& target);

// Access opens a client for a target and pumps all that are open on one loop.
class Access {
 public:
  using Closed = Target::Closed;
  struct Open {
    client::KmsClient* client = nullptr;
    std::vector<std::string> regions;  // of a target that asked for all; else as the target says
    std::vector<std::string> not_enabled;  // regions that the account has not opted in to
    std::string note;                      // what the run's reader should know; may be empty
    std::string caller_arn{};              // who calls, where STS was asked and said so
  };
  using Opened = std::function<void(tl::expected<Open, Closed>)>;

  virtual ~Access() = default;
  // Begin makes a client that may call the target; opened runs in this call or in Pump, exactly
  // once. The client lives until Close.
  virtual void Begin(const Target& target, Opened opened) = 0;
  // Close gives a client back that has nothing under way. It may be called in the client's own
  // callback: the client ends later.
  virtual void Close(client::KmsClient* client) = 0;
  // Pump sends what may be sent, runs callbacks, waits at most max_wait; returns the number of
  // calls and openings that are not done.
  virtual std::size_t Pump(std::chrono::milliseconds max_wait) = 0;
  // CancelAll finishes everything that is not done, and whatever comes later, as cancelled.
  virtual void CancelAll() = 0;

  // counts are of all clients, also those that are closed.
  virtual std::map<std::string, client::OperationCount, std::less<>> counts() const = 0;
  // quota_used: the busiest operation's rate as a part of AWS's quota for it; 0 where no quota
  // applies.
  virtual double quota_used() const { return 0; }
  // open_max: so many targets are worked on side by side.
  virtual std::size_t open_max() const { return 1; }
};

// SingleAccess gives every target the same client.
class SingleAccess final : public Access {
 public:
  explicit SingleAccess(client::KmsClient& client) : client_(client) {}
  void Begin(const Target& target, Opened opened) override {
    opened(Open{&client_, target.regions, {}, {}});
  }
  void Close(client::KmsClient*) override {}
  std::size_t Pump(std::chrono::milliseconds max_wait) override { return client_.Pump(max_wait); }
  void CancelAll() override { client_.CancelAll(); }
  std::map<std::string, client::OperationCount, std::less<>> counts() const override {
    return client_.counts();
  }

 private:
  client::KmsClient& client_;
};

}  // namespace keyturn::control
