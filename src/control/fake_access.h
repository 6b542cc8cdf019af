// FakeAccess: many accounts behind one client, for the tests of this room: it refuses, knows
// regions that are not enabled, and counts.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/target.h"

namespace keyturn::control {

class FakeAccess final : public Access {
 public:
  explicit FakeAccess(client::KmsClient& client) : client_(client) {}
  void Begin(const Target& target, Opened opened) override {
    seen.push_back(target.account + "@" + target.endpoint_url);
    if (refused && target.account == *refused) {
      opened(tl::unexpected(Closed{RegionStatus::kDenied, "STS refuses the role"}));
      return;
    }
    most_at_work = std::max(most_at_work, ++at_work);
    Open open{&client_, target.regions, {}, {}};
    if (target.all_regions) open.not_enabled = not_enabled;
    opened(open);
  }
  void Close(client::KmsClient*) override { --at_work; }
  std::size_t Pump(std::chrono::milliseconds max_wait) override { return client_.Pump(max_wait); }
  void CancelAll() override { client_.CancelAll(); }
  std::map<std::string, client::OperationCount, std::less<>> counts() const override {
    return client_.counts();
  }
  std::size_t open_max() const override { return 2; }

  std::optional<std::string> refused;    // an account
  std::vector<std::string> not_enabled;  // regions, in every account that is asked for all
  std::vector<std::string> seen;         // "account@endpoint" of each target that was begun
  std::size_t at_work = 0;
  std::size_t most_at_work = 0;

 private:
  client::KmsClient& client_;
};

}  // namespace keyturn::control
